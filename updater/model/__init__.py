"""The nouns: frozen values that flow through the house.

Everybody imports this package; it imports nothing but `errors`, does no I/O and never changes a value.
"""

from updater.model.files import Files, PinnedPlace, Scope
from updater.model.images import (
    DOCKER_HUB,
    MAX_REFERENCE,
    ImageReference,
    canonical_repository,
    familiar_repository,
    is_digest,
    is_tag,
    split_reference,
)
from updater.model.outcomes import (
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
    ProposalLink,
    strongest,
)
from updater.model.proposals import PROPOSAL_PREFIX, OpenProposal, ProposedImage
from updater.model.requests import (
    ACTS,
    APPROVE,
    PROMOTE,
    UPDATE,
    Caller,
    Chosen,
    Promoted,
    PromotionRequest,
    Record,
    Request,
    Source,
    UpdateRequest,
)

__all__ = [
    "ACTS",
    "APPROVE",
    "DOCKER_HUB",
    "MAX_REFERENCE",
    "PROMOTE",
    "PROPOSAL_PREFIX",
    "UPDATE",
    "Caller",
    "Chosen",
    "EnvironmentOutcome",
    "Files",
    "ImageReference",
    "OpenProposal",
    "Outcome",
    "OutcomeKind",
    "PinnedPlace",
    "PlaceOutcome",
    "Promoted",
    "PromotionRequest",
    "ProposalLink",
    "ProposedImage",
    "Record",
    "Request",
    "Scope",
    "Source",
    "UpdateRequest",
    "canonical_repository",
    "familiar_repository",
    "is_digest",
    "is_tag",
    "split_reference",
    "strongest",
]
