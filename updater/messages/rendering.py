"""The texts: templates read once, each filled in with facts that are safe to show.

Hides Jinja and where a template is at fault. `worker`, `oneshot` and `cli` call `Messages` through
the package's face.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateError

from updater import trailers
from updater.errors import InvalidSettings
from updater.messages.words import code, link, listing, one_line, person, quoted
from updater.model import (
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    Source,
    familiar_repository,
    strongest,
)
from updater.plan import Change, Proposing, Reason, Verdict

# Every code a reason or a note may have; each needs a section in reasons.txt.
CODES = frozenset(
    {
        "adopted", "already-proposed", "approved", "closed", "closed-by-person", "closed-empty",
        "closed-for", "closed-landed", "closed-newer-stands", "closed-no-target", "committed",
        "digest-not-written", "digest-stands", "ended-closed", "ended-dropped", "ended-obsolete",
        "environment-not-allowed", "forge-refused", "gave-up", "held-by-commit",
        "held-by-promotion", "image-not-allowed", "image-not-used-there", "merge-waits", "merged",
        "newer-held", "newer-in-queue", "newer-promotion", "newer-proposed", "newer-stands",
        "newer-took-over", "no-chart", "no-order", "no-promotion", "no-target", "not-in-target",
        "nothing-to-promote", "other-environment-not-allowed", "overlay-wins", "places-differ",
        "promoted-stands", "promotion-unclear", "promotion-unreadable", "proposed",
        "push-forbidden", "replaces-proposed", "stays-newer", "tag-not-taken", "unchanged",
        "unknown-environment", "unknown-on-forge", "unsafe-edit",
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
        self._jinja = Environment(
            loader=BaseLoader(),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701
            trim_blocks=False,
        )  # plain text, never HTML
        self._jinja.filters.update(listing=listing, quoted=quoted, code=code, link=link)
        self._whole = {
            name: self._template(name, read(name))
            for name in ("commit.txt", "merge_request.md", "merge_request_title.txt", "merge_commit.txt")
        }
        self._reasons = self._sections("reasons.txt", read("reasons.txt"), CODES)
        self._waits = self._sections("waits.txt", read("waits.txt"), WAITS)

    def _sections(self, name: str, text: str, needed: Iterable[str]) -> Mapping[str, Template]:
        sections = _SECTION.split(text)
        found = {
            code: self._template(f"{name} [{code}]", part.strip())
            for code, part in zip(sections[1::2], sections[2::2], strict=True)
        }
        missing = sorted(set(needed) - found.keys())
        if missing:
            raise InvalidSettings(
                f"The template {name} has no section for {listing(missing)}: copy the shipped "
                "file and change its texts, but keep every section."
            )
        return found

    def _template(self, name: str, text: str) -> Template:
        try:
            return self._jinja.from_string(text)
        except TemplateError as problem:
            raise InvalidSettings(
                f"The template {name} does not parse: {problem}. Mend it in the folder that "
                "UPDATER_TEMPLATES names."
            ) from problem

    def say(self, reason: Reason) -> str:
        """Return the sentence for a reason."""
        return self._render(f"reasons.txt [{reason.code}]", self._reasons[reason.code], dict(reason.facts))

    def wait(self, code: str, words: str = "") -> str:
        """Return the sentence for why a merge request is not merged yet; `words` are the forge's own."""
        known = code if code in self._waits else "unknown-status"
        facts = {"words": one_line(words or code)}
        return self._render(f"waits.txt [{known}]", self._waits[known], facts)

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

    def commit(self, change: Change) -> str:
        """Return a commit message: the template's text, then the trailers."""
        request = change.requests[0]
        text = self._fill("commit.txt", {**_facts(change), "source_ref": one_line(request.source.ref)})
        return f"{text}\n\n{_trailers([change])}\n"

    def merge_request(
        self, proposing: Proposing, deployed: Mapping[str, Source] = MappingProxyType({})
    ) -> MergeRequestText:
        """Return the title and the description of a proposal's merge request.

        `deployed` tells where images came from that stood there before, by `repository:tag`.
        """
        facts = _proposal_facts(proposing, deployed)
        title = one_line(self._fill("merge_request_title.txt", facts))
        return MergeRequestText(title, self._fill("merge_request.md", facts))

    def merge_commit(self, proposing: Proposing, *, name: str, approved_by: str = "") -> str:
        """Return the message of the commit that merges a proposal, with the trailers of all its commits."""
        facts = {**_proposal_facts(proposing), "name": one_line(name), "approved_by": one_line(approved_by)}
        text = self._fill("merge_commit.txt", facts)
        more = [("Approved-By", person(approved_by))]
        return f"{text}\n\n{_trailers(proposing.changes, more)}\n"

    def _fill(self, name: str, facts: Mapping[str, object]) -> str:
        return self._render(name, self._whole[name], facts).strip()

    def _render(self, name: str, template: Template, facts: Mapping[str, object]) -> str:
        try:
            return template.render(facts)
        except Exception as problem:  # whatever an own template does wrong: Jinja runs it as Python
            raise InvalidSettings(
                f"The template {name} cannot be filled in: {problem}. Mend it in the folder "
                "that UPDATER_TEMPLATES names."
            ) from problem


def whole(outcomes: Sequence[EnvironmentOutcome]) -> Outcome:
    """Return the request's outcome: the strongest kind, told by the environments that had it."""
    kind = strongest({outcome.kind for outcome in outcomes})
    reasons = dict.fromkeys(outcome.reason for outcome in outcomes if outcome.kind is kind)
    return Outcome(kind=OutcomeKind(kind), reason=" ".join(reasons), environments=tuple(outcomes))


def _facts(change: Change) -> dict[str, object]:
    request, image = change.requests[0], change.image
    previous = listing([tag or "no tag" for tag in change.previous])
    promoted = request.promoted
    return {
        "charts": listing([one_line(chart) for chart in change.charts]),
        "tag": image.tag,
        "environment": one_line(change.environment),
        "image": familiar_repository(image.repository),
        "previous": one_line(previous),
        "digest": image.digest or "",
        "caller": one_line(request.caller.name),
        "author": one_line(person(request.source.author)),
        "source": trailers.source_link(request.source),
        "source_ref": "",
        "promoted_from": one_line(promoted.origin) if promoted else "",
        "reason": one_line(promoted.reason) if promoted else "",
    }


def _proposal_facts(
    proposing: Proposing, deployed: Mapping[str, Source] = MappingProxyType({})
) -> dict[str, object]:
    closed = proposing.standing.closed[:1]
    return {
        "environment": one_line(proposing.environment.name),
        "branch": proposing.branch,
        "target": one_line(proposing.target),
        "changes": [_change_facts(change, deployed) for change in proposing.changes],
        "closed": [{"name": one.name, "link": one.link, "by": one_line(one.by)} for one in closed],
    }


def _change_facts(change: Change, deployed: Mapping[str, Source]) -> dict[str, object]:
    source = change.requests[0].source
    return {
        **_facts(change),
        "chart_names": change.charts,
        "requests": [request.id for request in change.requests],
        "replaced": change.replaced,
        "commit": one_line(source.commit[:12]),
        "comparison": _comparison(change, deployed),
        "pipeline": one_line(source.pipeline_id or source.pipeline_url.rpartition("/")[2]),
        "pipeline_url": source.pipeline_url,
    }


def _comparison(change: Change, deployed: Mapping[str, Source]) -> str:
    """Return GitLab's page that compares the sources of the old and the new tag, where both are known."""
    new = change.requests[0].source
    olds = [deployed.get(f"{change.image.repository}:{tag}") for tag in change.previous]
    page = trailers.project_page(new)
    for old in olds:
        if old and old.commit and new.commit and page and trailers.project_page(old) == page:
            return f"{page}/-/compare/{old.commit}...{new.commit}"
    return ""


def _trailers(changes: Sequence[Change], more: Iterable[tuple[str, object]] = ()) -> str:
    pairs = (pair for change in changes for pair in _pairs(change))
    return trailers.written([*pairs, *more])


def _pairs(change: Change) -> Iterable[tuple[str, object]]:
    request = change.requests[0]
    source, promoted = request.source, request.promoted
    yield "Image", change.image
    yield from (("Previous", tag or "none") for tag in change.previous)
    yield from (("Replaced", tag) for tag in change.replaced)
    yield "Environment", change.environment
    yield from (("Chart", chart) for chart in change.charts)
    yield from (("Request", request.id) for request in change.requests)
    yield "Source", trailers.source_link(source)
    yield "Pipeline", source.pipeline_url or source.pipeline_id
    yield "Requested-By", person(source.author) or person(request.caller.name)
    if promoted:
        yield "Promoted-From", promoted.origin
        yield "Allow-Older", "yes" if promoted.allow_older else ""
        yield "Reason", promoted.reason
