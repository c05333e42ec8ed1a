"""What the settings say of GitLab, filled up from where the config repo is.

Hides how a remote's URL tells the instance and the project. `Settings.read` is the only caller. It
asks nobody: whether GitLab really answers there shows when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from updater.errors import InvalidSettings
from updater.settings.forms import is_project_path, is_token

# Git's short form of an SSH remote, `user@host:path`; `forms.repo` has made paths absolute.
_SHORT_SSH = re.compile(r"(?:[^@/:]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\[\]]+):(?P<path>.*)")


@dataclass(frozen=True, slots=True)
class _Remote:
    """A remote's instance and path. GitLab's SSH paths lack the URL root, so only HTTP ones have it."""

    url: str
    path: str
    is_http: bool


def filled_up(read: Mapping[str, object]) -> dict[str, object]:
    """Return the values of `forge` and of GitLab's settings, each given or told from the config repo.

    Raises:
        InvalidSettings: GitLab is meant and something that it needs can neither be read nor told.
    """
    remote = _remote(str(read["repo"]))
    given = [name for name in ("gitlab_url", "gitlab_project", "gitlab_token") if read[name]]
    forge = str(read["forge"]) or _forge(remote, given)
    if forge == "local":
        if given and not read["forge"]:
            raise InvalidSettings(
                f"UPDATER_{given[0].upper()} is set, and nothing says that GitLab has the config repo: "
                "set UPDATER_FORGE=gitlab (and UPDATER_GITLAB_TOKEN_FILE), or remove it."
            )
        return {"forge": forge}
    url = str(read["gitlab_url"]) or (remote.url if remote else "")
    if not url:
        raise _missing("URL", "https://gitlab.example.com")
    token = str(read["gitlab_token"]) or _sendable(str(read["repo_token"]))
    if read["forge"] and not token:
        raise InvalidSettings(
            "UPDATER_FORGE is gitlab, and there is no token for it: set UPDATER_GITLAB_TOKEN_FILE (or "
            "UPDATER_REPO_TOKEN_FILE, which is then used for both)."
        )
    return {
        "forge": forge,
        "gitlab_url": url,
        "gitlab_project": read["gitlab_project"] or _project(url, remote),
        "gitlab_token": token,
        "gitlab_ca": cast("Path | None", read["gitlab_ca"] or read["repo_ca"]),
    }


def _sendable(password: str) -> str:
    """Return what is set for Git where it may be a token: a password with other characters is none."""
    return password if is_token(password) else ""


def _forge(remote: _Remote | None, given: list[str]) -> str:
    """Return the forge where none is named."""
    if remote is None:
        return "local"
    if remote.is_http:
        return "gitlab" if given or is_project_path(remote.path) else "local"
    return "gitlab" if "gitlab_token" in given else "local"


def _remote(repo: str) -> _Remote | None:
    """Return where a remote is, if it is on another machine."""
    if repo.startswith(("http://", "https://")):
        parts = urlsplit(repo)
        return _Remote(f"{parts.scheme}://{parts.netloc}", _tidy(parts.path), is_http=True)
    if repo.startswith("ssh://"):
        parts = urlsplit(repo)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return _Remote(f"https://{host}" if host else "", _tidy(parts.path), is_http=False)
    short = None if repo.startswith(("file://", "/")) else _SHORT_SSH.fullmatch(repo)
    return None if short is None else _Remote(f"https://{short['host']}", _tidy(short["path"]), is_http=False)


def _tidy(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")


def _project(url: str, remote: _Remote | None) -> str:
    path = remote.path if remote else ""
    root = urlsplit(url).path.strip("/")
    if root and remote and remote.is_http:
        path = path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else ""
    if not is_project_path(path):
        raise _missing("PROJECT", "group/config")
    return path


def _missing(name: str, example: str) -> InvalidSettings:
    return InvalidSettings(
        f"UPDATER_GITLAB_{name} is not set, and UPDATER_REPO does not tell it: set it, for example to "
        f"{example}."
    )
