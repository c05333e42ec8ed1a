"""Renders every text for people from `templates/`.

It hides Jinja, how outside text is made safe (a tag, branch or author may hold anything), and the
trailers of a commit, which are the history's format for ever and so cannot be overridden. `worker`
and `cli` call it; the texts are read in `wiring`, so this room does no I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateError

from updater.errors import InvalidSettings
from updater.model import EnvironmentOutcome, Outcome, OutcomeKind, Source, familiar_repository, strongest
from updater.plan import Change, Reason, Verdict

# Longer fields are cut in what people read, because a caller chooses these texts. Trailers are never
# cut: half an image or URL would be a lie, and what is let in is no longer than this.
MAX_FIELD = 300
MAX_TRAILER = 4096
# Every code a reason or a note may have; each needs a section in reasons.txt.
CODES = frozenset(
    {
        "adopted", "committed", "digest-not-written", "digest-stands", "environment-not-allowed", "gave-up",
        "image-not-used-there", "newer-in-queue", "newer-stands", "no-order", "no-target",
        "other-environment-not-allowed", "overlay-wins", "places-differ", "push-forbidden", "stays-newer",
        "tag-not-taken", "unchanged", "unknown-environment", "unsafe-edit",
    }
)  # fmt: skip
_SECTION = re.compile(r"^\[([a-z-]+)\]$", re.MULTILINE)


def one_line(text: object, limit: int = MAX_FIELD) -> str:
    """Return `text` on one line: control, format and separator characters become blanks.

    Newlines would forge trailers, format characters (bidirectional overrides) fake what is read.
    """
    line = str(text)
    if not (line.isascii() and line.isprintable()):
        line = "".join(" " if _is_unseen(char) else char for char in line)
    return " ".join(line.split())[:limit]


def _is_unseen(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] == "C" or category in ("Zl", "Zp")


def listing(items: Sequence[object]) -> str:
    """Return `a, b and c`, or `a, b and 7 more` where there are many."""
    shown = [str(item) for item in items]
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def quoted(text: object) -> str:
    """Return the text in quotes, with control characters escaped."""
    return repr(str(text))


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
        self._jinja.filters.update(listing=listing, quoted=quoted)
        self._commit = self._template("commit.txt", read("commit.txt"))
        sections = _SECTION.split(read("reasons.txt"))
        self._reasons = {
            code: self._template(f"reasons.txt [{code}]", text.strip())
            for code, text in zip(sections[1::2], sections[2::2], strict=True)
        }
        missing = sorted(CODES - self._reasons.keys())
        if missing:
            raise InvalidSettings(
                f"The template reasons.txt has no section for {listing(missing)}: copy the shipped "
                "file and change its texts, but keep every section."
            )

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

    def outcome(self, verdict: Verdict, *, commit: str = "", link: str = "") -> EnvironmentOutcome:
        """Return what is told of a verdict: the same with its texts rendered."""
        return EnvironmentOutcome(
            environment=verdict.environment,
            kind=verdict.kind,
            code=verdict.reason.code,
            reason=self.say(verdict.reason),
            commit=commit,
            link=link,
            superseded_by=verdict.superseded_by,
            places=verdict.places,
            notes=tuple(self.say(note) for note in verdict.notes),
        )

    def commit(self, change: Change) -> str:
        """Return a commit message: the template's text, then the trailers."""
        request, image = change.requests[0], change.image
        previous = listing([tag or "no tag" for tag in change.previous])
        facts = {
            "charts": listing([one_line(chart) for chart in change.charts]),
            "tag": image.tag,
            "environment": one_line(change.environment),
            "image": familiar_repository(image.repository),
            "previous": one_line(previous),
            "digest": image.digest or "",
            "source_ref": one_line(request.source.ref),
            "caller": one_line(request.caller.name),
            "author": one_line(person(request.source.author)),
            "source": source_link(request.source),
        }
        text = self._render("commit.txt", self._commit, facts).strip()
        return f"{text}\n\n{_trailers(change)}\n"

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


def source_link(source: Source) -> str:
    """Return the URL of the source commit, or `project@commit` where no URL can be told.

    GitLab's address of a commit is the project's with `/-/commit/<id>`; a pipeline's URL names the
    project too.
    """
    project = source.project if source.project.startswith(("http://", "https://")) else ""
    if not project and "/-/" in source.pipeline_url:
        project = source.pipeline_url.split("/-/")[0]
    if project and source.commit:
        return one_line(f"{project.rstrip('/')}/-/commit/{source.commit}", MAX_TRAILER)
    return one_line("@".join(part for part in (source.project, source.commit) if part), MAX_TRAILER)


def person(author: str) -> str:
    """Return a name or login without the e-mail address (product rule: no e-mail in the history)."""
    words = (word.partition("@")[0] for word in re.sub(r"<[^>]*>?", " ", author).split())
    return " ".join(word for word in words if word)


def _trailers(change: Change) -> str:
    source = change.requests[0].source
    pairs: list[tuple[str, str]] = [("Image", str(change.image))]
    pairs += [("Previous", tag or "none") for tag in change.previous]
    pairs += [("Environment", change.environment)]
    pairs += [("Chart", chart) for chart in change.charts]
    pairs += [("Request", request.id) for request in change.requests]
    pairs += [("Source", source_link(source)), ("Pipeline", source.pipeline_url or source.pipeline_id)]
    pairs += [("Requested-By", person(source.author) or person(change.requests[0].caller.name))]
    lines = ((name, one_line(value, MAX_TRAILER)) for name, value in pairs)
    return "\n".join(f"Updater-{name}: {value}" for name, value in lines if value)
