"""`updater check --base` in real checkouts: what a merge request does to versions and environments."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.barerepo import clean_environment, commit_as_person, make_bare, tip
from support.checks import CATALOG, CHART, DEPLOYMENT, OVERLAYS
from support.commandline import updater
from support.documents import ROOT

CHART_FILE, TEMPLATE = "charts/iris/Chart.yaml", "charts/iris/templates/deployment.yaml"
DEV, PROD = "charts/iris/values-dev.yaml", "charts/iris/values-prod.yaml"
RULES = OVERLAYS[".updater/rules.yaml"] + "    delivery: merge-request\n"
CHANGED = DEPLOYMENT.replace("kind: Deployment", "kind: StatefulSet")
DEPLOYED = "Update iris\n\nUpdater-Image: registry.example.com/iris:develop-52667\nUpdater-Environment: dev\n"


def repo(folder: Path, files: Mapping[str, str] = OVERLAYS) -> Path:
    """Return a bare repo, with a branch `change` beside main."""
    bare = make_bare(folder, {**files, ".updater/rules.yaml": RULES} if files is OVERLAYS else files)
    commit_as_person(bare, {"README.md": "Charts.\n"}, branch="change")
    subprocess.run(["git", "-C", str(bare), "update-ref", "refs/heads/change", "refs/heads/main"], check=True)
    return bare


def change(bare: Path, files: Mapping[str, str | None], message: str = "By hand") -> None:
    commit_as_person(bare, files, message, branch="change")


def checkout(bare: Path, *options: str) -> Path:
    folder = bare.parent / "checkout"
    command = ["git", "clone", "-q", "-b", "change", *options, f"file://{bare}", str(folder)]
    subprocess.run(command, check=True, env=clean_environment())
    return folder


def check(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> list[tuple[str, str, int]]:
    ran = updater("check", "--no-helm", "--format", "json", str(folder), *options, env=env)
    assert ran.err == ""
    found = [(one["code"], one["file"], one["line"]) for one in json.loads(ran.out)]
    return [one for one in found if one[0] in ("E11", "E16")]


def test_a_template_that_changed_wants_a_higher_version(tmp_path: Path) -> None:
    bare = repo(tmp_path)
    change(bare, {TEMPLATE: CHANGED})
    folder = checkout(bare)
    assert check(folder) == []
    assert check(folder, "--base", "origin/main") == [("E11", CHART_FILE, 3)]
    (folder / CHART_FILE).write_text(CHART.replace("0.1.0", "0.2.0"))
    assert check(folder, "--base", "origin/main") == []


def test_what_main_did_meanwhile_is_not_the_branchs_doing(tmp_path: Path) -> None:
    bare = repo(tmp_path)
    change(bare, {DEV: "image:\n  tag: develop-52667\n"})
    commit_as_person(bare, {TEMPLATE: CHANGED})
    assert check(checkout(bare), "--base", "origin/main") == []


def test_a_version_directory_that_changed_is_found_and_a_new_one_is_not(tmp_path: Path) -> None:
    bare = repo(tmp_path, CATALOG)
    old = "charts/iris/0.1.52666"
    new = {
        path.replace(old, "charts/iris/0.1.52667"): text.replace("0.1.52666", "0.1.52667")
        for path, text in CATALOG.items()
        if path.startswith(f"{old}/")
    }
    gone = {path: None for path in CATALOG if path.startswith("charts/iris/0.1.52665/")}
    change(bare, {**new, **gone})
    folder = checkout(bare)
    assert check(folder, "--base", "origin/main") == []
    (folder / old / "values.yaml").write_text("image:\n  repository: registry.example.com/iris\n  tag: a-1\n")
    found = check(folder, "--base", "origin/main")
    assert found == [("E11", f"{old}/values.yaml", 0)]


def test_a_commit_of_dev_that_reaches_into_prod_is_found_in_the_pipeline(tmp_path: Path) -> None:
    bare = repo(tmp_path)
    change(bare, {DEV: "image:\n  tag: develop-52667\n", PROD: "image:\n  tag: main-811\n"}, DEPLOYED)
    pipeline = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": tip(bare, "main"), "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": ""}
    folder = checkout(bare)
    assert check(folder, env=pipeline) == [("E16", PROD, 0)]
    assert check(folder, "--base", "", env=pipeline) == []
    merged = {**pipeline, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": tip(bare, "change")}
    assert check(folder, env=merged) == []


def test_each_commit_is_judged_by_itself(tmp_path: Path) -> None:
    bare = repo(tmp_path)
    change(bare, {DEV: "image:\n  tag: develop-52667\n"}, DEPLOYED)
    change(bare, {PROD: "image:\n  tag: main-811\n"}, "Prod by hand")
    folder = checkout(bare)
    assert check(folder, "--base", "origin/main") == []


def test_a_persons_commit_that_moves_both_is_told_with_its_name(tmp_path: Path) -> None:
    bare = repo(tmp_path)
    change(bare, {DEV: "image:\n  tag: develop-52667\n", PROD: "image:\n  tag: main-811\n"})
    ran = updater("check", str(checkout(bare)), "--base", "origin/main")
    assert ran.code == 1
    sentence = (
        f"  2: E16 Commit {tip(bare, 'change')[:10]} moves the tag of registry.example.com/iris in prod "
        "together with a tag in dev."
    )
    assert sentence in ran.out
    assert ran.out.endswith(" Compared with origin/main.\n")


@pytest.mark.parametrize(
    ("layout", "environment", "tag"),
    [
        ("overlays", "dev", "develop-90000"),
        ("overlays", "prod", "main-90000"),
        ("catalog", "dev", "develop-90000"),
    ],
)
def test_what_the_updater_writes_is_right_by_its_own_checks(
    tmp_path: Path, layout: str, environment: str, tag: str
) -> None:
    folder = Path(shutil.copytree(ROOT / "config-repo-example" / layout, tmp_path / "repo"))
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Start"]):
        who = ["-c", "user.name=A Person", "-c", "user.email=person@example.com"]
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, env=clean_environment())
    image = f"docker-registry.example.com/iris:{tag}"
    ran = updater("update", image, "--environment", environment, "--worktree", str(folder))
    assert ran.code == 0, ran.err
    assert check(folder, "--base", "HEAD") == []
    assert (
        tag
        in subprocess.run(
            ["git", "-C", str(folder), "grep", "--untracked", "-h", "90000"], capture_output=True, text=True
        ).stdout
    )


@pytest.mark.parametrize("options", [["--depth=1"], ["--depth=1", "--no-single-branch"]])
def test_a_shallow_clone_says_what_to_do(tmp_path: Path, options: list[str]) -> None:
    bare = repo(tmp_path)
    change(bare, {TEMPLATE: CHANGED})
    pipeline = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": tip(bare, "main")}
    if "--no-single-branch" in options:
        commit_as_person(bare, {"README.md": "More.\n"})
        pipeline = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main"}
    ran = updater("check", str(checkout(bare, *options)), env=pipeline)
    assert (ran.code, ran.out) == (2, "")
    assert "GIT_DEPTH: 0" in ran.err


def test_a_folder_without_git_has_no_base(tmp_path: Path) -> None:
    ran = updater("check", str(tmp_path), "--base", "main")
    assert ran.code == 2
    assert "is in no Git checkout" in ran.err
