"""No environment that is written lets out what the other tool kept in; what would is commented out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.elsewhere import carried, commented_out, environments, notes
from support.files import DictFiles

from updater.charts import Survey

SIDE, JOB, WEB = (f"registry.example.com/{name}" for name in ("side", "job", "web"))


def deployment(*lines: str) -> str:
    containers = "".join(f"      - image: {line}\n" for line in lines)
    return (
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
        + containers
    )


def marked(image: str, scan: str) -> str:
    return f'{image} # {{"$imagescan": "{scan}"}}'


def fleet(policies: dict[str, str], **files: str) -> dict[str, str]:
    scans = "".join(
        f"- {{image: registry.example.com/{name}, tagName: {name}, policy: {policy}}}\n"
        for name, policy in policies.items()
    )
    return {"fleet.yaml": f"imageScans:\n{scans}"} | {
        f"{name}/deployment.yaml": text for name, text in files.items()
    }


ASC, RANGE = "{alphabetical: {order: asc}}", "{semver: {range: ~2.1}}"


def test_an_environment_that_would_let_another_image_out_is_commented_out_and_told_first() -> None:
    both = deployment(marked(f"{JOB}:7", "job"), marked(f"{SIDE}:2.1.3", "side"))
    files = fleet({"job": ASC, "side": RANGE}, both=both)
    assert environments(files) == {}
    out = commented_out(files)
    assert {name: one.tags.pattern for name, one in out.items()} == {
        "job": None,
        "side": r"^v?(?P<version>2\.1\.[0-9]+)$",
    }
    first = carried(files).notes[0]
    assert first.startswith(f"job is commented out: {SIDE}:2.2.0, which ~2.1 kept out, would go out by job")
    assert "both/deployment.yaml" in first
    second = carried(files).notes[1]
    assert f"{JOB}:2.1.4 would go out by side, whether or not Fleet's job had chosen it" in second


def test_what_stands_alone_in_a_file_is_written_though_the_rest_of_its_scan_is_not() -> None:
    both = deployment(marked(f"{JOB}:7", "job"), marked(f"{SIDE}:2.1.3", "side"))
    files = fleet({"job": ASC, "side": RANGE}, both=both, own=deployment(marked(f"{SIDE}:2.1.3", "side")))
    assert {name: one.scope.files for name, one in environments(files).items()} == {
        "side": ("own/deployment.yaml",)
    }
    assert {name: one.scope.files for name, one in commented_out(files).items()} == {
        "job": ("both/deployment.yaml",),
        "side-2": ("both/deployment.yaml",),
    }


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            (marked(f"{SIDE}:2.1.3", "side"), f"{WEB}:1.0"),
            f"{WEB}:2.1.4, which nothing chose, would go out by",
        ),
        (
            (marked(f"{SIDE}:2.1.3", "side"), marked(f"{WEB}:2.0.0", "web")),
            f"{WEB}:2.1.0, which nothing chose, would go out by side (app/deployment.yaml)",
        ),
        ((marked(f"{WEB}:1.0.0", "side"),), f"{WEB}:2.1.0, which nothing chose, would go out by"),
        ((marked(f"{WEB}:1.0.0", "no"),), f"{WEB}:1.1.0 would go out by default, although nothing in this"),
    ],
)
def test_an_image_whose_tags_nothing_chose_goes_out_by_no_environment(
    lines: tuple[str, ...], told: str
) -> None:
    files = fleet({"side": RANGE}, app=deployment(*lines))
    assert environments(files) == {}
    assert commented_out(files)
    assert told in notes(files)


def test_images_of_one_file_that_are_chosen_alike_are_one_environment() -> None:
    both = deployment(marked(f"{JOB}:2.1.0", "job"), marked(f"{SIDE}:2.1.3", "side"))
    files = fleet({"job": RANGE, "side": RANGE}, both=both)
    assert len(environments(files)) == 1
    assert "commented out" not in notes(files)


def test_one_image_that_two_policies_choose_in_one_file_is_for_a_person_to_decide() -> None:
    scan = "imageScans: [{{image: {0}, tagName: {1}, policy: {2}}}]\n"
    both = deployment(marked(f"{SIDE}:2.1.3", "a"), marked(f"{SIDE}:3.0.0", "b"))
    files = {
        "a/fleet.yaml": scan.format(SIDE, "a", RANGE),
        "b/fleet.yaml": scan.format(SIDE, "b", "{semver: {range: 3.x}}"),
        "deployment.yaml": both,
    }
    assert environments(files) == {}
    assert f"{SIDE}:2.1.4, which 3.x kept out, would go out by a" in notes(files)


@pytest.mark.parametrize("policy", ["{semver: {range: '!=1.2.3'}}", f"{RANGE}, suspend: true"])
def test_a_choice_of_which_not_all_can_be_said_is_commented_out(policy: str) -> None:
    files = fleet({"side": policy}, app=deployment(marked(f"{SIDE}:2.1.3", "side")))
    assert environments(files) == {}
    assert f"{SIDE}:" in carried(files).notes[0]
    assert "would go out by default, although" in carried(files).notes[0]


def test_places_to_be_named_are_commented_out_with_their_environment() -> None:
    text = 'version: 2.1.0 # {"$imagescan": "side:tag"}\njob: 7 # {"$imagescan": "job:tag"}\n'
    files = fleet({"job": ASC, "side": RANGE}) | {"app.yaml": text}
    assert environments(files) == {}
    assert all(len(one.scope.pinned) == 2 for one in commented_out(files).values())
    files |= {"own.yaml": 'version: 2.1.0 # {"$imagescan": "side:tag"}\n'}
    [one] = environments(files).values()
    assert [pin.file for pin in one.scope.pinned] == ["own.yaml"]
    assert len(commented_out(files)) == 2


def test_environments_stand_in_the_order_builds_travel_and_are_named_by_their_stage_first() -> None:
    files = {
        "fleet.yaml": "imageScans:\n"
        + "".join(
            f"- {{image: {image}, tagName: {name}, policy: {{semver: {{range: '{wanted}'}}}}}}\n"
            for name, image, wanted in (
                ("web-prod", WEB, "1.0"),
                ("job-prod", JOB, "1.x"),
                ("dev", WEB, ">=1.0"),
            )
        ),
        "a/deployment.yaml": deployment(marked(f"{WEB}:1.0.0", "web-prod")),
        "envs/prod/web/deployment.yaml": deployment(marked(f"{WEB}:1.0.0", "web-prod")),
        "envs/prod/job/deployment.yaml": deployment(marked(f"{JOB}:1.0.0", "job-prod")),
        "envs/dev/web/deployment.yaml": deployment(marked(f"{WEB}:1.0.0", "dev")),
    }
    assert list(environments(files)) == ["dev", "prod-web", "prod-job", "default"]


def test_what_matters_most_is_told_first_and_how_to_stop_the_tools_last() -> None:
    policy = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: flux}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: 1.x}}}
"""
    line = f'{WEB}:1.0.0 # {{"$imagepolicy": "flux:web"}}'
    files = fleet(
        {"side": RANGE, "idle": RANGE}, app=deployment(marked(f"{SIDE}:2.1.3", "side"), f"{WEB}:1.0")
    )
    found = carried(files | {"policy.yaml": policy, "web.yaml": deployment(line)})
    order = [
        next(number for number, note in enumerate(found.notes) if part in note)
        for part in (
            "is commented out:",
            "The rules choose by file and tag",
            "the ImageRepository of the policy 'web' is not in this checkout",
            "no marker names the scan 'idle'",
            "Fleet and Flux go on to write as long as they are told to: for Fleet, take imageScans out",
        )
    ]
    assert order == sorted(order)
    assert order[-1] == len(found.notes) - 1
    assert "from what Fleet and Flux were told here" in found.text.replace("\n# ", " ")


POLICIES = {
    "{semver: {range: ~2.1}}": {"2.1.0", "2.1.9"},
    "{semver: {range: 2.x}}": {"2.1.0", "2.1.9", "2.2.0"},
    "{semver: {range: '>=1.0'}}": {"1.0.0", "2.1.0", "2.1.9", "2.2.0", "3.0.0"},
    "{alphabetical: {order: desc}}": {"1.0.0", "2.1.0", "2.1.9", "2.2.0", "3.0.0", "main-1", "latest"},
}
TAGS = set().union(*POLICIES.values())


@given(
    policies=st.lists(st.sampled_from(sorted(POLICIES)), min_size=3, max_size=3),
    files=st.lists(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(["own", "own", "other", "none", ""])), max_size=3
        ),
        max_size=4,
    ),
)
def test_no_environment_takes_a_tag_that_the_policy_of_the_image_does_not(
    policies: list[str], files: list[list[tuple[int, str]]]
) -> None:
    names = ["side", "job", "web"]
    written, chosen = {}, {}
    for number, containers in enumerate(files):
        lines = []
        for image, marker in containers:
            scan = {"own": names[image], "other": names[(image + 1) % 3], "none": "no"}.get(marker)
            line = f"registry.example.com/{names[image]}:2.1.0"
            lines.append(marked(line, scan) if scan else line)
            if marker == "own":
                chosen[f"app{number}/deployment.yaml", names[image]] = POLICIES[policies[image]]
        written[f"app{number}"] = deployment(*lines)
    written["app9"] = deployment(marked(f"{SIDE}:2.1.0", "side"))
    chosen["app9/deployment.yaml", "side"] = POLICIES[policies[0]]
    repo = fleet(dict(zip(names, policies, strict=True)), **written)
    survey = Survey(DictFiles(repo))
    active = environments(repo)
    assert any("app9/deployment.yaml" in one.scope.files for one in active.values())
    for one in active.values():
        for file in survey.files_of(one.scope):
            for target in survey.in_file(one.scope, file):
                allowed = chosen.get((file, target.repository.rpartition("/")[2]), set())
                assert {tag for tag in TAGS if one.tags.takes(tag)} <= allowed
