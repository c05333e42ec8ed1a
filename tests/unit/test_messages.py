"""Texts for people: each golden, each safe against what callers may put into a field."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater import trailers, wiring
from updater.errors import InvalidSettings
from updater.messages import CODES, WAITS, Messages, listing, one_line, person, source_link
from updater.model import (
    Caller,
    ImageReference,
    OutcomeKind,
    Promoted,
    Source,
    UpdateRequest,
)
from updater.plan import (
    Carried,
    Change,
    Closed,
    Proposing,
    Reason,
    Standing,
    Verdict,
)
from updater.policy import Environment

MESSAGES = Messages(wiring.templates(None))
ROOT = Path(__file__).resolve().parents[2]


def change(image: str = "registry.example.com/iris:develop-2", **source: str) -> Change:
    parsed = ImageReference.parse(image)
    request = UpdateRequest(
        id="01req",
        image=parsed,
        caller=Caller(name="ci"),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        source=Source(**source),
    )
    return Change(
        environment="dev",
        branch="main",
        image=parsed,
        previous=("develop-1",),
        charts=("iris",),
        files={},
        requests=(request,),
    )


def test_a_commit_message_is_told_in_full() -> None:
    message = MESSAGES.commit(
        change(ref="develop", pipeline_url="https://gitlab.example.com/shop/iris/-/pipelines/7", commit="abc")
    )
    assert message == (
        "iris develop-2 in dev\n"
        "\n"
        "registry.example.com/iris: develop-1 -> develop-2\n"
        "Built from develop.\n"
        "\n"
        "Updater-Image: registry.example.com/iris:develop-2\n"
        "Updater-Previous: develop-1\n"
        "Updater-Environment: dev\n"
        "Updater-Chart: iris\n"
        "Updater-Request: 01req\n"
        "Updater-Source: https://gitlab.example.com/shop/iris/-/commit/abc\n"
        "Updater-Pipeline: https://gitlab.example.com/shop/iris/-/pipelines/7\n"
        "Updater-Requested-By: ci\n"
    )


GOLDEN = [
    (
        Reason("committed", {"image": "iris:1", "environment": "dev", "files": ["a", "b"]}),
        ("iris:1 goes to dev in a and b."),
    ),
    (
        Reason("newer-stands", {"tag": "b-1", "newer": "b-2", "environment": "dev"}),
        ("b-1 is older than b-2, which stands in dev; an older build is never written over a newer one."),
    ),
    (
        Reason("unknown-environment", {"environment": "deb", "known": ["dev", "prod"], "nearest": "dev"}),
        ("The rules know no environment 'deb'; they know dev and prod. Did you mean 'dev'?"),
    ),
    (
        Reason("tag-not-taken", {"tag": "x", "environments": [("dev", "^d"), ("any", None)]}),
        (
            "No environment takes the tag 'x': dev takes ^d; any takes any tag. "
            "Send a tag of that form, or change tags.pattern in .updater/rules.yaml."
        ),
    ),
    (
        Reason(
            "no-target",
            {"environment": "job", "image": "a/side", "files": ["f.yaml"], "nearest": [], "tag": "2.2.0"}
            | {"using": [("side", "^2")]},
        ),
        (
            "job takes the tag '2.2.0', but no file of it uses the image a/side (looked in f.yaml). "
            "What uses the image does not take the tag: side takes ^2. Send a tag of that form, change "
            "tags.pattern in .updater/rules.yaml, or write the repository into the values of job."
        ),
    ),
    (
        Reason("adopted", {"file": "f", "line": 3, "tag": "d-1", "old": None}),
        ("f:3 holds no tag; d-1 fills the place."),
    ),
]


@pytest.mark.parametrize(("reason", "text"), GOLDEN, ids=[reason.code for reason, _ in GOLDEN])
def test_a_reason_is_told_in_full(reason: Reason, text: str) -> None:
    assert MESSAGES.say(reason) == text


def test_every_reason_the_code_can_give_has_a_text_and_no_text_is_left_over() -> None:
    given_codes: set[str] = set()
    for path in [*(ROOT / "updater" / "plan").glob("*.py"), *(ROOT / "updater" / "worker").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                code = node.args[0] if name in ("Reason", "_refuse", "_reason") else None
                if isinstance(code, ast.Constant):
                    given_codes.add(str(code.value))
    given_codes |= {"other-environment-not-allowed", "image-not-used-there"}  # named in one loop
    given_codes |= {"newer-in-queue", "newer-stands"}  # chosen beside one another
    given_codes |= {"newer-held", "newer-promotion", "ended-dropped"}
    given_codes |= {"approved", "closed", "push-forbidden", "forge-refused"}  # handed on by name
    given_codes |= {"held-by-hold", "held-by-revert", "frozen", "window-closed"}  # chosen beside one another
    assert given_codes == CODES


@given(st.text())
def test_nothing_a_caller_writes_makes_a_second_line(text: str) -> None:
    message = MESSAGES.commit(change(ref=text, author=text, project=text, commit=text, pipeline_id=text))
    trailers = message.rstrip("\n").split("\n\n")[-1].splitlines()
    assert all(line.startswith("Updater-") for line in trailers)
    assert len(message.splitlines()) == len(message.rstrip("\n").split("\n"))
    assert not any(char.isprintable() is False and char != "\n" for char in message)


@pytest.mark.parametrize(
    ("author", "name"),
    [("Kim <kim@example.com>", "Kim"), ("kim@example.com", "kim"), ("Kim Iris", "Kim Iris"), ("<a@b>", "")],
)
def test_people_are_named_without_their_address(author: str, name: str) -> None:
    assert person(author) == name


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (Source(project="https://g.example.com/a/b", commit="c"), "https://g.example.com/a/b/-/commit/c"),
        (
            Source(pipeline_url="https://g.example.com/a/b/-/pipelines/1", commit="c"),
            "https://g.example.com/a/b/-/commit/c",
        ),
        (Source(project="a/b", commit="c"), "a/b@c"),
        (Source(), ""),
    ],
)
def test_the_source_commit_is_linked_where_its_address_is_known(source: Source, link: str) -> None:
    assert source_link(source) == link


def test_long_lists_are_cut_and_long_fields_too() -> None:
    assert listing(["a", "b", "c", "d", "e", "f"]) == "a, b, c and 3 more"
    assert len(one_line("x" * 5000)) == 300


def test_own_templates_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "commit.txt").write_text("deploy: {{ charts }} {{ tag }}\n")
    own = Messages(wiring.templates(tmp_path))
    assert own.commit(change()).startswith("deploy: iris develop-2\n\nUpdater-Image: ")
    assert own.say(Reason("unchanged", {"image": "i", "environment": "e"})).startswith(
        "i already stands in e"
    )


def test_a_template_that_does_not_parse_is_named(tmp_path: Path) -> None:
    (tmp_path / "commit.txt").write_text("{{ charts ")
    with pytest.raises(InvalidSettings, match=r"commit\.txt"):
        Messages(wiring.templates(tmp_path))


def test_every_reason_to_wait_that_a_forge_can_give_has_a_text_and_none_is_left_over() -> None:
    shipped = wiring.templates(None)("waits.txt")
    assert set(re.findall(r"^\[([a-z-]+)\]$", shipped, re.MULTILINE)) == WAITS
    for code in WAITS:
        assert MESSAGES.wait(code, "need_more").endswith(".")
    assert "'" not in MESSAGES.wait("made_up")
    assert "made_up" in MESSAGES.wait("made_up")


def test_an_own_reasons_file_that_lacks_a_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reasons.txt").write_text("[committed]\nyes\n")
    with pytest.raises(InvalidSettings, match="adopted, already-proposed"):
        Messages(wiring.templates(tmp_path))


def test_a_verdict_becomes_an_outcome_with_its_texts() -> None:
    verdict = Verdict(
        request=change().requests[0],
        environment="dev",
        kind=OutcomeKind.UNCHANGED,
        reason=Reason("unchanged", {"image": "i:1", "environment": "dev"}),
        notes=(Reason("stays-newer", {"file": "f", "newer": "2", "tag": "1"}),),
    )
    outcome = MESSAGES.outcome(verdict)
    assert outcome.reason == "i:1 already stands in dev; there is nothing to change."
    assert outcome.notes == ("f stays at 2, which is newer than 1.",)
    assert outcome.code == "unchanged"


def proposing(*changes: Change, closed: tuple[Closed, ...] = ()) -> Proposing:
    return Proposing(
        environment=Environment(name="prod", delivery="merge-request"),
        branch="updater/prod/iris",
        target="main",
        changes=changes,
        standing=Standing(branch="updater/prod/iris", closed=closed),
        is_news=True,
    )


def test_a_merge_request_says_what_who_where_from_and_how_to_go_back() -> None:
    told = MESSAGES.merge_request(
        proposing(
            replace(
                change(
                    pipeline_url="https://gitlab.example.com/shop/iris/-/pipelines/7",
                    commit="abcdef0123456789",
                    author="Kim <kim@example.com>",
                ),
                replaced=("develop-0",),
            )
        ),
        {
            "registry.example.com/iris:develop-1": Source(
                project="https://gitlab.example.com/shop/iris", commit="0123456789abcdef"
            )
        },
    )
    assert told.title == "iris develop-2 in prod"
    lines = told.description.splitlines()
    assert lines[:3] == [
        "| environment | chart | image | from | to | build | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| `prod` | `iris` | `registry.example.com/iris` | `develop-1` | `develop-2` "
        "| [`7`](https://gitlab.example.com/shop/iris/-/pipelines/7) "
        "| [`abcdef012345`](https://gitlab.example.com/shop/iris/-/compare/"
        "0123456789abcdef...abcdef0123456789) |",
    ]
    assert (
        "- `develop-2` of `registry.example.com/iris`: asked for by `Kim` (request `01req`). "
        "Proposed here before: `develop-0`." in lines
    )
    assert "kim@example.com" not in told.description
    assert lines[-1].startswith("To roll back after the merge")


def test_a_merge_request_names_the_one_that_a_person_closed_before() -> None:
    closed = Closed(by="lee", name="!3", link="https://gitlab.example.com/ops/-/merge_requests/3", images=())
    told = MESSAGES.merge_request(proposing(change(), closed=(closed,)))
    assert (
        "A merge request before this one was closed by `lee`: "
        "[`!3`](https://gitlab.example.com/ops/-/merge_requests/3)." in told.description
    )


@pytest.mark.parametrize(
    "hostile",
    ["/merge", "@all", "a|b", "`x`", "<script>", "](https://evil.example.com)", "a\n/close", "\u202e"],
)
def test_nothing_a_caller_writes_is_markup_a_mention_or_a_command_in_a_merge_request(hostile: str) -> None:
    told = MESSAGES.merge_request(
        proposing(change(author=hostile, commit=hostile, pipeline_id=hostile, project=hostile))
    )
    bare = re.sub(r"`[^`]*`", "", told.description)
    for sign in ("/merge", "@all", "<script>", "evil.example.com", "/close", "\u202e"):
        assert sign not in bare
    assert told.description.count("|") == MESSAGES.merge_request(proposing(change())).description.count("|")


def test_a_merge_commit_repeats_the_trailers_of_every_commit_and_says_who_approved() -> None:
    other = replace(change("registry.example.com/sidecar:develop-9"), charts=("iris",))
    message = MESSAGES.merge_commit(proposing(change(), other), name="prod/iris", approved_by="kim")
    assert message.startswith("Merge prod/iris: 2 images in prod\n\nregistry.example.com/iris: develop-1 -> ")
    assert "Approved by kim." in message
    told = trailers.read(message)
    assert told["Image"] == ("registry.example.com/iris:develop-2", "registry.example.com/sidecar:develop-9")
    assert told["Approved-By"] == ("kim",)


def test_what_a_commit_says_is_read_back_as_what_it_carries() -> None:
    promoted = Promoted(origin="dev", allow_older=True, reason="the fix is out")
    request = replace(change(project="shop/iris", commit="abc", author="Kim").requests[0], promoted=promoted)
    made = replace(
        change(), requests=(request,), replaced=("develop-0", "develop-1"), charts=("iris", "rose")
    )
    carried = Carried.read(MESSAGES.commit(made), datetime(2026, 1, 1, tzinfo=UTC))
    assert carried is not None
    assert (carried.image, carried.charts, carried.replaced) == (made.image, made.charts, made.replaced)
    assert carried.requests[0].promoted == promoted
    assert carried.requests[0].source.commit == "abc"
    assert carried.requests[0].source.project == "shop/iris"
