"""What a commit carries, as its message tells; what follows what; and how source branches are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.barerepo import git, make_bare, tip
from support.roads import MESSAGES

from updater.model import Caller, ImageReference, Promoted, Source, UpdateRequest
from updater.plan import TOGETHER, Carried, Change
from updater.plan.standing import branch_names

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IRIS = "registry.example.com/iris"
DIGEST = "sha256:" + "a" * 64
# What stands before it: a tag in one place, none in another.
PREVIOUS = ("master-100", "none")


def carried(tag: str = "master-101", *charts: str, digest: str | None = None, **more: object) -> Carried:
    image = ImageReference.parse(f"{IRIS}:{tag}", digest)
    request = UpdateRequest(
        id="01req", image=image, caller=Caller(name="kim"), received_at=NOW, environment="prod",
        source=Source(author="kim"),
    )  # fmt: skip
    return Carried(image=image, charts=charts or ("iris",), requests=(request,), **more)  # type: ignore[arg-type]


def message(wanted: Carried) -> str:
    """Return the message of the commit that carries it."""
    return MESSAGES.commit(
        Change(
            environment="prod",
            branch="main",
            image=wanted.image,
            previous=tuple(None if tag == "none" else tag for tag in PREVIOUS),
            charts=wanted.charts,
            files={},
            requests=wanted.requests,
            replaced=wanted.replaced,
        )
    )


NAMES = st.text("abc/-_.", min_size=1, max_size=8)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
SOURCES = st.builds(
    Source,
    project=st.sampled_from(["https://gitlab.example.com/shop/iris", ""]),
    commit=st.sampled_from(["0123456789abcdef"]),
    pipeline_url=st.sampled_from(["https://gitlab.example.com/shop/iris/-/pipelines/7", ""]),
    author=st.sampled_from(["Kim Iris", "lee"]),
)
PROMOTED = st.none() | st.builds(
    Promoted,
    origin=st.sampled_from(["dev", "lab"]),
    allow_older=st.booleans(),
    reason=st.sampled_from(["", "a: b"]),
)


@given(
    tag=TAGS,
    digest=st.sampled_from([None, DIGEST]),
    charts=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    ids=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    replaced=st.lists(TAGS, max_size=4),
    source=SOURCES,
    promoted=PROMOTED,
)
def test_a_commit_message_read_back_loses_nothing(
    tag: str,
    digest: str | None,
    charts: list[str],
    ids: list[str],
    replaced: list[str],
    source: Source,
    promoted: Promoted | None,
) -> None:
    one = carried(tag, *charts, digest=digest)
    # Without a page of its own, the project is told by the pipeline's.
    if source.pipeline_url:
        source = replace(source, project="https://gitlab.example.com/shop/iris")
    requests = tuple(
        replace(one.requests[0], id=each, caller=Caller(name=source.author), source=source, promoted=promoted)
        for each in ids
    )
    whole = replace(one, requests=requests, replaced=tuple(replaced), previous=PREVIOUS, commit="c1")
    assert Carried.read(message(whole), NOW, "c1") == whole


def test_an_own_text_above_the_trailers_changes_nothing_that_is_read() -> None:
    whole = replace(carried(), previous=PREVIOUS)
    text = "Updater-Image: registry.example.com/rose:9\n\n" + message(whole)
    assert Carried.read(text, NOW) == whole


@pytest.mark.parametrize("name", ["Image", "Chart", "Request", "Environment"])
def test_a_message_that_lacks_what_must_be_known_is_not_the_updaters(name: str) -> None:
    lines = message(carried()).splitlines(keepends=True)
    cut = "".join(line for line in lines if not line.startswith(f"Updater-{name}:"))
    assert Carried.read(cut, NOW) is None


@pytest.mark.parametrize("image", ["no tag", f"{IRIS}", f"{IRIS}:a b", f"{IRIS}:1@sha256:abc"])
def test_a_message_whose_image_is_none_is_not_the_updaters(image: str) -> None:
    text = message(carried()).replace(f"Updater-Image: {IRIS}:master-101", f"Updater-Image: {image}")
    assert Carried.read(text, NOW) is None


def test_a_persons_message_carries_nothing() -> None:
    assert Carried.read("Mend the replicas\n\nSigned-off-by: kim\n", NOW) is None


def test_a_newer_build_remembers_the_older_one_and_leaves_it_the_charts_it_is_not_for() -> None:
    older, newer = carried("master-101", "iris", "rose"), carried("master-102", "rose", "lily")
    taken = older.overtaken_by(newer)
    assert (taken.image, taken.requests, taken.charts) == (newer.image, newer.requests, newer.charts)
    assert taken.replaced == ("master-101",)
    left = older.without(newer.charts)
    assert left is not None
    assert (left.image, left.charts) == (older.image, ("iris",))
    assert older.without(("iris", "rose")) is None


def test_the_same_build_does_not_remember_itself() -> None:
    older = carried("master-101", replaced=("master-99",))
    assert older.overtaken_by(carried("master-101", "rose")).replaced == ("master-99",)
    assert older.overtaken_by(carried("master-101", digest=DIGEST)).replaced == ("master-99", "master-101")


def test_only_the_last_twenty_builds_are_remembered() -> None:
    one = carried("master-0")
    for build in range(1, 31):
        one = one.overtaken_by(carried(f"master-{build}"))
    assert one.replaced == tuple(f"master-{build}" for build in range(10, 30))


# Source branches


def test_a_chart_gives_its_branch_the_name_and_a_slash_becomes_a_dash() -> None:
    assert branch_names("prod", ["iris", "team/iris", "v1.2_x"], together=False) == {
        "iris": "updater/prod/iris",
        "team/iris": "updater/prod/team-iris",
        "v1.2_x": "updater/prod/v1.2_x",
    }


def test_charts_that_would_share_a_branch_get_the_hash_of_their_path() -> None:
    names = branch_names("prod", ["team/iris", "team-iris", "rose"], together=False)
    # The first 6 hex digits of sha256sum(1) of the names.
    assert names == {
        "team/iris": "updater/prod/team-iris-4cae9f",
        "team-iris": "updater/prod/team-iris-ddfe15",
        "rose": "updater/prod/rose",
    }


@pytest.mark.parametrize(
    "chart",
    [
        "_all",
        ".",
        "..",
        "a..b",
        "a.",
        ".a",
        "a.lock",
        "-a",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "@{",
        "꽃",
        "a\\b",
        "",
    ],
)
def test_a_chart_whose_name_is_none_for_git_gets_a_plain_one_with_its_hash(chart: str) -> None:
    name = branch_names("prod", [chart], together=False)[chart].removeprefix("updater/prod/")
    plain, dash, digits = name.rpartition("-")
    assert dash == "-"
    assert len(digits) == 6
    assert set(digits) <= set("0123456789abcdef")
    assert plain == "chart" or plain.replace("-", "").isalnum()


def test_a_branch_keeps_its_name_when_charts_that_do_not_meet_it_come() -> None:
    alone = branch_names("prod", ["team/iris"], together=False)
    more = branch_names("prod", ["team/iris", "rose", "lily"], together=False)
    assert more["team/iris"] == alone["team/iris"]


def test_grouped_by_environment_all_charts_have_one_branch_that_no_chart_can_have() -> None:
    together = branch_names("prod", ["iris", "_all"], together=True)
    assert set(together.values()) == {f"updater/prod/{TOGETHER}"}
    assert f"updater/prod/{TOGETHER}" not in branch_names("prod", ["_all", "all"], together=False).values()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bare(tmp_path_factory.mktemp("names"), {"README.md": "names\n"})


@settings(max_examples=25)
@given(charts=st.sets(st.text(max_size=12), min_size=1, max_size=12))
@example(
    charts={"a", "A/b", "A-b", "@", "a/@{b", "x.lock", "x/y.lock", "\ud800", "a\nb", "꽃", "한/국", "--", ""}
)
def test_git_takes_the_branches_of_any_charts_beside_each_other(bare: Path, charts: set[str]) -> None:
    names = set(branch_names("prod", charts, together=False).values())
    assert len(names) == len(charts)
    # Git checks all of them as one, and leaves nothing behind.
    made = "".join(f"create refs/heads/{name} {tip(bare, 'main')}\n" for name in sorted(names))
    git(bare, "update-ref", "--stdin", stdin=f"start\n{made}prepare\nabort\n".encode())
