"""What every store promises about notes, outcomes, waiting and listing; see test_store.py."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from support.stores import MINUTE, NOON, Clock, OnSqlite, OpenStore, outcome, settled_in, tag_of, wish

from updater.errors import InvalidRequest, Unreachable
from updater.model import OutcomeKind, Record
from updater.store import Deferral, Intent, Query, Store

LONG = 60.0


def accept(store: Store, tag: str = "develop-1", **more: str) -> str:
    return store.add(wish(tag, **more))[0].request.id


def listed(store: Store, query: Query) -> list[str]:
    return [tag_of(record.request) for record in store.find(query)]


class NotingContract:
    def test_notes_are_read_back_by_environment(self, open_store: OpenStore) -> None:
        store = open_store()
        one, two, without = accept(store), accept(store), accept(store)
        notes = {
            one: (Intent("main", "a" * 40, settled_in("dev")), Intent("live", "b" * 40, settled_in("prod"))),
            two: (Intent("main", "c" * 40, settled_in("dev")),),
        }
        store.intend(notes)
        store.close()
        assert open_store().intents([one, two, without]) == notes

    def test_notes_add_up_because_an_earlier_push_may_still_arrive(self, store: Store) -> None:
        one = accept(store)
        live = Intent("live", "b" * 40, settled_in("prod"))
        first = Intent("main", "a" * 40, settled_in("dev"))
        store.intend({one: [first, live]})
        again = Intent("main", "e" * 40, settled_in("dev"))
        store.intend({one: [again]})
        store.intend({one: [again]})
        assert set(store.intents([one])[one]) == {first, again, live}

    def test_noting_nothing_changes_nothing(self, store: Store) -> None:
        one = accept(store)
        store.intend({})
        store.intend({one: []})
        assert store.intents([one]) == {}
        assert store.intents([]) == {}

    def test_settling_drops_the_notes(self, store: Store) -> None:
        one, other = accept(store), accept(store)
        store.intend({each: [Intent("main", "a" * 40, settled_in())] for each in (one, other)})
        store.settle({one: outcome()})
        assert store.intents([one, other]).keys() == {other}

    def test_deferring_keeps_the_notes(self, store: Store) -> None:
        one = accept(store)
        store.intend({one: [Intent("main", "a" * 40, settled_in())]})
        store.defer({one: Deferral("Cut off.")})
        assert store.intents([one]).keys() == {one}


class SettlingContract:
    def test_an_outcome_is_kept_whole(self, store: Store, clock: Clock) -> None:
        record, _ = store.add(wish())
        store.defer({record.request.id: Deferral("Git is away.", NOON + MINUTE)})
        clock.advance(MINUTE)
        result = outcome(OutcomeKind.SUPERSEDED, "dev", "prod")
        store.settle({record.request.id: result})
        assert store.get(record.request.id) == replace(
            record, outcome=result, attempts=1, settled_at=NOON + MINUTE
        )

    def test_a_request_is_never_settled_twice(self, store: Store, clock: Clock) -> None:
        one, other = accept(store), accept(store)
        store.settle({one: outcome()})
        before = store.get(one)
        clock.advance(MINUTE)
        store.settle({one: outcome(OutcomeKind.FAILED, "prod"), other: outcome(OutcomeKind.REFUSED)})
        assert store.get(one) == before
        assert store.counts() == {
            "pending": 0,
            "failed": 0,
            "refused": 1,
            "held": 0,
            "committed": 1,
            "proposed": 0,
            "superseded": 0,
            "unchanged": 0,
        }
        assert listed(store, Query(environment="prod")) == []

    def test_unknown_requests_are_left_out(self, store: Store) -> None:
        one = accept(store)
        store.settle({"0" * 26: outcome(), one: outcome()})
        store.defer({"0" * 26: Deferral("Later.")})
        assert store.get("0" * 26) is None
        assert store.counts()["committed"] == 1

    def test_settling_nothing_changes_nothing(self, store: Store) -> None:
        accept(store)
        store.settle({})
        store.defer({})
        assert store.counts()["pending"] == 1

    def test_an_outcome_may_have_no_environments(self, store: Store) -> None:
        one = accept(store)
        store.settle({one: replace(outcome(), environments=())})
        found = store.get(one)
        assert found is not None
        assert found.outcome == replace(outcome(), environments=())


class WaitingContract:
    def test_everybody_who_waits_is_woken_and_nobody_else(self, store: Store) -> None:
        one, other = accept(store, "a"), accept(store, "b")
        ready = Barrier(11)
        got: list[Record | None] = []

        def wait() -> None:
            ready.wait()
            got.append(store.wait(one, LONG))

        threads = [Thread(target=wait) for _ in range(10)]
        for thread in threads:
            thread.start()
        ready.wait()
        store.settle({other: outcome()})
        store.settle({one: outcome(OutcomeKind.UNCHANGED)})
        for thread in threads:
            thread.join(LONG)
        assert [record and record.outcome for record in got] == [outcome(OutcomeKind.UNCHANGED)] * 10

    def test_a_settled_request_is_answered_at_once(self, store: Store) -> None:
        one = accept(store)
        store.settle({one: outcome()})
        record = store.wait(one, LONG)
        assert record is not None
        assert record.outcome == outcome()

    def test_after_its_time_the_waiter_gets_what_is_known(self, store: Store) -> None:
        record, _ = store.add(wish())
        assert store.wait(record.request.id, 0.01) == record

    def test_who_waits_is_let_go_when_the_store_closes(self, store: Store) -> None:
        one = accept(store)
        let_go = Event()

        def wait() -> None:
            with suppress(Unreachable):  # where the closing comes between its entry and its first look
                store.wait(one, LONG)
            let_go.set()

        thread = Thread(target=wait)
        thread.start()
        while not store._waiters._events:
            Event().wait(0.001)
        store.close()
        assert let_go.wait(LONG / 2)
        thread.join()


class ListingContract:
    @pytest.fixture
    def filled(self, store: Store, clock: Clock) -> Store:
        clock.advance(timedelta(seconds=1))
        tags = {
            "t1": accept(store, "t1", app="iris"),
            "t2": accept(store, "t2", app="iris-admin", caller="people"),
            "t3": accept(store, "t3", app="rose", environment="prod"),
            "t4": accept(store, "t4", app="rose"),
            "t5": accept(store, "T5", app="rose"),
        }
        store.settle({tags["t1"]: outcome(OutcomeKind.COMMITTED, "dev", "stage")})
        store.settle({tags["t3"]: outcome(OutcomeKind.REFUSED, "prod")})
        store.settle({tags["t4"]: outcome(OutcomeKind.UNCHANGED, "dev")})
        return store

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (Query(), ["T5", "t4", "t3", "t2", "t1"]),
            (Query(limit=2), ["T5", "t4"]),
            (Query(settled=False), ["T5", "t2"]),
            (Query(settled=True), ["t4", "t3", "t1"]),
            (Query(kinds=(OutcomeKind.REFUSED, OutcomeKind.COMMITTED)), ["t3", "t1"]),
            (Query(settled=False, kinds=(OutcomeKind.REFUSED,)), []),
            (Query(repository="registry.example.com/shop/iris"), ["t1"]),
            (Query(repository="iris"), []),
            (Query(text="shop/IRIS"), ["t2", "t1"]),
            (Query(text="iris:t"), ["t1"]),
            (Query(text="t5"), ["T5"]),
            (Query(text="%"), []),
            (Query(environment="dev"), ["t4", "t1"]),
            (Query(environment="prod"), ["t3"]),
            (Query(caller="people"), ["t2"]),
            (Query(caller="ci", settled=True, environment="stage"), ["t1"]),
        ],
        ids=str,
    )
    def test_every_filter_that_is_set_must_hold(
        self, filled: Store, query: Query, expected: list[str]
    ) -> None:
        assert listed(filled, query) == expected

    def test_a_pending_request_is_listed_under_the_environment_it_asked_for(self, store: Store) -> None:
        accept(store, environment="prod")
        assert listed(store, Query(environment="prod")) == ["develop-1"]
        assert listed(store, Query(environment="dev")) == []

    def test_pages_follow_each_other_without_gap_or_repeat(self, store: Store) -> None:
        made = [accept(store, f"t{number}") for number in range(11)]
        pages: list[list[str]] = []
        before: str | None = None
        while page := [record.request.id for record in store.find(Query(limit=4, before=before))]:
            accept(store, "newer")
            pages.append(page)
            before = page[-1]
        assert [len(page) for page in pages] == [4, 4, 3]
        assert [request for page in pages for request in page] == made[::-1]

    def test_a_page_after_an_unknown_request_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidRequest, match="no request 'nonsense'") as refused:
            store.find(Query(before="nonsense"))
        assert refused.value.field == "before"

    def test_counts_name_every_outcome(self, filled: Store) -> None:
        expected: Mapping[str, int] = {
            "pending": 2,
            "failed": 0,
            "refused": 1,
            "held": 0,
            "committed": 1,
            "proposed": 0,
            "superseded": 0,
            "unchanged": 1,
        }
        assert filled.counts() == expected


class TestNotingOnSqlite(OnSqlite, NotingContract):
    pass


class TestSettlingOnSqlite(OnSqlite, SettlingContract):
    pass


class TestWaitingOnSqlite(OnSqlite, WaitingContract):
    pass


class TestListingOnSqlite(OnSqlite, ListingContract):
    pass
