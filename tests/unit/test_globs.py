import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidConfigRepo
from updater.globs import compile_glob, glob_of, takes_repository


@pytest.mark.parametrize(
    ("glob", "path", "groups"),
    [
        ("charts/*/values.yaml", "charts/iris/values.yaml", ("iris",)),
        ("charts/*/values-*.yaml", "charts/iris/values-dev.yaml", ("iris", "dev")),
        ("*-*.yaml", "a-b-c.yaml", ("a", "b-c")),
        ("charts/**/values.yaml", "charts/values.yaml", ("",)),
        ("charts/**/values.yaml", "charts/iris/values.yaml", ("iris",)),
        ("charts/**/values.yaml", "charts/team/iris/values.yaml", ("team/iris",)),
        ("**/values.yaml", "values.yaml", ("",)),
        ("**/x/**/y.yaml", "a/x/x/b/y.yaml", ("a", "x/b")),
        ("**/**/a", "b/a", ("", "b")),
        ("charts/**", "charts/iris/values.yaml", ("iris/values.yaml",)),
        ("**/*.yaml", "charts/iris/values.yaml", ("charts/iris", "values")),
        ("values-?.yaml", "values-1.yaml", ("1",)),
        ("values-[a-c].yaml", "values-b.yaml", ("b",)),
        ("values-[!a-c].yaml", "values-x.yaml", ("x",)),
        ("values-[]-].yaml", "values-].yaml", ("]",)),
        ("values-[[].yaml", "values-[.yaml", ("[",)),
        ("values-[a-].yaml", "values--.yaml", ("-",)),
        ("values-[&&||~~].yaml", "values-&.yaml", ("&",)),
        ("values-[--0].yaml", "values-..yaml", (".",)),
        (".github/*/values.yaml", ".github/iris/values.yaml", ("iris",)),
        (".*/values.yaml", ".github/values.yaml", ("github",)),
        ("chärts/*.yaml", "chärts/이리스.yaml", ("이리스",)),
        ("a+(b)|c$.yaml", "a+(b)|c$.yaml", ()),
    ],
)
def test_a_glob_takes_a_path_and_says_what_its_wildcards_stood_for(
    glob: str, path: str, groups: tuple[str, ...]
) -> None:
    match = compile_glob(glob).match(path)
    assert match is not None
    assert match.groups() == groups


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("charts/*/values.yaml", "charts/team/iris/values.yaml"),
        ("charts/*/values.yaml", "charts/values.yaml"),
        ("charts/*/values.yaml", "charts/iris/values.yaml.orig"),
        ("charts/*/values.yaml", "old/charts/iris/values.yaml"),
        ("charts/*/values.yaml", "charts/iris/values.yaml\n"),
        ("charts?iris", "charts/iris"),
        ("charts[+-0]iris", "charts/iris"),
        ("charts[!x]iris", "charts/iris"),
        ("charts/**", "charts"),
        ("charts/**/values.yaml", "charts/ivalues.yaml"),
        ("**/values.yaml", "charts/iris-values.yaml"),
        ("**", ".github/values.yaml"),
        ("**/values.yaml", ".github/values.yaml"),
        ("**/values.yaml", "charts/.old/values.yaml"),
        ("*", ".hidden"),
        ("?hidden", ".hidden"),
        ("[.]hidden", ".hidden"),
        ("*.yaml", ".yaml"),
        ("a.yaml", "abyaml"),
        ("Values.yaml", "values.yaml"),
    ],
)
def test_a_glob_does_not_take_a_path_it_only_resembles(glob: str, path: str) -> None:
    assert compile_glob(glob).match(path) is None


@pytest.mark.parametrize(
    ("glob", "words"),
    [
        ("", "is empty"),
        ("/charts/*", "relative to the top"),
        ("charts/", "charts/**"),
        ("charts//x", "empty part"),
        ("../charts/*", "'..'"),
        ("charts/../x", "'..'"),
        ("./charts", "'.'"),
        ("charts\\*", "backslash"),
        ("charts/\n", "control character"),
        ("charts/a**", "stands between slashes"),
        ("charts/***", "stands between slashes"),
        ("charts/*/values-{dev,prod}.yaml", "write a list"),
        ("charts/[ab", "without its ']'"),
        ("charts/[]", "without its ']'"),
        ("charts/[!]", "without its ']'"),
        ("charts/[a/b]", "without its ']'"),
        ("charts/[z-a]", "bad character range"),
        ("x" * 513, "512 are allowed"),
    ],
)
def test_what_is_no_glob_is_refused_with_what_to_write_instead(glob: str, words: str) -> None:
    with pytest.raises(InvalidConfigRepo, match=re.escape(words)):
        compile_glob(glob)


def slow_match(glob: list[str], path: list[str]) -> bool:
    """The definition of a glob, as plainly as it can be said."""
    if not glob:
        return not path
    if glob[0] == "**":
        if len(glob) == 1:
            return bool(path) and not any(part.startswith(".") for part in path)
        ends = range(len(path) + 1)
        return any(
            slow_match(glob[1:], path[end:]) and not any(part.startswith(".") for part in path[:end])
            for end in ends
        )
    if not path or (path[0].startswith(".") and not glob[0].startswith(".")):
        return False
    return fnmatch.fnmatchcase(path[0], glob[0]) and slow_match(glob[1:], path[1:])


glob_parts = st.just("**") | st.text("ab.*?", min_size=1, max_size=5).filter(
    lambda part: "**" not in part and part not in {".", ".."}
)
path_parts = st.text("ab.", min_size=1, max_size=5)


@given(st.lists(glob_parts, min_size=1, max_size=4), st.lists(path_parts, min_size=1, max_size=5))
def test_a_glob_takes_exactly_what_its_definition_says(glob: list[str], path: list[str]) -> None:
    assert (compile_glob("/".join(glob)).match("/".join(path)) is not None) is slow_match(glob, path)


def test_a_hostile_glob_answers_on_a_long_path() -> None:
    glob = "/".join(["**", "*a*a*a*a*a*a*a*a*a*b"] * 6) + "/c"
    assert compile_glob(glob).match("/".join(["a" * 200] * 200)) is None


@given(st.lists(st.text("ab.*?[]{}\\\n\u200b!-", min_size=1, max_size=5), min_size=1, max_size=3))
def test_a_path_written_as_a_glob_takes_that_path(parts: list[str]) -> None:
    parts = [part for part in parts if part not in {".", ".."}] or ["a"]
    assert compile_glob(glob_of("/".join(parts))).match("/".join(parts))


def test_a_path_written_as_a_glob_takes_only_that_path_where_a_glob_can_say_it() -> None:
    assert glob_of("a[1]*?.yaml") == "a[[]1][*][?].yaml"
    assert compile_glob(glob_of("a[1]*?.yaml")).match("a11x.yaml") is None


def test_any_one_of_several_patterns_takes_a_repository_by_its_canonical_or_familiar_name() -> None:
    patterns = ("registry.example.com/team/*", "nginx")
    assert takes_repository(patterns, "registry.example.com/team/iris")
    assert takes_repository(patterns, "docker.io/library/nginx")
    assert not takes_repository(patterns, "registry.example.com/iris")
    assert not takes_repository((), "docker.io/library/nginx")
    assert takes_repository(("*",), "registry.example.com/a/b")
