"""The command line as people and scripts use it: a real process each time, its output and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.barerepo import changed_lines, git, log, make_bare, protect, show
from support.commandline import table, updater
from support.world import RULES, World, chart, values

from updater.auth import Keys, authenticate
from updater.model import Caller


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


# set


def test_set_changes_one_value_and_leaves_every_other_byte(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_bytes(b"\xef\xbb\xbfimage:\r\n    tag:   'a'   # keep\r\nlast: 1")
    file.chmod(0o640)
    ran = updater("set", str(file), "image.tag", "1.10")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert file.read_bytes() == b"\xef\xbb\xbfimage:\r\n    tag:   '1.10'   # keep\r\nlast: 1"
    assert file.stat().st_mode & 0o777 == 0o640


def test_set_takes_a_json_list_where_a_key_holds_a_dot(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("image:\n  1.21:\n    tag: a\n")
    assert updater("set", str(file), '["image", "1.21", "tag"]', "b").code == 0
    assert file.read_text() == "image:\n  1.21:\n    tag: b\n"


def test_set_refuses_what_it_cannot_edit_and_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("tag: |\n  a\n  b\n")
    ran = updater("set", str(file), "tag", "b")
    assert ran.code == 1
    assert f"{file}:1:" in ran.err
    assert file.read_text() == "tag: |\n  a\n  b\n"


def test_set_asks_which_document_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("tag: a\n---\ntag: b\n")
    ran = updater("set", str(file), "tag", "c")
    assert ran.code == 1
    assert "--document" in ran.err
    assert updater("set", str(file), "tag", "c", "--document", "2").code == 0
    assert file.read_text() == "tag: a\n---\ntag: c\n"


def test_set_follows_an_alias_only_when_told(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("version: &v a\nimage:\n  tag: *v\n")
    assert updater("set", str(file), "image.tag", "b").code == 1
    ran = updater("set", str(file), "image.tag", "b", "--follow")
    assert (ran.code, ran.err) == (0, "")
    assert file.read_text() == "version: &v b\nimage:\n  tag: *v\n"


def test_set_says_where_nothing_is_to_change_and_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("tag: a\n")
    same = updater("set", str(file), "tag", "a")
    assert same.code == 0
    assert "already" in same.err
    assert updater("set", str(file), "tog", "a").code == 1
    assert updater("set", str(tmp_path / "none.yaml"), "tag", "a").code == 2


# update --worktree and plan


def test_update_edits_a_checkout_without_git_or_order(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {"charts/iris/Chart.yaml": "name: iris\n", "charts/iris/values.yaml": values("iris", "develop-9")},
    )
    ran = updater("update", "registry.example.com/iris:develop-1", "--worktree", str(folder))
    assert ran.code == 0, ran.err
    assert "charts/iris/values.yaml:4 image.tag: develop-9 -> develop-1" in ran.out
    assert (folder / "charts/iris/values.yaml").read_text() == values("iris", "develop-1")


def test_update_in_a_checkout_keeps_its_rules(tmp_path: Path) -> None:
    folder = write(tmp_path, {".updater/rules.yaml": RULES, **chart("iris", "develop-9")})
    ran = updater("update", "registry.example.com/iris:develop-1", "--worktree", str(folder), "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["outcome"] == "superseded"
    assert (folder / "charts/iris/values-dev.yaml").read_text() == "image:\n  tag: develop-9\n"


def test_update_in_a_checkout_changes_nothing_where_anything_is_refused(tmp_path: Path) -> None:
    both = (
        RULES
        + "  lab:\n    files: charts/*/values-lab.yaml\n    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}\n"
    )
    files = {".updater/rules.yaml": both, **chart("iris")}
    files["charts/iris/values-lab.yaml"] = "image:\n  tag: >-\n    develop-1\n    2\n"
    folder = write(tmp_path, files)
    ran = updater("update", "registry.example.com/iris:develop-101", "--worktree", str(folder))
    assert ran.code == 1
    assert "charts/iris/values-lab.yaml:2" in ran.out
    assert (folder / "charts/iris/values-dev.yaml").read_text() == "image:\n  tag: develop-100\n"
    only = updater(
        "update", "registry.example.com/iris:develop-101", "--worktree", str(folder), "--environment", "dev"
    )
    assert only.code == 0
    assert (folder / "charts/iris/values-dev.yaml").read_text() == "image:\n  tag: develop-101\n"


def test_update_in_a_checkout_makes_the_folder_of_a_version_and_removes_old_ones(tmp_path: Path) -> None:
    rules = (
        "environments:\n  dev:\n    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}\n"
        "    chart: {version: build, directory: true, keep: 2}\n"
    )
    files = {".updater/rules.yaml": rules}
    for number in (8, 9):
        home = f"charts/iris/0.1.{number}"
        files[f"{home}/Chart.yaml"] = f"name: iris\nversion: 0.1.{number}\n"
        files[f"{home}/values.yaml"] = values("iris", f"develop-{number}")
        files[f"{home}/README.md"] = "The iris\n"
    folder = write(tmp_path, files)
    image = "registry.example.com/iris:develop-10"
    plan = updater("plan", image, "--worktree", str(folder))
    assert (
        "diff --git a/charts/iris/0.1.9/Chart.yaml b/charts/iris/0.1.10/Chart.yaml\n"
        "copy from charts/iris/0.1.9/Chart.yaml\n"
        "copy to charts/iris/0.1.10/Chart.yaml\n"
        "--- a/charts/iris/0.1.9/Chart.yaml\n"
        "+++ b/charts/iris/0.1.10/Chart.yaml\n"
        "@@ -1,2 +1,2 @@\n name: iris\n-version: 0.1.9\n+version: 0.1.10\n"
    ) in plan.out
    assert "README" not in plan.out, "what is copied as it is need not be read"
    assert "charts/iris/0.1.8/" not in plan.out.partition("diff --git")[2]
    ran = updater("update", image, "--worktree", str(folder))
    assert ran.code == 0, ran.err
    assert "The chart iris rises from version 0.1.9 to 0.1.10" in ran.out
    assert sorted(one.name for one in (folder / "charts/iris").iterdir()) == ["0.1.10", "0.1.9"]
    assert (folder / "charts/iris/0.1.10/values.yaml").read_text() == values("iris", "develop-10")


def test_plan_shows_the_diff_and_changes_nothing(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})
    before = log(bare)
    ran = updater("plan", "registry.example.com/iris:develop-101", env={"UPDATER_REPO": str(bare)})
    assert ran.code == 0, ran.err
    assert "-  tag: develop-100\n+  tag: develop-101\n" in ran.out
    assert "--- a/charts/iris/values-dev.yaml\n" in ran.out
    assert log(bare) == before
    refused = updater("plan", "registry.example.com/none:develop-1", env={"UPDATER_REPO": str(bare)})
    assert refused.code == 1


# update on a remote


def test_update_writes_the_commit_on_a_remote(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})
    ran = updater(
        "update",
        "registry.example.com/iris:develop-101",
        "--ref",
        "develop",
        "--author",
        "Kim",
        env={"UPDATER_REPO": str(bare)},
    )
    assert ran.code == 0, ran.err
    assert changed_lines(bare, "main") == ["-  tag: develop-100", "+  tag: develop-101"]
    assert "Updater-Requested-By: Kim" in log(bare)[0].message
    again = updater("update", "registry.example.com/iris:develop-101", env={"UPDATER_REPO": str(bare)})
    assert (again.code, "unchanged" in again.out) == (0, True)


def test_update_ends_with_1_where_the_server_says_no_and_4_where_it_is_away(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})
    protect(bare, "main")
    refused = updater("update", "registry.example.com/iris:develop-101", env={"UPDATER_REPO": str(bare)})
    assert refused.code == 1
    assert "protected branches" in refused.out
    away = updater(
        "update",
        "registry.example.com/iris:develop-101",
        "--timeout",
        "0.1",
        env={"UPDATER_REPO": str(tmp_path / "away.git")},
    )
    assert away.code == 4
    assert "away.git" in away.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["update", "registry.example.com/iris"], "names no tag"),
        (["update", "registry.example.com/iris:feature/x"], "CI_COMMIT_REF_SLUG"),
        (["update", "iris:1"], "UPDATER_REPO is not set"),
        (["updaet"], "updaet"),
        (["set", "f"], "PATH"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_to_do(arguments: list[str], words: str) -> None:
    ran = updater(*arguments)
    assert ran.code == 2
    assert words in ran.err


def test_a_misspelt_setting_is_named() -> None:
    ran = updater("serve", env={"UPDATER_REPOO": "x"})
    assert ran.code == 2
    assert "UPDATER_REPO?" in ran.err


# init, status, requests, token


def test_init_writes_rules_that_work(tmp_path: Path) -> None:
    folder = write(tmp_path, {**chart("iris", "develop-7"), **chart("lily", "develop-9")})
    ran = updater("init", cwd=folder)
    assert ran.code == 0, ran.err
    text = (folder / ".updater/rules.yaml").read_text()
    assert "charts/*/values-dev.yaml" in text
    assert "develop-(?P<build>[0-9]+)" in text
    again = updater("init", cwd=folder)
    assert again.code == 2
    assert "--force" in again.err
    assert updater("init", "--force", cwd=folder).code == 0
    assert updater("init", "--print", cwd=folder).out == (folder / ".updater/rules.yaml").read_text() == text
    update = updater("update", "registry.example.com/iris:develop-8", "--worktree", ".", cwd=folder)
    assert update.code == 0, update.out


def test_status_shows_which_tag_stands_where(tmp_path: Path) -> None:
    bare = make_bare(
        tmp_path,
        {
            ".updater/rules.yaml": RULES,
            **chart("iris"),
            "charts/bad/Chart.yaml": "name: bad\n",
            "charts/bad/values-dev.yaml": "a: [\n",
        },
    )
    ran = updater("status", env={"UPDATER_REPO": str(bare)})
    assert ran.code == 0
    (row,) = table(ran.out)
    assert (row["ENVIRONMENT"], row["CHART"], row["TAG"]) == ("dev", "iris", "develop-100")
    assert (row["IMAGE"], row["PLACE"]) == ("registry.example.com/iris", "charts/iris/values-dev.yaml:2")
    assert "charts/bad/values-dev.yaml" in ran.err
    found = json.loads(updater("status", "--json", env={"UPDATER_REPO": str(bare)}).out)
    assert [(one["chart"], one["tag"], one["path"]) for one in found["places"]] == [
        ("iris", "develop-100", "image.tag")
    ]
    assert "charts/bad/values-dev.yaml" in found["problems"][0]
    assert updater("status", "--environment", "none", env={"UPDATER_REPO": str(bare)}).code == 2


def test_requests_shows_what_became_of_them(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        world.ci_builds("none:develop-1")
        world.tick()
        waiting = world.ci_builds("iris:develop-102")
        data = str(tmp_path / "data")
        table = updater("requests", "--data", data)
        assert table.code == 0
        assert [line.split()[0] for line in table.out.splitlines()[1:]] == list(reversed(world.ids))
        found = json.loads(
            updater("requests", "--outcome", "committed", "--json", env={"UPDATER_DATA": data}).out
        )
        assert [one["id"] for one in found] == [request]
        one = updater("requests", request, "--data", data)
        assert one.code == 0
        assert "dev: committed." in one.out
        assert "develop-100 -> develop-101" in one.out
        pending = updater("requests", waiting, "--data", data)
        assert "pending" in pending.out
        assert updater("requests", "nobody", "--data", data).code == 1
    assert updater("requests", "--data", str(tmp_path / "nowhere")).code == 2


def test_token_makes_a_token_and_the_entry_that_lets_it_in() -> None:
    ran = updater("token", "iris-ci")
    assert ran.code == 0
    assert ran.out.strip() not in ran.err
    # What goes to standard error is a tokens file as it is.
    keys = Keys.parse(ran.err.encode(), lambda name: Path(name).read_bytes())
    assert authenticate(f"Bearer {ran.out.strip()}", keys) == Caller(
        name="iris-ci", images=("**",), environments=("*",)
    )


def test_help_answers_without_loading_the_house() -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "updater", "--help"], capture_output=True, text=True
    ).stderr
    for heavy in ("flask", "sqlalchemy", "git", "pydantic", "ruamel.yaml", "rich", "gunicorn"):
        assert not any(line.split("|")[-1].strip() == heavy for line in loaded.splitlines()), heavy


def test_a_secret_in_a_setting_is_never_repeated(tmp_path: Path) -> None:
    secret = "glpat-very-secret-token"
    env = {"UPDATER_REPO": str(tmp_path / "none.git"), "UPDATER_REPO_TOKEN": secret}
    ran = updater("update", "registry.example.com/iris:develop-1", "--timeout", "0", env=env)
    assert secret not in ran.out + ran.err
    bad = updater("status", env={"UPDATER_REPO": f"https://oauth2:{secret}@gitlab.example.com/x.git"})
    assert bad.code == 2
    assert secret not in bad.out + bad.err


def test_what_a_clone_sees_is_what_was_planned(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})
    assert (
        updater("update", "registry.example.com/iris:develop-101", env={"UPDATER_REPO": str(bare)}).code == 0
    )
    git(tmp_path, "clone", "-q", str(bare), "clone")
    clone = tmp_path / "clone" / "charts/iris/values-dev.yaml"
    assert (
        clone.read_bytes()
        == show(bare, "main", "charts/iris/values-dev.yaml")
        == b"image:\n  tag: develop-101\n"
    )


@pytest.mark.parametrize("name", ["two words", "", "-x", "ci:1", "x" * 101])
def test_token_takes_no_name_that_the_server_would_refuse(name: str) -> None:
    ran = updater("token", "--", name)
    assert (ran.code, ran.out) == (2, "")
    assert "is no name for a caller: letters, digits" in ran.err


@pytest.mark.parametrize("name", ["123", "true", "1.5e3", "ci/iris@main"])
def test_every_name_that_token_takes_is_one_for_the_server(name: str) -> None:
    ran = updater("token", name)
    keys = Keys.parse(ran.err.encode(), lambda path: Path(path).read_bytes())
    assert [caller.name for _, caller in keys.callers] == [name]


def test_set_counts_documents_from_1_also_when_it_says_no(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("tag: a\n---\ntag: b\n")
    ran = updater("set", str(file), "tag", "c", "--document", "3")
    assert ran.code == 1
    assert "there is no document 3: the file has 2" in ran.err
    assert "counted from 0" not in ran.err


def test_init_writes_nothing_where_there_is_no_chart(tmp_path: Path) -> None:
    folder = write(tmp_path, {"README.md": "Nothing here.\n", "values.yaml": "image: iris:1\n"})
    for arguments in (["init"], ["init", "--print"]):
        ran = updater(*arguments, cwd=folder)
        assert (ran.code, ran.out) == (2, "")
        assert "No chart was found" in ran.err
    assert not (folder / ".updater").exists()


@pytest.mark.parametrize("link", [".updater", ".updater/rules.yaml"])
@pytest.mark.parametrize("arguments", [["init"], ["init", "--force"]])
def test_init_never_writes_through_a_link(arguments: list[str], link: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "checkout", chart("iris"))
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(tmp_path / "elsewhere")
    ran = updater(*arguments, cwd=folder)
    assert ran.code == 2
    assert f"{link} is a symbolic link" in ran.err
    assert not (tmp_path / "elsewhere").exists()


def test_init_says_so_where_a_file_stands_in_the_way(tmp_path: Path) -> None:
    folder = write(tmp_path, {".updater": "a file\n", **chart("iris")})
    ran = updater("init", cwd=folder)
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_status_and_requests_say_when_they_found_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkout", {"README.md": "Nothing here.\n"})
    status = updater("status", "--worktree", ".", cwd=folder)
    assert status.code == 0
    assert "No image was found" in status.err
    with World(tmp_path):
        requests = updater("requests", "--data", str(tmp_path / "data"), "--state", "pending")
    assert requests.code == 0
    assert "No request" in requests.err
