"""Where the config repo is and who writes to it, and what environment Git gets for that.

Hides which URLs are taken, how credentials reach Git without touching an argument, a URL or a file,
and every Git setting the mirror depends on. Called by `repo`; it starts no process and reads no file.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from updater.errors import InvalidSettings

# The name of the one remote; its branches are kept under refs/remotes/config/.
REMOTE = "config"
TRACKING = f"refs/remotes/{REMOTE}/"
_SCHEMES = ("https", "http", "ssh", "file")
# Git's own rule (gitremote-helpers, "git fetch" URLs): a colon before the first slash is the scp form.
_SCP = re.compile(r"(?:[^/:@]+@)?(?:\[[^\]/]+\]|[^/:@]+):(?!:).+")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")

_LOCAL_CONFIG = {
    "core.hooksPath": "/dev/null",
    # The mirror can be fetched anew at any time, so it is not worth one fsync.
    "core.fsync": "none",
    "core.logAllRefUpdates": "false",
    # `packing` and `writing` write the formats that Git 2 makes; Git 3 will make others by itself
    # (git's Documentation/BreakingChanges).
    "init.defaultObjectFormat": "sha1",
    "init.defaultRefFormat": "files",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.unpackLimit": "1",
    # Packs are small here: threads cost more to start than they save.
    "pack.threads": "1",
    "push.negotiate": "false",
    "advice.pushUpdateRejected": "false",
    f"remote.{REMOTE}.fetch": f"+refs/heads/*:{TRACKING}*",
}
_HTTP_CONFIG = {
    "credential.helper": "",
    # Git would carry the token along to wherever a redirection points.
    "http.followRedirects": "false",
    # Packs beyond this go out in chunks after an extra request that asks whether they may.
    "http.postBuffer": str(16 * 1024 * 1024),
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
}


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the config repo is and how to get in.

    `url` is https, http, ssh (also `user@host:path`), file, or an absolute path. `token` goes with
    http(s) as the password of `user`; the key and the known hosts go with ssh.

    Raises:
        InvalidSettings: the URL is of another kind, or carries a name and a password.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    user: str = "oauth2"
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.url or self.url.startswith("-") or _UNPRINTABLE.search(self.url.replace(" ", "")):
            raise InvalidSettings("The config repo's URL is empty or has characters no URL has.")
        scheme = self.scheme
        if scheme not in _SCHEMES:
            raise InvalidSettings(
                f"The config repo's URL must be https, http, ssh, file or an absolute path, not {scheme!r}."
            )
        if scheme == "file":
            return
        netloc = urlsplit(self.url).netloc if "://" in self.url else ""
        account, at, _ = netloc.rpartition("@")
        if at and (":" in account or scheme != "ssh"):
            raise InvalidSettings(
                "The config repo's URL has a name or a password in it, and a URL ends up in logs: "
                "take everything before the '@' out of it and give the token in its own setting."
            )

    @property
    def scheme(self) -> str:
        """The protocol Git will speak: https, http, ssh or file; other words for what is not taken."""
        if "://" in self.url:
            return self.url.partition("://")[0].lower()
        if Path(self.url).is_absolute():
            return "file"
        return "ssh" if _SCP.fullmatch(self.url) else "a relative path"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the token and the header made of it."""
        return (self.token, _basic(self.user, self.token)) if self.token else ()


def _basic(user: str, token: str) -> str:
    return base64.b64encode(f"{user}:{token}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits.

    Raises:
        InvalidSettings: a name or address holds characters that would break the commit's header.
    """

    author_name: str
    author_email: str
    committer_name: str
    committer_email: str

    def __post_init__(self) -> None:
        for text in (self.author_name, self.author_email, self.committer_name, self.committer_email):
            if not text.strip() or re.search(r"[<>\x00-\x1f\x7f]", text):
                raise InvalidSettings(
                    f"{text!r} cannot be a Git author's or committer's name or e-mail address: "
                    "it must not be empty or hold '<', '>' or control characters."
                )


@dataclass(frozen=True, slots=True)
class Signing:
    """How commits are signed: `key` is the path of an SSH private key, or a GPG key's id.

    `program` replaces `ssh-keygen` or `gpg`; `gnupg_home` is where GPG keeps its keys.
    """

    format: Literal["ssh", "gpg"]
    key: str
    program: str = ""
    gnupg_home: Path | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables Git gets: `local` for work on the mirror, `network` where the remote is spoken to."""

    local: Mapping[str, str]
    network: Mapping[str, str] = field(repr=False)


def environment(remote: Remote, mirror: Path, signing: Signing | None) -> Environment:
    """Return the variables Git gets on top of the inherited ones (from which `process` drops GIT_*)."""
    plain = {
        # An explicit GIT_DIR also spares Git the search for it and the check of who owns it.
        "GIT_DIR": str(mirror),
        "HOME": str(mirror),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ALLOW_PROTOCOL": remote.scheme,
        "LC_ALL": "C",
    }
    config = _LOCAL_CONFIG | {f"remote.{REMOTE}.url": remote.url}
    if signing is not None:
        config |= _signing_config(signing)
        home = signing.gnupg_home or Path(os.environ.get("GNUPGHOME") or Path.home() / ".gnupg")
        plain["GNUPGHOME"] = str(home)
    network = plain | {"GIT_SSH_COMMAND": _ssh_command(remote), "GIT_SSH_VARIANT": "ssh"}
    return Environment(
        local=plain | _as_variables(config), network=network | _as_variables(config | _http_config(remote))
    )


def _signing_config(signing: Signing) -> dict[str, str]:
    name = "openpgp" if signing.format == "gpg" else "ssh"
    config = {"gpg.format": name, "user.signingKey": signing.key}
    return config | ({f"gpg.{name}.program": signing.program} if signing.program else {})


def _http_config(remote: Remote) -> dict[str, str]:
    if not remote.scheme.startswith("http"):
        return {}
    config = dict(_HTTP_CONFIG)
    if remote.ca_file is not None:
        config["http.sslCAInfo"] = str(remote.ca_file)
    if remote.token:
        config[f"http.{remote.url}.extraHeader"] = f"Authorization: Basic {_basic(remote.user, remote.token)}"
    return config


def _ssh_command(remote: Remote) -> str:
    words = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "StrictHostKeyChecking=yes"]
    # A connection that died without a word is noticed after a minute, as http.lowSpeedTime does for HTTP.
    words += ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"]
    if remote.ssh_key_file is not None:
        words += ["-i", str(remote.ssh_key_file), "-o", "IdentitiesOnly=yes"]
    if remote.known_hosts_file is not None:
        # ssh splits this value at blanks unless it stands in double quotes (ssh_config(5)).
        words += [
            "-o",
            f'UserKnownHostsFile="{remote.known_hosts_file}"',
            "-o",
            "GlobalKnownHostsFile=/dev/null",
        ]
    return shlex.join(words)


def _as_variables(config: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
