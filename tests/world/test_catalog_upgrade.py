"""The component catalog-upgrade, run by a real CI runner against a double of Rancher and real Git."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import gitserver
from support.barerepo import clean_environment
from support.certificates import self_signed
from support.components import component_files, including
from support.documents import ROOT
from support.pipeline import CodeRepo, JobResult
from support.rancher import CATALOG, CLUSTER, FROM_THE_FORM, NAMESPACE, PROJECT, TOKEN, App, Rancher

PROGRAM = ROOT / "templates/catalog-upgrade/upgrade.py"
OLD, NEW = "0.9.52600", "0.10.52601"
LEGACY = {"kind": "catalog", "project": PROJECT}
NEWER = {"kind": "clusterrepo", "namespace": NAMESPACE}
KINDS = pytest.mark.parametrize("kind", [LEGACY, NEWER], ids=["legacy", "clusterrepo"])
AT_ONCE = {"chart": "iris", "app": "iris", "environment": "dev", "branch": "dev", "pause": 0}


def version(number: str) -> dict[str, str | bytes]:
    """The files of one version of the chart; its tag is develop- and the last part of its number."""
    folder = f"charts/iris/{number}"
    tag = f"develop-{number.rpartition('.')[2]}"
    return {
        f"{folder}/Chart.yaml": f'apiVersion: v2\nname: iris\nversion: "{number}"\n',
        f"{folder}/values.yaml": f"image:\n  repository: example.com/iris\n  tag: {tag}\nreplicas: 1\n",
    }


def set_by_people(kind: Mapping[str, object]) -> App:
    """The app as it was installed: people set the replicas, and the old tag came along from the form."""
    if kind["kind"] == "clusterrepo":
        return App("iris", OLD, values={"image": {"tag": "master-7252"}, "replicas": 3})
    return App("iris", OLD, {"image.tag": "master-7252", "replicas": "3"}, {"zip": "01234"})


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A config repo whose branch dev has one version of the chart."""
    return gitserver.make_bare(tmp_path, version(OLD), "dev")


def rancher(bare: Path, people: Mapping[str, object], /, **changes: Any) -> Rancher:
    """A Rancher that knows the chart as it is, before the updater's commit, which comes now."""
    made = Rancher(bare, "dev", **changes)
    made.apps["iris"] = set_by_people(people)
    gitserver.commit_as_person(bare, version(NEW), "Update iris in dev", "dev")
    return made


def run_program(folder: Path, rancher: Rancher, **inputs: object) -> JobResult:
    """Run the program alone, as the job does, in a checkout with both versions."""
    for path, content in {**version(OLD), **version(NEW)}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(content))
    given = {"url": rancher.url, "catalog": CATALOG, "charts": "charts", "cluster": "local", "wait": 20}
    usual = {**given, **AT_ONCE, "follow": "image.tag", "allow_http": "true", "token": TOKEN}
    variables = {f"CATALOG_UPGRADE_{name.upper()}": str(value) for name, value in {**usual, **inputs}.items()}
    kept = {name: value for name, value in clean_environment().items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [sys.executable, "-"],
        input=PROGRAM.read_bytes(),
        cwd=folder,
        env=kept | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return JobResult(done.returncode, done.stdout.decode())


@pytest.mark.runner
@pytest.mark.parametrize(
    "kind", [LEGACY, {**NEWER, "cluster": CLUSTER, "when": "on_success"}], ids=["legacy", "clusterrepo"]
)
def test_the_job_refreshes_waits_and_upgrades_and_keeps_what_people_set(
    bare: Path, tmp_path: Path, kind: dict[str, object]
) -> None:
    with rancher(bare, kind) as double:
        inputs = {**AT_ONCE, **kind, "url": double.url, "catalog": CATALOG, "allow-http": True}
        files = {**version(OLD), **component_files("catalog-upgrade")}
        code = CodeRepo(tmp_path / "code", including("catalog-upgrade", inputs), files, branch="dev")
        code.change(version(NEW), "Update iris in dev")
        job = code.run(["catalog-upgrade"], {"RANCHER_TOKEN": TOKEN})
        assert job.exit_code == 0, job.output
        values = double.running("iris")
    assert values["image"]["tag"] == "develop-52601"
    assert str(values["replicas"]) == "3"
    assert f"iris has iris {OLD}; the newest here is {NEW}." in job.output
    assert f"{CATALOG} lists iris {NEW}." in job.output
    assert "image.tag=master-7252 was set for the app." in job.output
    assert f"iris has iris {NEW}." in job.output
    assert TOKEN not in job.output


@pytest.mark.runner
def test_a_person_or_the_commit_starts_the_job_for_its_chart_on_its_branch(tmp_path: Path) -> None:
    for branch, when, chart in (
        ("dev", "manual", "iris"),
        ("dev", "on_success", "iris"),
        ("dev", "on_success", "rose"),
        ("main", "on_success", "iris"),
    ):
        inputs = {**AT_ONCE, **NEWER, "url": "rancher.example.com", "catalog": CATALOG, "when": when}
        pipeline = including("catalog-upgrade", {**inputs, "chart": chart})
        files = {**version(OLD), **component_files("catalog-upgrade")}
        code = CodeRepo(tmp_path / branch / when / chart, pipeline, files, branch=branch)
        code.change(version(NEW), "Update iris in dev")
        listed = code.run(["--list-csv"], {}).output
        assert "name;stage;when;" in listed
        assert (f";{when};" in listed) == ((branch, chart) == ("dev", "iris")), listed


@KINDS
def test_what_other_people_set_is_sent_again(bare: Path, tmp_path: Path, kind: dict[str, Any]) -> None:
    with rancher(bare, kind) as double:
        assert run_program(tmp_path / "job", double, **kind, follow="").exit_code == 0
        app = double.apps["iris"]
        assert double.running("iris")["image"]["tag"] == "master-7252"
    assert (app.values, app.answers, app.answers_set_string) == (
        set_by_people(kind).values,
        set_by_people(kind).answers,
        set_by_people(kind).answers_set_string,
    )


def test_ranchers_pages_still_know_where_the_app_came_from(bare: Path, tmp_path: Path) -> None:
    with rancher(bare, NEWER) as double:
        assert run_program(tmp_path / "job", double, **NEWER).exit_code == 0
        assert double.apps["iris"].annotations == FROM_THE_FORM


def test_where_only_the_tag_was_set_the_charts_own_takes_its_place(bare: Path, tmp_path: Path) -> None:
    with rancher(bare, NEWER) as double:
        double.apps["iris"].values = {"image": {"tag": "master-7252"}}
        assert run_program(tmp_path / "job", double, **NEWER).exit_code == 0
        assert double.running("iris")["image"]["tag"] == "develop-52601"
        assert double.apps["iris"].values == {}


def test_values_as_yaml_are_kept_as_they_are_and_told(bare: Path, tmp_path: Path) -> None:
    with rancher(bare, LEGACY) as double:
        double.apps["iris"].values_yaml = "# by hand\nreplicas: 5\n"
        job = run_program(tmp_path / "job", double, **LEGACY)
        assert double.apps["iris"].values_yaml == "# by hand\nreplicas: 5\n"
    assert "values as YAML" in job.output


@KINDS
def test_the_token_goes_nowhere_else(bare: Path, tmp_path: Path, kind: dict[str, Any]) -> None:
    with rancher(bare, kind) as double, Rancher(bare, "dev") as other:
        double.moved_to = other.url
        job = run_program(tmp_path / "job", double, **kind)
        assert other.requests == []
    assert (job.exit_code, "302" in job.output) == (1, True), job.output


@pytest.mark.parametrize("kind", ["clustercatalog", "projectcatalog"])
def test_catalogs_of_a_cluster_or_a_project_are_refreshed_by_their_id(
    bare: Path, tmp_path: Path, kind: str
) -> None:
    with rancher(bare, LEGACY, kind=f"{kind}s") as double:
        job = run_program(tmp_path / "job", double, kind=kind, project=PROJECT, catalog=f"p-test:{CATALOG}")
        assert job.exit_code == 0, job.output
        assert double.apps["iris"].version == NEW


@KINDS
def test_rancher_that_is_away_for_a_while_or_changed_by_others_is_asked_again(
    bare: Path, tmp_path: Path, kind: dict[str, Any]
) -> None:
    with rancher(bare, kind) as double:
        double.away, double.edited = 3, True
        job = run_program(tmp_path / "job", double, **kind)
        assert job.exit_code == 0, job.output
        assert "503: no healthy upstream" in job.output
        assert double.apps["iris"].version == NEW


@pytest.mark.parametrize("ahead", [-90, 90])
def test_the_refresh_is_timed_by_ranchers_clock(bare: Path, tmp_path: Path, ahead: int) -> None:
    with rancher(bare, NEWER, ahead=ahead) as double:
        job = run_program(tmp_path / "job", double, **NEWER)
        assert job.exit_code == 0, job.output


@KINDS
def test_what_is_done_already_is_not_done_again(bare: Path, tmp_path: Path, kind: dict[str, Any]) -> None:
    with rancher(bare, kind) as double:
        double.apps["iris"].version = NEW
        job = run_program(tmp_path / "job", double, **kind)
        assert job.exit_code == 0, job.output
        assert "There is nothing to do." in job.output
        assert [method for method, _, _ in double.requests] == ["GET"]


@KINDS
def test_an_older_version_goes_back_only_on_purpose(bare: Path, tmp_path: Path, kind: dict[str, Any]) -> None:
    with rancher(bare, kind) as double:
        double.apps["iris"].version = "0.11.1"
        job = run_program(tmp_path / "job", double, **kind)
        assert (job.exit_code, double.apps["iris"].version) == (1, "0.11.1")
        assert "allow-older" in job.output
        assert run_program(tmp_path / "again", double, **kind, allow_older="true").exit_code == 0
        assert double.apps["iris"].version == NEW


@KINDS
def test_an_upgrade_that_fails_is_red_in_ranchers_words_and_tried_again_by_the_next_run(
    bare: Path, tmp_path: Path, kind: dict[str, Any]
) -> None:
    with rancher(bare, kind) as double:
        double.failure = "timed out waiting for the condition"
        job = run_program(tmp_path / "job", double, **kind)
        assert job.exit_code == 1
        assert f"iris was not upgraded to {NEW}: timed out waiting for the condition" in job.output
        double.failure = ""
        assert run_program(tmp_path / "again", double, **kind).exit_code == 0
        assert double.apps["iris"].trouble == ""


def test_an_upgrade_that_never_began_is_red_in_ranchers_words(bare: Path, tmp_path: Path) -> None:
    with rancher(bare, NEWER) as double:
        double.failure = "pod: no image for Helm"
        job = run_program(tmp_path / "job", double, **NEWER)
    assert job.exit_code == 1
    assert "pod: no image for Helm" in job.output


@KINDS
def test_a_version_that_never_comes_is_red_and_named(
    bare: Path, tmp_path: Path, kind: dict[str, Any]
) -> None:
    with rancher(bare, kind, lag=10_000) as double:
        job = run_program(tmp_path / "job", double, **kind, wait=1)
        assert (job.exit_code, double.apps["iris"].version) == (1, OLD)
    assert f"Listing iris {NEW} in {CATALOG} took longer than 1 s." in job.output


def test_a_certificate_that_nobody_trusts_is_told_at_once(bare: Path, tmp_path: Path) -> None:
    with rancher(bare, NEWER, certificate=self_signed(tmp_path)) as double:
        job = run_program(tmp_path / "job", double, **NEWER, wait=5)
    assert job.exit_code == 1
    assert "CERTIFICATE_VERIFY_FAILED" in job.output
    assert "took longer than" not in job.output  # it did not ask on


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"token": "wrong"}, "401: must authenticate"),
        ({"token": ""}, "The token is empty here."),
        ({"app": "rose"}, "404: rose not found"),
        ({"chart": "rose"}, "charts/rose has no version of a chart"),
        ({"namespace": ""}, "The input namespace is empty; clusterrepo needs it."),
        ({"catalog": "other"}, "not found"),
        ({"allow_http": "false"}, "would show the token"),
        ({"url": "ftp://rancher.example.com"}, "would show the token"),
        ({**LEGACY, "catalog": "other"}, f"The app iris is of the chart iris in the catalog {CATALOG}."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_told(bare: Path, tmp_path: Path, inputs: dict[str, Any], said: str) -> None:
    kind = LEGACY if inputs.get("kind") == "catalog" else NEWER
    with rancher(bare, kind) as double:
        job = run_program(tmp_path / "job", double, **{**kind, **inputs})
        assert double.apps["iris"].version == OLD
    assert job.exit_code == 1
    assert said in job.output
    assert "Traceback" not in job.output
