"""The rules of the product, case by case, on files in memory: who wins, what is written, why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import IRIS, Branch, content, deployed, notes, reason, request, told

from updater.charts import Survey
from updater.errors import InvalidConfigRepo
from updater.model import Caller, EnvironmentOutcome, OutcomeKind
from updater.plan import Draft, Ground, plan

KIND = OutcomeKind
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
NUMERIC = "{pattern: '^develop-(?P<build>[0-9]+)$'}"


def rules_text(tags: str = NUMERIC, extra: str = "") -> str:
    return f"environments:\n  dev:\n    files: charts/*/values.yaml\n    tags: {tags}\n{extra}"


class Desk(Branch):
    """A branch with one chart, iris."""

    def __init__(self, files: dict[str, str], rules: str | None = None) -> None:
        super().__init__({"charts/iris/Chart.yaml": "name: iris\n", **files}, rules or rules_text())


def one_image(tag: str = "develop-100", more: str = "") -> dict[str, str]:
    return {"charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  tag: {tag}\n{more}"}


def test_the_newest_wins_whoever_came_first() -> None:
    planned = Desk(one_image()).asks("iris:develop-103", "iris:develop-101", "iris:develop-102")
    assert told(planned) == {"r0": "committed", "r1": "superseded", "r2": "superseded"}
    assert {verdict.superseded_by for verdict in planned.verdicts} == {"", "develop-103"}
    assert len(planned.changes) == 1
    assert "tag: develop-103\n" in content(planned)


def test_numbers_are_compared_as_numbers() -> None:
    planned = Desk(one_image("develop-99")).asks("iris:develop-100")
    assert told(planned) == {"r0": "committed"}


def test_what_stands_supersedes_the_whole_queue() -> None:
    planned = Desk(one_image("develop-900")).asks("iris:develop-103", "iris:develop-101")
    assert told(planned) == {"r0": "superseded", "r1": "superseded"}
    assert {verdict.superseded_by for verdict in planned.verdicts} == {"develop-900"}
    assert planned.changes == ()


def test_the_same_image_twice_in_one_batch_is_one_change_for_both() -> None:
    planned = Desk(one_image()).asks("iris:develop-101", "iris:develop-101")
    assert told(planned) == {"r0": "committed", "r1": "committed"}
    assert [one.id for one in deployed(planned)[0].requests] == ["r0", "r1"]


def test_places_with_one_tag_move_together() -> None:
    files = one_image(more=f"worker:\n  image:\n    repository: {IRIS}\n    tag: develop-100\n")
    planned = Desk(files).asks("iris:develop-101")
    assert content(planned).count("develop-101") == 2
    assert len(planned.verdicts[0].places) == 2


def test_places_with_different_tags_are_refused_with_their_lines() -> None:
    files = one_image(more=f"worker:\n  image:\n    repository: {IRIS}\n    tag: develop-99\n")
    planned = Desk(files).asks("iris:develop-101")
    assert told(planned) == {"r0": "refused"}
    assert reason(planned) == "places-differ"
    assert planned.verdicts[0].reason.facts["lines"] == [
        "line 3: develop-100 (image.tag)",
        "line 7: develop-99 (worker.image.tag)",
    ]


def test_a_rule_with_a_path_decides_between_places() -> None:
    files = one_image(more=f"worker:\n  image:\n    repository: {IRIS}\n    tag: develop-99\n")
    pinned = f"images:\n  - {{repository: {IRIS}, file: charts/iris/values.yaml, path: worker.image.tag}}\n"
    planned = Desk(files, rules_text(extra=pinned)).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert "tag: develop-100\n" in content(planned)
    assert "    tag: develop-101\n" in content(planned)


def test_a_flavour_is_left_alone_beside_a_place_the_pattern_takes() -> None:
    files = one_image(more=f"debug:\n  image:\n    repository: {IRIS}\n    tag: develop-100-debug\n")
    planned = Desk(files).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert "develop-100-debug" in content(planned)
    assert len(planned.verdicts[0].places) == 1


@pytest.mark.parametrize("tag", ["stable", '""', "", "~"])
def test_a_foreign_or_empty_tag_is_adopted_and_named(tag: str) -> None:
    planned = Desk(one_image(tag)).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert notes(planned) == ["adopted"]
    assert "develop-101" in content(planned)


def test_a_missing_tag_key_is_added_as_one_line() -> None:
    files = {"charts/iris/values.yaml": f"image:\n  repository: {IRIS}\n  pullPolicy: Always\n"}
    planned = Desk(files).asks("iris:develop-101")
    assert content(planned) == f"image:\n  repository: {IRIS}\n  tag: develop-101\n  pullPolicy: Always\n"


def test_files_are_independent_and_the_strongest_is_told() -> None:
    files = {
        **one_image("develop-900"),
        "charts/batch/Chart.yaml": "name: batch\n",
        "charts/batch/values.yaml": one_image()["charts/iris/values.yaml"],
    }
    planned = Desk(files).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert set(planned.changes[0].files) == {"charts/batch/values.yaml"}
    assert notes(planned) == ["stays-newer"]
    assert planned.changes[0].charts == ("batch",)


def test_one_unsafe_place_refuses_the_image_in_the_environment() -> None:
    files = {
        **one_image(),
        "charts/batch/Chart.yaml": "name: batch\n",
        "charts/batch/values.yaml": f"image:\n  repository: {IRIS}\n  tag: >\n    develop-1\n    00\n",
    }
    planned = Desk(files).asks("iris:develop-101")
    assert told(planned) == {"r0": "refused"}
    assert reason(planned) == "unsafe-edit"
    assert "charts/batch/values.yaml:" in str(planned.verdicts[0].reason.facts["problem"])
    assert planned.changes == ()


def test_a_newer_build_that_cannot_be_written_does_not_take_an_older_one_down() -> None:
    files = one_image(more=f"  digest: {OTHER_DIGEST}\n")
    planned = Desk(files).asks("iris:develop-102", request(1, "iris:develop-101", digest=DIGEST))
    assert told(planned) == {"r0": "refused", "r1": "committed"}


def test_a_new_tag_beside_an_old_digest_is_refused() -> None:
    planned = Desk(one_image(more=f"  digest: {DIGEST}\n")).asks("iris:develop-101")
    assert told(planned) == {"r0": "refused"}
    assert reason(planned) == "digest-stands"


def test_by_rule_an_old_digest_is_cleared() -> None:
    rules = rules_text().replace("    files:", "    digest: clear\n    files:")
    planned = Desk(one_image(more=f"  digest: {DIGEST}\n"), rules).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert DIGEST not in content(planned)


def test_a_digest_that_came_is_written_where_there_is_a_place_even_an_empty_one() -> None:
    planned = Desk(one_image(more='  digest: ""\n')).asks(request(0, "iris:develop-101", digest=DIGEST))
    assert f'digest: "{DIGEST}"' in content(planned)
    assert notes(planned) == []


def test_without_a_place_for_the_digest_only_the_tag_is_written_and_said() -> None:
    planned = Desk(one_image()).asks(request(0, "iris:develop-101", digest=DIGEST))
    assert told(planned) == {"r0": "committed"}
    assert notes(planned) == ["digest-not-written"]
    assert DIGEST not in content(planned)


def test_tags_that_cannot_be_compared_are_written_in_the_order_received() -> None:
    desk = Desk(one_image("stable"), rules_text("{pattern: '.+', order: none}"))
    planned = desk.asks("iris:b", "iris:a")
    assert told(planned) == {"r0": "committed", "r1": "committed"}
    assert [change.image.tag for change in deployed(planned)] == ["b", "a"]
    assert deployed(planned)[1].previous == ("b",)
    assert set(notes(planned)) == {"no-order"}


def test_two_images_in_one_file_are_two_changes_and_both_stand() -> None:
    files = one_image(more="lily:\n  image:\n    repository: registry.example.com/lily\n    tag: develop-1\n")
    planned = Desk(files).asks("iris:develop-101", "lily:develop-2")
    assert len(planned.changes) == 2
    assert "develop-101" in content(planned)
    assert "develop-2\n" in content(planned)


TWO = """\
environments:
  dev: {files: charts/*/values-dev.yaml, tags: {pattern: '^develop-(?P<build>[0-9]+)$'}}
  lab: {files: charts/*/values-lab.yaml, tags: {pattern: '^develop-(?P<build>[0-9]+)$'}}
"""


def two_environments() -> dict[str, str]:
    overlay = one_image()["charts/iris/values.yaml"]
    return {"charts/iris/values-dev.yaml": overlay, "charts/iris/values-lab.yaml": overlay}


def test_without_a_name_every_environment_that_takes_the_tag_is_meant() -> None:
    planned = Desk(two_environments(), TWO).asks("iris:develop-101")
    assert [(verdict.environment, verdict.kind.value) for verdict in planned.verdicts] == [
        ("dev", "committed"),
        ("lab", "committed"),
    ]
    assert len(planned.changes) == 2


def test_an_environment_without_the_image_is_left_out_and_told_where_another_has_it() -> None:
    files = two_environments()
    del files["charts/iris/values-lab.yaml"]
    planned = Desk(files, TWO).asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert notes(planned) == ["image-not-used-there"]


def test_a_named_environment_without_the_image_is_refused() -> None:
    files = two_environments()
    del files["charts/iris/values-lab.yaml"]
    planned = Desk(files, TWO).asks(request(0, "iris:develop-101", environment="lab"))
    assert told(planned) == {"r0": "refused"}
    assert reason(planned) == "no-target"


@pytest.mark.parametrize("environment", [None, "lab"])
def test_an_image_that_is_used_where_its_tag_is_not_taken_is_refused_with_those_environments(
    environment: str | None,
) -> None:
    files = two_environments()
    del files["charts/iris/values-lab.yaml"]
    apart = "lab".join(TWO.rsplit("develop", 1))
    planned = Desk(files, apart).asks(request(0, "iris:lab-1", environment=environment))
    facts = planned.verdicts[0].reason.facts
    assert (reason(planned), facts["using"]) == ("no-target", [("dev", "^develop-(?P<build>[0-9]+)$")])
    if environment is None:
        facts = Desk(files, apart).asks("iris:main-1").verdicts[0].reason.facts
        assert (facts["using"], facts["image"]) == (["dev"], IRIS)


def test_a_token_reaches_only_its_environments() -> None:
    caller = Caller(name="ci", environments=("dev",))
    planned = Desk(two_environments(), TWO).asks(request(0, "iris:develop-101", caller=caller))
    assert [(verdict.environment, verdict.kind.value) for verdict in planned.verdicts] == [
        ("dev", "committed")
    ]
    assert notes(planned) == ["other-environment-not-allowed"]


def test_an_environment_settled_before_is_not_decided_again() -> None:
    done = (EnvironmentOutcome(environment="dev", kind=KIND.COMMITTED, code="committed", reason="done"),)
    planned = Desk(two_environments(), TWO).asks(request(0, "iris:develop-101", done=done))
    assert [verdict.environment for verdict in planned.verdicts] == ["lab"]


def test_an_environment_that_cannot_be_looked_at_waits_and_the_other_goes_on() -> None:
    desk = Desk(two_environments(), TWO)
    draft = Draft(desk.files)
    grounds: dict[str, Ground | InvalidConfigRepo] = {
        "dev": Ground("main", draft, Survey(draft)),
        "lab": InvalidConfigRepo("no branch"),
    }
    planned = plan(desk.rules, grounds, [request(0, "iris:develop-101")])
    assert [verdict.environment for verdict in planned.verdicts] == ["dev"]
    assert {one: str(problem) for one, problem in planned.waiting.items()} == {"r0": "no branch"}


def test_the_default_environment_warns_of_overlays_that_win() -> None:
    files = {**one_image(), "charts/iris/values-prod.yaml": "image:\n  tag: develop-1\n"}
    desk = Desk(files, "environments: {default: {}}\n")
    planned = desk.asks("iris:develop-101")
    assert told(planned) == {"r0": "committed"}
    assert notes(planned) == ["overlay-wins"]
    assert set(planned.changes[0].files) == {"charts/iris/values.yaml"}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 60))
def test_the_highest_number_always_ends_up_standing(builds: list[int], standing: int) -> None:
    planned = Desk(one_image(f"develop-{standing}")).asks(*(f"iris:develop-{build}" for build in builds))
    highest = max([*builds, standing])
    if highest == standing:
        assert planned.changes == ()
    else:
        assert len(planned.changes) == 1
        assert f"tag: develop-{highest}\n" in content(planned)
    for verdict, build in zip(
        sorted(planned.verdicts, key=lambda one: one.request.sequence), builds, strict=True
    ):
        expected = (
            KIND.SUPERSEDED if build < highest else KIND.UNCHANGED if highest == standing else KIND.COMMITTED
        )
        assert verdict.kind is expected


def test_a_named_environment_outside_the_token_is_said_before_anything_about_it() -> None:
    caller = Caller(name="ci", environments=("dev",))
    planned = Desk(two_environments(), TWO).asks(request(0, "iris:none-1", environment="lab", caller=caller))
    assert reason(planned) == "environment-not-allowed"
