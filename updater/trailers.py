"""The trailers of a commit message: the format in which the history tells what was deployed, for ever.

It hides how they are written and read back (git-interpret-trailers(1)): `messages` writes them,
`plan` reads those of a proposal's commits and `history` those of a branch. It knows the names and
forms, and decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from updater.model import Source

# What is written is never cut below this: half an image or URL would be a lie.
MAX_TRAILER = 4096

_PREFIX = "Updater-"
_LINES = re.compile(rf"^{_PREFIX}([A-Za-z-]+): (.*)$", re.MULTILINE)
# Of a rollback, these may stand once, at the end: they are about all of its images.
_SHARED = ("Version", "Reverts", "Hold", "Reason", "Requested-By", "Request", "Override")


def one_line(text: object, limit: int) -> str:
    """Return `text` on one line: control, format and separator characters become blanks.

    Newlines would forge trailers, format characters (bidirectional overrides) fake what is read.
    """
    line = str(text)
    if not (line.isascii() and line.isprintable()):
        line = "".join(" " if _is_unseen(char) else char for char in line)
    return " ".join(line.split())[:limit].rstrip()


def _is_unseen(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] == "C" or category in ("Zl", "Zp")


def person(author: str) -> str:
    """Return a name or login without the e-mail address (product rule: no e-mail in the history)."""
    words = (word.partition("@")[0] for word in re.sub(r"<[^>]*>?", " ", author).split())
    return " ".join(word for word in words if word)


def written(pairs: Iterable[tuple[str, object]]) -> str:
    """Return trailers as lines, without those that have no value; names come without `Updater-`."""
    lines = ((name, one_line(value, MAX_TRAILER)) for name, value in pairs)
    return "\n".join(f"{_PREFIX}{name}: {value}" for name, value in lines if value)


def read(message: str) -> Mapping[str, tuple[str, ...]]:
    """Return the trailers of a message by name without `Updater-`; a message may have none.

    As in Git, only the last paragraph counts, so that nothing in a text above can pose as one.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, value in _lines(message):
        found[name] = (*found.get(name, ()), value)
    return found


def groups(message: str) -> list[Mapping[str, tuple[str, ...]]]:
    """Return the trailers of a message as `read` does, in one mapping for each image.

    A group starts at its `Image`; where there is none, all trailers are one. What stands once at the
    end of a rollback is in the group of each of its images.
    """
    found: list[dict[str, tuple[str, ...]]] = []
    for name, value in _lines(message):
        if not found or (name == "Image" and name in found[-1]):
            found.append({})
        group = found[-1]
        group[name] = (*group[name], value) if name in group else (value,)
    for place in range(len(found) - 2, -1, -1):
        group, following = found[place], found[place + 1]
        if "Reverts" in following and "Reverts" not in group and _are_of_one(group, following):
            found[place] = {**{name: following[name] for name in _SHARED if name in following}, **group}
    return list(found)


def _are_of_one(group: Mapping[str, tuple[str, ...]], following: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether two groups may stem from one wish: a group without its own shares the next's."""
    return "Request" not in group or group["Request"] == following.get("Request")


def _lines(message: str) -> list[tuple[str, str]]:
    # A history has tens of thousands of messages: hence one search for all lines.
    paragraph = message.rstrip().rpartition("\n\n")[2]
    return _LINES.findall("\n".join(paragraph.splitlines()))


def source_link(source: Source) -> str:
    """Return the URL of the source commit, or `project@commit` where no URL can be told.

    GitLab's address of a commit is the project's with `/-/commit/<id>`; a pipeline's URL names the
    project too.
    """
    project = project_page(source)
    if project and source.commit:
        return one_line(f"{project}/-/commit/{source.commit}", MAX_TRAILER)
    return one_line("@".join(part for part in (source.project, source.commit) if part), MAX_TRAILER)


def project_page(source: Source) -> str:
    """Return the URL of the source project, empty where none can be told."""
    if source.project.startswith(("http://", "https://")):
        return source.project.rstrip("/")
    return source.pipeline_url.split("/-/")[0] if "/-/" in source.pipeline_url else ""


def source_of(trailers: Mapping[str, tuple[str, ...]]) -> Source:
    """Return what the trailers still know of a source: the inverse of how they were made of it."""
    names = ("Source", "Pipeline", "Requested-By", "Source-Time")
    link, pipeline, author, committed_at = (trailers.get(name, ("",))[0] for name in names)
    project, mark, commit = link.rpartition("/-/commit/")
    if not mark:
        project, _, commit = link.rpartition("@")
        if not project and "/" in commit:
            project, commit = commit, ""  # a source may tell its project alone
    is_url = pipeline.startswith(("http://", "https://"))
    return Source(
        project=project,
        commit=commit,
        pipeline_url=pipeline if is_url else "",
        pipeline_id="" if is_url else pipeline,
        author=author,
        committed_at=committed_at,
    )
