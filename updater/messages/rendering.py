"""The texts: templates read once, each filled in with facts that are safe to show.

Hides which texts there are and how they are found. `worker`, `oneshot` and `cli` call `Messages` through
the package's face.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from updater.messages import facts, recorded
from updater.messages.sections import render, sections, template
from updater.messages.words import one_line
from updater.model import (
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    Source,
    Why,
    strongest,
)
from updater.plan import AnyChange, HoldChange, Proposing, Reason, Verdict
from updater.trailers import person

# Every code a reason or a note may have; each needs a section in reasons.txt.
CODES = frozenset(
    {
        "adopted", "already-proposed", "approved", "chart-version", "closed", "closed-by-person",
        "closed-empty", "closed-for", "closed-for-rollback", "closed-landed", "closed-newer-stands",
        "closed-no-target", "closed-rollback-moot", "committed", "digest-not-written",
        "digest-stands", "ended-closed", "ended-dropped", "ended-obsolete",
        "environment-not-allowed", "forge-refused", "frozen", "gave-up", "held-already",
        "held-by-commit", "held-by-hold", "held-by-promotion", "held-by-revert",
        "held-by-rollback", "hold-no-image", "hold-set", "image-not-allowed",
        "image-not-used-there", "lifts-hold", "merge-waits", "merged", "never-stood",
        "newer-held", "newer-in-queue", "newer-promotion", "newer-proposed", "newer-stands",
        "newer-took-over", "no-chart", "no-order", "no-promotion", "no-such-deployment",
        "no-target", "not-in-target", "nothing-changes", "nothing-held", "nothing-to-promote",
        "nothing-to-roll-back", "now-held", "other-environment-not-allowed", "overlay-wins",
        "places-differ", "promoted-stands", "promotion-unclear", "promotion-unreadable",
        "proposed", "push-forbidden", "released", "replaces-proposed", "rollback-clashes",
        "rollback-moves-others", "rollback-no-tag", "rollback-overtaken", "rollback-proposed",
        "rolled-back", "rolled-back-instead", "stands-already", "stays-newer", "tag-not-taken",
        "taken-back-itself", "unchanged", "unknown-environment", "unknown-on-forge",
        "unsafe-edit", "window-closed",
    }
)  # fmt: skip
# Why a merge request of `auto-merge` is not merged yet; each needs a section in waits.txt.
WAITS = frozenset(
    {
        "approvals-syncing", "checking", "ci-must-pass", "commits-status", "conflict",
        "discussions-not-resolved", "draft-status", "head-lags", "jira-association-missing",
        "locked-lfs-files", "locked-paths", "merge-request-blocked", "merge-time", "need-rebase",
        "no-right-to-merge", "not-approved", "not-asked-for", "pipeline-failed",
        "pipeline-may-come", "pipeline-of-another-commit", "pipeline-running", "preparing",
        "requested-changes", "security-policy-violations", "status-checks-must-pass",
        "target-moved", "unchecked", "unknown-status",
    }
)  # fmt: skip
_TEMPLATES = (
    "commit.txt",
    "hold.txt",
    "merge_commit.txt",
    "merge_request.md",
    "merge_request_title.txt",
    "rollback.txt",
    "why.txt",
)
_SECTION = re.compile(r"^\[([a-z-]+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MergeRequestText:
    """What a merge request says of itself."""

    title: str
    description: str


class Messages:
    """Texts read once; `read` returns a template by name, an own one of the operator's first.

    Raises:
        InvalidSettings: a template does not parse, or a reason has no section.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._whole = {name: template(name, read(name)) for name in _TEMPLATES}
        self._reasons = sections("reasons.txt", read("reasons.txt"), _SECTION, CODES)
        self._waits = sections("waits.txt", read("waits.txt"), _SECTION, WAITS)

    def say(self, reason: Reason) -> str:
        """Return the sentence for a reason."""
        return render(f"reasons.txt [{reason.code}]", self._reasons[reason.code], dict(reason.facts))

    def wait(self, code: str, words: str = "") -> str:
        """Return the sentence for why a merge request is not merged yet; `words` are the forge's own."""
        known = code if code in self._waits else "unknown-status"
        return render(f"waits.txt [{known}]", self._waits[known], {"words": one_line(words or code)})

    def outcome(self, verdict: Verdict, *, commit: str = "", link: str = "") -> EnvironmentOutcome:
        """Return what is told of a verdict: the same with its texts rendered."""
        environment, image, chart = verdict.subject
        return EnvironmentOutcome(
            environment=environment,
            kind=verdict.kind,
            code=verdict.reason.code,
            reason=self.say(verdict.reason),
            commit=commit,
            link=link,
            superseded_by=verdict.superseded_by,
            places=verdict.places,
            notes=tuple(self.say(note) for note in verdict.notes),
            image=image,
            chart=chart,
        )

    def commit(self, change: AnyChange) -> str:
        """Return a commit message: the template's text, then the trailers."""
        if isinstance(change, HoldChange):
            return f"{self._fill('hold.txt', facts.of_hold(change))}\n\n{recorded.of_hold(change)}\n"
        if change.rollback is not None:
            text = self._fill("rollback.txt", facts.of_rollback(change, change.rollback))
        else:
            source_ref = one_line(change.requests[0].source.ref)
            text = self._fill("commit.txt", {**facts.of_change(change), "source_ref": source_ref})
        return f"{text}\n\n{recorded.of_changes([change])}\n"

    def merge_request(
        self, proposing: Proposing, deployed: Mapping[str, Source] = MappingProxyType({})
    ) -> MergeRequestText:
        """Return the title and the description of a proposal's merge request.

        `deployed` tells where images came from that stood there before, by `repository:tag`.
        """
        known = facts.of_proposal(proposing, deployed)
        title = one_line(self._fill("merge_request_title.txt", known))
        return MergeRequestText(title, self._fill("merge_request.md", known))

    def merge_commit(self, proposing: Proposing, *, name: str, approved_by: str = "") -> str:
        """Return the message of the commit that merges a proposal, with the trailers of all its commits."""
        more = {"name": one_line(name), "approved_by": one_line(approved_by)}
        text = self._fill("merge_commit.txt", {**facts.of_proposal(proposing), **more})
        approved = [("Approved-By", person(approved_by))]
        return f"{text}\n\n{recorded.of_changes(proposing.changes, approved)}\n"

    def why(self, why: Why, *, has_requests: bool) -> str:
        """Return one paragraph on why an image is, or is not, in an environment."""
        return self._fill("why.txt", {**facts.of_why(why), "asked": has_requests})

    def _fill(self, name: str, known: Mapping[str, object]) -> str:
        return render(name, self._whole[name], known).strip()


def whole(outcomes: Sequence[EnvironmentOutcome]) -> Outcome:
    """Return the request's outcome: the strongest kind, told by the environments that had it."""
    kind = strongest({outcome.kind for outcome in outcomes})
    reasons = dict.fromkeys(outcome.reason for outcome in outcomes if outcome.kind is kind)
    return Outcome(kind=OutcomeKind(kind), reason=" ".join(reasons), environments=tuple(outcomes))
