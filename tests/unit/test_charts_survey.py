"""What a survey reads, keeps and tells: the index, the caches, pinned places, the nearest names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.files import DictFiles

from updater.charts import Survey, Target
from updater.errors import EditRefused
from updater.model import PinnedPlace, Scope

IRIS = "registry.example.com/flowers/iris"
SHA = "sha256:" + "a" * 64


def garden(**values: str) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for name, content in values.items():
        files[f"charts/{name}/Chart.yaml"] = f"name: {name}\n"
        files[f"charts/{name}/values.yaml"] = content
    return files


def image(repository: str, tag: str = "a") -> str:
    return f"image:\n  repository: {repository}\n  tag: {tag}\n"


def test_an_older_survey_misses_nothing_when_the_index_is_built_anew() -> None:
    files = DictFiles(garden(iris=image(IRIS), rose=image("registry.example.com/rose")))
    old = Survey(files)
    old.files_of(Scope())
    later = files.changed({"charts/iris/values.yaml": "gone: true\n"})
    survey = Survey(later, old)
    for number in range(1100):
        later = later.changed({"charts/rose/values.yaml": f"a: {number}\n"})
        survey = Survey(later, survey)
        survey.files_of(Scope())
    assert survey.targets(Scope(), IRIS) == ()
    assert len(old.targets(Scope(), IRIS)) == 1


def test_only_files_that_may_name_the_repository_are_parsed() -> None:
    files = DictFiles(garden(iris=image(IRIS), rose=image("registry.example.com/flowers/rose")))
    survey = Survey(files)
    survey.files_of(Scope())
    files.reads.clear()
    survey.targets(Scope(), IRIS)
    assert files.reads == ["charts/iris/values.yaml"]
    survey.targets(Scope(), IRIS)
    assert files.reads == ["charts/iris/values.yaml"], "a second look reads nothing"


def test_a_last_part_that_all_charts_share_costs_no_parse_of_all() -> None:
    charts = {f"team-{number}": image(f"registry.example.com/team-{number}/api") for number in range(100)}
    files = DictFiles(garden(**charts))
    survey = Survey(files)
    survey.files_of(Scope())
    files.reads.clear()
    assert len(survey.targets(Scope(), "registry.example.com/team-42/api")) == 1
    assert files.reads == ["charts/team-42/values.yaml"]
    later = files.changed(
        garden(**{f"new-{n}": image("registry.example.com/team-42/api") for n in range(900)})
    )
    assert len(Survey(later, survey).targets(Scope(), "registry.example.com/team-42/api")) == 901


def test_a_few_charts_are_looked_at_without_reading_the_others() -> None:
    files = DictFiles(
        garden(iris=image(IRIS), rose=image("registry.example.com/rose"), bad="a: [", lily=image(IRIS, "b"))
        | {"charts/iris/values-dev.yaml": "image:\n  tag: c\n"}
    )
    survey, overlays = Survey(files), Scope(files=("charts/*/values-dev.yaml",))
    assert {file: spot.chart for file, spot in survey.laid_out(overlays).items()} == {
        "charts/iris/values-dev.yaml": "iris"
    }
    assert survey.charts_with(overlays, ["charts/iris/values.yaml", "charts/rose/values.yaml"]) == {"iris"}
    assert survey.charts_with(Scope(), ["charts/rose/values.yaml", "README.md"]) == {"rose"}
    assert files.reads == [], "names tell it all"
    found = survey.readable_in(Scope(), {"iris", "bad", "gone"})
    assert [(one.chart, one.tag) for one in found] == [("iris", "a")]
    assert set(files.reads) == {"charts/iris/values.yaml", "charts/bad/values.yaml"}
    assert [one.tag for one in survey.readable_in(overlays, {"iris"})] == ["c"]


def test_writing_what_was_just_found_reads_nothing_again() -> None:
    files = DictFiles(garden(iris=image(IRIS)))
    survey = Survey(files)
    (target,) = survey.targets(Scope(), IRIS)
    files.reads.clear()
    assert survey.write(target.file, [(target, "b", None)]) == image(IRIS, "b").encode()
    assert files.reads == []


def test_a_following_survey_reads_only_what_changed() -> None:
    files = DictFiles(garden(iris=image(IRIS), rose=image("registry.example.com/flowers/rose")))
    survey = Survey(files)
    survey.targets(Scope(), IRIS)
    later = files.changed({"charts/rose/values.yaml": image(IRIS, "b")})
    following = Survey(later, survey)
    assert [target.tag for target in following.targets(Scope(), IRIS)] == ["a", "b"]
    assert set(later.reads) == {"charts/rose/values.yaml"}
    assert [target.tag for target in survey.targets(Scope(), IRIS)] == ["a"], (
        "the old one still tells the old"
    )


def test_what_was_indexed_as_newer_only_is_looked_at_again_where_it_is_not_newer() -> None:
    base = DictFiles(garden(iris=image(IRIS)))
    newer = base.changed({"charts/iris/values.yaml": "gone: true\n"})
    survey = Survey(newer)
    assert survey.targets(Scope(), IRIS) == ()
    assert len(Survey(base, survey).targets(Scope(), IRIS)) == 1


def test_a_following_survey_asks_only_for_the_versions_of_what_is_newer() -> None:
    asked: list[str] = []

    class Watched(DictFiles):
        def version(self, path: str) -> str:
            asked.append(path)
            return super().version(path)

    files = Watched(garden(iris=image(IRIS), rose=image("registry.example.com/rose")))
    survey = Survey(files)
    survey.files_of(Scope())
    asked.clear()
    Survey(files.changed({"charts/rose/values.yaml": "a: 1\n"}), survey).files_of(Scope())
    Survey(files, survey).files_of(Scope())
    assert "charts/iris/values.yaml" not in asked


def test_a_following_survey_sees_files_come_and_go() -> None:
    files = DictFiles(garden(iris=image(IRIS)))
    survey = Survey(files)
    survey.targets(Scope(), IRIS)
    later = files.changed({**garden(rose=image(IRIS)), "charts/iris/values.yaml": None})
    following = Survey(later, survey)
    assert [target.file for target in following.targets(Scope(), IRIS)] == ["charts/rose/values.yaml"]


def test_a_changed_base_changes_the_overlays_places() -> None:
    scope = Scope(files=("charts/*/values-dev.yaml",))
    files = DictFiles(garden(iris=image("x")) | {"charts/iris/values-dev.yaml": "image: {tag: b}\n"})
    survey = Survey(files)
    assert survey.targets(scope, IRIS) == ()
    following = Survey(files.changed({"charts/iris/values.yaml": image(IRIS)}), survey)
    assert [target.tag for target in following.targets(scope, IRIS)] == ["b"]


def test_an_edit_drafted_on_the_way_is_seen_at_once() -> None:
    files = DictFiles(garden(iris=image(IRIS)))
    survey = Survey(files)
    survey.targets(Scope(), IRIS)
    draft = files.changed({"charts/iris/values.yaml": image(IRIS, "b")})
    files._contents, files._versions = draft._contents, draft._versions
    assert [target.tag for target in survey.targets(Scope(), IRIS)] == ["b"]


def test_the_index_is_built_anew_after_very_many_changes() -> None:
    files = DictFiles(garden(iris=image(IRIS)))
    survey = Survey(files)
    survey.targets(Scope(), IRIS)
    for number in range(1100):
        files = files.changed({"charts/iris/values.yaml": image(IRIS, f"tag-{number}")})
        survey = Survey(files, survey)
        assert len(survey.targets(Scope(), IRIS)) == 1
    words = survey._memory.words
    assert words.count(b"tag-1099") == 1
    assert words.count(b"tag-1") == 0, "words of long ago are forgotten"


def test_a_file_that_cannot_be_parsed_refuses_only_the_repositories_it_names() -> None:
    broken = f"image: [ {IRIS}:a\n"
    survey = Survey(DictFiles(garden(iris=broken, rose=image("registry.example.com/rose"))))
    with pytest.raises(EditRefused, match=r"^charts/iris/values.yaml:\d"):
        survey.targets(Scope(), IRIS)
    assert len(survey.targets(Scope(), "registry.example.com/rose")) == 1
    assert [target.repository for target in survey.all_targets(Scope())] == ["registry.example.com/rose"]
    assert [problem.file for problem in survey.problems(Scope())] == ["charts/iris/values.yaml"]


def test_a_broken_file_with_escapes_does_not_refuse_everything() -> None:
    survey = Survey(DictFiles(garden(bad='a: [ "\\x41"\n', iris=image(IRIS))))
    assert len(survey.targets(Scope(), IRIS)) == 1


def test_a_name_written_with_escapes_is_found() -> None:
    survey = Survey(DictFiles(garden(iris='image: "registry.example.com/flowers/\\x69ri\\\n  s:a"\n')))
    assert [target.tag for target in survey.targets(Scope(), IRIS)] == ["a"]


WORDS = st.sampled_from(["iris", "iris-admin", "rose", "a.b", "my_iris", "x--y", "2048"])
HOSTS = st.sampled_from(["", "registry.example.com/", "docker.io/", "registry.example.com:5000/", "flowers/"])
REPOSITORIES = st.builds(
    lambda host, words: host + "/".join(words), HOSTS, st.lists(WORDS, min_size=1, max_size=2)
)
TAGS = st.sampled_from(["a", "1.2", "develop-1", ""])


@st.composite
def blocks(draw: st.DrawFn) -> str:
    repository, tag, key = draw(REPOSITORIES), draw(TAGS), draw(st.sampled_from(["one", "two", "web.app"]))
    form = draw(st.integers(0, 6))
    quote = draw(st.sampled_from(["", '"', "'"]))
    return [
        f"{key}:\n  repository: {quote}{repository}{quote}\n  tag: {tag}\n",
        f"{key}:\n  tag: {quote}{tag or 'x'}{quote} # {repository}\n  repository: {repository}\n",
        f"{key}Image: {repository}:{tag or 'x'}\n",
        f"{key}:\n  registry: registry.example.com\n  repository: {repository}\n  tag: '{tag}'\n",
        f"{key}:\n  - name: side\n    image: {quote}{repository}:{tag or 'x'}{quote}\n",
        f"{key}:\n  image: {{repository: '{repository}', tag: {quote}{tag or 'x'}{quote}}}\n",
        f"{key}:\n  repository: {repository}\n  digest: {SHA}\n",
    ][form]


VALUES = st.lists(blocks(), min_size=1, max_size=4).map("".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=4), st.lists(VALUES, max_size=2))
def test_the_index_never_misses_a_place(first: list[str], then: list[str]) -> None:
    files = DictFiles(garden(**{f"c{number}": values for number, values in enumerate(first)}))
    survey = Survey(files)
    survey.files_of(Scope())
    files = files.changed({f"charts/c{n}/values.yaml": text for n, text in enumerate(then) if n < len(first)})
    survey = Survey(files, survey)
    everything = survey.all_targets(Scope())
    for repository in {target.repository for target in everything}:
        wanted = tuple(target for target in everything if target.repository == repository)
        assert survey.targets(Scope(), repository) == wanted


def shown(targets: tuple[Target, ...]) -> list[tuple[object, ...]]:
    return [(one.file, one.path, one.repository, one.tag, one.digest) for one in targets]


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(["develop-2", "1.20", "7e5", "on"]))
def test_a_written_tag_is_what_is_found_again_and_nothing_else_moves(values: str, tag: str) -> None:
    survey = Survey(DictFiles(garden(c=values)))
    before = survey.all_targets(Scope())
    for target in before:
        if target.problem:
            with pytest.raises(EditRefused):
                survey.write(target.file, [(target, tag, "")])
            continue
        after_bytes = survey.write(target.file, [(target, tag, "")])
        after = Survey(DictFiles(garden(c=after_bytes.decode()))).all_targets(Scope())
        wanted = [
            (one.file, one.path, one.repository, tag, "" if one.digest is not None else None)
            if one is target
            else (one.file, one.path, one.repository, one.tag, one.digest)
            for one in before
        ]
        assert shown(after) == wanted
        lines = [(len(values.splitlines()), len(after_bytes.splitlines()))]
        assert lines[0][1] - lines[0][0] in (0, 1)


PIN = PinnedPlace(IRIS, "charts/old/values.yaml", ("app", "version"))


def pinned(values: str, *pins: PinnedPlace) -> tuple[Survey, Scope]:
    return Survey(DictFiles(garden(old=values))), Scope(pinned=pins or (PIN,))


def test_a_pinned_bare_tag_is_a_place_although_nothing_names_the_image() -> None:
    survey, scope = pinned("app: {version: a}\n")
    (target,) = survey.targets(scope, IRIS)
    assert (target.tag, target.line, target.problem) == ("a", 1, "")
    assert survey.write(target.file, [(target, "b", None)]) == b'app: {version: "b"}\n'
    assert survey.all_targets(scope) == (target,)


def test_a_pinned_place_is_the_only_one_of_its_image_in_the_file() -> None:
    survey, scope = pinned(f"app: {{version: a}}\n{image(IRIS)}other:\n  {image('rose')}")
    assert [target.line for target in survey.targets(scope, IRIS)] == [1]


def test_a_pinned_reference_keeps_its_name() -> None:
    survey, scope = pinned(f"app:\n  version: {IRIS}:a\n")
    (target,) = survey.targets(scope, IRIS)
    assert survey.write(target.file, [(target, "b", None)]).decode() == f"app:\n  version: {IRIS}:b\n"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ("app: {x: 1}\n", "stands nowhere in this file"),
        ("app: {version: 1}\n---\napp: {version: 1}\n", "stands in 2 documents in this file"),
        ("app: {version: [1]}\n", "no single value stands there"),
        ("app: {version: 'registry.example.com/rose:1'}\n", "registry.example.com/rose stands there"),
    ],
)
def test_a_pinned_place_that_is_not_as_the_rules_say_has_a_problem(values: str, problem: str) -> None:
    survey, scope = pinned(values)
    (target,) = survey.targets(scope, IRIS)
    assert problem in target.problem


def test_a_place_pinned_to_one_image_is_not_written_for_another() -> None:
    survey, scope = pinned("app:\n  image: registry.example.com/rose\n  version: a\n")
    (target,) = survey.targets(scope, "registry.example.com/rose")
    assert target.problem == f"the rules say that this place belongs to {IRIS}"


def test_a_pinned_place_outside_the_scope_does_not_count() -> None:
    survey, _ = pinned("app: {version: a}\n")
    assert survey.targets(Scope(files=("prod/*.yaml",), pinned=(PIN,)), IRIS) == ()


def test_overlays_that_set_the_same_key_are_named() -> None:
    files = garden(iris=image(IRIS)) | {
        "charts/iris/values-dev.yaml": "image:\n  tag: x\n",
        "charts/iris/prod-values.yaml": "a: 1\nimage:\n  tag: x\n",
        "charts/iris/values.test.yml": "a: 1\n",
        "charts/iris/values-broken.yaml": "image: [\n",
        "charts/iris/other.yaml": "image:\n  tag: x\n",
    }
    survey = Survey(DictFiles(files))
    (target,) = survey.targets(Scope(), IRIS)
    assert survey.overlays_setting(target) == (
        "charts/iris/prod-values.yaml:3",
        "charts/iris/values-dev.yaml:2",
    )
    (overlay,) = survey.targets(Scope(files=("charts/*/values-dev.yaml",)), IRIS)
    assert survey.overlays_setting(overlay) == ()


def test_the_nearest_names_are_told_with_their_places() -> None:
    survey = Survey(
        DictFiles(garden(a=image("other.example.com/iris"), b=image(f"{IRIS}s"), c=image("zebra")))
    )
    assert survey.nearest(Scope(), IRIS) == (
        "other.example.com/iris (charts/a/values.yaml:3)",
        f"{IRIS}s (charts/b/values.yaml:3)",
    )
    assert survey.nearest(Scope(), "registry.example.com/nothing-like-it") == ()


def test_tags_without_a_repository_and_odd_keys_are_told() -> None:
    survey = Survey(DictFiles(garden(iris=f"image:\n  tag: a\nenv:\n- value: {IRIS}:b\n")))
    assert survey.nearest(Scope(), IRIS) == (
        "charts/iris/values.yaml:4 env.0.value names it, but the key is no image's "
        "(the rules can name the place: images)",
        "charts/iris/values.yaml:2 image.tag has no repository near it",
    )


def test_a_tag_only_overlay_whose_base_has_no_repository_is_told() -> None:
    files = garden(iris="image: {pullPolicy: Always}\n") | {
        "charts/iris/values-dev.yaml": "image:\n  tag: a\n"
    }
    survey = Survey(DictFiles(files))
    assert survey.nearest(Scope(files=("charts/*/values-dev.yaml",)), IRIS) == (
        "charts/iris/values-dev.yaml:2 image.tag has no repository near it and none in the base values",
    )
