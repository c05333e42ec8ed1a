"""Image references: one image that was built, read and compared exactly.

Hides the grammar (OCI distribution specification 1.1, "Pulling manifests", and the reference grammar
of the `distribution` project).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.errors import InvalidRequest

DOCKER_HUB = "docker.io"
# Longer references are refused before the grammar runs: 255 for the name, 128 for the tag, 71 for
# a sha256 digest and the separators (distribution's NameTotalLengthMax).
MAX_REFERENCE = 512

_HOST_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST_PATTERN = re.compile(_HOST)
_PATH_PATTERN = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_SCHEME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TAG_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST_PATTERN = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}")
_SHA256_PATTERN = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


def is_tag(text: str) -> bool:
    """Say whether `text` is a legal tag by the OCI distribution specification."""
    return _TAG_PATTERN.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Say whether `text` is a legal digest; the registered algorithms need their full length."""
    if text.startswith(("sha256:", "sha512:")):
        return _SHA256_PATTERN.fullmatch(text) is not None
    return _DIGEST_PATTERN.fullmatch(text) is not None


def canonical_repository(name: str) -> str | None:
    """Return a repository's one true name, or None where `name` is not a repository.

    `nginx`, `docker.io/nginx` and `index.docker.io/library/nginx` are all
    `docker.io/library/nginx`; hosts are lower-cased (DNS), ports are kept. Two repositories are
    equal where their canonical names are, and only there.
    """
    if len(name) > MAX_REFERENCE:
        return None
    first, slash, rest = name.partition("/")
    # distribution's rule for telling a host from a path component.
    is_host = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    host, path = (first.lower(), rest) if is_host else (DOCKER_HUB, name)
    if host == "index.docker.io":
        host = DOCKER_HUB
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if not _HOST_PATTERN.fullmatch(host) or not _PATH_PATTERN.fullmatch(path):
        return None
    return f"{host}/{path}"


def familiar_repository(canonical: str) -> str:
    """Return the shortest name people use: `docker.io/library/nginx` is `nginx`."""
    for prefix in (f"{DOCKER_HUB}/library/", f"{DOCKER_HUB}/"):
        if canonical.startswith(prefix):
            return canonical.removeprefix(prefix)
    return canonical


def split_reference(text: str) -> tuple[str, str, str]:
    """Split `name[:tag][@digest]` into its parts without judging them; missing parts are empty."""
    name, _, digest = text.partition("@")
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    # The first component of a name without a slash may not be told from `host:port`; a tag it is.
    return (name, "", digest) if colon < 0 else (name[:colon], name[colon + 1 :], digest)


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image that was built: a repository, a tag and perhaps a digest.

    `name` is the repository as the caller wrote it, `repository` its canonical form.
    """

    name: str
    repository: str
    tag: str
    digest: str | None = None

    @classmethod
    def parse(cls, text: str, digest: str | None = None) -> ImageReference:
        """Read `registry/repo:tag[@digest]`; `digest` is one that came beside it.

        Raises:
            InvalidRequest: the text is no image reference with a tag, with the part at fault named.
        """
        if len(text) > MAX_REFERENCE:
            raise InvalidRequest(
                f"The image reference is {len(text)} characters long; {MAX_REFERENCE} are allowed.",
                field="image",
            )
        if text != text.strip():
            raise InvalidRequest(
                f"The image {text!r} begins or ends with a blank or a line break: leave it out.",
                field="image",
            )
        name, tag, own_digest = split_reference(text)
        repository = canonical_repository(name)
        if repository is None:
            raise InvalidRequest(_repository_problem(text, name), field="image")
        if not tag:
            raise InvalidRequest(
                f"The image {text!r} names no tag, and a tag is what the updater writes: "
                "send registry/repository:tag.",
                field="image",
            )
        if not is_tag(tag):
            raise InvalidRequest(
                f"{tag!r} is not a legal tag: 1 to 128 letters, digits, '_', '.' and '-', "
                "not starting with '.' or '-'. In GitLab CI, build tags from CI_COMMIT_REF_SLUG.",
                field="image",
            )
        return cls(name=name, repository=repository, tag=tag, digest=_one_digest(text, own_digest, digest))

    def __str__(self) -> str:
        """Return the reference as the caller wrote it, with the digest where there is one."""
        return f"{self.name}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


def _repository_problem(text: str, name: str) -> str:
    if not name:
        return f"{text!r} names no repository: send registry/repository:tag."
    if scheme := _SCHEME_PATTERN.match(text):
        return f"{text!r} begins like a web address, which no image does: leave out {scheme[0]!r}."
    if name != name.lower() and canonical_repository(name.lower()) is not None:
        return (
            f"The repository {name!r} has upper-case letters, which no registry accepts: "
            f"use {name.lower()!r}."
        )
    repository, colon, tag = name.rpartition(":")
    if colon and "/" in tag and canonical_repository(repository) is not None:
        return (
            f"{tag!r} is not a legal tag: it holds a '/'. In GitLab CI, build tags from CI_COMMIT_REF_SLUG."
        )
    return (
        f"{name!r} is not a repository: lower-case letters and digits, separated by '.', '_', '-' and '/', "
        "after an optional registry host and port."
    )


def _one_digest(text: str, own: str, beside: str | None) -> str | None:
    if "@" in text and not is_digest(own):
        raise _no_digest(own, "image")
    if beside is not None and not is_digest(beside):
        raise _no_digest(beside, "digest")
    if own and beside and own != beside:
        raise InvalidRequest(
            "The digest inside the image differs from the one beside it: send one.", field="digest"
        )
    return own or beside or None


def _no_digest(text: str, field: str) -> InvalidRequest:
    return InvalidRequest(f"{text!r} is not a digest: send sha256: and 64 hexadecimal digits.", field=field)
