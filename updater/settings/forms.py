"""The forms a setting's value may have: each function reads one and names the variable where it is wrong.

This module hides the grammar of durations, people, addresses and remotes, and what may be wrong
with a named file. `table` calls it. It never repeats the value of a setting that may be secret.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from updater.errors import InvalidSettings

OPEN_WORD = "anyone-who-reaches-the-port"

_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PERSON = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*<(?P<mail>[^<>\s]+@[^<>\s]+)>")
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
_HTTP_URL = re.compile(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?")
_REMOTE_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)")
_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_REMOTE_FORMS = "an http, https, ssh or file URL, user@host:path or a path"


@dataclass(frozen=True, slots=True)
class Person:
    """An author or committer as Git writes it."""

    name: str
    mail: str


def _wrong(variable: str, form: str) -> InvalidSettings:
    return InvalidSettings(f"{variable} has the wrong form: it takes {form}.")


def unreadable(variable: str, path: str, error: OSError) -> InvalidSettings:
    """Return the complaint about a named file that cannot be read."""
    return InvalidSettings(f"{variable} names {path!r}, which cannot be read: {error.strerror}.")


def text(variable: str, value: str) -> str:
    """Read one line of text."""
    if not value.isprintable():
        raise _wrong(variable, "one line without control characters")
    return value


def repo(variable: str, value: str) -> str:
    """Read where the config repo is: a URL, `user@host:path`, or a path, which becomes absolute."""
    if not value:
        raise InvalidSettings(
            f"{variable} is not set: it names the config repo, "
            "for example https://gitlab.example.com/group/config.git."
        )
    url = _REMOTE_URL.fullmatch(text(variable, value))
    if url is None:
        # An option or a transport of Git's own (`ext::`, `fd::`) may run a command.
        if value.startswith("-") or re.match(r"[A-Za-z0-9+.-]+::", value):
            raise _wrong(variable, _REMOTE_FORMS)
        # Git's own rule: a colon before the first slash makes it a host.
        return value if ":" in value.partition("/")[0] else str(Path(value).absolute())
    if url["scheme"] not in {"http", "https", "ssh", "file"}:
        raise _wrong(variable, _REMOTE_FORMS)
    user, at, _ = url["rest"].rpartition("@")
    if ":" in user or (at and url["scheme"] != "ssh"):
        raise InvalidSettings(
            f"{variable} holds a user or a password, which would reach logs: "
            "set UPDATER_REPO_USER and UPDATER_REPO_TOKEN_FILE, and leave them out of the URL."
        )
    return value


def existing(variable: str, value: str) -> Path | None:
    """Read the path of a file that is there and can be read."""
    if not value:
        return None
    try:
        with Path(value).open("rb"):
            return Path(value).absolute()
    except OSError as error:
        raise unreadable(variable, value, error) from error


def private(variable: str, value: str) -> Path | None:
    """Read the path of a private key, held to the permissions ssh insists on."""
    found = existing(variable, value)
    if found is not None:
        status = found.stat()
        # OpenSSH's own rule (sshkey_perm_ok): only the owner of the file is held to it.
        if status.st_uid == os.getuid() and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise InvalidSettings(
                f"{variable} names {value!r}, which others may read, and ssh refuses such a key: chmod 600."
            )
    return found


def folder(variable: str, value: str) -> Path | None:
    """Read the path of a folder that is there."""
    if value and not Path(value).is_dir():
        raise InvalidSettings(f"{variable} names {value!r}, which is not a folder.")
    return Path(value).absolute() if value else None


def path(variable: str, value: str) -> Path:
    """Read a path of something that may be made later."""
    return Path(text(variable, value)).absolute()


def made_later(variable: str, value: str) -> Path | None:
    """Read the path of a folder that may be made later; nothing is None."""
    if value and Path(value).exists():
        return folder(variable, value)
    return path(variable, value) if value else None


def open_word(variable: str, value: str) -> bool:
    """Read the one word that lets callers in without a token."""
    if value not in {"", OPEN_WORD}:
        raise _wrong(variable, f"the one word {OPEN_WORD}, which lets everybody who reaches the port write")
    return value == OPEN_WORD


def listen(variable: str, value: str) -> tuple[str, int]:
    """Read `HOST:PORT`; an IPv6 address stands in brackets."""
    found = _LISTEN.fullmatch(value)
    if found is None or int(found["port"]) > 65535:
        raise _wrong(variable, "HOST:PORT, for example 127.0.0.1:8080 or [::]:8080")
    return found["six"] or found["host"], int(found["port"])


def public_url(variable: str, value: str) -> str:
    """Read the base of the links in answers, without its last slash."""
    if value and not _HTTP_URL.fullmatch(value):
        raise _wrong(variable, "an http or https URL without user, query and fragment")
    return value.rstrip("/")


def commit_url(variable: str, value: str) -> str | None:
    """Read the page of a commit: None stands for the default, nothing for `none`."""
    if value in {"", "none"}:
        return "" if value else None
    if not value.startswith(("http://", "https://")) or "{commit}" not in value or not value.isprintable():
        raise _wrong(variable, "an http or https URL with {commit} in it, or the word none")
    return value


def project(variable: str, value: str) -> str:
    """Read a project on GitLab: its path with all groups, or its number."""
    if value and not re.fullmatch(r"[0-9]{1,18}", value) and not is_project_path(value):
        raise _wrong(variable, "a project's path with its groups, such as group/config, or its number")
    return value


def is_project_path(text: str) -> bool:
    """Say whether `text` may be a project's path: it stands in a group or user, and ends without .git."""
    return _PROJECT.fullmatch(text) is not None and not text.endswith((".git", ".atom"))


def token(variable: str, value: str) -> str:
    """Read what is sent in a header: GitLab's tokens are visible ASCII characters."""
    if value and not is_token(value):
        raise _wrong(variable, "a token, which has letters, digits and signs of ASCII only")
    return value


def is_token(text: str) -> bool:
    """Say whether `text` can be sent as a token."""
    return re.fullmatch(r"[!-~]+", text) is not None


def number(smallest: int, largest: int) -> Callable[[str, str], int]:
    """Return a reader of whole numbers within two bounds, both included."""

    def read(variable: str, value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", value) or not smallest <= int(value) <= largest:
            raise _wrong(variable, f"a whole number from {smallest} to {largest}")
        return int(value)

    return read


def duration(variable: str, value: str) -> timedelta:
    """Read a length of time: `90s`, `15m`, `24h`, `7d`."""
    found = _DURATION.fullmatch(value)
    if found is None:
        raise _wrong(variable, "a number and one of s, m, h and d, for example 90s, 15m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def person(variable: str, value: str) -> Person | None:
    """Read `Name <mail>`; nothing is None."""
    if not value:
        return None
    found = _PERSON.fullmatch(text(variable, value))
    if found is None:
        raise _wrong(variable, "a name and a mail address, for example Release Bot <bot@example.com>")
    return Person(found["name"].strip(), found["mail"])


def word(*allowed: str) -> Callable[[str, str], str]:
    """Return a reader that takes one of a few words; an empty one among them stands for the default."""

    def read(variable: str, value: str) -> str:
        if value not in allowed:
            raise _wrong(variable, f"one of {', '.join(filter(None, allowed))}")
        return value

    return read
