"""Says who is calling, for which images and environments they may speak, and what they may do there.

This module hides the file of callers' tokens, the comparison of hashes and the patterns of images.
`wiring` reads the file with it at start, `web` asks it for every request, `cli` makes tokens with it.
It never sees a token longer than it takes to hash it, and never writes one into a message.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from updater.errors import EditRefused, InvalidSettings, NotAllowed, NotAuthenticated
from updater.globs import takes_repository
from updater.model import ACTS, PROMOTE, UPDATE, Caller, familiar_repository
from updater.yamledit import load

# 20 characters of a random token are at least 80 bits even where it is hexadecimal.
MIN_TOKEN = 20
MAX_TOKEN = 1024
ANYONE = Caller(name="anyone", acts=ACTS)

_KEYS = ("sha256", "file", "images", "environments", "acts")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# RFC 6750 section 2.1, b64token: what can stand in an Authorization header.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)
_PART = r"(?:\*\*|(?:[a-z0-9._?-]|\*(?!\*))+)"
# A colon stands only before a registry's port: tags have no place in a pattern.
_REPOSITORY_GLOB = re.compile(rf"(?:{_PART}:[0-9]+/)?{_PART}(?:/{_PART})*")
_NAME_GLOB = re.compile(r"[A-Za-z0-9._*?-]+")

NAME_RULE = "letters, digits and . _ @ / -, a letter or digit first, at most 100 of them"
HOW_TO_CALL = "Send the header Authorization: Bearer TOKEN, with the token the operator gave you."


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose token has which SHA-256; `open_to_anyone` lets everybody in, and only where none is known."""

    callers: tuple[tuple[str, Caller], ...] = ()
    open_to_anyone: bool = False

    @classmethod
    def parse(cls, data: bytes, read_file: Callable[[str], bytes], *, source: str = "tokens file") -> Keys:
        """Read the tokens file; `read_file` returns the content of a file an entry names.

        Raises:
            InvalidSettings: what is wrong and where: `source`, line and column.
        """
        try:
            loaded = load(data)
        except EditRefused as error:
            raise InvalidSettings(f"{error.within(source)}.") from error
        # Where a key stands says more than where its value does, which may be lines below.
        reader = _Reader({**loaded.positions, **loaded.keys}, source, read_file)
        if not isinstance(loaded.value, dict) or not loaded.value:
            raise reader.wrong(
                (), "names no caller: write one entry for each, with sha256, images and environments"
            )
        return cls(callers=reader.callers(loaded.value))


@dataclass(frozen=True, slots=True)
class _Reader:
    positions: Mapping[tuple[str | int, ...], tuple[int, int]]
    source: str
    read_file: Callable[[str], bytes]

    def wrong(self, path: tuple[str | int, ...], problem: str) -> InvalidSettings:
        line, column = self.positions.get(path, (1, 1))
        where = " ".join(repr(str(part)) for part in path[:1])
        return InvalidSettings(f"{self.source}:{line}:{column}: {where or 'The file'} {problem}.")

    def callers(self, entries: Mapping[str, object]) -> tuple[tuple[str, Caller], ...]:
        found: dict[str, Caller] = {}
        for name, entry in entries.items():
            if not is_caller_name(name):
                raise self.wrong((name,), f"is no name: {NAME_RULE}")
            digest, caller = self._caller(name, entry)
            if digest in found:
                raise self.wrong((name,), f"has the same token as {found[digest].name!r}: give each its own")
            found[digest] = caller
        return tuple(found.items())

    def _caller(self, name: str, entry: object) -> tuple[str, Caller]:
        if not isinstance(entry, dict):
            raise self.wrong((name,), "is no entry: write sha256, images, environments under it")
        for key in entry:
            if key not in _KEYS:
                raise self.wrong((name, key), f"has the unknown key {key!r}: {', '.join(_KEYS)} are known")
        return self._digest(name, entry), Caller(
            name=name,
            images=self._patterns((name, "images"), entry.get("images"), _REPOSITORY_GLOB),
            environments=self._patterns((name, "environments"), entry.get("environments"), _NAME_GLOB),
            acts=self._acts((name, "acts"), entry.get("acts", [UPDATE])),
        )

    def _digest(self, name: str, entry: Mapping[str, object]) -> str:
        if ("sha256" in entry) == ("file" in entry):
            raise self.wrong(
                (name,), "needs one of sha256 (the token's hash) and file (a file with the token)"
            )
        if "file" in entry:
            return self._digest_of_file(name, entry["file"])
        digest = entry["sha256"]
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise self.wrong((name, "sha256"), "needs 64 lower-case hexadecimal digits (in quotes) as sha256")
        return digest

    def _digest_of_file(self, name: str, path: object) -> str:
        if not isinstance(path, str) or not path:
            raise self.wrong((name, "file"), "needs the path of a file with the token")
        try:
            content = self.read_file(path)
        except OSError as error:
            raise self.wrong(
                (name, "file"), f"names {path!r}, which cannot be read: {error.strerror}"
            ) from error
        token = content.removesuffix(b"\n").removesuffix(b"\r")
        if not MIN_TOKEN <= len(token) <= MAX_TOKEN:
            raise self.wrong(
                (name, "file"), f"has a token shorter than {MIN_TOKEN} or longer than {MAX_TOKEN} characters"
            )
        if not _TOKEN.fullmatch(token.decode("latin-1")):
            raise self.wrong(
                (name, "file"),
                "has a token with characters that no header may carry: use openssl rand -hex 32",
            )
        return hashlib.sha256(token).hexdigest()

    def _patterns(self, path: tuple[str, str], value: object, form: re.Pattern[str]) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            here = path if path in self.positions else path[:1]
            raise self.wrong(here, f"needs a list of {path[1]}; ['*'] means all of them")
        for index, pattern in enumerate(value):
            if not isinstance(pattern, str) or len(pattern) > 255 or not form.fullmatch(pattern):
                raise self.wrong(
                    (*path, index), f"has {pattern!r} among its {path[1]}, which no name can match"
                )
        return tuple(value)

    def _acts(self, path: tuple[str, str], value: object) -> tuple[str, ...]:
        known = ", ".join(ACTS)
        if not isinstance(value, list):
            raise self.wrong(path, f"needs a list of acts, of {known}; an empty one lets it look only")
        for index, act in enumerate(value):
            if act not in ACTS:
                raise self.wrong((*path, index), f"has the unknown act {act!r}: {known} are known")
        return tuple(act for act in ACTS if act in value)


def authenticate(header: str | None, keys: Keys) -> Caller:
    """Return who sent the `Authorization` header.

    Raises:
        NotAuthenticated: nobody known; the message says what to send, or what the operator must set.
    """
    if not keys.callers:
        if keys.open_to_anyone:
            return ANYONE
        raise NotAuthenticated(
            "This server knows no callers, so nobody gets in: its operator must set UPDATER_TOKENS_FILE."
        )
    if header is None:
        raise NotAuthenticated(f"The request carries no token. {HOW_TO_CALL}")
    found = _BEARER.fullmatch(header)
    if found is None or len(found[1]) > MAX_TOKEN:
        raise NotAuthenticated(f"The Authorization header is not of the form Bearer TOKEN. {HOW_TO_CALL}")
    presented = hashlib.sha256(found[1].encode("utf-8", "surrogateescape")).hexdigest()
    known = None
    # Every entry is compared, so that the time taken tells nothing about which one was close.
    for digest, caller in keys.callers:
        if hmac.compare_digest(digest, presented):
            known = caller
    if known is None:
        raise NotAuthenticated(f"The token is not known here. {HOW_TO_CALL}")
    return known


def may_speak_for(caller: Caller, repository: str) -> bool:
    """Say whether one of the caller's patterns takes the canonical `repository` or its familiar name."""
    return takes_repository(caller.images, repository)


def require_image(caller: Caller, repository: str) -> None:
    """Do nothing where the caller may speak for the repository.

    Raises:
        NotAllowed: it may not; the message lists what it may speak for.
    """
    if not may_speak_for(caller, repository):
        allowed = ", ".join(caller.images)
        raise NotAllowed(
            f"The token {caller.name!r} may not speak for {familiar_repository(repository)}; "
            f"it may for {allowed}. The operator can add the image to that token's entry."
        )


def require_environment(caller: Caller, environment: str) -> None:
    """Do nothing where the caller may speak for the environment.

    Raises:
        NotAllowed: it may not; the message lists the environments that it may speak for.
    """
    if not caller.may_reach(environment):
        allowed = ", ".join(caller.environments)
        raise NotAllowed(
            f"The token {caller.name!r} may not speak for the environment {environment}; "
            f"it may for {allowed}. The operator can add the environment to that token's entry."
        )


def require_act(caller: Caller, act: str) -> None:
    """Do nothing where the caller's token allows `act`, a word of `model.ACTS`.

    Raises:
        NotAllowed: it does not; the message lists the acts that it allows.
    """
    if act not in caller.acts:
        allowed = ", ".join(caller.acts)
        raise NotAllowed(
            f"The token {caller.name!r} may not {act}; it may {allowed}. "
            f"The operator can add {act} to the acts of that token's entry."
        )


def require_override(caller: Caller) -> None:
    """Do nothing where the caller's builds may override holds and freezes: that is a person's decision.

    Raises:
        NotAllowed: they may not, as its token is without the act `promote`.
    """
    if PROMOTE not in caller.acts:
        allowed = ", ".join(caller.acts)
        raise NotAllowed(
            f"The token {caller.name!r} may not override holds and freezes, which takes the act {PROMOTE}; "
            f"it may {allowed}. Send it without override, or ask the operator to add {PROMOTE} to the acts "
            "of that token's entry."
        )


def is_caller_name(name: str) -> bool:
    """Say whether the tokens file may have an entry of this name; `NAME_RULE` tells people the rule."""
    return _NAME.fullmatch(name) is not None


def new_token() -> tuple[str, str]:
    """Return a new random token (256 bits) and its SHA-256 for the tokens file."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()
