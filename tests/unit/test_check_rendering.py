"""What `check` has rendered, and what it makes of the outcome; the renderings here are written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.files import DictFiles

from updater.check import Around, Finding, Ground, judged, trials
from updater.model import Render, Rendered

CHART = "apiVersion: v2\nname: iris\nversion: 0.1.0\n"
BASE = "image:\n  repository: registry.example.com/iris\n  tag: ''\n"
DEV, PROD = "charts/iris/values-dev.yaml", "charts/iris/values-prod.yaml"
REPO = {
    "charts/iris/Chart.yaml": CHART,
    "charts/iris/values.yaml": BASE,
    DEV: "image:\n  tag: develop-2\n",
    PROD: "image:\n  tag: main-1\n",
    ".updater/rules.yaml": (
        "environments:\n"
        "  dev: {files: charts/*/values-dev.yaml}\n"
        "  prod: {files: charts/*/values-prod.yaml, delivery: merge-request}\n"
    ),
}
POD = """\
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: main
          image: %s
"""


def ground(files: Mapping[str, str | None]) -> Ground:
    return Ground(DictFiles({path: text for path, text in files.items() if text is not None}))


def values(files: Mapping[str, str | None]) -> list[tuple[str, tuple[str | bytes, ...]]]:
    wanted, _ = trials(ground(files))
    return [(one.render.chart, one.render.values) for one in wanted]


def untried(files: Mapping[str, str | None]) -> list[tuple[str, object]]:
    _, problems = trials(ground(files))
    return [(one.file, one.facts["fault"]) for one in problems]


def found(files: Mapping[str, str | None], text: str = "", words: str = "") -> list[Finding]:
    """Return what is found when every trial comes out the same."""
    here = ground(files)
    wanted, _ = trials(here)
    return list(judged(here, [(one, Rendered(one.render, text, words)) for one in wanted]))


def told(findings: list[Finding]) -> list[tuple[str, str, int]]:
    return [(one.code, one.file, one.line) for one in findings]


# What is rendered


def test_a_chart_is_rendered_with_the_file_of_each_environment_and_not_alone() -> None:
    assert values(REPO) == [("charts/iris", (DEV,)), ("charts/iris", (PROD,))]


def test_a_chart_without_overlays_is_rendered_alone_whether_it_is_managed_or_not() -> None:
    files = {**REPO, "charts/rose/Chart.yaml": CHART, "charts/rose/values.yaml": BASE}
    assert ("charts/rose", ()) in values(files)
    assert values({**files, ".updater/rules.yaml": None})[0] == ("charts/iris", ())


def test_sub_charts_libraries_old_versions_and_hidden_folders_are_not_rendered_by_themselves() -> None:
    files = {
        "charts/a/1.9.0/Chart.yaml": CHART,
        "charts/a/1.10.0/Chart.yaml": CHART,
        "charts/a/1.10.0/charts/sub/Chart.yaml": CHART,
        "charts/lib/Chart.yaml": CHART + "type: library\n",
        ".hidden/Chart.yaml": CHART,
        "charts/broken/Chart.yaml": "name: [\n",
    }
    assert values(files) == [("charts/a/1.10.0", ())]


def test_a_base_other_than_the_charts_own_values_goes_below_the_overlay() -> None:
    rules = "environments: {dev: {files: 'env/dev/*.yaml', base: 'charts/{chart}/common.yaml'}}\n"
    files = {
        **REPO,
        "charts/iris/common.yaml": BASE,
        "env/dev/iris.yaml": "image: {tag: develop-1}\n",
        ".updater/rules.yaml": rules,
    }
    assert values(files) == [("charts/iris", ("charts/iris/common.yaml", "env/dev/iris.yaml"))]


FLEET = """\
helm:
  chart: .
  values: {a: 1}
  valuesFiles: [common.yaml]
targetCustomizations:
  - name: dev
    helm: {values: {b: 2}, valuesFiles: [values-dev.yaml]}
  - name: off
    doNotDeploy: true
    helm: {valuesFiles: [values-off.yaml]}
"""


def test_what_fleet_lays_over_a_chart_is_laid_over_it_in_the_same_order() -> None:
    files = {**REPO, "charts/iris/fleet.yaml": FLEET, "charts/iris/common.yaml": ""}
    files["charts/iris/values-off.yaml"] = ""
    layers = (b'{"a": 1}', "charts/iris/common.yaml", b'{"b": 2}', DEV)
    assert values(files) == [("charts/iris", layers), ("charts/iris", (PROD,))]
    wanted, _ = trials(ground(files))
    assert [one.tag for one in wanted[0].targets] == ["develop-2"]


@pytest.mark.parametrize(
    "fleet",
    [
        "helm: {chart: https://charts.example.com/iris}\ntargetCustomizations: [{helm: {values: {a: 1}}}]",
        "helm: {chart: ../../../iris, values: {a: 1}}",
        "helm: {repo: https://charts.example.com, values: {a: 1}}",
        "targetCustomizations: [{helm: {valuesFiles: [absent.yaml]}}]",
        "helm: {valuesFiles: [values-prod.yaml]}",
        "helm: &a [*a]",
        "- a list",
    ],
)
def test_a_fleet_yaml_that_lays_nothing_over_this_chart_changes_nothing(fleet: str) -> None:
    assert values({**REPO, "charts/iris/fleet.yaml": fleet}) == values(REPO)


def test_a_fleet_yaml_elsewhere_may_name_the_chart_below_it() -> None:
    files = {**REPO, "charts/fleet.yaml": "helm: {chart: ./iris, values: {a: 1}}\n"}
    assert values(files)[0] == ("charts/iris", (b'{"a": 1}',))


def depending(repository: str) -> str:
    return f"{CHART}dependencies:\n  - {{name: common, version: 0.1.0, repository: '{repository}'}}\n"


def test_a_dependency_is_carried_lent_or_missing() -> None:
    wanting = {**REPO, "charts/iris/Chart.yaml": depending("https://charts.example.com")}
    assert untried(wanting) == [("charts/iris/Chart.yaml", "dependency")]
    assert values(wanting) == []
    for carried in ("charts/iris/charts/common/Chart.yaml", "charts/iris/charts/common-0.1.0.tgz"):
        assert untried({**wanting, carried: CHART}) == []
    lent = {
        **REPO,
        "charts/iris/Chart.yaml": depending("file://../common"),
        "charts/common/Chart.yaml": CHART,
    }
    assert untried(lent) == []
    wanted, _ = trials(ground(lent))
    assert wanted[1].render == Render(
        chart="charts/iris", values=(DEV,), borrowed=(("charts/common", "common"),)
    )
    assert untried({**lent, "charts/common/Chart.yaml": None}) == [("charts/iris/Chart.yaml", "dependency")]


def test_a_chart_with_a_link_in_it_is_not_tried() -> None:
    files = DictFiles({path: text for path, text in REPO.items() if text is not None})
    wanted, problems = trials(Ground(files, around=Around({"charts/iris/templates/_common.tpl": "file"})))
    assert (wanted, [one.facts["fault"] for one in problems]) == ([], ["link"])
    wanted, problems = trials(Ground(files, around=Around({"charts/iris-2/templates/_common.tpl": "file"})))
    assert (len(wanted), problems) == (2, [])


def test_values_without_a_tag_were_made_for_an_overlay_and_are_not_rendered_alone() -> None:
    fleet = "targetCustomizations: [{helm: {valuesFiles: [values-dev.yaml]}}]\n"
    files = {**REPO, ".updater/rules.yaml": None, "charts/iris/fleet.yaml": fleet}
    assert values(files) == [("charts/iris", (DEV,))]
    own = {**files, "charts/iris/values.yaml": BASE.replace("''", "main-1")}
    assert values(own) == [("charts/iris", (DEV,)), ("charts/iris", ())]


# What the outcome proves


def test_the_image_as_it_is_written_is_no_finding() -> None:
    only_dev = {**REPO, PROD: None}
    assert found(only_dev, POD % "registry.example.com/iris:develop-2") == []
    assert found(only_dev, POD % "'REGISTRY.example.com/iris:develop-2'") == []


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("registry.example.com/iris:develop-1", ["registry.example.com/iris:develop-1"]),
        ("registry.example.com/iris", ["registry.example.com/iris"]),
        ("registry.example.com/iris:1.234567e+06", ["registry.example.com/iris:1.234567e+06"]),
    ],
)
def test_another_tag_or_none_is_an_error_where_the_tag_is_written(image: str, shown: list[str]) -> None:
    findings = found({**REPO, PROD: None}, POD % image)
    assert told(findings) == [("E10", DEV, 2)]
    assert findings[0].facts["shown"] == shown
    assert findings[0].facts["tag"] == "develop-2"


@pytest.mark.parametrize("where", ["initContainers", "ephemeralContainers"])
def test_every_kind_of_container_in_whatever_makes_pods_counts(where: str) -> None:
    text = (
        "kind: List\nitems:\n- kind: CronJob\n  spec: {jobTemplate: {spec: {template: {spec: {"
        + f"{where}: [{{image: 'registry.example.com/iris:develop-2'}}]"
        + "}}}}}\n"
    )
    assert found({**REPO, PROD: None}, text) == []
    assert told(found({**REPO, PROD: None}, text.replace("develop-2", "develop-3"))) == [("E10", DEV, 2)]


DIGEST = "sha256:" + "a" * 64
PINNED = {**REPO, PROD: None, DEV: f"image:\n  tag: develop-2\n  digest: {DIGEST}\n"}


@pytest.mark.parametrize(
    ("image", "codes"),
    [
        (f"registry.example.com/iris:develop-2@{DIGEST}", []),
        (f"registry.example.com/iris@{DIGEST}", []),
        ("registry.example.com/iris:develop-2", ["E10"]),
        (f"registry.example.com/iris:develop-2@sha256:{'b' * 64}", ["E10"]),
    ],
)
def test_a_digest_that_is_written_must_come_out(image: str, codes: list[str]) -> None:
    assert [one.code for one in found(PINNED, POD % f"'{image}'")] == codes


def test_an_image_that_comes_out_nowhere_is_a_warning() -> None:
    only_dev = {**REPO, PROD: None}
    assert told(found(only_dev, POD % "registry.example.com/rose:develop-2")) == [("W19", DEV, 2)]
    assert told(found(only_dev, "kind: ConfigMap\n")) == [("W19", DEV, 2)]


def test_an_image_in_an_argument_or_a_custom_resource_is_there() -> None:
    only_dev = {**REPO, PROD: None}
    assert found(only_dev, "args: ['--image=registry.example.com/iris:develop-2']\n") == []
    assert told(found(only_dev, "args: ['--image=registry.example.com/iris:develop-22']\n")) == [
        ("W19", DEV, 2)
    ]


def test_a_part_that_is_switched_off_need_not_come_out() -> None:
    off = {**REPO, PROD: None, "charts/iris/values.yaml": BASE.replace("image:", "enabled: false\nimage:")}
    assert found(off, "kind: ConfigMap\n") == []
    on = {**off, DEV: f"enabled: true\n{REPO[DEV]}"}
    assert told(found(on, "kind: ConfigMap\n")) == [("W19", DEV, 3)]


def test_the_last_values_say_whether_a_part_is_switched_off() -> None:
    fleet = "targetCustomizations: [{helm: {valuesFiles: [common.yaml, values-dev.yaml]}}]\n"
    files = {
        **REPO,
        PROD: None,
        "charts/iris/fleet.yaml": fleet,
        "charts/iris/common.yaml": "enabled: false\n",
    }
    assert found(files, "kind: ConfigMap\n") == []
    assert [one.code for one in found({**files, DEV: f"enabled: true\n{REPO[DEV]}"}, "a: 1\n")] == ["W19"]


def test_a_tag_that_is_empty_is_somebody_elses_finding() -> None:
    assert found({**REPO, PROD: None, DEV: "image:\n  tag: ''\n"}, POD % "registry.example.com/iris") == []


def test_what_cannot_be_read_as_yaml_is_searched_as_text() -> None:
    assert found({**REPO, PROD: None}, "a: [\nregistry.example.com/iris:develop-2\n") == []


# What Helm says


def test_the_same_words_for_two_overlays_are_one_finding_with_both() -> None:
    [only] = found(REPO, words="execution error at (iris/templates/d.yaml:3:4): no way")
    assert only.code == "E9"
    assert only.facts == {
        "words": "execution error at (iris/templates/d.yaml:3:4): no way",
        "values": [DEV, PROD],
    }


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (
            "parse error at (iris/templates/d.yaml:4): unterminated character constant",
            ("templates/d.yaml", 4),
        ),
        (
            'template: iris/templates/d.yaml:4:20: executing "iris/templates/d.yaml" at '
            '<{{template "f" .}}>: template "f" not defined',
            ("templates/d.yaml", 4),
        ),
        (
            'iris/templates/d.yaml:4:20\n  executing "iris/templates/d.yaml" at <{{template "f" .}}>:\n'
            '    template "f" not defined',
            ("templates/d.yaml", 4),
        ),
        (
            'template: iris/templates/d.yaml:1:6: executing "iris/templates/d.yaml" at <include "x" .>: '
            'error calling include: template: iris/templates/_h.tpl:2:10: executing "x" at <.Values.a.b>: '
            "nil pointer",
            ("templates/_h.tpl", 2),
        ),
        (
            "YAML parse error on iris/templates/d.yaml: error converting YAML to JSON: yaml: line 2: did not",
            ("templates/d.yaml", 0),
        ),
        ("failed to parse charts/iris/values-dev.yaml: error: yaml: line 2: found", ("values-dev.yaml", 2)),
        ("cannot load values.yaml: error converting YAML to JSON: yaml: line 1: did", ("values.yaml", 1)),
        ("execution error at (iris/charts/sub/templates/s.yaml:7:4): no", ("charts/sub/templates/s.yaml", 7)),
        (
            "values don't meet the specifications of the schema(s) in the following chart(s):",
            ("Chart.yaml", 0),
        ),
        ("execution error at (iris/templates/gone.yaml:7:4): no", ("Chart.yaml", 0)),
        ("there is no folder iris/charts", ("Chart.yaml", 0)),
    ],
)
def test_helms_words_are_placed_in_the_repo(words: str, place: tuple[str, int]) -> None:
    files = {
        **REPO,
        "charts/iris/templates/d.yaml": "",
        "charts/iris/templates/_h.tpl": "",
        "charts/iris/charts/sub/templates/s.yaml": "",
        "charts/iris/Chart.yaml": f"{CHART}dependencies: [{{name: sub, alias: under}}]\n",
    }
    name, line = place
    assert told(found(files, words=words)) == [("E9", f"charts/iris/{name}", line)]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("chart requires kubeVersion: >= 1.99.0 which is incompatible with Kubernetes v1.32.0", "kubernetes"),
        ("found in Chart.yaml, but missing in charts/ directory: redis", "dependency"),
        ("helm template did not end within 60 seconds", "slow"),
    ],
)
def test_what_this_machine_lacks_is_no_fault_of_the_chart(words: str, fault: str) -> None:
    [only] = found(REPO, words=words)
    assert (only.code, only.file, only.facts["fault"]) == ("W18", "charts/iris/Chart.yaml", fault)
