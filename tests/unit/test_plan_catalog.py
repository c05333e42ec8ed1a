"""What moves along with a tag by the rule `chart`: questions, versions, folders of versions."""

from __future__ import annotations

import pytest
from support.plans import IRIS, Branch, content, deployed, notes, reason, request, told

from updater.model import Source
from updater.plan import Plan

CHART = "apiVersion: v2\nname: iris # the app\nversion: 0.1.52000\nappVersion: develop-52000\n"
VALUES = f"image:\n  repository: {IRIS}\n  tag: develop-52000\n  digest: ''\nport: 80\n"
QUESTIONS = f"""\
questions:
- variable: defaultImage
  default: true
  show_subquestion_if: false
  subquestions:
  - variable: image.repository
    default: {IRIS}
  - variable: image.tag  # the build
    default: "develop-7252"
  - variable: image.digest
    default: ""
- variable: port
  default: 80
"""


def rules(chart: str = "", files: str = "files: charts/*/values.yaml") -> str:
    tags = "tags: {pattern: '^(develop-)?(?P<build>[0-9]+)$'}"
    return f"environments:\n  dev:\n    {files}\n    {tags}\n" + (f"    chart: {chart}\n" if chart else "")


def desk(chart: str = "", contents: dict[str, str] | None = None, **more: str) -> Branch:
    own = {
        "charts/iris/Chart.yaml": CHART,
        "charts/iris/values.yaml": VALUES,
        "charts/iris/questions.yaml": QUESTIONS,
    }
    return Branch(own if contents is None else contents, rules(chart, **more))


def changed(planned: Plan) -> set[str]:
    return set(deployed(planned)[-1].files)


def test_the_default_of_the_question_for_a_tag_moves_with_it_and_no_other_byte() -> None:
    planned = desk().asks("iris:develop-52666")
    assert changed(planned) == {"charts/iris/values.yaml", "charts/iris/questions.yaml"}
    after = content(planned, "charts/iris/questions.yaml")
    assert after == QUESTIONS.replace("develop-7252", "develop-52666")


def test_a_digest_has_its_question_too() -> None:
    digest = "sha256:" + "a" * 64
    planned = desk().asks(request(0, f"iris:develop-52666@{digest}"))
    after = content(planned, "charts/iris/questions.yaml")
    assert after == QUESTIONS.replace("develop-7252", "develop-52666").replace(
        '    default: ""\n- ', f'    default: "{digest}"\n- '
    )


def test_a_tag_that_is_a_number_to_yaml_is_quoted_as_a_default() -> None:
    plain = QUESTIONS.replace('"develop-7252"', "develop-7252")
    files = {
        "charts/iris/Chart.yaml": CHART,
        "charts/iris/values.yaml": VALUES,
        "charts/iris/Questions.YML": plain,
    }
    planned = desk(contents=files).asks("iris:52666")
    assert 'default: "52666"' in content(planned, "charts/iris/Questions.YML")


def test_what_cannot_follow_is_not_even_read() -> None:
    branch = desk(contents=overlay_files(), files="files: charts/*/values-dev.yaml")
    branch.asks("iris:develop-52666")
    assert {path.rpartition("/")[2] for path in branch.files.reads} == {"values.yaml", "values-dev.yaml"}


def test_questions_stay_where_the_rules_say_so() -> None:
    assert changed(desk("{questions: false}").asks("iris:develop-52666")) == {"charts/iris/values.yaml"}


def overlay_files() -> dict[str, str]:
    return {
        "charts/iris/Chart.yaml": CHART,
        "charts/iris/values.yaml": VALUES.replace("  tag: develop-52000\n", ""),
        "charts/iris/questions.yaml": QUESTIONS,
        "charts/iris/values-dev.yaml": "image:\n  tag: develop-52000\n",
    }


@pytest.mark.parametrize(("chart", "follows"), [("", False), ("{questions: true}", True)])
def test_with_an_overlay_nothing_else_moves_unless_it_is_asked_for(chart: str, follows: bool) -> None:
    planned = desk(chart, overlay_files(), files="files: charts/*/values-dev.yaml").asks("iris:develop-52666")
    also = {"charts/iris/questions.yaml"} if follows else set()
    assert changed(planned) == {"charts/iris/values-dev.yaml"} | also


def test_a_version_is_raised_with_an_overlay_only_where_the_rules_ask_for_it() -> None:
    where = "files: charts/*/values-dev.yaml"
    planned = desk("{version: patch}", overlay_files(), files=where).asks("iris:develop-52666")
    assert "version: 0.1.52001\n" in content(planned, "charts/iris/Chart.yaml")


def test_the_app_version_is_always_a_quoted_string() -> None:
    planned = desk("{app-version: true}").asks("iris:develop-52666")
    after = content(planned, "charts/iris/Chart.yaml")
    assert after == CHART.replace("appVersion: develop-52000", 'appVersion: "develop-52666"')
    files = {"charts/iris/Chart.yaml": "name: iris\nversion: 1.0.0", "charts/iris/values.yaml": VALUES}
    planned = desk("{app-version: true}", files).asks("iris:develop-52666")
    after = content(planned, "charts/iris/Chart.yaml")
    assert after == 'name: iris\nversion: 1.0.0\nappVersion: "develop-52666"'


def test_a_chart_is_called_after_its_main_image() -> None:
    values = f"sidecar:\n  repository: {IRIS}-log\n  tag: develop-5\n" + VALUES
    files = {"charts/iris/Chart.yaml": CHART, "charts/iris/values.yaml": values}
    planned = desk("{app-version: true, version: patch}", files).asks("iris-log:develop-6")
    after = content(planned, "charts/iris/Chart.yaml")
    assert after == CHART.replace("0.1.52000", "0.1.52001")


@pytest.mark.parametrize(
    ("scheme", "version", "tag", "after"),
    [
        ("build", "0.1.52000", "develop-52666", "0.1.52666"),
        ("build", "0.1.60000", "develop-52666", "0.1.60001"),  # never lower
        ("build", "'0.1.52000'", "develop-52666", "'0.1.52666'"),
        ("build", "0.1.5", "99999999999999999999", "0.1.6"),  # no number of JavaScript's
        ("patch", "0.1.52000", "develop-52666", "0.1.52001"),
        ("patch", "1.2.3-rc.1+up7", "develop-52666", "1.2.4"),
    ],
)
def test_a_version_rises_by_its_scheme(scheme: str, version: str, tag: str, after: str) -> None:
    files = {
        "charts/iris/Chart.yaml": CHART.replace("0.1.52000", version),
        "charts/iris/values.yaml": VALUES,
    }
    planned = desk(f"{{version: {scheme}}}", files).asks(f"iris:{tag}")
    assert f"\nversion: {after}\n" in content(planned, "charts/iris/Chart.yaml")
    assert notes(planned) == ["chart-version"]


def test_a_build_without_a_number_in_its_tag_has_its_pipelines() -> None:
    text = rules("{version: build}").replace("'^(develop-)?(?P<build>[0-9]+)$'", "'^r[a-f0-9]+$'")
    text = text.replace("}\n    chart", ", order: none}\n    chart")
    files = {
        "charts/iris/Chart.yaml": CHART,
        "charts/iris/values.yaml": VALUES.replace("develop-52000", "rabc"),
    }
    url = "https://gitlab.example.com/apps/iris/-/pipelines/52777"
    for source, version in (
        (Source(pipeline_url=url), "0.1.52777"),
        (Source(pipeline_id="52778"), "0.1.52778"),
        (Source(), "0.1.52001"),
    ):
        planned = Branch(files, text).asks(request(0, "iris:rdef", source=source))
        assert f"version: {version}\n" in content(planned, "charts/iris/Chart.yaml")


def test_what_is_there_already_raises_nothing() -> None:
    planned = desk("{version: patch, app-version: true}").asks("iris:develop-52000")
    assert told(planned) == {"r0": "unchanged"}
    assert deployed(planned) == []


def test_two_images_of_a_chart_raise_its_version_twice() -> None:
    values = f"log:\n  repository: {IRIS}-log\n  tag: develop-5\n" + VALUES
    files = {"charts/iris/Chart.yaml": CHART, "charts/iris/values.yaml": values}
    planned = desk("{version: build}", files).asks("iris:develop-52666", "iris-log:develop-6")
    versions = [change.versions[0].new for change in deployed(planned)]
    assert versions == ["0.1.52666", "0.1.52667"]


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        (
            "Chart.yaml",
            "name: iris\nversion: 1.0\n",
            "charts/iris/Chart.yaml:2: the version '1.0' is not three",
        ),
        ("Chart.yaml", "name: iris\n", "charts/iris/Chart.yaml: Chart.yaml has no version"),
        ("questions.yaml", QUESTIONS + "\t- x", "charts/iris/questions.yaml:"),
    ],
)
def test_what_cannot_follow_keeps_all_of_it_back(file: str, text: str, problem: str) -> None:
    files = {
        "charts/iris/Chart.yaml": CHART,
        "charts/iris/values.yaml": VALUES,
        f"charts/iris/{file}": text,
    }
    planned = desk("{version: patch}", files).asks("iris:develop-52666")
    assert told(planned) == {"r0": "refused"}
    assert reason(planned) == "unsafe-edit"
    assert problem in str(planned.verdicts[0].reason.facts["problem"])


# Folders of versions


def folders(*versions: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for version in versions:
        home = f"charts/iris/{version}"
        found[f"{home}/Chart.yaml"] = CHART.replace("0.1.52000", version.removeprefix("v"))
        found[f"{home}/values.yaml"] = VALUES.replace("52000", version.rpartition(".")[2])
        found[f"{home}/questions.yaml"] = QUESTIONS
        found[f"{home}/templates/all.yaml"] = "kind: {{ .Values.kind }}\n"
    return found


def catalog(*versions: str, chart: str = "", files: str = "delivery: commit", log: bool = False) -> Branch:
    found = folders(*versions)
    if log:
        more = f"log:\n  repository: {IRIS}-log\n  tag: develop-5\n"
        found = {path: text + more * path.endswith("values.yaml") for path, text in found.items()}
    text = chart or "{version: build, directory: true, app-version: true}"
    return Branch(found, rules(text, files=files))


def test_a_new_version_is_a_copy_of_the_newest_folder_and_no_old_one_changes() -> None:
    planned = catalog("0.1.9", "0.1.52000").asks("iris:develop-52666")
    new = "charts/iris/0.1.52666"
    assert changed(planned) == {
        f"{new}/{name}" for name in ("Chart.yaml", "values.yaml", "questions.yaml", "templates/all.yaml")
    }
    assert content(planned, f"{new}/Chart.yaml") == CHART.replace("0.1.52000", "0.1.52666").replace(
        "appVersion: develop-52000", 'appVersion: "develop-52666"'
    )
    assert content(planned, f"{new}/values.yaml") == VALUES.replace("52000", "52666")
    assert content(planned, f"{new}/questions.yaml") == QUESTIONS.replace("develop-7252", "develop-52666")
    [place] = planned.verdicts[0].places
    assert (place.file, place.old, place.new) == (f"{new}/values.yaml", "develop-52000", "develop-52666")
    assert planned.verdicts[0].reason.facts["files"] == [f"{new}/"]
    assert deployed(planned)[0].charts == ("iris",)


def test_a_v_before_the_version_stays_in_the_folders_name() -> None:
    planned = catalog("v0.1.52000").asks("iris:develop-52666")
    assert "charts/iris/v0.1.52666/Chart.yaml" in changed(planned)


def test_old_folders_are_pruned_by_the_order_of_versions() -> None:
    chart = "{version: build, directory: true, keep: 2}"
    planned = catalog("0.1.9", "0.1.10", "0.1.52000", chart=chart).asks("iris:develop-52666")
    gone = {path for path, data in deployed(planned)[0].files.items() if data is None}
    assert {path.split("/")[2] for path in gone} == {"0.1.9", "0.1.10"}
    assert len(gone) == 8


def test_two_images_make_two_folders_one_after_the_other() -> None:
    planned = catalog("0.1.52000", log=True).asks("iris:develop-52666", "iris-log:develop-6")
    assert [change.versions[0].folder for change in deployed(planned)] == [
        "charts/iris/0.1.52666",
        "charts/iris/0.1.52667",
    ]
    last = content(planned, "charts/iris/0.1.52667/values.yaml")
    assert "tag: develop-52666" in last
    assert "tag: develop-6" in last


def test_an_older_build_is_compared_with_the_highest_version() -> None:
    planned = catalog("0.1.9", "0.1.52000").asks("iris:develop-51000")
    assert told(planned) == {"r0": "superseded"}


def test_globs_that_take_the_folders_count_the_highest_only() -> None:
    branch = catalog("0.1.9", "0.1.52000", files="files: charts/*/*/values.yaml")
    planned = branch.asks("iris:develop-52666")
    assert {one.file for one in planned.verdicts[0].places} == {"charts/iris/0.1.52666/values.yaml"}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"charts/iris/Chart.yaml": CHART, "charts/iris/values.yaml": VALUES},
            "charts/iris: the rules want a folder for each version (chart.directory), and version 0.1.52000 "
            "stands in charts/iris: move the chart to charts/iris/0.1.52000",
        ),
        (
            {"charts/iris/0.1.1/Chart.yaml": CHART, "charts/iris/0.1.1/values.yaml": VALUES},
            "charts/iris/0.1.1: the rules want a folder for each version (chart.directory), and version "
            "0.1.52000 stands in charts/iris/0.1.1: move the chart to charts/iris/0.1.52000",
        ),
        (
            {
                "charts/iris/0.1.52000/Chart.yaml": CHART,
                "charts/iris/0.1.52000/values.yaml": VALUES,
                "charts/iris/0.1.52666/README.md": "",
            },
            "charts/iris/0.1.52000: there are files in charts/iris/0.1.52666 already: remove them, or make "
            "it a whole chart",
        ),
    ],
)
def test_a_folder_that_is_no_version_is_told_with_the_cure(files: dict[str, str], problem: str) -> None:
    branch = Branch(files, rules("{version: build, directory: true}", "delivery: commit"))
    planned = branch.asks("iris:develop-52666")
    assert reason(planned) == "unsafe-edit"
    assert planned.verdicts[0].reason.facts["problem"] == problem


BOM = "\ufeff"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", BOM, "---\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n# the end"])
def test_every_other_byte_of_chart_and_questions_stays(line_end: str, start: str, end: str) -> None:
    chart = (
        f"{start}apiVersion: v2 # v1 for Helm 2\nname:   iris\n\nversion:  '0.1.52000'   # rises\n"
        f"keywords: [a,  b]\nappVersion: !!str develop-52000  # the build{end}"
    ).replace("\n", line_end)
    questions = (f"{start}categories:\n    - Apps   \n{QUESTIONS}{end}").replace("\n", line_end)
    files = {
        "charts/iris/Chart.yaml": chart,
        "charts/iris/values.yaml": VALUES,
        "charts/iris/questions.yml": questions,
    }
    planned = desk("{version: build, app-version: true}", files).asks("iris:develop-52666")
    assert content(planned, "charts/iris/Chart.yaml") == chart.replace("52000", "52666").replace(
        "!!str develop-52666", '!!str "develop-52666"'
    )
    after = content(planned, "charts/iris/questions.yml")
    assert after == questions.replace("develop-7252", "develop-52666")
