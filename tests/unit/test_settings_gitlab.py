"""Which forge, which instance and which project: what the config repo's address tells, and what it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from updater.errors import InvalidSettings
from updater.settings import Settings

TOKEN = "glpat-5ecret-5ecret-5ecret"


def read(repo: str, **variables: str) -> Settings:
    return Settings.read(
        {"UPDATER_REPO": repo, **{f"UPDATER_{name}": value for name, value in variables.items()}}
    )


def complaint(repo: str, **variables: str) -> str:
    with pytest.raises(InvalidSettings) as raised:
        read(repo, **variables)
    assert TOKEN not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("repo", "variables", "url", "project"),
    [
        ("https://gitlab.example.com/ops/config.git", {}, "https://gitlab.example.com", "ops/config"),
        ("https://gitlab.example.com/a/b/c/config", {}, "https://gitlab.example.com", "a/b/c/config"),
        (
            "http://gitlab.example.com:8080/ops/config.git/",
            {},
            "http://gitlab.example.com:8080",
            "ops/config",
        ),
        ("https://[::1]:8443/ops/config.git", {}, "https://[::1]:8443", "ops/config"),
        (
            "https://example.com/gitlab/ops/config.git",
            {"GITLAB_URL": "https://example.com/gitlab/"},
            "https://example.com/gitlab",
            "ops/config",
        ),
        (
            "https://git.example.com/ops/config.git",
            {"GITLAB_URL": "https://gitlab.example.com"},
            "https://gitlab.example.com",
            "ops/config",
        ),
        (
            "https://git.example.com/config.git",
            {"GITLAB_PROJECT": "4711"},
            "https://git.example.com",
            "4711",
        ),
        (
            "https://git.example.com/mirrors/config.git",
            {"GITLAB_PROJECT": "ops/sub/config"},
            "https://git.example.com",
            "ops/sub/config",
        ),
        (
            "ssh://git@gitlab.example.com:2222/ops/config.git",
            {"GITLAB_TOKEN": TOKEN},
            "https://gitlab.example.com",
            "ops/config",
        ),
        (
            "git@gitlab.example.com:ops/sub/config.git",
            {"GITLAB_TOKEN": TOKEN},
            "https://gitlab.example.com",
            "ops/sub/config",
        ),
        (
            "gitlab.example.com:/ops/config",
            {"GITLAB_TOKEN": TOKEN},
            "https://gitlab.example.com",
            "ops/config",
        ),
        ("git@[2001:db8::1]:ops/config.git", {"GITLAB_TOKEN": TOKEN}, "https://[2001:db8::1]", "ops/config"),
        ("ssh://git@[2001:db8::1]:22/a/b.git", {"GITLAB_TOKEN": TOKEN}, "https://[2001:db8::1]", "a/b"),
        # GitLab's SSH addresses lack the root that its pages have.
        (
            "git@example.com:ops/config.git",
            {"GITLAB_TOKEN": TOKEN, "GITLAB_URL": "https://example.com/gitlab"},
            "https://example.com/gitlab",
            "ops/config",
        ),
        (
            "/srv/mirror.git",
            {
                "FORGE": "gitlab",
                "GITLAB_URL": "https://example.com",
                "GITLAB_PROJECT": "a/b",
                "GITLAB_TOKEN": TOKEN,
            },
            "https://example.com",
            "a/b",
        ),
    ],
)
def test_instance_and_project_are_told_from_the_config_repo_or_set(
    repo: str, variables: dict[str, str], url: str, project: str
) -> None:
    settings = read(repo, **variables)
    assert (settings.forge, settings.gitlab_url, settings.gitlab_project) == ("gitlab", url, project)


@pytest.mark.parametrize(
    ("repo", "variables"),
    [
        ("/srv/config.git", {}),
        ("file:///srv/ops/config.git", {}),
        ("git@gitlab.example.com:ops/config.git", {}),
        ("ssh://git@gitlab.example.com/ops/config.git", {}),
        # What is only for Git over HTTP says nothing about an SSH remote.
        ("git@gitlab.example.com:ops/config.git", {"REPO_TOKEN": TOKEN}),
        # No project of GitLab lies outside a group.
        ("https://git.example.com/config.git", {}),
        ("https://git.example.com/~kim/config.git", {}),
        ("https://gitlab.example.com/ops/config.git", {"FORGE": "local"}),
        ("https://gitlab.example.com/ops/config.git", {"FORGE": "local", "GITLAB_TOKEN": TOKEN}),
        ("/srv/config.git", {"GITLAB_HOOK_SECRET": TOKEN}),
    ],
)
def test_elsewhere_proposals_are_branches(repo: str, variables: dict[str, str]) -> None:
    assert read(repo, **variables).forge == "local"


@pytest.mark.parametrize(
    ("repo", "variables", "said"),
    [
        (
            "/srv/config.git",
            {"FORGE": "gitlab"},
            "UPDATER_GITLAB_URL is not set, and UPDATER_REPO does not tell",
        ),
        (
            "/srv/config.git",
            {"FORGE": "gitlab", "GITLAB_URL": "https://example.com", "GITLAB_TOKEN": TOKEN},
            "UPDATER_GITLAB_PROJECT is not set, and UPDATER_REPO does not tell it: set it, for example",
        ),
        (
            "https://git.example.com/config.git",
            {"GITLAB_TOKEN": TOKEN},
            "UPDATER_GITLAB_PROJECT is not set",
        ),
        ("git@example.com:config.git", {"GITLAB_TOKEN": TOKEN}, "UPDATER_GITLAB_PROJECT is not set"),
        (
            "https://example.com/ops/config.git",
            {"GITLAB_URL": "https://example.com/gitlab"},
            "UPDATER_GITLAB_PROJECT is not set",
        ),
        (
            "https://example.com/gitlab-ops/config.git",
            {"GITLAB_URL": "https://example.com/gitlab"},
            "UPDATER_GITLAB_PROJECT is not set",
        ),
        (
            "https://gitlab.example.com/ops/config.git",
            {"FORGE": "gitlab"},
            "UPDATER_FORGE is gitlab, and there is no token for it: set UPDATER_GITLAB_TOKEN_FILE",
        ),
        (
            "git@gitlab.example.com:ops/config.git",
            {"GITLAB_URL": "https://gitlab.example.com"},
            "UPDATER_GITLAB_URL is set, and nothing says that GitLab has the config repo: set UPDATER_FORGE=",
        ),
        (
            "/srv/config.git",
            {"GITLAB_PROJECT": "ops/config"},
            "UPDATER_GITLAB_PROJECT is set, and nothing says",
        ),
        ("/srv/config.git", {"GITLAB_TOKEN": TOKEN}, "UPDATER_GITLAB_TOKEN is set, and nothing says"),
    ],
)
def test_what_can_neither_be_read_nor_told_is_named(repo: str, variables: dict[str, str], said: str) -> None:
    assert said in complaint(repo, **variables)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"FORGE": "github"}, "UPDATER_FORGE has the wrong form: it takes one of gitlab, local."),
        (
            {"GITLAB_URL": "gitlab.example.com"},
            "UPDATER_GITLAB_URL has the wrong form: it takes an http or https",
        ),
        ({"GITLAB_URL": f"https://{TOKEN}@example.com"}, "UPDATER_GITLAB_URL has the wrong form"),
        (
            {"GITLAB_PROJECT": "config"},
            "UPDATER_GITLAB_PROJECT has the wrong form: it takes a project's path",
        ),
        ({"GITLAB_PROJECT": "/ops/config"}, "UPDATER_GITLAB_PROJECT has the wrong form"),
        ({"GITLAB_PROJECT": "ops/config.git"}, "UPDATER_GITLAB_PROJECT has the wrong form"),
        ({"GITLAB_PROJECT": "ops/../config"}, "UPDATER_GITLAB_PROJECT has the wrong form"),
        ({"GITLAB_PROJECT": "٣"}, "UPDATER_GITLAB_PROJECT has the wrong form"),
        (
            {"GITLAB_PROJECT": "https://gitlab.example.com/ops/config"},
            "UPDATER_GITLAB_PROJECT has the wrong form",
        ),
        ({"GITLAB_TOKEN": f"{TOKEN} "}, "UPDATER_GITLAB_TOKEN has the wrong form: it takes a token"),
        ({"GITLAB_TOKEN": f"{TOKEN}é"}, "UPDATER_GITLAB_TOKEN has the wrong form"),
        ({"GITLAB_HOOK_SECRET": "a\nb"}, "UPDATER_GITLAB_HOOK_SECRET has the wrong form"),
        ({"GITLAB_CA_FILE": "/nowhere"}, "UPDATER_GITLAB_CA_FILE names '/nowhere', which cannot be read"),
        ({"GITLAB_CA": "-----BEGIN"}, "put the text into a file and name it in UPDATER_GITLAB_CA_FILE"),
        ({"GITLAB_TOKN": TOKEN}, "UPDATER_GITLAB_TOKN is not a setting; did you mean UPDATER_GITLAB_TOKEN?"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_without_repeating_it(
    variables: dict[str, str], said: str
) -> None:
    assert said in complaint("https://gitlab.example.com/ops/config.git", **variables)


def test_the_token_is_the_one_of_the_config_repo_unless_it_has_its_own() -> None:
    repo = "https://gitlab.example.com/ops/config.git"
    assert read(repo, REPO_TOKEN="one").gitlab_token == "one"
    assert read(repo, REPO_TOKEN="one", GITLAB_TOKEN="other").gitlab_token == "other"
    assert read(repo, REPO_TOKEN="one", FORGE="gitlab").gitlab_token == "one"
    assert read(repo, GITLAB_TOKEN="other").repo_token == ""


def test_without_a_token_the_server_starts_because_the_rules_may_ask_for_no_merge_request() -> None:
    settings = read("https://gitlab.example.com/ops/config.git")
    assert (settings.forge, settings.gitlab_token) == ("gitlab", "")


def test_a_password_that_no_header_can_carry_is_no_token() -> None:
    assert read("https://gitlab.example.com/ops/config.git", REPO_TOKEN="pass word é").gitlab_token == ""


def test_the_certificates_are_those_of_the_config_repo_unless_it_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "one.pem").write_text("one\n")
    (tmp_path / "other.pem").write_text("other\n")
    repo, one, other = "https://example.com/a/b", str(tmp_path / "one.pem"), str(tmp_path / "other.pem")
    assert read(repo, REPO_CA_FILE=one).gitlab_ca == tmp_path / "one.pem"
    assert read(repo, REPO_CA_FILE=one, GITLAB_CA_FILE=other).gitlab_ca == tmp_path / "other.pem"
    assert read(repo, GITLAB_CA_FILE=other).repo_ca is None
    assert read(repo).gitlab_ca is None


@pytest.mark.parametrize(
    ("repo", "variables", "page"),
    [
        (
            "git@gitlab.example.com:ops/config.git",
            {"GITLAB_TOKEN": TOKEN},
            "https://gitlab.example.com/ops/config/-/commit/{commit}",
        ),
        (
            "https://git.example.com/mirror/config.git",
            {"GITLAB_URL": "https://example.com/gitlab", "GITLAB_PROJECT": "ops/config"},
            "https://example.com/gitlab/ops/config/-/commit/{commit}",
        ),
        # A number leads to no page, so the address of the config repo does.
        (
            "https://example.com/ops/config.git",
            {"GITLAB_PROJECT": "7"},
            "https://example.com/ops/config/-/commit/{commit}",
        ),
        ("git@example.com:ops/config.git", {"GITLAB_TOKEN": TOKEN, "GITLAB_PROJECT": "7"}, ""),
        ("git@gitlab.example.com:ops/config.git", {}, ""),
        (
            "https://example.com/config.git",
            {"FORGE": "local"},
            "https://example.com/config/-/commit/{commit}",
        ),
    ],
)
def test_the_page_of_a_commit_is_gitlabs_where_gitlab_is_known(
    repo: str, variables: dict[str, str], page: str
) -> None:
    assert read(repo, **variables).commit_url == page
