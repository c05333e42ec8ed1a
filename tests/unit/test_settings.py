"""The operator's settings: every form that is taken, and the sentence for every form that is not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from updater.errors import InvalidSettings
from updater.settings import OPEN_WORD, TABLE, Person, Settings, derived_commit_url

REPO = {"UPDATER_REPO": "https://gitlab.example.com/ops/config.git"}
SECRET = "glpat-5ecret-5ecret-5ecret"


def read(**variables: str) -> Settings:
    return Settings.read({**REPO, **{f"UPDATER_{name}": value for name, value in variables.items()}})


def complaint(**variables: str) -> str:
    with pytest.raises(InvalidSettings) as raised:
        read(**variables)
    return str(raised.value)


def test_only_the_repo_must_be_set() -> None:
    settings = Settings.read(REPO)
    assert settings.repo == "https://gitlab.example.com/ops/config.git"
    assert settings.listen == ("127.0.0.1", 8080)
    assert settings.data == Path("updater-data").absolute()
    assert settings.give_up_after == timedelta(hours=24)
    assert settings.committer == settings.author
    assert not settings.let_in
    assert settings.tokens is None


def test_without_a_repo_the_message_gives_an_example() -> None:
    with pytest.raises(InvalidSettings, match=r"UPDATER_REPO is not set.*https://gitlab\.example\.com"):
        Settings.read({})


def test_the_table_and_the_fields_are_the_same() -> None:
    assert [row.field for row in TABLE] == list(dict.fromkeys(row.field for row in TABLE))
    assert {row.field for row in TABLE} == {field.name for field in dataclasses.fields(Settings)}


def test_an_empty_variable_is_no_variable() -> None:
    assert read(LISTEN="", REPO_TOKEN="", LET_IN="", TOKENS_FILE="") == read()


def test_variables_of_others_are_left_alone() -> None:
    assert Settings.read({**REPO, "PATH": "/bin", "XUPDATER_A": "1"}) == read()


@pytest.mark.parametrize(
    ("field", "variables", "value"),
    [
        ("listen", {"LISTEN": "[::]:80"}, ("::", 80)),
        ("listen", {"LISTEN": "0.0.0.0:9000"}, ("0.0.0.0", 9000)),
        ("listen", {"LISTEN": "localhost:0"}, ("localhost", 0)),
        ("poll", {"POLL": "90s"}, timedelta(seconds=90)),
        ("poll", {"POLL": "15m"}, timedelta(minutes=15)),
        ("give_up_after", {"GIVE_UP_AFTER": "7d"}, timedelta(days=7)),
        ("threads", {"THREADS": "2"}, 2),
        ("author", {"AUTHOR": "출시 봇 <bot@example.com>"}, Person("출시 봇", "bot@example.com")),
        ("committer", {"AUTHOR": "A <a@example.com>"}, Person("A", "a@example.com")),
        ("committer", {"AUTHOR": "A <a@b>", "COMMITTER": "C <c@d>"}, Person("C", "c@d")),
        ("public_url", {"PUBLIC_URL": "https://example.com/updater/"}, "https://example.com/updater"),
        ("commit_url", {}, "https://gitlab.example.com/ops/config/-/commit/{commit}"),
        ("commit_url", {"COMMIT_URL": "none"}, ""),
        (
            "commit_url",
            {"COMMIT_URL": "https://git.example.com/c/{commit}"},
            "https://git.example.com/c/{commit}",
        ),
        ("let_in", {"LET_IN": OPEN_WORD}, True),
        ("log", {"LOG": "json"}, "json"),
        ("log_level", {"LOG_LEVEL": "debug"}, "debug"),
        ("signing_gpg_key", {"SIGNING_GPG_KEY": "0xABCDEF"}, "0xABCDEF"),
        ("repo", {"REPO": "git@gitlab.example.com:ops/config.git"}, "git@gitlab.example.com:ops/config.git"),
        ("repo", {"REPO": "ssh://git@example.com:2222/ops/c.git"}, "ssh://git@example.com:2222/ops/c.git"),
        ("repo", {"REPO": "file:///srv/config.git"}, "file:///srv/config.git"),
        ("repo", {"REPO": "/srv/config.git"}, "/srv/config.git"),
        ("repo", {"REPO": "../config.git"}, str(Path("../config.git").absolute())),
        ("cache", {}, None),
        ("cache", {"CACHE": "/nowhere/at/all"}, Path("/nowhere/at/all")),
        ("cache", {"CACHE": "cache"}, Path("cache").absolute()),
    ],
)
def test_a_value_of_the_right_form_is_taken(field: str, variables: dict[str, str], value: object) -> None:
    assert getattr(read(**variables), field) == value


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"LISTEN": "8080"}, "UPDATER_LISTEN has the wrong form: it takes HOST:PORT"),
        ({"LISTEN": "0.0.0.0:65536"}, "UPDATER_LISTEN"),
        ({"POLL": "30"}, "UPDATER_POLL has the wrong form: it takes a number and one of s, m, h and d"),
        ({"POLL": "0s"}, "UPDATER_POLL"),
        ({"GIVE_UP_AFTER": "1 day"}, "for example 90s, 15m, 24h or 7d"),
        ({"THREADS": "1"}, "UPDATER_THREADS has the wrong form: it takes a whole number from 2 to 512"),
        ({"THREADS": "٣"}, "a whole number"),
        ({"AUTHOR": "bot@example.com"}, "for example Release Bot <bot@example.com>"),
        ({"AUTHOR": "A <a@b>\nB"}, "UPDATER_AUTHOR"),
        ({"COMMITTER": "A <a@b> <c@d>"}, "UPDATER_COMMITTER"),
        (
            {"PUBLIC_URL": "example.com"},
            "UPDATER_PUBLIC_URL has the wrong form: it takes an http or https URL",
        ),
        ({"PUBLIC_URL": "https://u:p@example.com"}, "UPDATER_PUBLIC_URL"),
        ({"COMMIT_URL": "https://example.com/"}, "with {commit} in it"),
        ({"COMMIT_URL": "javascript:{commit}"}, "UPDATER_COMMIT_URL"),
        ({"LOG": "xml"}, "UPDATER_LOG has the wrong form: it takes one of text, json"),
        ({"LOG_LEVEL": "INFO"}, "one of debug, info, warning, error"),
        ({"LET_IN": "true"}, OPEN_WORD),
        ({"REPO": "ext::sh -c evil"}, "an http, https, ssh or file URL"),
        ({"REPO": "git://example.com/config.git"}, "an http, https, ssh or file URL"),
        ({"REPO": "--upload-pack=evil"}, "an http, https, ssh or file URL"),
        ({"REPO": "https://a\nb"}, "control characters"),
        ({"REPO_TOKEN": "a\nb"}, "UPDATER_REPO_TOKEN has the wrong form"),
        (
            {"TEMPLATES": "/nowhere/at/all"},
            "UPDATER_TEMPLATES names '/nowhere/at/all', which is not a folder",
        ),
        ({"CACHE": "/dev/null"}, "UPDATER_CACHE names '/dev/null', which is not a folder"),
        ({"CACHE": "a\nb"}, "UPDATER_CACHE has the wrong form"),
        ({"TOKENS_FILE": "/nowhere/at/all"}, "which cannot be read: No such file or directory."),
        ({"TOKENS_FILE": "/"}, "UPDATER_TOKENS_FILE names '/', which cannot be read"),
        ({"REPO_CA_FILE": "/nowhere"}, "UPDATER_REPO_CA_FILE names"),
        ({"REPO_TOKEN_FILE": "/nowhere"}, "UPDATER_REPO_TOKEN_FILE names '/nowhere', which cannot be read"),
        ({"TOKEN_FILE": "x"}, "UPDATER_TOKEN_FILE is not a setting; did you mean UPDATER_TOKENS_FILE?"),
        ({"TREADS": "8"}, "UPDATER_TREADS is not a setting; did you mean UPDATER_THREADS?"),
        ({"QQQQQQQQQQQQQQQ": "8"}, "docs/settings.md lists all of them"),
        ({"TOKENS": "a: b"}, "put the text into a file and name it in UPDATER_TOKENS_FILE"),
        ({"REPO_SSH_KEY": SECRET}, "put the text into a file and name it in UPDATER_REPO_SSH_KEY_FILE"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_in_a_sentence(variables: dict[str, str], said: str) -> None:
    message = complaint(**variables)
    assert said in message
    assert message.startswith("UPDATER_")
    assert SECRET not in message


@pytest.mark.parametrize(
    "url",
    [
        f"https://oauth2:{SECRET}@gitlab.example.com/ops/config.git",
        f"https://{SECRET}@gitlab.example.com/ops/config.git",
        f"https://oauth2:{SECRET}/more@gitlab.example.com/ops/config.git",
        f"https://oauth2:{SECRET}@more@gitlab.example.com/ops/config.git",
        f"ssh://git:{SECRET}@gitlab.example.com/ops/config.git",
        f"HTTPS://oauth2:{SECRET}@gitlab.example.com/ops/config.git",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    message = complaint(REPO=url)
    assert "UPDATER_REPO" in message
    assert SECRET not in message


@pytest.mark.parametrize("content", [b"s3cret", b"s3cret\n", b"s3cret\r\n"])
def test_a_value_may_come_from_a_file_without_its_last_newline(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    assert read(REPO_TOKEN_FILE=str(tmp_path / "token")).repo_token == "s3cret"


def test_only_one_newline_is_taken_off_the_end_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"s3cret\n\n")
    assert "UPDATER_REPO_TOKEN has the wrong form" in complaint(REPO_TOKEN_FILE=str(tmp_path / "token"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 65537, "larger than"),
    ],
)
def test_a_file_that_holds_no_value_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    assert said in complaint(REPO_TOKEN_FILE=str(tmp_path / "token"))


@pytest.mark.parametrize("row", [row for row in TABLE if not row.file_only], ids=lambda row: row.name)
def test_every_setting_can_come_from_a_file_and_not_from_both(
    row: object, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    examples = {
        "REPO": "/srv/config.git", "REPO_USER": "bot", "REPO_TOKEN": "x", "COMMIT_URL": "none", "DATA": "d",
        "LET_IN": OPEN_WORD, "LISTEN": "0.0.0.0:1", "PUBLIC_URL": "https://example.com", "THREADS": "4",
        "POLL": "1s", "GIVE_UP_AFTER": "1h", "AUTHOR": "A <a@b>", "COMMITTER": "A <a@b>",
        "SIGNING_GPG_KEY": "0xAB", "TEMPLATES": str(tmp_path), "LOG": "json", "LOG_LEVEL": "debug",
        "FORGE": "local", "GITLAB_URL": "https://git.example.com", "GITLAB_PROJECT": "7",
        "GITLAB_TOKEN": "x", "GITLAB_HOOK_SECRET": "x", "CACHE": "c",
    }  # fmt: skip
    (tmp_path / "value").write_text(examples[name] + "\n")
    environ = {**REPO, f"UPDATER_{name}": examples[name]}
    from_file = {**REPO, f"UPDATER_{name}_FILE": str(tmp_path / "value")}
    if name == "REPO":
        del from_file["UPDATER_REPO"]
    assert Settings.read(from_file) == Settings.read(environ)
    assert Settings.read(from_file) != Settings.read(REPO)
    with pytest.raises(InvalidSettings, match=f"Both UPDATER_{name} and UPDATER_{name}_FILE are set"):
        Settings.read({**environ, **from_file})


def test_a_private_key_that_others_may_read_is_refused_as_ssh_would(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    key.chmod(0o640)
    assert "chmod 600" in complaint(REPO_SSH_KEY_FILE=str(key))
    assert "chmod 600" in complaint(SIGNING_SSH_KEY_FILE=str(key))
    key.chmod(0o600)
    assert read(REPO_SSH_KEY_FILE=str(key)).repo_ssh_key == key


@pytest.mark.parametrize("name", ["REPO_KNOWN_HOSTS_FILE", "REPO_CA_FILE", "GITLAB_CA_FILE", "TOKENS_FILE"])
def test_a_named_file_is_kept_as_a_path(name: str, tmp_path: Path) -> None:
    path = tmp_path / "named"
    path.write_text("content\n")
    assert getattr(read(**{name: str(path)}), name.removesuffix("_FILE").lower()) == path


def test_tokens_and_the_open_setting_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "tokens.yaml").write_text("a: b\n")
    message = complaint(TOKENS_FILE=str(tmp_path / "tokens.yaml"), LET_IN=OPEN_WORD)
    assert "UPDATER_LET_IN and UPDATER_TOKENS_FILE are both set" in message


def test_a_commit_has_one_signature(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    assert "keep one of them" in complaint(SIGNING_GPG_KEY="0xAB", SIGNING_SSH_KEY_FILE=str(key))


@pytest.mark.parametrize(
    "name",
    [
        "UPDATER_SERVICE_HOST",
        "UPDATER_SERVICE_PORT",
        "UPDATER_SERVICE_PORT_HTTP",
        "UPDATER_PORT",
        "UPDATER_PORT_8080_TCP",
        "UPDATER_PORT_8080_TCP_ADDR",
        "UPDATER_PORT_53_UDP_PROTO",
        "UPDATER_WEB_SERVICE_HOST",
        "UPDATER_WEB_PORT_80_TCP_PORT",
    ],
)
def test_what_kubernetes_puts_there_for_a_service_of_that_name_is_left_alone(name: str) -> None:
    assert Settings.read({**REPO, name: "tcp://10.0.0.1:8080"}) == read()


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    text = repr(read(REPO_TOKEN=SECRET, GITLAB_HOOK_SECRET=SECRET))
    assert SECRET not in text
    assert "repo_token=..., " in text
    assert "gitlab_token=..., " in text
    assert "gitlab_hook_secret=..., " in text
    assert "gitlab.example.com" in text


@pytest.mark.parametrize(
    ("repo", "page"),
    [
        ("https://gitlab.example.com/a/b.git/", "https://gitlab.example.com/a/b/-/commit/{commit}"),
        ("http://gitlab.example.com/a/b", "http://gitlab.example.com/a/b/-/commit/{commit}"),
        ("git@gitlab.example.com:a/b.git", ""),
        ("/srv/config.git", ""),
    ],
)
def test_the_page_of_a_commit_is_known_for_http_remotes(repo: str, page: str) -> None:
    assert derived_commit_url(repo) == page
