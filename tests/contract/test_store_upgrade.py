"""A database that an earlier version made and worked on opens, and everything in it is right."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from support.store_files import DATABASE, ROOT, child, is_sound, lines, load, shape
from support.stores import (
    MINUTE,
    NOON,
    Clock,
    OnSqlite,
    OpenStore,
    outcome,
    outcome_of,
    promotion,
    settled_in,
    tag_of,
    update_in,
    wish,
)

from updater.errors import InvalidSettings
from updater.model import Outcome, OutcomeKind, Record
from updater.store import Intent, Query, Store, tables

EARLIER = ROOT / "tests" / "support" / "store_0001.sql"
SECOND = timedelta(seconds=1)
COMMITTED_ONE, REFUSED_ONE, DEFERRED_ONE, LEASED_ONE, PENDING_ONE = (
    f"01kb{number:022d}" for number in range(1, 6)
)


def revision(folder: Path) -> str:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


class TestUpgrade(OnSqlite):
    @pytest.fixture(autouse=True)
    def earlier(self, tmp_path: Path) -> Path:
        """The folder that `open_store` opens, with a database of schema 0001."""
        load(EARLIER, tmp_path / "data")
        assert revision(tmp_path / "data") == "0001"
        return tmp_path / "data"

    def test_it_gets_the_tables_of_a_new_database(
        self, tmp_path: Path, earlier: Path, store: Store, clock: Clock
    ) -> None:
        Store(tmp_path / "new", clock=clock).close()
        assert shape(earlier) == shape(tmp_path / "new")
        assert revision(earlier) == tables.REVISION

    @pytest.mark.parametrize(
        ("request_id", "tag", "expected"),
        [
            (COMMITTED_ONE, "develop-1", outcome(OutcomeKind.COMMITTED, "dev", "stage")),
            (REFUSED_ONE, "develop-2", outcome(OutcomeKind.REFUSED, "prod")),
            (DEFERRED_ONE, "develop-3", None),
            (LEASED_ONE, "develop-4", None),
            (PENDING_ONE, "develop-5", None),
        ],
    )
    def test_every_request_reads_as_it_was_written(
        self, store: Store, request_id: str, tag: str, expected: Outcome | None
    ) -> None:
        apps = {"develop-4": "rose", "develop-5": "lily"}
        record = store.get(request_id)
        assert record is not None
        wanted = wish(tag, app=apps.get(tag, "iris"))
        request = update_in(record)
        assert (request.image, request.source, request.caller) == (wanted.image, wanted.source, wanted.caller)
        assert request.received_at == NOON + int(tag[-1]) * SECOND
        assert record.outcome == expected
        assert record.settled_at == (None if expected is None else NOON + 5 * SECOND)

    def test_what_was_put_off_waits_as_before(self, store: Store) -> None:
        record = store.get(DEFERRED_ONE)
        assert record == Record(
            request=update_in(record),
            reason="Git is away.",
            attempts=1,
            retry_at=NOON + 5 * MINUTE,
            troubled_since=NOON,
        )
        assert update_in(record).done == (settled_in("dev"),)
        assert store.intents([DEFERRED_ONE]) == {
            DEFERRED_ONE: (Intent("main", "e" * 40, settled_in("prod")),)
        }

    def test_only_what_was_pending_is_claimed(self, store: Store, clock: Clock) -> None:
        assert [one.id for one in store.claim(10, MINUTE, hurry=True)] == [PENDING_ONE]
        store.lock()
        assert [one.id for one in store.claim(10, MINUTE)] == [LEASED_ONE, PENDING_ONE]
        assert store.next_due() == NOON + MINUTE
        clock.advance(5 * MINUTE)
        assert [one.id for one in store.claim(10, MINUTE)] == [DEFERRED_ONE, LEASED_ONE, PENDING_ONE]

    def test_what_was_settled_stays_so_and_is_not_open(self, store: Store) -> None:
        before = store.get(COMMITTED_ONE)
        store.settle({COMMITTED_ONE: outcome(OutcomeKind.FAILED)})
        store.progress({COMMITTED_ONE: outcome(OutcomeKind.FAILED)})
        assert store.get(COMMITTED_ONE) == before
        assert store.proposed() == []

    def test_listings_and_counts_are_as_they_were(self, store: Store) -> None:
        assert [tag_of(one.request) for one in store.find(Query(text="IRIS"))] == [
            "develop-3",
            "develop-2",
            "develop-1",
        ]
        assert [one.request.id for one in store.find(Query(environment="stage"))] == [COMMITTED_ONE]
        some = {kind: number for kind, number in store.counts().items() if number}
        assert some == {"pending": 3, "committed": 1, "refused": 1}

    def test_a_key_of_before_is_known(self, store: Store) -> None:
        record, created = store.add(wish("develop-1"), key="first")
        assert (record.request.id, created) == (COMMITTED_ONE, False)

    def test_what_came_before_and_what_is_new_work_side_by_side(self, store: Store, clock: Clock) -> None:
        store.lock()
        new = store.add(promotion())[0].request.id
        clock.advance(5 * MINUTE)
        claimed = [one.id for one in store.claim(10, MINUTE)]
        assert claimed == [DEFERRED_ONE, LEASED_ONE, PENDING_ONE, new]
        held, proposed = outcome_of({"prod": OutcomeKind.HELD}), outcome_of({"prod": OutcomeKind.PROPOSED})
        store.settle({DEFERRED_ONE: held, LEASED_ONE: proposed}, again={DEFERRED_ONE: clock.now})
        assert [one.id for one in store.claim(10, MINUTE)] == [DEFERRED_ONE]
        assert [one.request.id for one in store.proposed()] == [LEASED_ONE]

    def test_a_reader_says_that_the_server_must_come_first(self, earlier: Path) -> None:
        with pytest.raises(InvalidSettings, match=r"another version.*start the server"):
            Store.reading(earlier)
        assert revision(earlier) == "0001"

    def test_killed_in_the_middle_it_is_as_before_and_the_next_start_does_it(
        self, earlier: Path, open_store: OpenStore
    ) -> None:
        before = shape(earlier)
        with child("stay_in_the_migration", earlier) as process:
            assert next(lines(process)) == "migrated"
            assert (earlier / f"{DATABASE}-wal").stat().st_size > 0
        assert (revision(earlier), shape(earlier)) == ("0001", before)
        store = open_store()
        assert is_sound(earlier)
        assert revision(earlier) == tables.REVISION
        assert store.counts()["pending"] == 3
        assert store.counts()["committed"] == 1

    def test_of_many_that_start_at_once_each_upgrades_or_is_told_that_another_does(
        self, earlier: Path, clock: Clock
    ) -> None:
        together, told = Barrier(6), []

        def start() -> None:
            together.wait()
            try:
                with Store(earlier, clock=clock) as store:
                    told.append(f"{store.counts()['pending']} pending")
            except InvalidSettings as refusal:
                told.append("only one may" if "only one may" in str(refusal) else str(refusal))

        threads = [Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(told) - {"only one may"} == {"3 pending"}
        assert is_sound(earlier)


class TestKills(OnSqlite):
    def test_every_step_that_was_acknowledged_survives_a_kill(
        self, tmp_path: Path, open_store: OpenStore
    ) -> None:
        steps = {"held": 0, "proposed": 1, "committed": 2}
        acknowledged: dict[str, int] = {}
        for stop_after in (1, 2, 3, 40, 41):
            with child("settle_for_ever", tmp_path / "data") as process:
                said = lines(process)
                first = [next(said) for _ in range(stop_after)]
                process.kill()
                for line in (*first, *said):
                    request_id, step = line.split()
                    acknowledged[request_id] = steps[step]
        assert is_sound(tmp_path / "data")
        stored = {record.request.id: record for record in open_store().find(Query(limit=1_000_000))}
        assert len(acknowledged) >= 5
        for request_id, reached in acknowledged.items():
            last = stored[request_id].outcome
            assert last is not None
            assert steps[last.kind] >= reached
