# ruff: noqa: E501 (a table row is one line, however many files it names)
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.globs import compile_glob
from updater.policy import Environment, Tags, parse_rules, suggest_rules
from updater.policy.grammar import environment_name
from updater.policy.suggest import MAX_FILES_READ


def suggested(files: Mapping[str, Sequence[str]]) -> dict[str, Environment]:
    text = suggest_rules(frozenset(files), lambda path: files[path])
    return {one.name: one for one in parse_rules(text.encode()).environments}


def chart(folder: str, **values: Sequence[str]) -> dict[str, Sequence[str]]:
    """The files of a chart: `values_dev=[tags]` is values-dev.yaml with these tags in it."""
    own = {f"{folder}/{name.replace('_', '-')}.yaml": tags for name, tags in values.items()}
    return {f"{folder}/Chart.yaml": (), f"{folder}/templates/deployment.yaml": (), **own}


IRIS = chart("charts/iris", values=["0"], values_dev=["develop-52665"], values_prod=["master-7"])
WEB = chart("charts/web", values=[], values_dev=["develop-52666"], values_prod=["main-9"])


def test_overlay_files_beside_charts_become_environments_with_what_their_tags_have_in_common() -> None:
    assert (
        suggest_rules(frozenset(IRIS | WEB), lambda path: (IRIS | WEB)[path])
        == """\
# The rules of this config repo: where image tags are written, and which tags go there.
# Written by `updater init` from the files and tags found here. Read it, change what is wrong, and
# commit it to the default branch; on other branches it has no effect.
#
# Whatever an environment takes is committed straight to its branch (delivery: commit). An image sent
# without an environment goes to every environment whose pattern takes its tag.

environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: # learned from 2 tags such as develop-52665
      pattern: '^develop-(?P<build>[0-9]+)$'
      order: numeric
    delivery: commit
  prod:
    files: charts/*/values-prod.yaml
    tags: # learned from 2 tags such as main-9
      pattern: '^(main|master)-(?P<build>[0-9]+)$'
      order: numeric
    delivery: commit
"""
    )


def test_what_is_not_known_is_said_and_not_guessed() -> None:
    files = chart("charts/iris", values_dev=["a1b2c3d", "1.25", "nightly"], values_prod=[])
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert (
        "    # No pattern, so any tag is taken: no form could be learned from the tags that stand here "
        "(1.25, a1b2c3d).\n" in text
    )
    assert "    # No pattern, so any tag is taken: no builds stand in these files yet.\n" in text
    assert "    # Mind: it also takes the tags that stand in dev.\n" in text
    assert all(one.tags == Tags() for one in suggested(files).values())


def test_environments_that_take_each_others_tags_are_pointed_out() -> None:
    files = chart("charts/iris", values_dev=["1.2.0"], values_staging=["v1.1.0"], values_prod=["develop-1"])
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert text.count("# Mind:") == 0
    files = chart("charts/iris", values_dev=["1.2.0", "v1.2.0"], values_prod=["1.1.0"])
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert text.count("# Mind: it also takes the tags that stand in prod.") == 1
    assert text.count("# Mind: it also takes the tags that stand in dev.") == 1


CHARTS = {**chart("charts/iris", values=[]), **chart("charts/web", values=[])}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # overlay files, in the spellings people use
        (["charts/a/dev.values.yaml", "charts/a/prod.values.yaml"], {"dev": "charts/*/dev.values.yaml", "prod": "charts/*/prod.values.yaml"}),
        (["charts/a/values.dev.yml"], {"dev": "charts/*/values.dev.yml"}),
        (["charts/a/staging-values.yaml"], {"staging": "charts/*/staging-values.yaml"}),
        (["charts/iris/values_prod.yaml", "charts/web/values_prod.yaml"], {"prod": "charts/*/values_prod.yaml"}),
        (["charts/iris/values/dev.yaml", "charts/iris/values/prod.yaml"], {"dev": "charts/*/values/dev.yaml", "prod": "charts/*/values/prod.yaml"}),
        (["charts/iris/dev.yaml"], {"dev": "charts/*/dev.yaml"}),
        (["charts/a/values-prod-eu.yaml", "charts/a/values-prod-us.yaml"], {"prod-eu": "charts/*/values-prod-eu.yaml", "prod-us": "charts/*/values-prod-us.yaml"}),
        (["charts/a/values-DEV.yaml", "charts/b/values-dev.yaml"], {"dev": ["charts/*/values-DEV.yaml", "charts/*/values-dev.yaml"]}),
        (["Chart.yaml", "values.yaml", "values-dev.yaml"], {"dev": "values-dev.yaml"}),
        (["team/a/values-dev.yaml", "shop/b/values-dev.yaml"], {"dev": "*/*/values-dev.yaml"}),
        (["a/values-dev.yaml", "x/y/values-dev.yaml"], {"dev": ["*/values-dev.yaml", "x/*/values-dev.yaml"]}),
        # a folder for each environment
        (["dev/a/values.yaml", "prod/a/values.yaml", "prod/b/values.yaml"], {"dev": "dev/*/values.yaml", "prod": "prod/*/values.yaml"}),
        (["envs/dev/a/values.yaml", "envs/production/a/values.yaml"], {"dev": "envs/dev/*/values.yaml", "production": "envs/production/*/values.yaml"}),
        (["apps/a/overlays/dev/values.yaml", "apps/b/overlays/dev/values.yaml"], {"dev": "apps/*/overlays/dev/values.yaml"}),
        (["envs/dev/iris.yaml", "envs/dev/web.yaml", "envs/prod/web.yaml"], {"dev": "envs/dev/*.yaml", "prod": "envs/prod/*.yaml"}),
        (["envs/dev/values.yaml", "envs/prod/values.yaml"], {"dev": "envs/dev/values.yaml", "prod": "envs/prod/values.yaml"}),
        (["envs/dev/Chart.yaml", "envs/dev/values.yaml"], {"dev": "envs/dev/values.yaml"}),
        # doubtful words count beside one that is not
        (["charts/a/values-test.yaml", "charts/a/values-prod.yaml"], {"test": "charts/*/values-test.yaml", "prod": "charts/*/values-prod.yaml"}),
        (["test/a/values.yaml", "prod/a/values.yaml"], {"test": "test/*/values.yaml", "prod": "prod/*/values.yaml"}),
        # what a glob cannot say literally
        (["a b's/[x]{y}/values-dev.yaml"], {"dev": "a b's/*/values-dev.yaml"}),
        (["[x]{y}/a/values-dev.yaml"], {"dev": "[[]x]?y?/*/values-dev.yaml"}),
    ],
)  # fmt: skip
def test_habits_are_recognised_and_written_as_globs(
    files: list[str], expected: dict[str, str | list[str]]
) -> None:
    found = suggested(dict.fromkeys([*CHARTS, *files], ()))
    globs = {name: [glob] if isinstance(glob, str) else glob for name, glob in expected.items()}
    assert {name: sorted(one.scope.files) for name, one in found.items()} == globs
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    "files",
    [
        ["charts/iris/ci/dev-values.yaml"],
        ["charts/iris/tests/dev/values.yaml"],
        ["charts/iris/templates/values-dev.yaml"],
        ["charts/iris/charts/redis/values-dev.yaml"],
        [".github/dev/values.yaml"],
        ["charts/iris/values-example.yaml", "charts/iris/values-product.yaml"],
        ["charts/iris/values-dev.txt"],
        ["test/iris/values.yaml"],
        ["charts/iris/values-test.yaml", "charts/iris/values-demo2.yaml"],
        ["dev/notes.yaml"],
        [f"charts/iris/values-dev-{'x' * 60}.yaml", "charts/iris/values-dev.lock.yaml"],
    ],
)
def test_files_that_only_look_like_environments_leave_the_default(files: list[str]) -> None:
    found = suggested(dict.fromkeys([*CHARTS, *files], ()))
    assert {name: one.scope.files for name, one in found.items()} == {"default": ("charts/*/values.yaml",)}


def test_a_catalog_of_version_folders_keeps_the_default_that_knows_the_highest() -> None:
    files = {
        **chart("charts/iris/0.1.1", values=["develop-1"]),
        **chart("charts/iris/0.1.2", values=["develop-2"]),
    }
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert "# No files: every values.yaml beside a Chart.yaml, and of version folders the highest." in text
    (default,) = suggested(files).values()
    assert (default.scope.files, default.tags.pattern) == ((), "^develop-(?P<build>[0-9]+)$")


def test_a_repo_without_charts_gets_the_default() -> None:
    (default,) = suggested({"README.md": ()}).values()
    assert default == Environment(name="default")


def test_overlays_away_from_their_charts_are_told_where_their_base_is() -> None:
    overlays = {
        "envs/dev/iris/values.yaml": (),
        "envs/dev/web/values.yaml": (),
        "envs/prod/iris/values.yaml": (),
    }
    found = suggested(dict(CHARTS) | overlays)
    assert {one.scope.base for one in found.values()} == {"charts/{chart}/values.yaml"}


@pytest.mark.parametrize(
    "files",
    [
        [*CHARTS, "charts/iris/envs/dev/values.yaml"],
        [*CHARTS, *(path.replace("charts/", "more/") for path in CHARTS), "envs/dev/iris/values.yaml"],
        [*CHARTS, "envs/dev/other/values.yaml"],
        [*CHARTS, "envs/dev/values.yaml"],
        [*(path.replace("charts/", "{x}/") for path in CHARTS), "envs/dev/iris/values.yaml"],
    ],
)
def test_no_base_is_written_where_none_is_needed_or_none_is_certain(files: list[str]) -> None:
    assert suggested(dict.fromkeys(files, ()))["dev"].scope.base == ""


def test_a_habit_that_would_mix_environments_up_is_left_out() -> None:
    """`prod/*/*/values.yaml` would take the dev file that lies below a folder called prod."""
    files = ["a/dev/x/values.yaml", "prod/dev/x/values.yaml", "a/stage/x/values.yaml"]
    files += ["prod/b/c/values.yaml", "prod/d/c/values.yaml"]
    found = suggested(dict.fromkeys(files, ()))
    assert {name: one.scope.files for name, one in found.items()} == {
        "dev": ("*/dev/*/values.yaml",),
        "stage": ("*/stage/*/values.yaml",),
    }


@pytest.mark.parametrize("name", ["values-dev.yaml", "values.yaml"])
def test_paths_too_long_for_a_glob_are_left_to_the_default(name: str) -> None:
    folder = "/".join(["x" * 200] * 4)
    assert suggested({**chart(folder), f"{folder}/{name}": ()}) == {"default": Environment(name="default")}


def test_a_large_repo_is_not_read_whole() -> None:
    asked: list[str] = []
    paths = [path for number in range(3000) for path in chart(f"charts/c{number}", values_dev=[])]

    def tags_in(path: str) -> list[str]:
        asked.append(path)
        return ["develop-1"]

    suggest_rules(frozenset(paths), tags_in)
    assert 0 < len(asked) <= MAX_FILES_READ
    assert len(set(asked)) == len(asked)


tag_lists = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", "v", "develop-", "main_", "x.y-"]), st.integers(0, 999))
    | st.builds("{}.{}.{}{}".format, *[st.integers(0, 20)] * 3, st.sampled_from(["", "-rc.1", "-x"]))
    | st.text("a1.-_:/\n#'", max_size=8),
    max_size=6,
)


def test_odd_tags_are_named_with_their_files_and_not_said_to_be_taken_elsewhere() -> None:
    files = {
        **chart("charts/iris", values_dev=["develop-5"], values_prod=["main-1", "main-2"]),
        **chart("charts/web", values_dev=["develop-6"], values_prod=["main-3", "develop-4"]),
        **chart("charts/x", values_dev=["1.10"], values_prod=[]),
    }
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert "    # standing here, too, and not taken: 1.10 (charts/x/values-dev.yaml)\n" in text
    assert text.count("# standing here") == 1
    assert text.count("# Mind: it also takes the tags that stand in dev.") == 1
    (dev, prod) = suggested(files).values()
    assert dev.tags.pattern == "^develop-(?P<build>[0-9]+)$"
    assert prod.tags.pattern == "^(develop|main)-(?P<build>[0-9]+)$"


def test_an_odd_tag_is_none_that_another_environment_is_warned_of() -> None:
    files = {
        **chart("charts/iris", values_dev=["develop-5"], values_prod=["1.0.0", "1.0.1", "develop-4"]),
    }
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert "# standing here, too, and not taken: develop-4 (charts/iris/values-prod.yaml)\n" in text
    assert "# Mind" not in text


def test_many_odd_tags_are_counted_and_a_strange_path_breaks_no_line() -> None:
    folder = "charts/a\nb: c"
    files = chart(folder, values_dev=[*(f"1.{number}" for number in range(7)), *["develop-1"] * 20])
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert "1.4 ('charts/a\\nb: c/values-dev.yaml') and 2 more\n" in text
    assert "1.5" not in text


def test_the_advice_is_made_of_a_tag_that_stands_there_or_has_no_example() -> None:
    files = chart("charts/iris", values_dev=["1.10", "develop-7"], values_prod=["1.25"])
    text = suggest_rules(frozenset(files), lambda path: files[path])
    assert (
        "    # If your builds have a form of their own, say so, for example (like develop-7):\n"
        "    # tags: {pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}\n" in text
    )
    assert "say so: tags, with a pattern and an order.\n" in text
    assert "main" not in text


names = st.sampled_from(
    [
        *(
            "dev",
            "DEV",
            "prod",
            "prod-eu",
            "staging",
            "test",
            "charts",
            "envs",
            "values",
            "iris",
            "web",
            ".x",
            "0.1.2",
        ),
        *("[a]", "{b}", "it's", "a b", "x: y", "#c", "*", "-", "\u200b", "이리스", "null"),
    ]
)
file_names = st.sampled_from(
    [
        *(
            "Chart.yaml",
            "values.yaml",
            "values-dev.yaml",
            "values-prod.yaml",
            "prod.values.yml",
            "values-prod-eu.yaml",
        ),
        *(
            "dev.yaml",
            "prod.yaml",
            "iris.yaml",
            "values-test.yaml",
            "values-[x].yaml",
            "values-dev.it's.yaml",
        ),
    ]
)
layouts = st.sets(
    st.builds(lambda folders, name: "/".join([*folders, name]), st.lists(names, max_size=4), file_names),
    max_size=12,
)


@given(layouts, tag_lists)
def test_for_any_repo_the_suggested_rules_are_rules_whose_environments_share_no_file(
    paths: set[str], standing: list[str]
) -> None:
    asked: list[str] = []

    def tags_in(path: str) -> list[str]:
        asked.append(path)
        return standing

    text = suggest_rules(frozenset(paths), tags_in)
    environments = parse_rules(text.encode()).environments
    assert set(asked) <= paths
    assert text.isascii() or any(not path.isascii() for path in paths)
    for path in asked:
        takers = [one.name for one in environments if not one.scope.files or _takes(one, path)]
        assert len(takers) == 1


def _takes(environment: Environment, path: str) -> bool:
    return any(compile_glob(glob).match(path) for glob in environment.scope.files)


def test_suggested_rules_commit_straight_and_promise_no_merge_requests() -> None:
    text = suggest_rules(frozenset(IRIS), lambda path: IRIS[path])
    assert set(re.findall(r"delivery: ([a-z-]+)", text)) == {"commit"}
    assert "merge" not in text
    merged = text.replace("    delivery: commit\n", "    delivery: merge-request\n")
    assert {one.delivery for one in parse_rules(merged.encode()).environments} == {"merge-request"}


@given(st.sampled_from(["dev", "prod"]), st.text("abc-_.0", max_size=70))
def test_an_environment_is_never_given_a_name_it_may_not_have(stage: str, rest: str) -> None:
    found = suggested({"charts/iris/Chart.yaml": (), f"charts/iris/values-{stage}{rest}.yaml": ()})
    for name in found:
        assert environment_name(name) == name
