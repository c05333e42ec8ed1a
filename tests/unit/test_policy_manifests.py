"""Which rules are suggested where images stand in kustomizations and plain manifests."""

from __future__ import annotations

import pytest

from updater.policy import manifest_candidates, parse_rules, suggest_rules


def suggested(*manifests: str, others: tuple[str, ...] = ()) -> dict[str, list[str]]:
    text = suggest_rules(frozenset((*manifests, *others)), lambda path: [], frozenset(manifests))
    return {one.name: list(one.scope.files) for one in parse_rules(text.encode()).environments}


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        (
            ["overlays/dev/kustomization.yaml", "overlays/prod/kustomization.yaml"],
            {"dev": ["overlays/dev/kustomization.yaml"], "prod": ["overlays/prod/kustomization.yaml"]},
        ),
        (["apps/iris/overlays/dev/kustomization.yaml"], {"dev": ["apps/*/overlays/dev/kustomization.yaml"]}),
        (
            ["iris/dev/Kustomization", "lily/dev/Kustomization", "lily/staging/Kustomization"],
            {"dev": ["*/dev/Kustomization"], "staging": ["*/staging/Kustomization"]},
        ),
        (
            ["clusters/prod/iris/kustomization.yml", "clusters/staging/iris/kustomization.yml"],
            {
                "staging": ["clusters/staging/*/kustomization.yml"],
                "prod": ["clusters/prod/*/kustomization.yml"],
            },
        ),
        (["envs/prod/deployment.yaml"], {"prod": ["envs/prod/deployment.yaml"]}),
        (
            ["envs/dev/iris/deployment.yaml", "envs/dev/lily/statefulset.yaml"],
            {"dev": ["envs/dev/*/deployment.yaml", "envs/dev/*/statefulset.yaml"]},
        ),
        (["envs/dev/iris.yaml", "envs/dev/lily.yaml"], {"dev": ["envs/dev/*.yaml"]}),
        # what a kustomization says is what runs
        (
            ["overlays/dev/kustomization.yaml", "overlays/dev/deployment.yaml", "base/deployment.yaml"],
            {"dev": ["overlays/dev/kustomization.yaml"]},
        ),
        # no stages: all of them
        (["apps/iris/deployment.yaml", "apps/lily/deployment.yaml"], {"default": ["apps/*/deployment.yaml"]}),
        (["k8s/web.yaml", "kustomization.yaml"], {"default": ["kustomization.yaml", "*/web.yaml"]}),
    ],
)
def test_layouts_of_kustomizations_and_manifests_are_recognised(
    manifests: list[str], expected: dict[str, list[str]]
) -> None:
    found = suggested(*manifests)
    assert {name: sorted(globs) for name, globs in found.items()} == {
        name: sorted(globs) for name, globs in expected.items()
    }
    assert list(found) == list(expected)


def test_charts_and_kustomizations_of_one_stage_are_one_environment_without_a_base() -> None:
    charts = ("charts/iris/Chart.yaml", "charts/iris/values.yaml", "charts/iris/values-dev.yaml")
    found = suggested("apps/iris/overlays/dev/kustomization.yaml", others=charts)
    assert found == {"dev": ["charts/*/values-dev.yaml", "apps/*/overlays/dev/kustomization.yaml"]}
    text = suggest_rules(
        frozenset((*charts[:2], "envs/dev/iris/kustomization.yaml")),
        lambda path: [],
        frozenset(["envs/dev/iris/kustomization.yaml"]),
    )
    assert "base:" not in text


def test_files_of_charts_and_hidden_ones_are_no_manifests() -> None:
    paths = [
        "charts/iris/Chart.yaml",
        "charts/iris/values-dev.yaml",
        "charts/iris/templates/deployment.yaml",
        "charts/iris/extra/deployment.yaml",
        "crds/iris.yaml",
        ".github/workflows/ci.yaml",
        "envs/dev/values.yaml",
        "envs/dev/iris-values.yaml",
        "README.md",
    ]
    assert manifest_candidates(frozenset(paths)) == ()


def test_those_that_show_a_stage_are_looked_at_first() -> None:
    found = manifest_candidates(frozenset(["a/deployment.yaml", "z/prod/deployment.yaml", "b/Kustomization"]))
    assert found == ("z/prod/deployment.yaml", "a/deployment.yaml", "b/Kustomization")
