"""The nouns: frozen values that flow through the house.

Everybody imports this package; it imports nothing but `errors`, does no I/O and never changes a value.
"""

from updater.model.accounts import AskedBefore, Question, Status, StatusRow, WaitingTag, Why
from updater.model.commits import BlobChange, Log, LoggedCommit
from updater.model.files import Files, PinnedPlace, Scope
from updater.model.history import Deployment, DeploymentKind, Hold, Move, Until
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
from updater.model.rendering import Render, Rendered
from updater.model.requests import (
    ACTS,
    APPROVE,
    PROMOTE,
    ROLL_BACK,
    UPDATE,
    Caller,
    Chosen,
    HoldRequest,
    Promoted,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
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
    "ROLL_BACK",
    "UPDATE",
    "AskedBefore",
    "BlobChange",
    "Caller",
    "Chosen",
    "Deployment",
    "DeploymentKind",
    "EnvironmentOutcome",
    "Files",
    "Hold",
    "HoldRequest",
    "ImageReference",
    "Log",
    "LoggedCommit",
    "Move",
    "OpenProposal",
    "Outcome",
    "OutcomeKind",
    "PinnedPlace",
    "PlaceOutcome",
    "Promoted",
    "PromotionRequest",
    "ProposalLink",
    "ProposedImage",
    "Question",
    "Record",
    "Render",
    "Rendered",
    "Request",
    "RollbackRequest",
    "Scope",
    "Source",
    "Status",
    "StatusRow",
    "Until",
    "UpdateRequest",
    "WaitingTag",
    "Why",
    "canonical_repository",
    "familiar_repository",
    "is_digest",
    "is_tag",
    "split_reference",
    "strongest",
]
