"""The two readers of Rancher that tests ask: they take the examples, and refuse what Rancher would lose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import rancher_index, rancher_legacy
from support.examples import EXAMPLES
from support.rancher_index import NoIndexError

CHART = "apiVersion: v2\nname: {name}\nversion: {version}\n"
QUESTION = "questions:\n- variable: image.tag\n  default: {default}\n"


def chart(name: str, version: str, **more: str) -> dict[str, str]:
    """The files of one version directory."""
    folder = f"charts/{name}/{version}"
    files = {
        "Chart.yaml": CHART.format(name=name, version=version),
        "values.yaml": "image:\n  repository: registry.example.com/x\n  tag: develop-1\n",
        "questions.yaml": QUESTION.format(default="develop-1"),
    } | {key.replace("_", "."): value for key, value in more.items()}
    return {f"{folder}/{file}": text for file, text in files.items()}


def made(folder: Path, *parts: dict[str, str]) -> Path:
    for files in parts:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


TWO = (chart("iris", "0.1.7"), chart("iris", "0.1.8"), chart("rose", "1.0.0"))


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_both_list_every_chart_of_every_example(example: Path) -> None:
    wanted = len(list(example.rglob("Chart.yaml")))
    catalog = rancher_legacy.sync(example, "config-prod")
    assert catalog.complaints == []
    assert sum(len(versions) for versions in catalog.entries.values()) == wanted
    index = rancher_index.build(example)
    assert {name: set(versions) for name, versions in catalog.entries.items()} == {
        name: set(versions) for name, versions in index.items()
    }


def test_both_take_version_directories(tmp_path: Path) -> None:
    root = made(
        tmp_path, *TWO, {"charts/iris/0.1.8/charts/sub/Chart.yaml": CHART.format(name="sub", version="1.0.0")}
    )
    catalog = rancher_legacy.sync(root)
    assert catalog.complaints == []
    assert {name: sorted(found) for name, found in catalog.entries.items()} == {
        "iris": ["0.1.7", "0.1.8"],
        "rose": ["1.0.0"],
    }
    assert rancher_index.build(root) == {"iris": ["0.1.7", "0.1.8"], "rose": ["1.0.0"]}


def test_a_broken_chart_hides_every_chart_after_it_from_the_old_reader(tmp_path: Path) -> None:
    root = made(tmp_path, *TWO, {"charts/iris/0.1.8/Chart.yaml": "name: iris\nversion: [\n"})
    catalog = rancher_legacy.sync(root)
    assert list(catalog.entries) == ["iris"]
    assert list(catalog.entries["iris"]) == ["0.1.7"]
    assert catalog.complaints[0].startswith("walk ended at charts/iris/0.1.8/Chart.yaml")


BOTH: dict[str, tuple[dict[str, str], str, str]] = {
    "a chart that is no YAML": (
        chart("iris", "0.1.9", Chart_yaml="name: iris\nversion: [\n"),
        "walk ended",
        "while parsing",
    ),
    "a number for a version": (
        chart("iris", "0.1.9", Chart_yaml="apiVersion: v2\nname: iris\nversion: 1.10\n"),
        "version is no string",
        "version is no string",
    ),
    "a number for an app version": (
        chart("iris", "0.1.9", Chart_yaml=CHART.format(name="iris", version="0.1.9") + "appVersion: 52666\n"),
        "appVersion is no string",
        "appVersion is no string",
    ),
    "the same version twice": (
        {"charts/iris/copy/Chart.yaml": CHART.format(name="iris", version="0.1.8")},
        "twice",
        "twice",
    ),
    "an index at the root": (
        {"index.yaml": "apiVersion: v1\nentries: {}\n"},
        "used instead",
        "used instead",
    ),
}


@pytest.mark.parametrize("case", BOTH.values(), ids=BOTH)
def test_what_both_refuse(tmp_path: Path, case: tuple[dict[str, str], str, str]) -> None:
    files, legacy, index = case
    root = made(tmp_path, *TWO, files)
    assert any(legacy in said for said in rancher_legacy.sync(root).complaints)
    with pytest.raises(NoIndexError, match=index):
        rancher_index.build(root)


LEGACY: dict[str, tuple[dict[str, str], str]] = {
    "a plus in a version": (chart("iris", "0.1.9+7"), "is no name"),
    "an upper-case version": (chart("iris", "0.1.9-RC1"), "is no name"),
    "an upper-case chart": (chart("Iris", "0.1.9"), "is no name"),
    "a name that is too long": (chart("i" * 57, "0.1.9"), "is no name"),
    "a version that is too long": (chart("iris", f"0.1.9-{'a' * 240}"), "is no name"),
    "questions that are no YAML": (
        chart("iris", "0.1.9", questions_yaml="questions: [\n"),
        "ends in an error",
    ),
    "a default that is a map": (
        chart("iris", "0.1.9", questions_yaml=QUESTION.format(default="{a: b}")),
        "image.tag.default cannot be decoded",
    ),
    "options that are a map": (
        chart("iris", "0.1.9", questions_yaml=QUESTION.format(default="a\n  options: {a: A}")),
        "image.tag.options cannot be decoded",
    ),
    "questions below questions below questions": (
        chart(
            "iris",
            "0.1.9",
            questions_yaml="questions:\n- variable: a\n  subquestions:\n"
            "  - variable: b\n    subquestions:\n    - variable: c\n",
        ),
        "sub-questions of a sub-question",
    ),
    "an icon that is not there": (
        chart(
            "iris", "0.1.9", Chart_yaml=CHART.format(name="iris", version="0.1.9") + "icon: file://i.svg\n"
        ),
        "icon is not there",
    ),
    "a chart without a version": (chart("iris", "0.1.9", Chart_yaml="name: iris\n"), "no version"),
}


@pytest.mark.parametrize("case", LEGACY.values(), ids=LEGACY)
def test_what_the_legacy_catalog_loses(tmp_path: Path, case: tuple[dict[str, str], str]) -> None:
    files, said = case
    complaints = rancher_legacy.sync(made(tmp_path, *TWO, files)).complaints
    assert len(complaints) == 1
    assert said in complaints[0]


INDEX: dict[str, tuple[dict[str, str], str]] = {
    "a version of two numbers": (chart("iris", "'0.2'"), "0.2 is no SemVer"),
    "a leading zero": (chart("iris", "0.1.052666"), "is no SemVer"),
    "a leading v": (chart("iris", "v0.1.9"), "is no SemVer"),
    "values that are no YAML": (chart("iris", "0.1.9", values_yaml="image: {\n"), "values.yaml"),
    "values that are a list": (chart("iris", "0.1.9", values_yaml="- image\n"), "values.yaml is no mapping"),
    "a chart without apiVersion": (
        chart("iris", "0.1.9", Chart_yaml="name: iris\nversion: 0.1.9\n"),
        "apiVersion is no string",
    ),
    "an index in a folder": ({"old/index.yaml": "apiVersion: v1\nentries: {}\n"}, "old/index.yaml is used"),
    "questions of many megabytes": (
        chart("iris", "0.1.9", questions_yaml=f"# {'x' * 6_000_000}\n"),
        "questions.yaml is too large",
    ),
}


@pytest.mark.parametrize("case", INDEX.values(), ids=INDEX)
def test_what_fails_the_whole_index(tmp_path: Path, case: tuple[dict[str, str], str]) -> None:
    files, said = case
    with pytest.raises(NoIndexError, match=said):
        rancher_index.build(made(tmp_path, *TWO, files))


@pytest.mark.parametrize("where", ["charts/iris/latest", "docs/link"])
def test_a_symlink_anywhere_fails_the_index_and_is_not_followed_by_the_old_reader(
    tmp_path: Path, where: str
) -> None:
    root = made(tmp_path, *TWO, {"docs/a.md": "a\n"})
    (root / where).symlink_to("0.1.8")
    with pytest.raises(NoIndexError, match="is a symlink"):
        rancher_index.build(root)
    assert rancher_legacy.sync(root).complaints == []


def test_a_change_within_the_same_second_of_a_minute_goes_unnoticed_in_place_and_never_in_a_new_folder(
    tmp_path: Path,
) -> None:
    root = made(tmp_path, *TWO)
    values = root / "charts/iris/0.1.8/values.yaml"

    def listed(moment: int) -> dict[str, str]:
        for path in root.rglob("*"):
            os.utime(path, (moment, moment))
        return dict(rancher_legacy.sync(root).entries["iris"])

    before = listed(1_700_000_000)
    values.write_text(values.read_text().replace("develop-1", "develop-2"))
    assert listed(1_700_000_060) == before
    assert listed(1_700_000_061) != before
    made(root, chart("iris", "0.1.9"))
    assert listed(1_700_000_000).keys() - before.keys() == {"0.1.9"}


@pytest.mark.parametrize(
    ("version", "coerced"),
    [
        ("0.1.52667", (0, 1, 52667)),
        ("0.1.0-develop.52667", (0, 1, 0)),
        ("develop-52666", (52666, 0, 0)),
        ("2020.04.02", None),
        ("v1.2", (1, 2, 0)),
        ("latest", None),
        ("1.2.9007199254740992", None),
    ],
)
def test_the_old_ui_coerces_versions(version: str, coerced: tuple[int, int, int] | None) -> None:
    assert rancher_legacy.coerce(version) == coerced


@pytest.mark.parametrize(
    ("installed", "available", "offered"),
    [
        ("0.1.52666", "0.1.52667", True),
        ("0.1.9", "0.1.10", True),
        ("0.1.52666", "0.1.52666", False),
        ("0.1.52667", "0.1.52666", False),
        ("0.1.0-develop.52666", "0.1.0-develop.52667", False),
        ("2020.04.01", "2020.04.02", False),
    ],
)
def test_an_upgrade_is_offered_where_the_coerced_version_is_higher(
    installed: str, available: str, offered: bool
) -> None:
    assert rancher_legacy.upgrade_is_offered(installed, available) is offered
