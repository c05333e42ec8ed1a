"""Proposals that wait, as people see them."""

from __future__ import annotations

from dataclasses import dataclass

# All source branches of the updater begin with this; it never touches another branch's merge request.
PROPOSAL_PREFIX = "updater/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedImage:
    """One image of a proposal: the tags that go, the charts it is for, who asked, and what came before.

    `replaced` are the tags the proposal carried earlier, the oldest first, `requests` ids. Of a
    promotion, `promoted_from` is the environment and `reason` what was said.
    """

    image: str
    previous: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    requested_by: str = ""
    promoted_from: str = ""
    reason: str = ""
    source: str = ""
    pipeline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProposal:
    """A proposal that waits, as people see it: a branch, and on GitLab its merge request.

    `name` is how people call it (`prod/iris`), `waits` why it is not merged yet, `held_by` who made a
    commit on its branch that is not the updater's. `diff` is filled in where one proposal is shown.
    """

    name: str
    environment: str
    branch: str
    target: str
    head: str
    title: str
    number: int = 0
    link: str = ""
    images: tuple[ProposedImage, ...] = ()
    waits: str = ""
    held_by: str = ""
    diff: str = ""
