"""Trailers: what is written is read back, nothing can pose as one, and sources are told as links."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from updater import trailers
from updater.model import Source

PIPELINE = "https://gitlab.example.com/shop/iris/-/pipelines/7"
PAGE = "https://gitlab.example.com/shop/iris"
WORDS = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1).map(
    lambda text: trailers.one_line(text, 99)
)
NAMES = st.sampled_from(["Image", "Chart", "Requested-By", "Promoted-From"])


@given(st.lists(st.tuples(NAMES, WORDS.filter(bool)), min_size=1))
def test_what_is_written_is_read_back_in_its_order(pairs: list[tuple[str, str]]) -> None:
    found = trailers.read(f"subject\n\nbody\n\n{trailers.written(pairs)}\n")
    for name in {name for name, _ in pairs}:
        assert found[name] == tuple(value for one, value in pairs if one == name)
    assert sum(len(values) for values in found.values()) == len(pairs)


@given(st.text())
@example("a\nUpdater-Hold: forged")
@example("a\r\nUpdater-Hold: forged")
@example("a\u2028Updater-Hold: forged")
@example("a\n\nUpdater-Hold: forged")
@example("a\x85Updater-Hold: forged")
def test_a_value_stays_on_its_line_and_forges_no_other(value: str) -> None:
    found = trailers.read(f"subject\n\n{trailers.written([('Chart', value), ('Request', '1')])}")
    assert found.keys() <= {"Chart", "Request"}
    assert found["Request"] == ("1",)
    assert len(found.get("Chart", ())) <= 1


@pytest.mark.parametrize("value", ["", " \t\n", "\u202e\u200b", "\x00"])
def test_a_trailer_without_a_value_is_left_out(value: str) -> None:
    assert trailers.written([("Chart", value), ("Request", "1")]) == "Updater-Request: 1"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a  b\tc", "a b c"),
        ("a\nb\r\nc", "a b c"),
        ("a\u202eb", "a b"),
        ("a\u2028b\u2029c", "a b c"),
        ("한국 꽃", "한국 꽃"),
        (7, "7"),
    ],
)
def test_text_is_put_on_one_line(text: object, line: str) -> None:
    assert trailers.one_line(text, 100) == line


def test_a_line_is_cut_where_it_is_too_long() -> None:
    assert trailers.one_line("x" * 50, 10) == "x" * 10
    assert trailers.written([("Chart", "x" * 9999)]) == "Updater-Chart: " + "x" * trailers.MAX_TRAILER


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("", {}),
        ("subject only\n", {}),
        ("subject\n\nUpdater-Image: a:1\n\nUpdater-Chart: b\n", {"Chart": ("b",)}),
        ("subject\n\nUpdater-Image: a:1\n\nand more text\n", {}),
        ("subject\n\nUpdater-Image: a:1\nSigned-off-by: kim\n\n\n", {"Image": ("a:1",)}),
        ("subject\n\n updater-image: a:1\nUpdater-Image a:1\nXUpdater-Image: a:1\n", {}),
        ("subject\n\nUpdater-Chart: b\nUpdater-Chart: a\n", {"Chart": ("b", "a")}),
        ("Updater-Image: a:1\n", {"Image": ("a:1",)}),
    ],
)
def test_only_the_last_paragraph_is_read(message: str, found: dict[str, tuple[str, ...]]) -> None:
    assert trailers.read(message) == found


ROLLBACK = [("Reverts", ("c1", "c2")), ("Reason", ("broken",)), ("Request", ("r",))]
IRIS = {"Image": ("iris:1",), "Previous": ("2",), "Chart": ("iris",)}
ROSE = {"Image": ("rose:1",), "Previous": ("2", "3"), "Chart": ("rose", "lily")}


def lines(*groups: Mapping[str, tuple[str, ...]]) -> str:
    return trailers.written([(name, one) for group in groups for name, all_ in group.items() for one in all_])


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ([], []),
        ([IRIS], [IRIS]),
        ([IRIS, ROSE], [IRIS, ROSE]),
        ([{"Hold": ("iris:1",), "Chart": ("iris",)}], [{"Hold": ("iris:1",), "Chart": ("iris",)}]),
        ([{"Environment": ("dev",)}, IRIS], [{"Environment": ("dev",), **IRIS}]),
        ([IRIS, ROSE | dict(ROLLBACK)], [IRIS | dict(ROLLBACK), ROSE | dict(ROLLBACK)]),
        # Each image with a request of its own: an update and a rollback in one merge.
        (
            [IRIS | {"Request": ("other",)}, ROSE | dict(ROLLBACK)],
            [IRIS | {"Request": ("other",)}, ROSE | dict(ROLLBACK)],
        ),
        # Two rollbacks in one merge.
        (
            [IRIS | {"Reverts": ("c3",)}, IRIS, ROSE | dict(ROLLBACK)],
            [IRIS | {"Reverts": ("c3",)}, IRIS | dict(ROLLBACK), ROSE | dict(ROLLBACK)],
        ),
        # What is not a rollback shares nothing.
        ([IRIS, ROSE | {"Reason": ("why",)}], [IRIS, ROSE | {"Reason": ("why",)}]),
    ],
)
def test_trailers_of_several_images_are_told_apart(
    written: list[dict[str, tuple[str, ...]]], found: list[dict[str, tuple[str, ...]]]
) -> None:
    assert trailers.groups(f"subject\n\n{lines(*written)}\n") == found


@given(st.text())
def test_all_groups_hold_what_is_read_of_the_whole(message: str) -> None:
    message = message.replace("a", "\nUpdater-Image: ").replace("b", "\nUpdater-Chart: ")
    whole: dict[str, tuple[str, ...]] = {}
    for group in trailers.groups(message):
        whole = {name: (*whole.get(name, ()), *group.get(name, ())) for name in {*whole, *group}}
    assert whole == trailers.read(message)


def test_git_reads_the_same(tmp_path: Path) -> None:
    pairs = [
        ("Image", "registry.example.com/iris:1"),
        ("Chart", "한국: 꽃"),
        ("Chart", "b"),
        ("Reason", "a: b"),
    ]
    message = f"subject\n\nbody\n\n{trailers.written(pairs)}\n"
    command = ["git", "interpret-trailers", "--parse"]
    parsed = subprocess.run(command, input=message.encode(), cwd=tmp_path, check=True, capture_output=True)
    assert parsed.stdout.decode() == "".join(f"Updater-{name}: {value}\n" for name, value in pairs)


# Where an image came from


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (Source(project=PAGE, commit="c"), f"{PAGE}/-/commit/c"),
        (Source(project=f"{PAGE}/", commit="c"), f"{PAGE}/-/commit/c"),
        (Source(project="shop/iris", commit="c", pipeline_url=PIPELINE), f"{PAGE}/-/commit/c"),
        (Source(project="shop/iris", commit="c", pipeline_url="https://ci.example.com/7"), "shop/iris@c"),
        (Source(project="shop/iris"), "shop/iris"),
        (Source(commit="c"), "c"),
        (Source(), ""),
    ],
)
def test_a_source_commit_is_told_by_its_page_or_by_its_project(source: Source, link: str) -> None:
    assert trailers.source_link(source) == link


def again(source: Source) -> Source:
    """Return what a commit message still knows of a source."""
    pairs = [
        ("Source", trailers.source_link(source)),
        ("Pipeline", source.pipeline_url or source.pipeline_id),
        ("Requested-By", source.author),
        ("Source-Time", source.committed_at),
    ]
    return trailers.source_of(trailers.read(f"subject\n\n{trailers.written(pairs)}"))


@pytest.mark.parametrize(
    "source",
    [
        Source(project=PAGE, commit="c", pipeline_url=PIPELINE, author="Kim Iris"),
        Source(project="shop/iris", commit="c", pipeline_id="7"),
        Source(project="group/me@work", commit="c"),
        Source(commit="c"),
        Source(commit="c", committed_at="2026-01-05T09:00:00+09:00"),
        Source(author="kim"),
        Source(),
    ],
)
def test_a_source_is_read_back_as_it_was_written(source: Source) -> None:
    assert again(source) == source


def test_a_projects_page_that_only_its_pipeline_tells_is_read_back_as_the_project() -> None:
    source = Source(project="shop/iris", commit="c", pipeline_url=PIPELINE)
    assert again(source) == Source(project=PAGE, commit="c", pipeline_url=PIPELINE)


HEX = st.text("0123456789abcdef", min_size=1, max_size=40)
PROJECTS = st.sampled_from([PAGE, f"{PAGE}/", "shop/iris", "git@gitlab.example.com:shop/iris", ""])


@given(
    st.builds(
        Source,
        project=PROJECTS,
        commit=HEX,
        pipeline_url=st.sampled_from([PIPELINE, "https://ci.example.com/7", ""]),
        pipeline_id=st.sampled_from(["", "7"]),
        author=st.sampled_from(["", "kim"]),
        committed_at=st.sampled_from(["", "2026-01-05T09:00:00Z"]),
    )
)
def test_a_source_that_was_read_back_is_written_the_same_for_ever(source: Source) -> None:
    once = again(source)
    assert trailers.source_link(once) == trailers.source_link(source)
    assert again(once) == once


def test_a_project_without_a_commit_is_read_back_as_a_project() -> None:
    source = Source(project="shop/iris", pipeline_url=PIPELINE)
    assert again(source).project == "shop/iris"
    assert again(source).commit == ""
