"""Each check by its code: a repo with the fault is told with file and line, and the mended one is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.checks import CATALOG, CHART, MESSAGES, OVERLAYS, changed, found, places, repo

from updater.check import CODES, Finding, fingerprints, mended

_CODE = re.compile(r"\b[EW][1-9][0-9]?\b")
IRIS = "charts/iris"
CHART_FILE, VALUES, DEV = f"{IRIS}/Chart.yaml", f"{IRIS}/values.yaml", f"{IRIS}/values-dev.yaml"
NEW = "charts/iris/0.1.52666/Chart.yaml"
RULES, HOLDS = ".updater/rules.yaml", ".updater/holds.yaml"
VERSION, BUILD, TAG = "0.1.0", "0.1.52666", "develop-52666"
NAME, ICON = "name: iris", "icon: file://icon.svg\n"
IMAGE = "image: {repository: registry.example.com/iris, tag: develop-1}\n"
HOLD = "holds:\n  - environment: dev\n    chart: iris\n"

# A code, the repo, a file of it that is changed (one text in it, or all of it), and the line that is told
# then. The repo itself has no finding.
Row = tuple[str, Mapping[str, str], str, "str | tuple[str, str]", int]
ROWS: list[Row] = [
    ("E1", OVERLAYS, CHART_FILE, (NAME, "name: ["), 4),
    ("E1", OVERLAYS, CHART_FILE, "", 1),
    ("E1", OVERLAYS, CHART_FILE, (NAME, ""), 1),
    ("E1", OVERLAYS, CHART_FILE, (VERSION, ""), 3),
    ("E1", OVERLAYS, CHART_FILE, ("v2", "v3"), 1),
    ("E1", OVERLAYS, "charts/rose/chart.yaml", CHART.replace("iris", "rose"), 1),
    ("E2", OVERLAYS, CHART_FILE, (VERSION, "v0.1.0"), 3),
    ("E2", OVERLAYS, CHART_FILE, (VERSION, "0.1"), 3),
    ("E2", OVERLAYS, CHART_FILE, (VERSION, "0.1.052666"), 3),
    ("E2", OVERLAYS, CHART_FILE, (NAME, "name: Iris_2"), 2),
    ("E2", OVERLAYS, CHART_FILE, (NAME, "name: 12"), 2),
    ("E2", CATALOG, NEW, (BUILD, f"{BUILD}+5"), 3),
    ("E3", CATALOG, NEW, (BUILD, "0.1.52665"), 3),
    ("E5", OVERLAYS, DEV, "image:\n\ttag: develop-52666\n", 2),
    ("E5", OVERLAYS, VALUES, ("image:", "replicas: 2\nimage:"), 2),
    ("E6", OVERLAYS, DEV, (TAG, "1.10"), 2),
    ("E6", OVERLAYS, DEV, (TAG, "!!float 1.10"), 2),
    ("E6", OVERLAYS, DEV, (TAG, "develop/1"), 2),
    ("E6", OVERLAYS, DEV, (TAG, ""), 2),
    ("E8", OVERLAYS, "index.yaml", "apiVersion: v1\nentries: {}\n", 1),
    ("E17", OVERLAYS, RULES, "environments:\n  dev:\n    brnach: dev\n", 3),
    ("E18", OVERLAYS, HOLDS, HOLD.replace("dev", "qa"), 2),
    ("E18", OVERLAYS, HOLDS, "holds: 1\n", 1),
    ("E19", OVERLAYS, DEV, f"a:\n  {IMAGE}b:\n  {IMAGE.replace('-1', '-2')}", 2),
    ("E19", OVERLAYS, DEV, "global: {tag: a}\nimage:\n  repository: iris\n", 3),
    ("E20", OVERLAYS, CHART_FILE, (ICON, f"{ICON}name: iris\n"), 5),
    ("W4", OVERLAYS, CHART_FILE, (ICON, f"{ICON}appVersion: 1.10\n"), 5),
    ("W6", CATALOG, NEW, (BUILD, "0.1.0-develop.1"), 3),
    ("W7", CATALOG, "charts/rose/Chart.yaml", CHART.replace(NAME, "name: rose"), 1),
    ("W8", OVERLAYS, DEV, (TAG, "latest"), 2),
    ("W13", CATALOG, NEW, (ICON, ""), 1),
    ("W16", OVERLAYS, HOLDS, HOLD.replace("iris", "rose"), 3),
    ("E24", OVERLAYS, RULES, ("values-dev", "values-test"), 2),
]


@pytest.mark.parametrize("base", [OVERLAYS, CATALOG], ids=["overlays", "catalog"])
def test_nothing_is_found_where_nothing_is_wrong(base: Mapping[str, str]) -> None:
    assert found(repo(base, {})) == ()


@pytest.mark.parametrize(("code", "base", "file", "change", "line"), ROWS)
def test_a_fault_is_told_by_its_code_with_file_and_line(
    code: str, base: Mapping[str, str], file: str, change: str | tuple[str, str], line: int
) -> None:
    assert places(found(changed(base, file, change))) == [(code, file, line)]


def test_every_code_is_tried() -> None:
    tests = Path(__file__).parent.parent
    tried = {code for path in tests.rglob("test_*check*.py") for code in _CODE.findall(path.read_text())}
    assert tried - {"E99"} == CODES


def test_names_are_measured_with_the_catalog_before_them() -> None:
    assert found(repo(CATALOG, {}), catalog="library") == ()
    told = found(repo(CATALOG, {}), catalog="c" * 59)
    assert {one.code for one in told} == {"E4"}
    assert {one.facts["length"] for one in told} == {64}


def test_old_versions_that_rancher_shows_already_are_left_alone() -> None:
    for version, codes in {"0.1.52664+up1.0.0": [], "0.1.52664-RC": [], "0.1.052664": ["E2"]}.items():
        old = {f"{IRIS}/0.1.52664/Chart.yaml": CHART.replace(VERSION, version)}
        assert [one.code for one in found(repo(CATALOG, old))] == codes


def test_an_app_version_without_quotes_is_told_by_what_it_breaks() -> None:
    for word, sentence in {"v1.2.3": "Nothing yet", "1.10": "`helm lint` refuses a number there"}.items():
        (one,) = found(changed(OVERLAYS, CHART_FILE, (ICON, f"{ICON}appVersion: {word}\n")))
        assert MESSAGES.tell(one.code, one.facts).breaks.startswith(sentence)


def test_tags_in_overlays_are_looked_at_before_there_are_rules() -> None:
    for text, codes in {
        TAG: [],
        "1.10": ["E6"],
        "2026-01-01": ["E6"],
        "<tag>": [],
        "latest": ["W8"],
    }.items():
        told = found(repo(OVERLAYS, {RULES: None, DEV: OVERLAYS[DEV].replace(TAG, text)}))
        assert [one.code for one in told if one.file == DEV] == codes


@pytest.mark.parametrize(
    ("text", "codes"), [("- a\n", ["E5"]), ("a\n", ["E5"]), ("", []), ("~\n", []), ("# a\n", [])]
)
def test_values_are_a_mapping_or_nothing(text: str, codes: list[str]) -> None:
    assert [one.code for one in found(repo(OVERLAYS, {f"{IRIS}/values-test.yaml": text}))] == codes


@pytest.mark.parametrize(
    ("word", "rules"), [("*v", ""), ("!!str 1.10", ""), ("|\n  1.10", "app-version: true")]
)
def test_what_cannot_be_mended_is_not_promised(word: str, rules: str) -> None:
    chart = OVERLAYS[CHART_FILE] + f"annotations: {{of: &v 1.10}}\nappVersion: {word}\n"
    files = {CHART_FILE: chart, RULES: f"{OVERLAYS[RULES]}    chart: {{{rules}}}\n"}
    (one,) = found(repo(OVERLAYS, dict(files)))
    assert (one.code, one.fix) == ("W4", None)


def test_a_tag_that_is_illegal_as_text_too_is_not_put_in_quotes() -> None:
    (one,) = found(changed(OVERLAYS, DEV, (TAG, ".inf")))
    assert (one.code, one.facts["fault"], one.fix) == ("E6", "illegal", None)


def test_symbolic_links_break_catalogs_only() -> None:
    assert places(found(repo(CATALOG, {}), links={"README.md": "file"})) == [("E7", "README.md", 0)]
    assert found(repo(OVERLAYS, {}), links={"README.md": "file"}) == ()


def test_a_link_that_hides_files_is_told_once_and_nothing_that_follows() -> None:
    links = {f"{IRIS}/templates/_helpers.tpl": "file", "charts/rose": "folder", f"{IRIS}/LICENSE": "file"}
    fleet = "helm: {releaseName: rose, chart: ./rose, valuesFiles: [rose/values-dev.yaml]}\n"
    text = "kind: ConfigMap\nmetadata: {name: '{{ include \"iris.name\" . }}'}\n"
    files: dict[str, str | None] = {f"{IRIS}/templates/config.yaml": text, "charts/fleet.yaml": fleet}
    (one,) = found(repo(OVERLAYS, files), links=links)
    assert (one.code, one.file, one.facts["others"]) == (
        "W22",
        f"{IRIS}/templates/_helpers.tpl",
        ["charts/rose"],
    )
    assert {one.code for one in found(repo(OVERLAYS, files))} == {"E13", "E21"}


def test_a_link_that_leads_nowhere_is_an_error() -> None:
    assert places(found(repo(OVERLAYS, {}), links={"README.md": ""})) == [("E7", "README.md", 0)]
    assert found(repo(OVERLAYS, {}), links={".cache/README.md": ""}) == ()


def test_rules_on_another_branch_are_told() -> None:
    rules = "environments:\n  dev:\n    branch: dev\n"
    files = repo({".updater/rules.yaml": rules, **CATALOG}, {})
    assert [one.code for one in found(files, branch="dev", default_branch="main")] == ["W15"]
    assert "W15" not in [one.code for one in found(files, branch="main", default_branch="main")]


FOLLOWING = "chart: {version: build, directory: true, app-version: true}"
FOLLOWED = {
    path: f'{text}appVersion: "develop-{path.split("/")[2].rpartition(".")[2]}"\n'
    for path, text in CATALOG.items()
    if path.endswith("Chart.yaml")
}
RULED = {**CATALOG, **FOLLOWED, RULES: f"environments:\n  dev:\n    {FOLLOWING}\n"}


def test_the_rules_say_whether_it_is_a_catalog() -> None:
    assert found(repo(RULED, {}), links={"link": "file"})[0].code == "E7"
    none = "environments:\n  dev:\n    chart: {questions: true}\n"
    assert found(repo(RULED, {RULES: none}), links={"link": "file"}) == ()


@pytest.mark.parametrize(
    ("rules", "more", "is_catalog"),
    [
        ("chart: {version: patch}", {}, True),
        ("chart: {app-version: true}", {}, False),
        ("", {}, True),
        ("", {f"{IRIS}/values-dev.yaml": "a: 1\n"}, False),
        ("", {f"{IRIS}/fleet.yaml": "helm: {releaseName: iris}\n"}, False),
        ("", {"charts/rose/1.0.0/Chart.yaml": CHART.replace(NAME, "name: rose"), DEV: "a: 1\n"}, True),
        ("", {CHART_FILE: None, VALUES: None}, False),
    ],
)
def test_rules_or_habits_say_whether_it_is_a_catalog(
    rules: str, more: dict[str, str | None], is_catalog: bool
) -> None:
    flat = {CHART_FILE: f'{CHART}appVersion: "develop-1"\n', VALUES: IMAGE}
    ruled = {RULES: f"environments:\n  dev:\n    {rules}\n"} if rules else {}
    told = found(repo({**flat, **ruled}, more), links={"link": "file"})
    assert ("E7" in [one.code for one in told]) is is_catalog


def test_environments_of_other_branches_are_checked_only_where_nobody_knows_the_branch() -> None:
    rules = (
        f"environments:\n  dev:\n    branch: dev\n    {FOLLOWING.replace('}', ', keep: 3}')}\n  prod: {{}}\n"
    )
    files = repo({**RULED, RULES: rules}, {})
    for branch, codes in {"": ["W12"], "feature": ["W12"], "main": [], "dev": ["W15"]}.items():
        told = found(files, branch=branch, default_branch="main")
        assert [one.code for one in told if one.file == RULES] == codes


def test_what_only_looks_like_values_is_not_read_as_such() -> None:
    others = {f"{IRIS}/values.schema.json": '{"a": 1, "a": 2}', f"{IRIS}/files/values.yaml": "a: {{ .x }}\n"}
    assert found(repo({**OVERLAYS, **others}, {})) == ()
    assert [one.code for one in found(repo(OVERLAYS, {f"{IRIS}/ci/values.yaml": "a: {{ .x }}\n"}))] == ["E5"]


def test_fewer_versions_than_rancher_keeps_are_told() -> None:
    assert found(repo(RULED, {})) == ()
    files = changed(RULED, RULES, (FOLLOWING, "chart: {version: build, directory: true,\n      keep: 3}"))
    assert places(found(files)) == [("W12", RULES, 4)]


def test_the_app_version_is_the_tag_where_the_rules_say_so() -> None:
    files = changed(RULED, NEW, ('"develop-52666"', "develop-1 # old"))
    told = found(files)
    assert places(told) == [("W4", NEW, 5)]
    contents, done = mended(files, told)
    assert (contents, done) == ({NEW: RULED[NEW].encode()[:-1] + b" # old\n"}, told)
    assert found(changed(CATALOG, NEW, (ICON, f'{ICON}appVersion: "9"\n'))) == ()


def test_an_empty_tag_is_right_where_templates_fall_back_to_the_app_version() -> None:
    empty: dict[str, str | None] = {DEV: "image:\n  tag: ''\n"}
    assert [one.code for one in found(repo(OVERLAYS, empty))] == ["E6"]
    empty[f"{IRIS}/templates/pod.yaml"] = "image: {{ .Values.image.tag | default .Chart.AppVersion }}\n"
    assert found(repo(OVERLAYS, empty)) == ()


def test_a_tag_that_yaml_is_told_to_take_for_a_string_is_one() -> None:
    assert "E6" not in [one.code for one in found(changed(OVERLAYS, DEV, (TAG, "!!str 20260101")))]


def test_another_flavour_of_an_image_may_carry_another_tag() -> None:
    flavours = f"a:\n  {IMAGE}b:\n  {IMAGE.replace('develop-1', 'alpine-2')}"
    assert found(changed(OVERLAYS, DEV, flavours)) == ()


def test_overlays_far_from_their_chart_fall_back_with_it() -> None:
    rules = "environments:\n  dev: {files: envs/dev/*.yaml, base: 'charts/{chart}/values.yaml'}\n"
    files = {RULES: rules, "envs/dev/iris.yaml": "image:\n  tag: ''\n"}
    assert places(found(repo(OVERLAYS, dict(files)))) == [("E6", "envs/dev/iris.yaml", 2)]
    text = "image: {{ .Values.image.tag | default .Chart.AppVersion }}\n"
    assert found(repo(OVERLAYS, {**files, f"{IRIS}/templates/pod.yaml": text})) == ()


def test_what_kustomize_leaves_as_it_is_needs_no_tag() -> None:
    files = {
        RULES: "environments:\n  dev: {files: [apps/kustomization.yaml, apps/pod.yaml]}\n",
        "apps/kustomization.yaml": "kind: Kustomization\nimages:\n  - {name: iris, newTag: a-1}\n"
        "  - {name: rose, newName: red}\n",
        "apps/pod.yaml": "kind: Pod\nspec:\n  containers:\n    - {name: a, image: iris}\n",
    }
    assert found(repo(files, {})) == ()
    assert places(found(changed(files, "apps/pod.yaml", ("iris", "lily")))) == [("W8", "apps/pod.yaml", 4)]


def test_an_index_whose_packages_are_there_is_meant() -> None:
    index = "apiVersion: v1\nentries:\n  iris:\n    - version: 0.1.0\n      urls: [iris-0.1.0.tgz]\n"
    assert [one.code for one in found(repo(OVERLAYS, {"index.yaml": index}))] == ["E8"]
    assert found(repo(OVERLAYS, {"index.yaml": index, "iris-0.1.0.tgz": "packed"})) == ()


def test_files_in_hidden_folders_are_nobodys() -> None:
    assert found(repo(OVERLAYS, {".cache/iris/Chart.yaml": "name: ["})) == ()


def test_sub_charts_are_read_and_not_listed() -> None:
    sub = f"{IRIS}/charts/mail/Chart.yaml"
    assert found(repo(OVERLAYS, {sub: CHART.replace("icon", "#")})) == ()
    assert places(found(repo(OVERLAYS, {sub: "name: mail\n"}))) == [("E1", sub, 1), ("E1", sub, 1)]


def test_a_fingerprint_stays_when_lines_move_and_equal_faults_have_two() -> None:
    def names(text: str) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        told = found(repo(OVERLAYS, {VALUES: text}))
        return told, fingerprints(told)

    text = f"a: 1\na: 2\nb: {{x: 1, x: 2}}\nc: {{x: 1, x: 2}}\n{OVERLAYS[VALUES]}"
    before, after = names(text), names(f"# moved\n\n{text}")
    assert [one.line for one in after[0]] == [one.line + 2 for one in before[0]] == [4, 5, 6]
    assert before[1] == after[1]
    assert len(set(before[1])) == 3
