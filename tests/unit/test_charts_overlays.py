"""Overlays and their base values, sub-chart sections, anchors and merge keys."""

from __future__ import annotations

import textwrap

import pytest
from support.files import DictFiles

from updater.charts import Survey, Target
from updater.errors import EditRefused
from updater.model import Scope
from updater.yamledit import show_path

IRIS, ROSE = "registry.example.com/flowers/iris", "registry.example.com/flowers/rose"
OLD, NEW = "develop-100", "develop-101"
SHA = "sha256:" + "a" * 64
DEV = Scope(files=("charts/*/values-dev.yaml",))
OVERLAY, BASE = "charts/iris/values-dev.yaml", "charts/iris/values.yaml"


def overlay_survey(overlay: str, base: str, **others: str) -> Survey:
    files = {OVERLAY: textwrap.dedent(overlay), BASE: textwrap.dedent(base), "charts/iris/Chart.yaml": ""}
    return Survey(DictFiles(files | others))


def single(values: str) -> tuple[Survey, tuple[Target, ...]]:
    survey = Survey(DictFiles({BASE: textwrap.dedent(values), "charts/iris/Chart.yaml": ""}))
    return survey, survey.targets(Scope(), IRIS)


def moved(survey: Survey, targets: tuple[Target, ...], tag: str = NEW) -> str:
    return survey.write(targets[0].file, [(target, tag, None) for target in targets]).decode()


def test_an_overlay_with_only_the_tag_takes_the_repository_from_its_base() -> None:
    survey = overlay_survey("image:\n  tag: a\n", f"image:\n  repository: {IRIS}\n  tag: b\n")
    (target,) = survey.targets(DEV, IRIS)
    assert (target.file, target.chart, target.line, target.tag) == (OVERLAY, "iris", 2, "a")
    assert moved(survey, (target,)) == f"image:\n  tag: {NEW}\n"


def test_the_base_gives_the_registry_and_the_global_one_too() -> None:
    image = "image: {registry: x.example.com, repository: flowers/iris}\n"
    base = f"global: {{imageRegistry: registry.example.com}}\n{image}"
    assert overlay_survey("image: {tag: a}\n", base).targets(DEV, IRIS)
    overlay = "global: {imageRegistry: other.example.com}\nimage: {tag: a}\n"
    assert overlay_survey(overlay, base).targets(DEV, IRIS) == ()
    assert overlay_survey(overlay, base).targets(DEV, "other.example.com/flowers/iris")


def test_an_overlay_that_names_another_repository_is_that_ones() -> None:
    survey = overlay_survey(f"image:\n  repository: {ROSE}\n  tag: a\n", f"image:\n  repository: {IRIS}\n")
    assert survey.targets(DEV, IRIS) == ()
    assert len(survey.targets(DEV, ROSE)) == 1


def test_merge_keys_in_the_base_are_resolved() -> None:
    base = f"d: &d {{repository: {IRIS}, tag: z}}\nimage: {{<<: *d, tag: b}}\ntwin: *d\n"
    survey = overlay_survey("image:\n  tag: a\ntwin:\n  tag: a\n", base)
    assert [target.line for target in survey.targets(DEV, IRIS)] == [2, 4]


def test_a_null_in_the_overlay_deletes_what_the_base_says() -> None:
    survey = overlay_survey("image:\n  repository: null\n  tag: a\n", f"image:\n  repository: {IRIS}\n")
    assert survey.targets(DEV, IRIS) == ()


def test_an_overlays_list_hides_the_one_below() -> None:
    survey = overlay_survey("parts:\n- tag: a\n", f"parts:\n- repository: {IRIS}\n")
    assert survey.targets(DEV, IRIS) == ()


def test_an_overlay_that_says_nothing_is_no_target_and_nearest_says_why() -> None:
    survey = overlay_survey("replicas: 2\n", f"a: 1\nimage:\n  repository: {IRIS}\n  tag: b\n")
    assert survey.targets(DEV, IRIS) == ()
    assert survey.nearest(DEV, IRIS) == (f"{OVERLAY} does not set image.tag; {BASE}:4 does",)


def test_an_overlay_with_the_repository_gets_a_tag_of_its_own() -> None:
    survey = overlay_survey(f"image:\n  repository: {IRIS}\n  x: 1\n", "image:\n  tag: b\n")
    (target,) = survey.targets(DEV, IRIS)
    assert (target.tag, target.line) == ("b", 2), "the base's tag is the one in force"
    assert moved(survey, (target,)) == f"image:\n  repository: {IRIS}\n  tag: {NEW}\n  x: 1\n"
    assert moved(survey, (target,), tag="b") == f"image:\n  repository: {IRIS}\n  x: 1\n"


def test_the_missing_key_is_spelled_as_the_base_spells_it() -> None:
    survey = overlay_survey(f"image: {IRIS}\n", "image: x\nimageTag: b\n")
    assert moved(survey, survey.targets(DEV, IRIS)) == f"image: {IRIS}\nimageTag: {NEW}\n"


def test_a_digest_set_in_the_base_is_overridden_beside_the_tag() -> None:
    survey = overlay_survey("image:\n  tag: a\n", f"image:\n  repository: {IRIS}\n  digest: {SHA}\n")
    (target,) = survey.targets(DEV, IRIS)
    assert target.digest == SHA
    other = SHA.replace("a", "b").replace("shb", "sha")
    assert (
        survey.write(OVERLAY, [(target, NEW, other)]).decode() == f"image:\n  tag: {NEW}\n  digest: {other}\n"
    )
    assert survey.write(OVERLAY, [(target, NEW, "")]).decode() == f'image:\n  tag: {NEW}\n  digest: ""\n'


def test_a_missing_tag_and_a_digest_of_the_base_both_get_a_line() -> None:
    survey = overlay_survey(f"image:\n  repository: {IRIS}\n", f"image:\n  tag: b\n  digest: {SHA}\n")
    (target,) = survey.targets(DEV, IRIS)
    after = survey.write(OVERLAY, [(target, NEW, "")]).decode()
    assert after == f'image:\n  repository: {IRIS}\n  tag: {NEW}\n  digest: ""\n'


def test_an_empty_digest_in_the_base_is_no_place_for_one() -> None:
    survey = overlay_survey("image:\n  tag: a\n", f"image:\n  repository: {IRIS}\n  digest: ''\n")
    assert survey.targets(DEV, IRIS)[0].digest is None


def test_an_overlays_string_is_a_place_of_its_own() -> None:
    survey = overlay_survey(f"image: {IRIS}:a\n", f"image: {IRIS}:b\n")
    assert moved(survey, survey.targets(DEV, IRIS)) == f"image: {IRIS}:{NEW}\n"


def test_a_base_elsewhere_is_found_through_the_rules() -> None:
    files = {
        "envs/dev/iris.yaml": "image: {tag: a}\n",
        "charts/iris/Chart.yaml": "",
        "charts/iris/values.yaml": f"image: {{repository: {IRIS}}}\n",
    }
    scope = Scope(files=("envs/dev/*.yaml",), base="charts/{chart}/values.yaml")
    (target,) = Survey(DictFiles(files)).targets(scope, IRIS)
    assert (target.chart, target.file) == ("iris", "envs/dev/iris.yaml")


def test_an_unpacked_sub_chart_lies_below_its_section() -> None:
    survey = overlay_survey(
        "iris:\n  image:\n    tag: a\n",
        "iris:\n  replicas: 1\n",
        **{
            "charts/iris/charts/iris/Chart.yaml": "",
            "charts/iris/charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  tag: z\n",
        },
    )
    (target,) = survey.targets(DEV, IRIS)
    assert (show_path(target.path), target.tag) == ("iris.image.tag", "a")


def test_a_sub_charts_sub_chart_lies_two_sections_down() -> None:
    files = {
        BASE: "a: {b: {image: {tag: x}}}\n",
        "charts/iris/Chart.yaml": "",
        "charts/iris/charts/a/Chart.yaml": "",
        "charts/iris/charts/a/charts/b/Chart.yaml": "",
        "charts/iris/charts/a/charts/b/values.yaml": f"image: {{repository: {IRIS}}}\n",
    }
    (target,) = Survey(DictFiles(files)).targets(Scope(), IRIS)
    assert (target.file, target.tag) == (BASE, "x")


def test_a_base_that_cannot_be_parsed_is_named() -> None:
    survey = overlay_survey("image: {tag: a}\n", f"image: [ {IRIS}\n")
    with pytest.raises(EditRefused, match=f"^{BASE}:"):
        survey.targets(DEV, IRIS)


def test_a_repository_through_a_merge_key_counts() -> None:
    survey, targets = single(f"x: &d\n  repository: {IRIS}\nimage:\n  <<: *d\n  tag: {OLD}\n")
    assert [(show_path(one.path), one.tag, one.problem) for one in targets] == [("image.tag", OLD, "")]
    assert moved(survey, targets).endswith(f"  tag: {NEW}\n")


def test_a_tag_through_a_merge_key_gets_a_line_of_its_own() -> None:
    survey, targets = single(
        f"""\
        d: &d {{registry: registry.example.com, tag: {OLD}}}
        iris:
          <<: *d
          repository: flowers/iris
        rose:
          <<: *d
          repository: flowers/rose
        """
    )
    (target,) = targets
    assert (target.tag, target.problem) == (OLD, "")
    after = moved(survey, targets)
    assert f"  repository: flowers/iris\n  tag: {NEW}\n" in after
    assert f"tag: {OLD}}}" in after


def test_a_place_that_is_merged_whole_moves_with_its_anchor() -> None:
    survey, targets = single(
        f"""\
        main: &main
          repository: {IRIS}
          tag: {OLD}
        copy:
          <<: *main
          pullPolicy: Always
        twin: *main
        """
    )
    assert [target.line for target in targets] == [3]
    assert moved(survey, targets).count(NEW) == 1


def test_a_mapping_merged_into_another_images_is_refused() -> None:
    _, targets = single(
        f"main: &main\n  repository: {IRIS}\n  tag: {OLD}\nrose:\n  <<: *main\n  repository: {ROSE}\n"
    )
    (target,) = targets
    assert (
        target.problem == f"this value is also the tag of {ROSE} at line 6: give each image a tag of its own"
    )


def test_a_missing_tag_is_not_added_to_a_mapping_that_feeds_another_image() -> None:
    _, targets = single(f"main: &main\n  repository: {IRIS}\nrose:\n  <<: *main\n  repository: {ROSE}\n")
    (target,) = targets
    assert "also the tag of" in target.problem


def test_a_tag_that_is_an_alias_is_followed_to_its_anchor() -> None:
    survey, targets = single(
        f"version: &v {OLD}\nimage:\n  repository: {IRIS}\n  tag: *v\nlabels:\n  app: *v\n"
    )
    (target,) = targets
    assert (target.line, target.tag, target.problem) == (4, OLD, "")
    assert moved(survey, targets).startswith(f"version: &v {NEW}\n")
    assert "tag: *v" in moved(survey, targets)


def test_an_anchored_tag_and_its_alias_are_written_once() -> None:
    survey, targets = single(
        f"a:\n  repository: {IRIS}\n  tag: &v {OLD}\nb:\n  repository: {IRIS}\n  tag: *v\n"
    )
    assert [target.line for target in targets] == [3, 6]
    assert (
        moved(survey, targets)
        == f"a:\n  repository: {IRIS}\n  tag: &v {NEW}\nb:\n  repository: {IRIS}\n  tag: *v\n"
    )
    with pytest.raises(EditRefused, match="one and the same value"):
        survey.write(BASE, [(targets[0], "x", None), (targets[1], "y", None)])


def test_one_anchor_for_the_tags_of_two_images_is_refused() -> None:
    _, targets = single(f"a:\n  repository: {IRIS}\n  tag: &v {OLD}\nb:\n  repository: {ROSE}\n  tag: *v\n")
    (target,) = targets
    assert f"also the tag of {ROSE} at line 6" in target.problem


def test_a_tag_that_only_an_anchor_gives_to_an_overlay_is_refused() -> None:
    survey = overlay_survey(
        "d: &d {image: {tag: a}}\niris:\n  <<: *d\n  x: 1\n", f"iris: {{image: {{repository: {IRIS}}}}}\n"
    )
    (target,) = survey.targets(DEV, IRIS)
    assert "through an anchor" in target.problem


def test_nested_aliases_cannot_stop_the_search() -> None:
    lines = ["a0: &a0 {x: {y: 1}}"]
    lines += [f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}" for n in range(1, 40)]
    survey = Survey(DictFiles({BASE: "\n".join([*lines, f"image: {IRIS}:a"]), "charts/iris/Chart.yaml": ""}))
    with pytest.raises(EditRefused, match=rf"^{BASE}:\d+: the aliases in this file stand for more than"):
        survey.targets(Scope(), IRIS)
