"""What is told once although several checks see it, and what a sentence says of this very value."""

from __future__ import annotations

import pytest
from support.checks import CATALOG, CHART, MESSAGES, OVERLAYS, changed, found, places, repo

from updater.check import Finding, folded, mended
from updater.check.helmvalues import rendered

HOME = "charts/iris"
CHART_FILE, VALUES, DEV = f"{HOME}/Chart.yaml", f"{HOME}/values.yaml", f"{HOME}/values-dev.yaml"
TAG = "develop-52666"


def said(one: Finding) -> str:
    told = MESSAGES.tell(one.code, one.facts)
    return f"{told.what} {told.breaks} {told.cure}"


@pytest.mark.parametrize(
    "file",
    [
        CHART_FILE,
        VALUES,
        DEV,
        ".updater/rules.yaml",
        f"{HOME}/questions.yml",
        f"{HOME}/fleet.yaml",
        "fleet/a.yaml",
    ],
)
def test_a_merge_conflict_is_told_in_any_yaml_file_instead_of_what_parsers_say(file: str) -> None:
    text = OVERLAYS.get(file, "a: 1\n")
    whole = f"{text}<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> topic\n"
    (one,) = found(repo(OVERLAYS, {file: whole}))
    assert (one.code, one.file, one.line) == ("E15", file, text.count("\n") + 1)
    assert said(one).startswith("A merge conflict was committed here. No reader takes the file")


def test_a_key_that_is_nearly_one_of_a_charts_is_told_with_that() -> None:
    (one,) = found(changed(OVERLAYS, CHART_FILE, ("version: 0.1.0", "verison: 0.1.0")))
    assert (one.code, one.line) == ("E1", 3)
    assert "did you mean that by 'verison'?" in said(one)
    (one,) = found(changed(OVERLAYS, CHART_FILE, (CHART, f"{CHART}appversion: '1'\n")))
    assert (one.code, one.line, one.facts["nearest"]) == ("W24", 5, "appVersion")
    assert found(changed(OVERLAYS, CHART_FILE, (CHART, f"{CHART}x-team: web\nengine: gotpl\n"))) == ()


def test_an_api_version_that_is_none_is_told_by_who_refuses_it() -> None:
    (one,) = found(changed(OVERLAYS, CHART_FILE, ("v2", "v22")))
    assert "Helm 4 refuses the chart, and Helm 3 lets it pass" in said(one)


def test_a_name_is_suggested() -> None:
    (one,) = found(changed(OVERLAYS, CHART_FILE, ("name: iris", "name: Shop")))
    assert said(one).endswith("Rename the chart: shop.")


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("1.10", "Helm renders 1.1."),
        ("123456", "Helm renders it unchanged today, but from 1000000 on not, which becomes 1e+06."),
        ("1234567", "Helm renders 1.234567e+06."),
        ("on", "Helm renders true."),
        ("2026-01-01", "Helm renders it unchanged today, but other readers see no text."),
    ],
)
def test_a_tag_that_is_no_text_is_told_with_what_becomes_of_it(tag: str, sentence: str) -> None:
    (one,) = found(changed(OVERLAYS, DEV, (TAG, tag)))
    assert sentence in said(one)


def test_helm_renders_numbers_as_go_writes_them() -> None:
    known = {
        "1_000": "1000",
        "12e5": "1.2e+06",
        "0123": "83",
        "00012": "10",
        "089": "89",
        "0x1F": "31",
        ".5": "0.5",
    }
    assert {plain: rendered(plain) for plain in known} == known
    assert [rendered(plain) for plain in ("~", "yEs", "-3", "1e-7", "0", "1:30")] == [
        "",
        "yEs",
        "-3",
        "1e-07",
        "0",
        "1:30",
    ]


def test_kustomize_takes_no_number_for_a_tag() -> None:
    files = {
        ".updater/rules.yaml": "environments:\n  dev: {files: apps/kustomization.yaml}\n",
        "apps/kustomization.yaml": "kind: Kustomization\nimages:\n  - {name: iris, newTag: 1.10}\n",
    }
    (one,) = found(repo(files, {}))
    assert "Kustomize takes text only there, and builds nothing." in said(one)


@pytest.mark.parametrize("text", ["images:\n\t- a\n", "images: []\nimages: []\n"])
def test_of_a_kustomization_is_said_what_kustomize_does(text: str) -> None:
    rules = "environments:\n  dev: {files: apps/kustomization.yaml}\n"
    told = found(repo({".updater/rules.yaml": rules, "apps/kustomization.yaml": text}, {}))
    (one,) = [one for one in told if one.code == "E5"]
    assert "Kustomize" in said(one)
    assert "Helm" not in said(one)


def test_a_default_that_does_not_fit_and_contradicts_values_is_told_once() -> None:
    questions = "questions:\n  - variable: size\n    type: enum\n    options: [a, b]\n    default: c\n"
    values = f"{CATALOG[f'{HOME}/0.1.52666/values.yaml']}size: b\n"
    place = f"{HOME}/0.1.52666"
    files = repo(CATALOG, {f"{place}/questions.yml": questions, f"{place}/values.yaml": values})
    told = found(files)
    assert places(told) == [("E12", f"{place}/questions.yml", 5)]
    assert said(told[0]).endswith("Write 'b', which values.yaml has.")
    contents, _ = mended(files, told)
    assert contents == {f"{place}/questions.yml": questions.replace("default: c", "default: b").encode()}


def test_what_helm_says_of_a_file_is_left_out_where_the_cause_is_told() -> None:
    cases = [
        ("E9", "E15", 9, 3, 1),
        ("E9", "E6", 9, 3, 2),
        ("E10", "E6", 3, 3, 1),
        ("E10", "E6", 9, 3, 2),
        ("E19", "E5", 9, 3, 1),
    ]
    for code, cause, line, other_line, left in cases:
        both = [Finding(code=code, file=DEV, line=line), Finding(code=cause, file=DEV, line=other_line)]
        assert len(list(folded(both))) == left, (code, cause)
        elsewhere = [both[0], Finding(code=cause, file=VALUES, line=other_line)]
        assert len(list(folded(elsewhere))) == 2


def test_a_build_that_the_environment_does_not_take_is_told() -> None:
    (one,) = found(changed(OVERLAYS, f"{HOME}/values-prod.yaml", ("main-810", "develop-9")))
    assert (one.code, one.line, one.facts["takers"]) == ("W23", 2, ["dev"])
    (one,) = found(changed(OVERLAYS, f"{HOME}/values-prod.yaml", ("main-810", "1.0.0")))
    assert (one.code, one.facts["takers"]) == ("W23", [])
    database = "db:\n  image: {repository: postgres, tag: '16.1'}\n"
    assert found(changed(OVERLAYS, DEV, f"{OVERLAYS[DEV]}{database}")) == ()
