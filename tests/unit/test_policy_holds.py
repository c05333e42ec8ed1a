"""The file of holds: read with its mistakes named, edited entry by entry, and what a hold means for a tag."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidConfigRepo
from updater.model import Hold
from updater.policy import (
    Environment,
    Tags,
    changed_holds,
    is_for,
    is_lifted,
    keeps_out,
    new_hold,
    newest,
    parse_holds,
)

IRIS = "registry.example.com/iris"
DEV = Environment(name="dev", tags=Tags(pattern="^develop-(?P<build>[0-9]+)$"))
TEXT = st.text(max_size=20)
NAMES = st.sampled_from(["dev", "prod", "iris", "team/iris", "no", "1.10"])
HOLDS = st.builds(
    lambda **more: new_hold(Hold(**more)),
    environment=NAMES,
    chart=NAMES,
    repository=st.sampled_from(["", IRIS, "docker.io/library/nginx"]),
    build=st.sampled_from(["", "develop-1", "1.10", "yes", "0x1F"]),
    until=st.sampled_from(["newer", "release"]),
    by=TEXT,
    at=st.none() | st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    reason=TEXT,
)


def hold(build: str = "develop-5", chart: str = "iris", **more: object) -> Hold:
    return Hold(environment="dev", chart=chart, repository=IRIS, build=build, **more)  # type: ignore[arg-type]


def test_a_new_file_says_what_it_is_for() -> None:
    made = changed_holds(
        None, add=[hold(by="kim", at=datetime(2026, 11, 28, 16, tzinfo=UTC), reason='it "broke"')]
    )
    assert made.decode() == (
        "# Builds that the updater keeps out: see `updater holds`. Take an entry out to let them in again.\n"
        "holds:\n"
        '  - environment: "dev"\n'
        '    chart: "iris"\n'
        f'    image: "{IRIS}"\n'
        '    build: "develop-5"\n'
        "    until: newer\n"
        '    by: "kim"\n'
        '    at: "2026-11-28T16:00:00Z"\n'
        '    reason: "it \\"broke\\""\n'
    )


@given(st.lists(HOLDS, max_size=5, unique=True), st.lists(HOLDS, max_size=3, unique=True), st.data())
def test_whatever_is_put_in_and_taken_out_is_read_back(
    before: list[Hold], more: list[Hold], data: st.DataObject
) -> None:
    written = changed_holds(None, add=before)
    gone = data.draw(st.lists(st.sampled_from(before), unique=True)) if before else []
    after = changed_holds(written, add=more, remove=set(gone))
    assert parse_holds(after) == (*(one for one in before if one not in gone), *more)


def test_what_people_wrote_around_an_entry_stays() -> None:
    text = (
        "# ours\n"
        "holds:\n"
        "- chart: iris   # the shop\n"
        "  environment: dev\n"
        "\n"
        "# about rose\n"
        "- {environment: dev, chart: rose}\n"
    )
    first, second = parse_holds(text.encode())
    assert changed_holds(text.encode(), remove=[first]).decode() == (
        "# ours\nholds:\n\n# about rose\n- {environment: dev, chart: rose}\n"
    )
    added = changed_holds(text.encode(), add=[hold()], remove=[second]).decode()
    assert added.startswith(
        "# ours\nholds:\n- chart: iris   # the shop\n  environment: dev\n\n# about rose\n- env"
    )
    assert parse_holds(added.encode()) == (first, hold())


@pytest.mark.parametrize(
    "text",
    [
        "holds: [{environment: dev, chart: rose}, {environment: dev, chart: lily}]\n",
        "holds:\r\n  - {environment: dev, chart: rose}\r\n  - {environment: dev, chart: lily}\r\n",
        "holds:\n  -\n    environment: dev\n    chart: rose\n  -   environment: dev\n      chart: lily",
        "\ufeffholds:\n  - {environment: dev, chart: rose}\n  - {environment: dev, chart: lily}\n",
    ],
    ids=["flow", "crlf", "wide", "bom"],
)
def test_however_it_is_written_the_right_entry_goes(text: str) -> None:
    data = text.encode()
    rose, lily = parse_holds(data)
    assert parse_holds(changed_holds(data, remove=[rose])) == (lily,)
    assert parse_holds(changed_holds(data, remove=[rose, lily])) == ()
    assert parse_holds(changed_holds(data, add=[hold()], remove=[lily])) == (rose, hold())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "holds.yaml:1:1: The file has one key, holds, with a list of entries below it."),
        ("holds: {a: b}\n", "holds.yaml:1:1: Holds is a list: begin each entry with '- '."),
        ("holds:\n  - iris\n", "holds.yaml:2:5: An entry has keys: environment and chart at least."),
        ("holds:\n  - {environment: dev}\n", "holds.yaml:2:5: The entry names no chart."),
        (
            "holds:\n  - {environment: dev, chart: iris, image: 'iris:1'}\n",
            "holds.yaml:2:37: 'iris:1' is no repository: leave out tag and digest.",
        ),
        (
            "holds:\n  - {environment: dev, chart: iris, build: a b}\n",
            "holds.yaml:2:37: 'a b' is no legal tag.",
        ),
        (
            "holds:\n  - {environment: dev, chart: iris, until: later}\n",
            "holds.yaml:2:37: 'later' is no value for until; allowed are newer, release.",
        ),
        (
            "holds:\n  - {environment: dev, chart: iris, at: soon}\n",
            "holds.yaml:2:37: 'soon' is no time: write it like 2026-11-28T16:00:00Z.",
        ),
    ],
)
def test_what_makes_no_sense_is_named_where_it_stands(text: str, problem: str) -> None:
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_holds(text.encode(), "holds.yaml")
    assert str(caught.value) == f"{problem} Nothing goes out on this branch before it is mended."


@pytest.mark.parametrize("text", ["", "# nothing\n", "holds:\n", "holds: []\n"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    assert parse_holds(text.encode()) == ()


@pytest.mark.parametrize(
    ("mine", "theirs", "meant"),
    [
        ("iris", "iris", True),
        ("team/iris", "iris", True),
        ("iris", "team/iris", True),
        ("iris", "iris-admin", False),
        ("team/iris", "other/iris", False),
        ("siris", "iris", False),
    ],
)
def test_a_chart_is_the_same_however_its_path_is_told(mine: str, theirs: str, meant: bool) -> None:
    assert is_for(hold(chart=theirs), "dev", mine) is meant
    assert not is_for(hold(chart=theirs), "prod", mine)


@pytest.mark.parametrize(
    ("held", "tag", "stood", "out", "lifted"),
    [
        (hold(), "develop-5", (), True, False),
        (hold(), "develop-4", (), True, False),
        (hold(), "develop-6", (), False, True),
        (hold(until="release"), "develop-6", (), True, False),
        (hold(build=""), "develop-6", (), True, False),
        (hold(build="hotfix"), "hotfix", (), True, False),
        (hold(build="hotfix"), "develop-6", (), False, True),
        (hold(build="hotfix"), "develop-6", ("develop-6",), True, False),
    ],
)
def test_what_a_hold_keeps_out_and_what_ends_it(
    held: Hold, tag: str, stood: tuple[str, ...], out: bool, lifted: bool
) -> None:
    assert keeps_out(held, DEV, tag, lambda: stood) is out
    assert is_lifted(held, DEV, tag, lambda: stood) is lifted


def test_promoted_tags_compare_by_the_order_of_where_they_come_from() -> None:
    prod = Environment(name="prod", tags=Tags(pattern="^main-[0-9]+$"), promote_from="dev", promoted=DEV.tags)
    assert keeps_out(hold(), prod, "develop-4", tuple)
    assert not keeps_out(hold(), prod, "develop-6", tuple)
    assert newest(prod, ["develop-3", "develop-9", "develop-5"]) == "develop-9"
    assert newest(prod, []) == ""
