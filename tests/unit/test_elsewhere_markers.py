"""What Fleet and Flux were told, as rules: places, branches, deliveries, and what is not carried over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.elsewhere import CHART, IRIS, LILY, commented_out, environments, notes, only
from support.files import DictFiles

from updater.charts import Survey
from updater.elsewhere import carry_over


def test_a_repo_that_no_tool_writes_is_none_of_this_packages() -> None:
    files = DictFiles(
        {
            "a.yaml": f"image: {IRIS}:1 # a comment\n",
            "b.yaml": '# image: x # {"$imagepolicy": "a:b"}\n',
            "c.yaml": "image.toolkit.fluxcd.io: [\n",
            ".hidden/d.yaml": f'image: {IRIS}:1 # {{"$imagepolicy": "a:b"}}\n',
        }
    )
    assert carry_over(files, Survey(files)) is None


# Fleet


def fleet(marker: str = "iris", scans: str = "", **others: str) -> dict[str, str]:
    scan = scans or f"imageScans: [{{image: {IRIS}, tagName: iris, policy: {{semver: {{range: 1.x}}}}}}]\n"
    return {
        "iris/fleet.yaml": scan,
        "iris/values.yaml": f'image: {IRIS}:1.0.0 # {{"$imagescan": "{marker}"}}\n',
        **{name.replace("__", "/") + ".yaml": text for name, text in others.items()},
    }


def gitrepo(branch: str, extra: str = "") -> str:
    spec = f"spec: {{branch: {branch}, imageScanCommit: {{authorName: a}}{extra}}}\n"
    return f"apiVersion: fleet.cattle.io/v1alpha1\nkind: GitRepo\nmetadata: {{name: {branch}}}\n{spec}"


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (fleet("other"), "iris/values.yaml:1: no scan is called 'other' in this checkout."),
        (
            fleet("other"),
            f"{IRIS}:1.1.0 would go out by default, although nothing in this checkout says which tags",
        ),
        (fleet("other"), "iris/fleet.yaml:1: no marker names the scan 'iris', so it wrote nothing."),
        (
            fleet("iris:digest"),
            "iris/values.yaml:1: a digest is written where each build is sent with its own.",
        ),
        (fleet(), "take imageScans out of the fleet.yaml files"),
        (
            fleet(scans="imageScans: [{image: x, tagName: iris, policy: {alphabetical: {order: asc}}}]\n"),
            "iris/fleet.yaml:1: Fleet, iris: the order asc",
        ),
        (
            fleet(
                scans="{}\n",
                a__scan=f"apiVersion: fleet.cattle.io/v1alpha1\nkind: ImageScan\nspec: {{tagName: iris, "
                f"image: {IRIS}, suspend: true}}\n",
            ),
            "a/scan.yaml:1: the scan 'iris' is suspended, and the rules are not.",
        ),
        (
            fleet(a=gitrepo("one"), b=gitrepo("two")),
            "iris/values.yaml: the GitRepos one, two read it from different branches",
        ),
        (
            fleet(
                scans="{}\n",
                a__fleet="imageScans: [{tagName: iris}]\n",
                b__fleet="imageScans: [{tagName: iris}]\n",
            ),
            "iris/values.yaml:1: 2 scans are called 'iris'; a/fleet.yaml:1 is believed.",
        ),
        (
            fleet(flow='image: {name: x, tag: a} # {"$imagescan": "iris"}\n'),
            "flow.yaml:1: a marker stands there, and no single value before it: it is not carried over.",
        ),
        (
            fleet(scans=f"imageScans: [{{image: {LILY}, tagName: iris}}]\n"),
            f"iris/values.yaml:1: {IRIS} stands there, and Fleet would write {LILY}: write that there once.",
        ),
    ],
)
def test_what_of_fleets_cannot_be_carried_over_is_told(files: dict[str, str], note: str) -> None:
    assert note in notes(files)


def test_of_scans_with_one_name_the_nearest_is_meant() -> None:
    files = fleet(fleet="imageScans: [{tagName: iris, policy: {alphabetical: {}}}]\n")
    assert only(files).tags.order == "semver"
    assert "scans are called" not in notes(files)


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        ("{order: desc}", "alphabetical"),
        ("{order: ''}", "alphabetical"),
        ("{}", "alphabetical"),
        ("{order: ASC}", "none"),
        ("{order: asc}", "none"),
        ("{order: down}", "none"),
    ],
)
def test_fleet_takes_the_last_of_the_alphabet_by_desc(policy: str, order: str) -> None:
    scan = f"imageScans: [{{image: {IRIS}, tagName: iris, policy: {{alphabetical: {policy}}}}}]\n"
    assert only(fleet(scans=scan)).tags.order == order


def test_a_scan_without_a_policy_takes_every_version() -> None:
    one = only(fleet(scans=f"imageScans: [{{image: {IRIS}, tagName: iris}}]\n"))
    assert (one.tags.order, one.tags.takes("1.2.3"), one.tags.takes("main-7")) == ("semver", True, False)


@pytest.mark.parametrize(
    ("repos", "branch"),
    [
        ({}, None),
        ({"a": gitrepo("live")}, "live"),
        ({"a": gitrepo("live", ", paths: [iris]"), "b": gitrepo("other", ", paths: [lily]")}, "live"),
        ({"a": gitrepo("live", ", paths: ['ir*']"), "b": gitrepo("other", ", paths: ['[']")}, "live"),
        ({"a": gitrepo("'1.0'")}, "1.0"),
    ],
)
def test_the_branch_is_that_of_the_gitrepo_that_reads_the_file(
    repos: dict[str, str], branch: str | None
) -> None:
    assert only(fleet(**repos)).branch == branch


# Flux


def flux(line: str = f"image: {IRIS}:main-1", ref: str = "flux-system:iris", **others: str) -> dict[str, str]:
    """The files of a repo with one marker; others replace or add `<name>.yaml`."""
    api = "apiVersion: image.toolkit.fluxcd.io/v1\n"
    files = {
        "repository": f"{api}kind: ImageRepository\nmetadata: {{name: iris, namespace: flux-system}}\n"
        f"spec: {{image: {IRIS}}}\n",
        "policy": f"{api}kind: ImagePolicy\nmetadata: {{name: iris, namespace: flux-system}}\nspec:\n"
        "  imageRepositoryRef: {name: iris}\n  filterTags: {pattern: '^main-([0-9]+)$', extract: $1}\n"
        "  policy: {numerical: {order: asc}}\n",
        "automation": automation(),
        "apps/dev/iris": f'{line} # {{"$imagepolicy": "{ref}"}}\n',
    }
    files |= {name.replace("__", "/"): text for name, text in others.items()}
    return {f"{name}.yaml": text for name, text in files.items()}


def automation(git: str = "checkout: {ref: {branch: main}}", more: str = "update: {path: ./apps}") -> str:
    return (
        "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageUpdateAutomation\n"
        "metadata: {name: all, namespace: flux-system}\n"
        f"spec: {{sourceRef: {{name: flowers}}, git: {{{git}}}, {more}}}\n"
    )


SOURCE = (
    "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flowers}\n"
    "spec: {ref: {branch: trunk}}\n"
)


@pytest.mark.parametrize(
    ("files", "branch", "delivery"),
    [
        (flux(), "main", "commit"),
        (
            flux(automation=automation("push: {branch: main}, checkout: {ref: {branch: main}}")),
            "main",
            "commit",
        ),
        (
            flux(automation=automation("push: {branch: bot}, checkout: {ref: {branch: main}}")),
            "main",
            "merge-request",
        ),
        (flux(automation=automation("commit: {}"), source=SOURCE), "trunk", "commit"),
        (flux(automation=automation("push: {branch: bot}"), source=SOURCE), "trunk", "merge-request"),
        (
            flux(automation=automation("push: {branch: dev, options: {merge_request.target: release}}")),
            "release",
            "merge-request",
        ),
        (flux(automation=automation("checkout: {ref: {branch: '${BRANCH}'}}")), None, "commit"),
        (flux(automation=automation("checkout: {ref: {branch: 'a..b'}}")), None, "commit"),
        (flux(automation="{}\n"), None, "commit"),
        # the nearest path wins, and other namespaces do not count
        (
            flux(other=automation("checkout: {ref: {branch: deep}}", "update: {path: apps/dev}")),
            "deep",
            "commit",
        ),
        (flux(other=automation(more="a: b").replace("flux-system", "other")), "main", "commit"),
    ],
)
def test_the_automation_says_which_branch_and_whether_it_is_proposed(
    files: dict[str, str], branch: str | None, delivery: str
) -> None:
    one = only(files)
    assert (one.name, one.branch, one.delivery) == ("dev", branch, delivery)
    assert one.tags.pattern == "^main-(?P<build>[0-9]+)$"


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (flux(policy="{}\n"), "apps/dev/iris.yaml:1: the policy flux-system:iris is not in this checkout."),
        (
            flux(repository="{}\n"),
            "policy.yaml:1: the ImageRepository of the policy 'iris' is not in this checkout.",
        ),
        (
            flux(automation="{}\n"),
            "apps/dev/iris.yaml:1: no ImageUpdateAutomation in this checkout covers it",
        ),
        (
            flux(automation=automation(more="suspend: true")),
            "automation.yaml:1: the automation 'all' is suspended",
        ),
        (
            flux(automation=automation(more="policySelector: {matchLabels: {}}")),
            "automation.yaml:1: policySelector:",
        ),
        (flux(automation=automation("push: {refspec: 'a:b'}")), "automation.yaml:1: push.refspec:"),
        (
            flux(automation=automation("checkout: {ref: {branch: '${B}'}}")),
            "automation.yaml:1: a branch has a variable",
        ),
        (
            flux(automation=automation("checkout: {ref: {branch: 'a..b'}}")),
            "policy.yaml:1: the branch 'a..b' has '..'",
        ),
        (
            flux(b=f'image: {LILY}:main-1 # {{"$imagepolicy": "flux-system:iris"}}\n'),
            f"b.yaml:1: {LILY} stands there, and Flux would write {IRIS}: write that there once.",
        ),
        (
            flux(
                b=f'image: "{IRIS}:x"\n---\nimage: {IRIS}:main-1 # {{"$imagepolicy": "flux-system:iris"}}\n'
            ),
            f"b.yaml:1: {IRIS} stands there as well; its tag moves along.",
        ),
        (flux("tag: main-1", repository="{}\n"), "apps/dev/iris.yaml:1: whose tag tag is, is not known"),
        (
            flux(
                "version: main-1",
                "flux-system:iris:tag",
                b='version: x\n---\nversion: y # {"$imagepolicy": "flux-system:iris:tag"}\n',
            ),
            "b.yaml: version stands in 2 documents of the file, and the rules need it in one.",
        ),
        (
            flux(
                ref="flux-system:iris:name", b=f'image: {IRIS}:1 # {{"$imagepolicy": "flux-system:iris"}}\n'
            ),
            "apps/dev/iris.yaml:1: the name of an image is never written",
        ),
    ],
)
def test_what_of_fluxs_cannot_be_carried_over_is_told(files: dict[str, str], note: str) -> None:
    assert note in notes(files)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [*a, x]\n",
        "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 30)),
    ],
)
def test_aliases_that_stand_for_too_much_do_no_harm(bomb: str) -> None:
    assert only(flux(bomb=f"{bomb}apiVersion: image.toolkit.fluxcd.io/v1\n")).name == "dev"


def test_where_a_place_is_named_the_others_of_its_image_stay() -> None:
    files = flux("version: main-1", "flux-system:iris:tag")
    files["apps/dev/iris.yaml"] += f"image: {IRIS}:main-1\n"
    assert "moves along" not in notes(files)
    [pin] = only(files).scope.pinned
    assert pin.path == ("version",)


def test_a_marked_place_is_named_where_its_image_stands_beside_it_without_a_marker() -> None:
    marked = f'image: {IRIS}:main-1 # {{"$imagepolicy": "flux-system:iris"}}\n'
    files = flux() | {"apps/dev/iris.yaml": f"{marked}a: {{image: '{IRIS}:main-1'}}\n"}
    assert "moves along" not in notes(files)
    [pin] = only(files).scope.pinned
    assert (pin.repository, pin.file, pin.path) == (IRIS, "apps/dev/iris.yaml", ("image",))
    assert only(files | {"apps/dev/iris.yaml": marked}).scope.pinned == ()


def test_a_marker_behind_the_last_value_of_a_mapping_in_braces_is_that_values() -> None:
    files = flux()
    files["apps/dev/iris.yaml"] = (
        f'image: {{repository: {IRIS},\n  tag: main-1 # {{"$imagepolicy": "flux-system:iris:tag"}}\n}}\n'
    )
    assert (only(files).name, only(files).scope.pinned) == ("dev", ())


def test_objects_whose_namespace_another_file_gives_are_found_by_name() -> None:
    files = {path: text.replace(", namespace: flux-system", "") for path, text in flux().items()}
    assert only(files).tags.pattern == "^main-(?P<build>[0-9]+)$"
    assert notes(files) == notes(flux())


def test_policies_that_differ_make_environments_of_their_own() -> None:
    lily = flux()["policy.yaml"].replace("iris", "lily").replace("main", "develop")
    files = flux(
        lily=lily, apps__dev__lily=f'image: {LILY}:develop-1 # {{"$imagepolicy": "flux-system:lily"}}\n'
    )
    found = environments(files)
    assert {name: (one.scope.files, one.tags.pattern) for name, one in found.items()} == {
        "dev-iris": (("apps/dev/iris.yaml",), "^main-(?P<build>[0-9]+)$"),
        "dev-lily": (("apps/dev/lily.yaml",), "^develop-(?P<build>[0-9]+)$"),
    }


def test_stages_of_one_policy_are_environments_of_their_own_and_globs_take_only_what_is_marked() -> None:
    marked = flux()["apps/dev/iris.yaml"]
    files = flux(apps__prod__iris=marked, apps__prod__lily=marked, apps__dev__other="a: b\n")
    found = environments(files)
    assert {name: one.scope.files for name, one in found.items()} == {
        "dev": ("apps/dev/iris.yaml",),
        "prod": ("apps/prod/*.yaml",),
    }


def test_charts_whose_every_overlay_is_marked_are_one_glob() -> None:
    overlay = f'image:\n  repository: {IRIS}\n  tag: main-1 # {{"$imagepolicy": "flux-system:iris:tag"}}\n'
    files = flux(automation=automation(more="update: {path: ./}")) | CHART
    files = {path: text for path, text in files.items() if not path.startswith("apps")}
    files["charts/iris/values-dev.yaml"] = overlay
    assert only(files).scope.files == ("charts/*/values-dev.yaml",)
    files |= {
        "charts/lily/Chart.yaml": "name: lily\n",
        "charts/lily/values-dev.yaml": "image: {tag: main-1}\n",
    }
    assert only(files).scope.files == ("charts/iris/values-dev.yaml",)


# names as they come

_NAMES = st.text("ab.-_ {}[]*?:#'\"\\\n\u200b\uac00/", min_size=1, max_size=12)


@given(file=_NAMES, ref=_NAMES, branch=_NAMES, pattern=_NAMES, key=_NAMES)
def test_whatever_things_are_called_the_rules_are_rules(
    file: str, ref: str, branch: str, pattern: str, key: str
) -> None:
    def quoted(text: str) -> str:
        return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"'

    parts = [part for part in file.split("/") if part not in {"", ".", ".."} and not part.startswith(".")]
    name = "/".join([*parts[:3], "x.yaml"])
    policy = flux()["policy.yaml"].replace("'^main-([0-9]+)$'", quoted(pattern.replace("\\", "")))
    marker = f'{quoted(key)}: {IRIS}:main-1 # {{"$imagepolicy": "flux-system:iris"}}\n'
    files = flux(
        policy=policy,
        automation=automation(
            f"checkout: {{ref: {{branch: {quoted(branch.replace(chr(92), ''))}}}}}", "a: b"
        ),
    ) | {name: marker, "odd.yaml": marker.replace("flux-system:iris", "a")}
    assert environments(files) | commented_out(files)
