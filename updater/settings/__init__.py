"""The operator's settings: `UPDATER_*` environment variables, read once at start.

This package hides where a value comes from (a variable, a file, the default), the forms that are
allowed and the search for misspelt names. `wiring` calls it, and `cli` prints `TABLE` as help.
It never keeps the environment, never repeats a secret in a message and never looks at the network.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

from updater.errors import InvalidSettings
from updater.settings.forms import OPEN_WORD, Person, unreadable
from updater.settings.gitlab import filled_up
from updater.settings.table import PREFIX, TABLE, Setting

__all__ = ["OPEN_WORD", "TABLE", "Person", "Setting", "Settings", "derived_commit_url"]

# A private key is longer than any other value; a file much larger than one is the wrong file.
MAX_FILE = 64 * 1024

# Kubernetes puts these into every container of a namespace that has a Service called `updater`
# or `updater-...` (Kubernetes documentation, "Discovering services": environment variables).
_KUBERNETES = re.compile(
    r"UPDATER_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?"
    r"|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked. `TABLE` says what each one means.

    `forge` is `gitlab` or `local`; of `gitlab`, URL and project are always known, the token may be empty.
    """

    repo: str
    repo_user: str
    repo_token: str
    repo_ssh_key: Path | None
    repo_known_hosts: Path | None
    repo_ca: Path | None
    commit_url: str
    forge: str
    gitlab_url: str
    gitlab_project: str
    gitlab_token: str
    gitlab_ca: Path | None
    gitlab_hook_secret: str
    data: Path
    cache: Path | None
    tokens: Path | None
    let_in: bool
    listen: tuple[str, int]
    public_url: str
    threads: int
    poll: timedelta
    give_up_after: timedelta
    author: Person
    committer: Person
    signing_gpg_key: str
    signing_ssh_key: Path | None
    templates: Path | None
    log: str
    log_level: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from `environ` and from the files it names; an empty value is no value.

        Raises:
            InvalidSettings: an unknown name, a value of the wrong form, a file that cannot be read,
                or two settings that exclude each other; the message names the variable.
        """
        present = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
        _refuse_unknown(present)
        read = {row.field: row.read(row.variable, _raw(row, present)) for row in TABLE}
        if read["committer"] is None:
            read["committer"] = read["author"]
        read |= filled_up(read)
        if read["commit_url"] is None:
            read["commit_url"] = _commit_url(read)
        settings = cls(**read)  # type: ignore[arg-type]  # test_settings compares the table with the fields
        _refuse_contradictions(settings)
        return settings

    def __repr__(self) -> str:
        secrets = {row.field for row in TABLE if row.secret}
        shown = (
            f"{field.name}={'...' if field.name in secrets else repr(getattr(self, field.name))}"
            for field in fields(self)
        )
        return f"Settings({', '.join(shown)})"


def derived_commit_url(repo: str) -> str:
    """Return GitLab's page of a commit for an http(s) remote, with `{commit}` in it, else nothing."""
    if not repo.startswith(("http://", "https://")):
        return ""
    return f"{repo.rstrip('/').removesuffix('.git')}/-/commit/{{commit}}"


def _commit_url(read: Mapping[str, object]) -> str:
    """Return the page of a commit where none is set: an SSH remote tells it where GitLab is known."""
    project = str(read["gitlab_project"])
    if read["forge"] == "gitlab" and "/" in project:
        return f"{read['gitlab_url']}/{project}/-/commit/{{commit}}"
    return derived_commit_url(str(read["repo"]))


def _raw(row: Setting, present: Mapping[str, str]) -> str:
    """Return the text of one setting, from its variable, from its file, or the default."""
    if row.file_only:
        return present.get(row.variable, row.default)
    file_variable = f"{row.variable}_FILE"
    if file_variable not in present:
        return present.get(row.variable, row.default)
    if row.variable in present:
        raise InvalidSettings(f"Both {row.variable} and {file_variable} are set: keep one of them.")
    return _content(file_variable, present[file_variable])


def _content(variable: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise unreadable(variable, path, error) from error
    if len(content) > MAX_FILE:
        raise InvalidSettings(f"{variable} names {path!r}, which is larger than {MAX_FILE} bytes.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidSettings(f"{variable} names {path!r}, which is not UTF-8 text.") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise InvalidSettings(f"{variable} names {path!r}, which is empty.")
    return value


def _refuse_unknown(present: Mapping[str, str]) -> None:
    known = {row.variable for row in TABLE}
    known |= {f"{row.variable}_FILE" for row in TABLE if not row.file_only}
    for name in sorted(present):
        if name in known or _KUBERNETES.fullmatch(name):
            continue
        if f"{name}_FILE" in known:
            raise InvalidSettings(
                f"{name} is not a setting: put the text into a file and name it in {name}_FILE."
            )
        near = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists all of them."
        raise InvalidSettings(f"{name} is not a setting; {hint}")


def _refuse_contradictions(settings: Settings) -> None:
    if settings.let_in and settings.tokens:
        raise InvalidSettings(
            "UPDATER_LET_IN and UPDATER_TOKENS_FILE are both set: "
            "with callers' tokens nobody else gets in, so remove UPDATER_LET_IN."
        )
    if settings.signing_gpg_key and settings.signing_ssh_key:
        raise InvalidSettings(
            "UPDATER_SIGNING_GPG_KEY and UPDATER_SIGNING_SSH_KEY_FILE are both set: "
            "a commit has one signature, so keep one of them."
        )
