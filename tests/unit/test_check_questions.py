"""Rancher's questions: what does not fit their form, and where they disagree with the values."""

from __future__ import annotations

import pytest
from support.checks import CATALOG, OVERLAYS, changed, found, places, repo

from updater.check import mended

HOME = "charts/iris/0.1.52666"
FILE = f"{HOME}/questions.yaml"
VALUES = """\
image:
  repository: registry.example.com/iris
  tag: develop-52666
defaultImage: true
replicas: 1
profile: production
extra: {}
resources:
  limits:
    cpu: 100m
mail:
  host: mail.example.com
"""
QUESTIONS = """\
categories: [Flowers]
questions:
  - variable: defaultImage
    type: boolean
    default: true
    show_subquestion_if: false
    subquestions:
      - variable: image.tag
        type: string
        default: develop-52666
  - variable: replicas
    label: Replicas
    type: int
    min: 1
    max: 9
    default: 1
    required: true
  - variable: profile
    type: enum
    options: [development, production]
    default: production
    show_if: "replicas=1"
  - variable: extra.anything
    type: string
  - variable: resources.limits.cpu
    default: 100m
"""
ASKED = {**CATALOG, f"{HOME}/values.yaml": VALUES, FILE: QUESTIONS}

ROWS: list[tuple[str, str | tuple[str, str], int]] = [
    ("E12", "questions:\n\t- variable: a\n", 2),
    ("E12", "", 1),
    ("E12", ("label:", "lable:"), 12),
    ("E12", ("categories", "categoris"), 1),
    ("E12", ("categories: [Flowers]", "categories: Flowers"), 1),
    ("E12", ("categories: [Flowers]", "categories: [{a: Flowers}]"), 1),
    ("E12", ("label: Replicas", "label: {en: Replicas}"), 12),
    ("E12", ("required: true", "required: 'true'"), 17),
    ("E12", ("min: 1", "min: one"), 14),
    ("E12", ("min: 1", "min: 10"), 14),
    ("E12", ("max: 9", "max: 0"), 14),
    ("E12", ("- variable: extra.anything", "- label: Anything"), 23),
    ("E12", ("type: int", "type: integer"), 13),
    ("E12", ("options: [development, production]\n", "options: []\n"), 19),
    ("E12", ("default: production", "default: staging"), 21),
    ("E12", ("show_if: \"replicas=1\"", "show_if: \"replica=1\""), 22),
    ("E12", ("show_if: \"replicas=1\"", "show_if: \"replicas\""), 22),
    ("E12", ("show_if: \"replicas=1\"", "show_if: a=1 && replicas=1"), 22),
    ("E12", ("show_if: \"replicas=1\"", "show_if: replicas=1 && replicas=2 || replicas=3"), 22),
    ("E14", ("default: develop-52666", "default: develop-52665"), 10),
    ("W1", ("resources.limits.cpu", "resources.cpu"), 25),
    ("W1", ("resources.limits.cpu", "resources.limits"), 25),
    ("W1", ("resources.limits.cpu", "profile.cpu"), 25),
    ("W2", ("default: 100m", "default: 250m"), 26),
    ("W2", ("[development, production]", "[development, test]"), 20),
    ("W3", ("show_subquestion_if: false", "show_subquestion_if: true"), 8),
    ("W3", ("    default: true\n", "    default: false\n"), 8),
    ("W20", ("options: [development, production]", "options: {development: Dev, production: Prod}"), 20),
    ("W20", ("anything\n    type: string", "anything\n    type: array[]\n    default: [1]"), 25),
    ("E12", ("    default: production", "    default: [production]"), 21),
    ("W20", ("        default: develop-52666", "        subquestions: [{variable: replicas}]"), 10),
]  # fmt: skip


def test_nothing_is_found_where_questions_and_values_agree() -> None:
    assert found(repo(ASKED, {})) == ()


@pytest.mark.parametrize(("code", "change", "line"), ROWS)
def test_a_fault_in_questions_is_told_with_its_line(
    code: str, change: str | tuple[str, str], line: int
) -> None:
    told = [one for one in places(found(changed(ASKED, FILE, change))) if one[0] == code]
    assert told[0] == (code, FILE, line)


def test_an_unknown_key_is_told_with_the_nearest_one() -> None:
    (one,) = found(changed(ASKED, FILE, ("label:", "lable:")))
    assert one.facts["nearest"] == "label"


def test_a_boolean_without_a_default_is_false_for_the_old_ui() -> None:
    (one,) = found(changed(ASKED, FILE, ("    default: true\n    show", "    show")))[:1]
    assert (one.code, one.line, one.facts["fault"]) == ("W2", 3, "no-default")


def test_old_versions_are_not_compared_any_more() -> None:
    old = FILE.replace("52666", "52665")
    assert found(repo(ASKED, {old: QUESTIONS})) == ()
    assert places(found(repo(ASKED, {old: "questions: 1\n"}))) == [("E12", old, 1)]


def test_below_a_null_and_an_empty_mapping_a_value_can_be_added() -> None:
    values = {f"{HOME}/values.yaml": VALUES.replace("limits:\n    cpu: 100m", "limits:")}
    assert found(repo(ASKED, dict(values))) == ()
    values = {f"{HOME}/values.yaml": VALUES.replace("limits:\n    cpu: 100m", "limits: ''")}
    assert [one.code for one in found(repo(ASKED, dict(values)))] == ["W1"]


def test_two_question_files_and_values_that_helm_does_not_read() -> None:
    changes: dict[str, str | None] = {f"{HOME}/Questions.yml": QUESTIONS, f"{HOME}/values.yml": VALUES}
    told = places(found(repo(ASKED, changes)))
    assert told == [("W10", FILE, 0), ("W10", f"{HOME}/values.yml", 0)]


def test_values_of_sub_charts_need_not_stand_in_the_parents() -> None:
    chart = CATALOG[f"{HOME}/Chart.yaml"] + "dependencies: [{name: mysql, alias: db, version: 1.0.0}]\n"
    asked = QUESTIONS + "  - variable: db.user\n  - variable: global.region\n"
    assert found(repo(ASKED, {f"{HOME}/Chart.yaml": chart, FILE: asked})) == ()
    assert [one.code for one in found(repo(ASKED, {FILE: asked}))] == ["W1", "W1"]


def test_conditions_may_name_values_of_sub_charts_and_empty_mappings() -> None:
    chart = CATALOG[f"{HOME}/Chart.yaml"] + "dependencies: [{name: mysql, alias: db, version: 1.0.0}]\n"
    for condition in ("db.user=me", "(db.user = me) && (replicas != 1)", "global.region!="):
        asked = QUESTIONS.replace('"replicas=1"', condition)
        assert found(repo(ASKED, {f"{HOME}/Chart.yaml": chart, FILE: asked})) == ()
    values = {f"{HOME}/values.yaml": f"{VALUES}tolerations: {{}}\n"}
    asked = QUESTIONS.replace('"replicas=1"', "tolerations={}")
    assert found(repo(ASKED, {FILE: asked, **values})) == ()


@pytest.mark.parametrize(
    "expression", ["replicas > 1", "replicas>=2", '"a" in profiles', "!replicas", "replicas == 1 && x.y > 2"]
)
def test_expressions_of_the_new_ui_compare_in_more_ways(expression: str) -> None:
    assert found(changed(ASKED, FILE, ('show_if: "replicas=1"', f"if: '{expression}'"))) == ()
    (one,) = found(changed(ASKED, FILE, ('show_if: "replicas=1"', "if: 'replica == 1 && replicas > 1'")))
    assert (one.facts["fault"], one.facts["nearest"]) == ("name", "replicas")


def test_questions_may_take_keys_from_each_other() -> None:
    both = QUESTIONS.replace("  - variable: extra.anything", "  - &any\n    variable: extra.anything")
    assert found(repo(ASKED, {FILE: f"{both}  - <<: *any\n    label: Again\n"})) == ()


def test_what_only_an_overlay_holds_can_be_asked_for() -> None:
    asked = {"charts/iris/questions.yml": "questions:\n  - variable: image.tag\n    default: ''\n"}
    told = found(repo({**OVERLAYS, **asked}, {}))
    assert [one.code for one in told] == ["W3"]


def test_questions_follow_an_overlay_only_where_the_rules_say_so() -> None:
    gate, tag = QUESTIONS[: QUESTIONS.index("  - variable: replicas")], "develop-52666"
    asked = {
        "charts/iris/questions.yml": gate.replace(tag, "develop-1"),
        "charts/iris/values.yaml": f"defaultImage: true\n{OVERLAYS['charts/iris/values.yaml']}",
    }
    assert found(repo({**OVERLAYS, **asked}, {})) == ()
    rules = OVERLAYS[".updater/rules.yaml"].replace("  prod:", "    chart: {questions: true}\n  prod:")
    told = found(repo({**OVERLAYS, **asked}, {".updater/rules.yaml": rules}))
    assert places(told) == [("E14", "charts/iris/questions.yml", 10)]
    assert (told[0].facts["value"], told[0].facts["values"]) == (tag, "charts/iris/values-dev.yaml")


def test_defaults_that_follow_from_the_values_are_mended_byte_exactly() -> None:
    text = QUESTIONS.replace("default: develop-52666", "default: 'master-1'  # old").replace(
        "default: 100m", "default: 250m"
    )
    files = changed(ASKED, FILE, text)
    contents, done = mended(files, found(files))
    assert [one.code for one in done] == ["E14", "W2"]
    mended_text = text.replace("'master-1'", "'develop-52666'").replace("250m", "100m")
    assert contents == {FILE: mended_text.encode()}


def test_a_null_in_the_values_contradicts_no_default() -> None:
    values = changed(ASKED, f"{HOME}/values.yaml", VALUES.replace("replicas: 1", "replicas:"))
    assert found(values) == ()
    assert [one.code for one in found(changed(ASKED, f"{HOME}/values.yaml", VALUES.replace("s: 1", "s: ''")))]


def test_numbers_and_truth_values_are_mended_as_the_text_that_rancher_reads() -> None:
    files = changed(ASKED, FILE, ("default: 1\n", "default: 2\n"))
    assert mended(files, found(files))[0] == {FILE: QUESTIONS.replace("t: 1\n", 't: "1"\n').encode()}
    assert found(changed(ASKED, FILE, QUESTIONS.replace("t: 1\n", 't: "1"\n'))) == ()


def test_secrets_are_left_to_people() -> None:
    files = changed(
        ASKED, FILE, ("- variable: resources.limits.cpu", "- variable: profile\n    type: password")
    )
    (one,) = found(files)
    assert (one.code, one.fix) == ("W2", None)


def test_aliases_that_stand_for_millions_cost_no_time() -> None:
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, 60))
    assert found(repo(ASKED, {f"{HOME}/values.yaml": VALUES + bomb})) == ()
    asked = "questions:\n  - &q0 {variable: replicas, default: 1}\n" + "".join(
        f"  - &q{n} {{variable: replicas, default: 1, subquestions: [*q{n - 1}, *q{n - 1}]}}\n"
        for n in range(1, 40)
    )
    assert {one.code for one in found(repo(ASKED, {FILE: asked}))} == {"W20"}


def test_the_questions_of_the_original_account_are_told_by_their_faults() -> None:
    """An own copy of its faults: a stale tag, variables that are nowhere, a profile that is no option."""
    values = """\
        image: {repository: registry.example.com/iris, tag: master-10502}
        extraEnv: {SPRING_PROFILES_ACTIVE: development}
        resources:
          enabled: false
          resource: {requests: {cpu: 200m}, limits: {cpu: 200m}}
        """
    asked = """\
        questions:
        - variable: image.tag
          default: "master-7252"
        - variable: extraEnv.SPRING_PROFILES_ACTIVE
          type: enum
          options: [dev, prod]
          default: dev
        - variable: resources.enabled
          type: boolean
          default: true
          show_subquestion_if: true
          subquestions:
          - variable: resources.cpu
            default: 100m
          - variable: resources.memory
            default: 128Mi
        """
    told = places(found(repo(CATALOG, {f"{HOME}/values.yaml": values, f"{HOME}/questions.yml": asked})))
    assert [(code, line) for code, _, line in told] == [
        ("W3", 2),
        ("E14", 3),
        ("W2", 6),
        ("W2", 10),
        ("W1", 13),
        ("W1", 15),
    ]
