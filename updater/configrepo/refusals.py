"""Turns Git's words into the updater's errors: what may be tried again, and what may not.

Called wherever this package spoke to the remote; pure. The texts are those of Git's own client and
server (remote.c, transport.c, send-pack.c, builtin/receive-pack.c, refs/files-backend.c) and of
GitLab.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence

from updater.errors import PushForbidden, Unreachable, UpdaterError

_LONGEST = 1000


class Pushed(enum.Enum):
    """What became of one branch in a push that the server answered."""

    LANDED = "landed"
    # The branch is not where the commits were made: read it anew and decide again.
    MOVED = "moved"


# (words, what they mean for a person, seconds until it is worth another try)
_TROUBLES: tuple[tuple[str, str, float], ...] = (
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied \(|error: 401",
        "did not accept the updater's credentials; check that its token or key is valid and has the rights",
        60,
    ),
    (
        r"error: 403|not allowed|denied to",
        "does not let the updater in; check the rights of its token or key",
        60,
    ),
    (
        r"error: 404|not found|could not be found|does not exist|does not appear to be a git repo",
        "knows no such repository, or does not show it to the updater; check the URL and the token's rights",
        60,
    ),
    (
        r"error: 30\d|unable to update url base",
        "answers with a redirection, which is not followed because the token would go along; "
        "set the final URL (for GitLab it ends in .git)",
        60,
    ),
    (r"Could not resolve host", "cannot be found by name", 10),
    (r"Host key verification failed", "shows another host key than the known hosts file names", 60),
    (r"[Cc]ertificate|SSL|TLS", "shows a certificate that cannot be verified", 60),
)
_DAMAGE = re.compile(
    r"^(fatal|error): .*("
    r"bad object|bad tree|bad ref|corrupt|not a git repository|object file .* is empty|packfile|inflate|"
    r"unable to (read|parse|create|resolve|find [0-9a-f]{40})|failed to read|could not read|could not parse|"
    r"did not send all necessary objects|invalid object|missing (blob|tree|commit)|valid object|"
    r"cannot lock ref|improper chunk|unknown repository extension|bad (numeric )?config)",
    re.MULTILINE,
)
_CREDENTIALS = re.compile(r"could not read (Username|Password)")
_MOVED_HERE = re.compile(r"fetch first|non-fast-forward|stale info|needs force|already exists|since checkout")
_MOVED_THERE = re.compile(r"cannot lock ref|incorrect old value provided|reference already exists")
_REMOTE = "remote:"
# How a message of Git, ssh or a hook begins, in lower case all the same.
_SPEAKS = re.compile(r"[\w-]+: ")
_COMPANION = re.compile(r"atomic (push|transaction) fail|transaction aborted")
_FORBIDDEN = re.compile(r"error: 403|not allowed to push|denied to|deploy key.*write|read-only")
_TEMPORARY = re.compile(
    r"unpacker error|failed to update ref|remote failed to report|internal|missing necessary|timed? ?out"
)


def is_damage(words: str, mirror: str) -> bool:
    """Say whether a fetch failed because of the mirror itself and not because of the remote."""
    own = "\n".join(line for line in words.splitlines() if not line.startswith("remote:"))
    if _CREDENTIALS.search(own):
        return False
    return f"{mirror}/" in own or _DAMAGE.search(own) is not None


def unreachable(words: str, url: str) -> Unreachable:
    """Return the error for a command the remote did not answer as it should."""
    quoted = quote(words)
    for pattern, meaning, after in _TROUBLES:
        if re.search(pattern, words):
            return Unreachable(f"The Git server of {url} {meaning}. Git says: {quoted}.", after=after)
    return Unreachable(f"The config repo at {url} cannot be reached. Git says: {quoted}.")


def quote(words: str) -> str:
    """Return the lines of Git's words that say something, as one line without a period at its end."""
    lines = [line.strip() for line in words.splitlines()]
    said = [line for line in lines if line and not line.startswith(("hint:", "To ", "Pushing to"))]
    text = ""
    for sentence in dict.fromkeys(_unwrapped(said)):
        glue = " " if text.endswith((".", "!", "?", ":")) else "; "
        text = f"{text}{glue}{sentence}" if text else sentence
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return text.removesuffix(".") or "nothing"


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Join the lines of sentences that run on: in lower case, and by the same speaker."""
    sentences: list[str] = []
    before = ""
    for line in lines:
        speaker = _REMOTE if line.startswith(_REMOTE) else ""
        rest = line.removeprefix(speaker).strip()
        if sentences and speaker == before and rest[:1].islower() and not _SPEAKS.match(rest):
            sentences[-1] += f" {rest}"
        else:
            sentences.append(line)
        before = speaker
    return sentences


def answers(porcelain: str) -> dict[str, tuple[str, str]]:
    """Return the flag and the summary of each ref from what `git push --porcelain` printed.

    Branches come by their names, other refs by their whole ones.
    """
    found = {}
    for line in porcelain.splitlines():
        fields = line.split("\t")
        if len(fields) == 3 and len(fields[0]) == 1:
            branch = fields[1].partition(":")[2].removeprefix("refs/heads/")
            found[branch] = (fields[0], fields[2])
    return found


def is_companion(answer: tuple[str, str]) -> bool:
    """Say whether a branch failed only because another one of the same atomic push did."""
    return answer[0] == "!" and _COMPANION.search(answer[1]) is not None


def judge(branch: str, answer: tuple[str, str], words: str) -> Pushed | UpdaterError:
    """Return what the server's answer for one branch means; `words` is what Git said beside it."""
    flag, summary = answer
    if flag != "!":
        return Pushed.LANDED
    reason = summary.partition(" (")[2].removesuffix(")") or summary
    if _is_moved(summary, reason, words):
        return Pushed.MOVED
    if _TEMPORARY.search(reason):
        return Unreachable(f"The Git server could not take the push to {branch} ({reason}): {quote(words)}.")
    return forbidden(branch, reason, words)


def _is_moved(summary: str, reason: str, words: str) -> bool:
    if _COMPANION.search(reason) or _MOVED_THERE.search(reason):
        return True
    if summary.startswith("[rejected]"):
        return _MOVED_HERE.search(reason) is not None
    return "failed to update ref" in reason and "cannot lock ref" in words


def forbidden(branch: str, reason: str, words: str) -> PushForbidden:
    """Return the refusal of a branch with the server's own words."""
    said = [line.removeprefix("remote:").strip() for line in words.splitlines() if line.startswith("remote:")]
    said = [line for line in said if line and not line.startswith("error: hook declined")]
    server = quote("\n".join(said)) if said else quote(words)
    return PushForbidden(
        f"The Git server refused the push to {branch} ({reason}) and says: {server}. "
        "Let the updater's user push to this branch, or change what refuses it, and send the request again."
    )


def is_forbidden(words: str) -> bool:
    """Say whether the server refused the whole push for want of rights, before it looked at branches."""
    return (
        re.search(r"error: 403|not allowed to push|denied to|deploy key.*write|read-only", words) is not None
    )


def knows_no_atomic(words: str) -> bool:
    """Say whether the server is too simple for several branches at once or none."""
    return "does not support --atomic" in words


def refs_in(listing: str) -> Mapping[str, str]:
    """Return the refs and their commits from what `git ls-remote` printed."""
    pairs = (line.partition("\t") for line in listing.splitlines())
    return {name: commit for commit, _, name in pairs if name.startswith("refs/")}
