"""Which files belong to a scope, and what their charts are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.files import DictFiles

from updater.charts import Survey
from updater.model import Scope

IMAGE = "image: registry.example.com/iris:a\n"


def survey_of(*paths: str) -> Survey:
    return Survey(DictFiles(dict.fromkeys(paths, IMAGE)))


def charts(scope: Scope, *paths: str) -> dict[str, str]:
    return {target.file: target.chart for target in survey_of(*paths).all_targets(scope)}


def test_by_default_every_values_file_beside_a_chart_file_belongs() -> None:
    survey = survey_of(
        "Chart.yaml",
        "values.yaml",
        "deep/down/iris/Chart.yaml",
        "deep/down/iris/values.yaml",
        "deep/down/iris/values-dev.yaml",
        "lonely/values.yaml",
        ".hidden/iris/Chart.yaml",
        ".hidden/iris/values.yaml",
        "deep/.git/iris/Chart.yaml",
        "deep/.git/iris/values.yaml",
    )
    assert survey.files_of(Scope()) == ("deep/down/iris/values.yaml", "values.yaml")
    assert survey.matches(Scope(), "values.yaml")
    assert not survey.matches(Scope(), "lonely/values.yaml")


def test_sub_charts_are_left_to_their_parents_but_a_folder_called_charts_is_not_one() -> None:
    survey = survey_of(
        "charts/iris/Chart.yaml",
        "charts/iris/values.yaml",
        "charts/iris/charts/redis/Chart.yaml",
        "charts/iris/charts/redis/values.yaml",
        "charts/iris/charts/redis/charts/deeper/Chart.yaml",
        "charts/iris/charts/redis/charts/deeper/values.yaml",
    )
    assert survey.files_of(Scope()) == ("charts/iris/values.yaml",)


@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        (["0.9.0", "0.10.0"], "0.10.0"),
        (["1.0.0-rc.2", "1.0.0"], "1.0.0"),
        (["1.0.0-rc.2", "1.0.0-rc.10"], "1.0.0-rc.10"),
        (["1.0.0-alpha", "1.0.0-1"], "1.0.0-alpha"),
        (["106.0.0+up0.9.0", "106.0.0+up0.12.0"], "106.0.0+up0.12.0"),
        (["v1.2", "v1.10"], "v1.10"),
        (["2.0.0", "2.0.0.1"], "2.0.0.1"),
    ],
)
def test_of_version_directories_only_the_highest_counts_and_the_parent_names_the_chart(
    versions: list[str], highest: str
) -> None:
    paths = [
        f"charts/iris/{version}/{name}" for version in versions for name in ("Chart.yaml", "values.yaml")
    ]
    assert charts(Scope(), *paths) == {f"charts/iris/{highest}/values.yaml": "iris"}


def test_folders_named_like_no_version_are_charts_of_their_own() -> None:
    assert charts(Scope(), "a/v1/Chart.yaml", "a/v1/values.yaml", "a/v2/Chart.yaml", "a/v2/values.yaml") == {
        "a/v1/values.yaml": "v1",
        "a/v2/values.yaml": "v2",
    }


def test_charts_that_share_a_name_are_named_by_their_paths() -> None:
    paths = [
        f"{folder}/{name}"
        for folder in ("a/iris", "b/iris", "b/rose")
        for name in ("Chart.yaml", "values.yaml")
    ]
    assert charts(Scope(), *paths) == {
        "a/iris/values.yaml": "a/iris",
        "b/iris/values.yaml": "b/iris",
        "b/rose/values.yaml": "rose",
    }
    assert charts(Scope(files=("a/*/values.yaml",)), *paths) == {"a/iris/values.yaml": "iris"}


def test_globs_stay_within_a_folder_unless_they_say_otherwise() -> None:
    survey = survey_of("a/values-dev.yaml", "a/b/values-dev.yaml", "values-dev.yaml", ".a/values-dev.yaml")
    assert survey.files_of(Scope(files=("*/values-dev.yaml",))) == ("a/values-dev.yaml",)
    assert survey.files_of(Scope(files=("**/values-dev.yaml",))) == (
        "a/b/values-dev.yaml",
        "a/values-dev.yaml",
        "values-dev.yaml",
    )
    assert survey.files_of(Scope(files=(".a/*.yaml",))) == (".a/values-dev.yaml",)


def test_excluded_files_do_not_belong() -> None:
    survey = survey_of("a/values-dev.yaml", "b/values-dev.yaml", "a/Chart.yaml", "a/values.yaml")
    assert survey.files_of(Scope(files=("*/values-dev.yaml",), exclude=("b/*",))) == ("a/values-dev.yaml",)
    assert survey.files_of(Scope(exclude=("a/**",))) == ()


def test_files_that_are_no_values_are_not_taken_by_a_wide_glob() -> None:
    survey = survey_of(
        "a/Chart.yaml", "a/templates/deployment.yaml", "a/README.md", "a/values.yaml", "templates/x.yaml"
    )
    assert survey.files_of(Scope(files=("**",))) == ("a/values.yaml", "templates/x.yaml")


@pytest.mark.parametrize(
    ("glob", "path", "chart"),
    [
        ("envs/dev/*.yaml", "envs/dev/iris.yaml", "iris"),
        ("envs/dev/*/values.yaml", "envs/dev/iris/values.yaml", "iris"),
        ("apps/iris/values-*.yaml", "apps/iris/values-dev.yaml", "iris"),
        ("**/values.yaml", "apps/iris/values.yaml", "iris"),
        ("iris.yaml", "iris.yaml", "iris"),
    ],
)
def test_without_a_chart_file_the_wildcard_or_the_folder_names_the_chart(
    glob: str, path: str, chart: str
) -> None:
    assert charts(Scope(files=(glob,)), path) == {path: chart}


def test_an_overlay_beside_version_directories_lies_above_the_highest() -> None:
    files = {
        "charts/iris/values-dev.yaml": "image: {tag: a}\n",
        "charts/iris/0.1.0/Chart.yaml": "",
        "charts/iris/0.1.0/values.yaml": "image: {repository: registry.example.com/old}\n",
        "charts/iris/0.2.0/Chart.yaml": "",
        "charts/iris/0.2.0/values.yaml": "image: {repository: registry.example.com/new}\n",
    }
    (target,) = Survey(DictFiles(files)).all_targets(Scope(files=("charts/*/values-dev.yaml",)))
    assert (target.repository, target.chart) == ("registry.example.com/new", "iris")


_FOLDERS = [
    f"charts/{name}{version}"
    for name in ("iris", "rose", "team/iris", "big/charts/db")
    for version in ("", "/0.1.0", "/0.1.9", "/0.1.10", "/v2.0.0", "/v2.0.0/charts/db")
]
_SCOPES = (
    Scope(),
    Scope(files=("**/values.yaml",), highest=True),
    Scope(files=("charts/*/*/values*.yaml", "charts/*/values-dev.yaml")),
    Scope(files=("charts/*/*/values.yaml",), base="charts/{chart}/values.yaml"),
)


@given(
    st.sets(st.sampled_from(_FOLDERS), min_size=4, max_size=16),
    st.lists(st.sampled_from(_FOLDERS[1:]), min_size=1, max_size=6),
)
def test_a_layout_that_follows_another_is_the_one_made_anew(there: set[str], moving: list[str]) -> None:
    survey: Survey | None = None
    for folder in ("", *moving):
        there ^= {folder} if folder else set()
        files = DictFiles(dict.fromkeys((f"{one}/{name}" for one in there for name in _IN_A_CHART), ""))
        survey = Survey(files, survey)
        for scope in _SCOPES:
            assert list(survey.laid_out(scope).items()) == list(Survey(files).laid_out(scope).items())


_IN_A_CHART = ("Chart.yaml", "values.yaml", "values-dev.yaml")
