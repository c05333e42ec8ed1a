"""The one table of all settings: reading, `updater serve --help` and the documentation's test use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from updater.settings import forms

PREFIX = "UPDATER_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of `TABLE`: `file_only` means that only the `_FILE` form exists, holding a path."""

    name: str
    default: str
    meaning: str
    read: Callable[[str, str], object]
    secret: bool = False
    file_only: bool = False

    @property
    def variable(self) -> str:
        """The environment variable people set."""
        return f"{PREFIX}{self.name}_FILE" if self.file_only else PREFIX + self.name

    @property
    def field(self) -> str:
        """The attribute of `Settings` that holds the value."""
        return self.name.lower()


TABLE: tuple[Setting, ...] = (
    Setting(
        "REPO", "", "The config repo: a URL (https, http, ssh, file), user@host:path or a path.", forms.repo
    ),
    Setting("REPO_USER", "oauth2", "The user name sent with the token over HTTP.", forms.text),
    Setting(
        "REPO_TOKEN", "", "The token or password for the config repo over HTTP.", forms.text, secret=True
    ),
    Setting(
        "REPO_SSH_KEY",
        "",
        "Path of the private key for an SSH remote; ssh reads it.",
        forms.private,
        file_only=True,
    ),
    Setting(
        "REPO_KNOWN_HOSTS",
        "",
        "Path of the known_hosts file with the Git server's key.",
        forms.existing,
        file_only=True,
    ),
    Setting(
        "REPO_CA",
        "",
        "Path of the CA certificates (PEM) the Git server is checked with.",
        forms.existing,
        file_only=True,
    ),
    Setting(
        "COMMIT_URL",
        "",
        "A commit's web page, with {commit} for its id, or none. Default: GitLab's, for an http(s) remote.",
        forms.commit_url,
    ),
    Setting(
        "FORGE",
        "",
        "Where proposals are made: gitlab or local (branches only). Default: gitlab, for an http(s) remote.",
        forms.word("", "gitlab", "local"),
    ),
    Setting("GITLAB_URL", "", "GitLab's URL. Default: the host of the config repo.", forms.public_url),
    Setting(
        "GITLAB_PROJECT",
        "",
        "The config repo's project: its path or number. Default: the path in the config repo's URL.",
        forms.project,
    ),
    Setting(
        "GITLAB_TOKEN",
        "",
        "The token for GitLab's API. Default: the one for the config repo.",
        forms.token,
        secret=True,
    ),
    Setting(
        "GITLAB_CA",
        "",
        "Path of the CA certificates (PEM) GitLab is checked with. Default: the config repo's.",
        forms.existing,
        file_only=True,
    ),
    Setting(
        "GITLAB_HOOK_SECRET",
        "",
        "The secret or signing token (whsec_...) of GitLab's webhook. Without it the webhook is shut.",
        forms.text,
        secret=True,
    ),
    Setting(
        "DATA", "updater-data", "The folder for the database and the mirror of the config repo.", forms.path
    ),
    Setting(
        "CACHE",
        "",
        "A folder where commands that run once keep their mirror of the config repo. Without it: nowhere.",
        forms.made_later,
    ),
    Setting("TOKENS", "", "Path of the callers' tokens (YAML).", forms.existing, file_only=True),
    Setting(
        "LET_IN",
        "",
        f"{forms.OPEN_WORD} lets everybody who reaches the port write, without a token: for a laptop.",
        forms.open_word,
    ),
    Setting("LISTEN", "127.0.0.1:8080", "The address and port the server listens on.", forms.listen),
    Setting(
        "PUBLIC_URL",
        "",
        "The server's URL as callers see it. Default: taken from each request.",
        forms.public_url,
    ),
    Setting(
        "THREADS",
        "32",
        "How many requests are answered at once; at most half of them may wait.",
        forms.number(2, 512),
    ),
    Setting("POLL", "30s", "How often the config repo is looked at without a request.", forms.duration),
    Setting(
        "GIVE_UP_AFTER", "24h", "How long a request is retried before it settles as failed.", forms.duration
    ),
    Setting("AUTHOR", "GitOps updater <updater@localhost>", "The author of the commits.", forms.person),
    Setting("COMMITTER", "", "The committer of the commits. Default: the author.", forms.person),
    Setting("SIGNING_GPG_KEY", "", "Id of the GPG key that signs the commits.", forms.text),
    Setting(
        "SIGNING_SSH_KEY",
        "",
        "Path of the private SSH key that signs the commits.",
        forms.private,
        file_only=True,
    ),
    Setting(
        "TEMPLATES",
        "",
        "A folder with own texts; a file there replaces the shipped one of that name.",
        forms.folder,
    ),
    Setting("LOG", "text", "The form of the log: text or json.", forms.word("text", "json")),
    Setting("LOG_LEVEL", "info", "How much is logged.", forms.word("debug", "info", "warning", "error")),
)
