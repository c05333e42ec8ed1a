"""fleet.yaml, GitRepo manifests and catalogs written down: what Fleet and Rancher make of them."""

from __future__ import annotations

import pytest
from support.checks import CATALOG, OVERLAYS, changed, found, places, repo

HOME = "charts/iris"
FLEET, DEV = f"{HOME}/fleet.yaml", f"{HOME}/values-dev.yaml"
BUNDLE = """\
helm:
  releaseName: iris
targetCustomizations:
  - name: dev
    clusterSelector: {matchLabels: {env: dev}}
    helm:
      valuesFiles:
        - values-dev.yaml
  - name: prod
    clusterSelector: {matchLabels: {env: prod}}
    helm: {valuesFiles: [values-prod.yaml]}
"""
FLEETED = {**OVERLAYS, FLEET: BUNDLE}
GIT_REPO = """\
kind: GitRepo
apiVersion: fleet.cattle.io/v1alpha1
metadata: {name: config}
spec:
  repo: https://gitlab.example.com/platform/config.git
  webhookSecret: webhook
  paths: [charts/*]
"""
CLUSTER = "kind: Catalog\napiVersion: management.cattle.io/v3\nmetadata: {name: library}\nspec:\n  url: x\n"

ROWS: list[tuple[str, str | tuple[str, str], int]] = [
    ("E13", ("helm:\n  rel", "helm:\n\trel"), 2),
    ("E13", ("- values-dev.yaml", "- values-test.yaml"), 8),
    ("E13", ("- values-dev.yaml", "- ../rose/values.yaml"), 8),
    ("E13", ("  releaseName", "  valuesFiles: [values-dev.yaml]\n  releaseName"), 2),
    ("E13", ("  releaseName", "  chart: ../../charts/rose\n  releaseName"), 2),
    ("E13", ("  releaseName", "  chart: ./rose\n  releaseName"), 2),
    ("E20", ("  releaseName", "  releaseName: rose\n  releaseName"), 3),
    ("W9", ("  releaseName: iris", "  atomic: true"), 1),
    ("W9", ("helm:\n  releaseName: iris\n", ""), 1),
]


def test_nothing_is_found_where_fleet_finds_everything() -> None:
    assert found(repo(FLEETED, {"fleet/dev.yaml": GIT_REPO})) == ()


@pytest.mark.parametrize(("code", "change", "line"), ROWS)
def test_a_fault_in_fleet_yaml_is_told_with_its_line(
    code: str, change: str | tuple[str, str], line: int
) -> None:
    assert places(found(changed(FLEETED, FLEET, change))) == [(code, FLEET, line)]


def test_the_other_spelling_counts_where_the_first_is_not_there() -> None:
    other = FLEET.replace(".yaml", ".yml")
    broken = BUNDLE.replace("- values-dev.yaml", "- values-test.yaml")
    assert places(found(repo(FLEETED, {FLEET: None, other: broken}))) == [("E13", other, 8)]
    assert found(repo(FLEETED, {other: broken})) == ()


@pytest.mark.parametrize(
    ("chart", "fault"), [("../rose", "outside"), ("/rose", "outside"), ("./rose", "no-chart"), (".", "")]
)
def test_the_chart_of_a_bundle_lies_in_its_folder(chart: str, fault: str) -> None:
    files = changed(FLEETED, FLEET, ("  releaseName", f"  chart: {chart}\n  releaseName"))
    assert [one.facts["fault"] for one in found(files)] == [fault] * bool(fault)


def test_an_overlay_may_not_be_called_like_the_charts_own_values() -> None:
    files = {
        FLEET: BUNDLE.replace("- values-dev.yaml", "- env/values.yaml"),
        f"{HOME}/env/values.yaml": "a: 1",
    }
    assert places(found(repo(FLEETED, dict(files)))) == [("E13", FLEET, 8)]
    own = BUNDLE.replace("- values-dev.yaml", "- values.yaml")
    assert [one.code for one in found(changed(FLEETED, FLEET, own))] == ["W25"]


@pytest.mark.parametrize("text", ["${HOME}", "${server.port:8080}", "jdbc:${", "a ${DB_URL} b"])
def test_what_fleet_would_fill_in_is_told_in_the_overlay(text: str) -> None:
    overlay = f"image:\n  tag: develop-52666\nurl: '{text}'\n"
    files = changed(FLEETED, DEV, overlay)
    assert places(found(files)) == [("E13", DEV, 3)]
    off = BUNDLE.replace("helm:\n  rel", "helm:\n  disablePreProcess: true\n  rel")
    assert found(repo(FLEETED, {DEV: overlay, FLEET: off})) == ()


def test_what_fleet_would_fill_in_is_found_in_lists() -> None:
    overlay = "image:\n  tag: develop-52666\nenv:\n  - {name: home, value: '${HOME}'}\n"
    assert places(found(changed(FLEETED, DEV, overlay))) == [("E13", DEV, 4)]


@pytest.mark.parametrize(
    "text", ["${ .ClusterLabels.env }", "${- if eq .ClusterName `a` }x${ end }", "$HOME"]
)
def test_fleets_own_templates_are_right(text: str) -> None:
    overlay = f"image:\n  tag: develop-52666\nurl: '{text}'\n"
    assert found(changed(FLEETED, DEV, overlay)) == ()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("  paths: [charts/*]\n", "", 5),
        ("[charts/*]", "['/']", 7),
        ("[charts/*]", "[]", 7),
        ("  webhookSecret: webhook\n", "", 5),
    ],
)
def test_a_git_repo_needs_paths_and_a_secret_for_its_webhook(old: str, new: str, line: int) -> None:
    manifest = "fleet/dev.yaml"
    files = repo(FLEETED, {manifest: GIT_REPO.replace(old, new)})
    assert places(found(files)) == [("W11", manifest, line)]


def test_a_catalog_without_a_branch_is_master() -> None:
    files = repo(CATALOG, {"rancher/catalog.yaml": CLUSTER})
    assert places(found(files)) == [("W14", "rancher/catalog.yaml", 5)]
    assert found(files, default_branch="master") == ()
    assert found(repo(CATALOG, {"rancher/catalog.yaml": f"{CLUSTER}  branch: main\n"})) == ()


def test_the_name_of_a_catalog_in_a_manifest_is_measured() -> None:
    manifest = f"{CLUSTER}  branch: main\n".replace("library", "c" * 60)
    assert {one.code for one in found(repo(CATALOG, {"catalog.yaml": manifest}))} == {"E4"}


@pytest.mark.parametrize(
    ("change", "line", "nearest"),
    [
        (("targetCustomizations", "targetCustomisations"), 3, "targetCustomizations"),
        (("      valuesFiles", "      valueFiles"), 7, "valuesFiles"),
        (("clusterSelector: {matchLabels: {env: dev}}", "clusterselector: {}"), 5, "clusterSelector"),
        (("  releaseName: iris", "  releaseName: iris\n  takeownership: true"), 3, "takeOwnership"),
    ],
)
def test_a_key_that_fleet_does_not_know_is_told_with_the_nearest(
    change: tuple[str, str], line: int, nearest: str
) -> None:
    told = [one for one in found(changed(FLEETED, FLEET, change)) if one.code == "E13"]
    assert [(one.file, one.line, one.facts["nearest"]) for one in told] == [(FLEET, line, nearest)]


def test_an_overlay_that_no_target_lays_is_told() -> None:
    without = BUNDLE.replace("- values-dev.yaml", "- values-prod.yaml")
    assert places(found(changed({**FLEETED, FLEET: BUNDLE}, FLEET, without))) == [("W25", DEV, 0)]


def test_two_charts_with_one_release_are_told() -> None:
    rose = {path.replace("iris", "rose"): text.replace("iris", "rose") for path, text in FLEETED.items()}
    rose = {**FLEETED, **{path: text for path, text in rose.items() if path.startswith("charts/")}}
    assert found(repo(rose, {})) == ()
    same = rose["charts/rose/fleet.yaml"].replace("releaseName: rose", "releaseName: iris")
    assert places(found(repo(rose, {"charts/rose/fleet.yaml": same}))) == [
        ("W26", "charts/rose/fleet.yaml", 2)
    ]
    apart = {"charts/rose/fleet.yaml": f"namespace: rose\n{same}"}
    assert found(repo(rose, dict(apart))) == ()
