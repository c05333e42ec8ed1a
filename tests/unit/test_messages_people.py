"""Texts about what people ask for: rollbacks, holds, releases, and why; each golden."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from updater import wiring
from updater.messages import Messages
from updater.model import (
    AskedBefore,
    Caller,
    Deployment,
    Hold,
    HoldRequest,
    ImageReference,
    Move,
    OutcomeKind,
    Source,
    Until,
    UpdateRequest,
    Why,
)
from updater.plan import Carried, Change, HoldChange, Restored, Rollback, Undo

MESSAGES = Messages(wiring.templates(None))


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


def rollback(*, alone: bool = False, commits: tuple[str, ...] = ("a" * 40,), reason: str = "") -> Change:
    back = Restored(
        image=ImageReference.parse("registry.example.com/iris:develop-1"),
        old="develop-2",
        charts=("iris",),
        build="develop-2",
    )
    undo = Undo(commits=commits, charts=("iris",), alone=alone)
    subjects = tuple(f"iris develop-{2 + place} in dev" for place in range(len(commits)))
    first = change("registry.example.com/iris:develop-1")
    (request,) = first.requests
    asked = replace(request, caller=Caller(name="kim"), reason=reason, override=bool(reason))
    return replace(
        first,
        previous=("develop-2",),
        requests=(asked,),
        rollback=Rollback(undo=undo, restored=(back,), subjects=subjects),
    )


ROLLBACK_TRAILERS = (
    "Updater-Image: registry.example.com/iris:develop-1\n"
    "Updater-Previous: develop-2\n"
    "Updater-Environment: dev\n"
    "Updater-Chart: iris\n"
    "Updater-Hold: registry.example.com/iris:develop-2\n"
    "Updater-Request: 01req\n"
    "Updater-Requested-By: kim\n"
    "Updater-Requested-At: 2026-01-01T00:00:00+00:00\n"
)


def test_a_rollback_is_told_as_git_tells_a_revert() -> None:
    assert MESSAGES.commit(rollback(reason="it broke")) == (
        'Revert "iris develop-2 in dev"\n'
        "\n"
        "registry.example.com/iris: develop-2 -> develop-1\n"
        "\n"
        f"This reverts commit {'a' * 40}.\n"
        "\n"
        "it broke\n"
        "\n"
        f"{ROLLBACK_TRAILERS}"
        f"Updater-Reverts: {'a' * 40}\n"
        "Updater-Override: yes\n"
        "Updater-Reason: it broke\n"
    )


def test_a_rollback_of_several_names_each_commit() -> None:
    message = MESSAGES.commit(rollback(commits=("a" * 40, "b" * 40)))
    assert message.startswith("Roll back iris in dev\n\n")
    assert f"\nThis reverts commit {'a' * 40}.\nThis reverts commit {'b' * 40}.\n" in message


def test_a_rollback_of_tags_alone_does_not_claim_to_be_a_revert() -> None:
    message = MESSAGES.commit(rollback(alone=True))
    assert message.startswith("Roll back iris in dev\n\n")
    assert "This reverts" not in message
    assert f"takes the tags of iris back to before commit {'a' * 40}, and nothing else of it." in message
    assert message.endswith(f"Updater-Reverts: {'a' * 40}\nUpdater-Alone: yes\n")


def test_a_rollback_read_back_loses_nothing() -> None:
    for one in (rollback(), rollback(alone=True, commits=("a" * 40, "b" * 40), reason="it broke")):
        carried = Carried.read(MESSAGES.commit(one), datetime(2030, 1, 1, tzinfo=UTC))
        assert carried is not None
        assert one.rollback is not None
        assert (carried.undo, carried.image, carried.charts) == (one.rollback.undo, one.image, one.charts)
        (request,) = carried.requests
        (asked,) = one.requests
        assert (request.reason, request.override) == (asked.reason, asked.override)
        assert (request.received_at, request.caller.name) == (asked.received_at, asked.caller.name)


def holding(*, released: bool = False, build: str = "develop-2", until: Until = "newer") -> HoldChange:
    hold = Hold(
        environment="dev",
        chart="iris",
        repository="registry.example.com/iris" if build else "",
        build=build,
        until=until,
    )
    request = HoldRequest(
        id="01req",
        environment="dev",
        chart="iris",
        caller=Caller(name="kim"),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        reason="stocktaking",
    )
    return HoldChange(
        environment="dev",
        branch="main",
        charts=("iris",),
        files={},
        request=request,
        held=() if released else (hold,),
        released=(hold,) if released else (),
    )


def test_a_hold_and_a_release_are_told_in_full() -> None:
    assert MESSAGES.commit(holding()) == (
        "Hold iris in dev\n"
        "\n"
        "The updater keeps registry.example.com/iris up to develop-2 out until a newer build goes out.\n"
        "\n"
        "stocktaking\n"
        "\n"
        "Updater-Hold: registry.example.com/iris:develop-2\n"
        "Updater-Environment: dev\n"
        "Updater-Chart: iris\n"
        "Updater-Request: 01req\n"
        "Updater-Requested-By: kim\n"
        "Updater-Reason: stocktaking\n"
    )
    assert MESSAGES.commit(holding(released=True, build="", until="release")) == (
        "Release iris in dev\n"
        "\n"
        "The updater may write every image again.\n"
        "\n"
        "stocktaking\n"
        "\n"
        "Updater-Release: *\n"
        "Updater-Environment: dev\n"
        "Updater-Chart: iris\n"
        "Updater-Request: 01req\n"
        "Updater-Requested-By: kim\n"
        "Updater-Reason: stocktaking\n"
    )


def test_why_is_told_in_one_paragraph() -> None:
    deployed = Deployment(
        commit="c" * 40,
        time=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        subject="iris develop-2 in dev",
        kind="update",
        by="lee",
        environment="dev",
        repository="registry.example.com/iris",
        tag="develop-2",
        moves=(Move("iris", "develop-1"),),
        reverted_by="d" * 40,
    )
    asked = AskedBefore(
        id="01req",
        received_at=datetime(2026, 1, 2, 3, 0, tzinfo=UTC),
        outcome=OutcomeKind.COMMITTED,
        reason="It is on main.",
    )
    why = Why(
        environment="dev",
        image="iris:develop-2",
        stands=False,
        outcome=OutcomeKind.HELD,
        code="held-by-hold",
        reason="kim keeps it out.",
        text="",
        deployment=deployed,
        standing=(replace(deployed, tag="develop-1"),),
        requests=(asked,),
    )
    assert MESSAGES.why(why, has_requests=True) == (
        "iris:develop-2 does not stand in dev. There stands develop-1 in iris since 2026-01-02 03:04 UTC. "
        "It stood there once: commit cccccccccc of 2026-01-02 03:04 UTC by lee (iris develop-2 in dev), "
        "taken back by commit dddddddddd. kim keeps it out. The one request for it there, of "
        "2026-01-02 03:00 UTC, is committed: It is on main."
    )
    deployed = replace(deployed, reverted_by="")
    stands = replace(why, stands=True, outcome=OutcomeKind.UNCHANGED, requests=(), deployment=deployed)
    assert MESSAGES.why(stands, has_requests=True) == (
        "iris:develop-2 stands in dev: commit cccccccccc of 2026-01-02 03:04 UTC by lee "
        "(iris develop-2 in dev). No request for it is known here."
    )
