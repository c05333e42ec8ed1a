"""What every store promises about requests that wait for a person; see test_store.py.

Held ones are answered and claimed again; proposed ones are settled and followed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
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
    wish,
)

from updater.model import Outcome, OutcomeKind, Record
from updater.store import Deferral, Intent, Query, Store

LONG = 60.0
INSTANT = timedelta(microseconds=1)
COMMITTED, HELD, PROPOSED = OutcomeKind.COMMITTED, OutcomeKind.HELD, OutcomeKind.PROPOSED
HALF_HELD = outcome_of({"dev": COMMITTED, "prod": HELD})
HALF_PROPOSED = outcome_of({"dev": COMMITTED, "prod": PROPOSED})
LANDED = outcome_of({"dev": COMMITTED, "prod": COMMITTED})


def known(store: Store, request_id: str) -> Record:
    record = store.get(request_id)
    assert record is not None
    return record


class HoldingContract:
    @pytest.fixture
    def held(self, store: Store) -> str:
        """A request that was committed in dev and is held in prod for five minutes."""
        request_id = store.add(wish())[0].request.id
        store.claim(10, MINUTE)
        store.settle({request_id: HALF_HELD}, again={request_id: NOON + 5 * MINUTE})
        return request_id

    def test_a_held_request_shows_its_outcome_and_when_it_is_tried_again(
        self, store: Store, held: str
    ) -> None:
        record = known(store, held)
        assert (record.outcome, record.settled_at, record.retry_at) == (HALF_HELD, NOON, NOON + 5 * MINUTE)
        assert (store.counts()["held"], store.counts()["pending"]) == (1, 0)
        assert [one.request.id for one in store.find(Query(settled=True, kinds=(HELD,)))] == [held]
        assert [one.request.id for one in store.find(Query(environment="prod"))] == [held]

    def test_a_held_request_is_claimed_when_its_time_comes_with_what_was_done(
        self, store: Store, clock: Clock, held: str
    ) -> None:
        assert store.next_due() == NOON + 5 * MINUTE
        clock.advance(5 * MINUTE - INSTANT)
        assert store.claim(10, MINUTE) == []
        clock.advance(INSTANT)
        (claimed,) = store.claim(10, MINUTE)
        assert (claimed.id, claimed.done) == (held, (settled_in("dev"),))
        assert store.claim(10, MINUTE) == []
        assert store.next_due() == NOON + 6 * MINUTE

    def test_a_hint_makes_held_requests_due_at_once_and_only_them(self, store: Store, held: str) -> None:
        other = store.add(wish(app="rose"))[0].request.id
        store.claim(10, MINUTE)
        store.defer({other: Deferral("Git is away.", NOON + MINUTE)})
        assert store.claim(10, MINUTE) == []
        assert [one.id for one in store.claim(10, MINUTE, hurry=True)] == [held]
        assert store.claim(10, MINUTE, hurry=True) == []

    def test_a_held_request_comes_along_with_a_newer_one_for_its_repository(
        self, store: Store, held: str
    ) -> None:
        store.add(wish(app="rose"))
        assert [one.id for one in store.claim(10, MINUTE)] != [held]
        newer = store.add(wish("develop-2"))[0].request.id
        assert [one.id for one in store.claim(10, MINUTE)] == [held, newer]

    def test_a_pile_of_held_requests_does_not_keep_a_new_one_from_its_turn(self, store: Store) -> None:
        pile = [store.add(wish(f"develop-{number}"))[0].request.id for number in range(5)]
        store.claim(10, MINUTE)
        store.settle(dict.fromkeys(pile, HALF_HELD), again=dict.fromkeys(pile, NOON + 5 * MINUTE))
        new = [store.add(wish("develop-9"))[0].request.id for _ in range(2)]
        assert [one.id for one in store.claim(3, MINUTE)] == [pile[0], *new]
        store.settle(dict.fromkeys(new, LANDED))
        assert store.claim(3, MINUTE) == []

    def test_held_requests_whose_time_has_come_let_new_ones_pass(self, store: Store, clock: Clock) -> None:
        pile = [store.add(wish(f"develop-{number}"))[0].request.id for number in range(3)]
        store.settle(dict.fromkeys(pile, HALF_HELD), again=dict.fromkeys(pile, NOON + MINUTE))
        clock.advance(MINUTE)
        new = store.add(wish(app="rose"))[0].request.id
        assert [one.id for one in store.claim(2, MINUTE)] == [pile[0], new]
        assert [one.id for one in store.claim(9, MINUTE)] == pile[1:]

    def test_what_a_hint_makes_due_lets_those_pass_whose_time_has_come(
        self, store: Store, clock: Clock
    ) -> None:
        pile = [store.add(wish(f"develop-{number}"))[0].request.id for number in range(3)]
        times = {one: NOON + MINUTE * (9 - 4 * number) for number, one in enumerate(pile)}
        store.settle(dict.fromkeys(pile, HALF_HELD), again=times)
        clock.advance(MINUTE)
        new = store.add(wish(app="rose"))[0].request.id
        assert [one.id for one in store.claim(2, MINUTE, hurry=True)] == [pile[2], new]
        assert [one.id for one in store.claim(9, MINUTE, hurry=True)] == pile[:2]

    def test_a_held_promotion_is_claimed_again(self, store: Store, clock: Clock) -> None:
        record, _ = store.add(promotion("iris"))
        held = outcome_of({"prod": HELD})
        store.settle({record.request.id: held}, again={record.request.id: NOON + MINUTE})
        clock.advance(MINUTE)
        assert store.claim(10, MINUTE) == [record.request]

    def test_a_held_request_may_be_held_again_and_was_settled_when_it_was_held_first(
        self, store: Store, clock: Clock, held: str
    ) -> None:
        clock.advance(5 * MINUTE)
        store.claim(10, MINUTE)
        again = outcome_of({"dev": COMMITTED, "prod": HELD}, "Somebody else holds it now.")
        store.settle({held: again}, again={held: NOON + 9 * MINUTE})
        record = known(store, held)
        assert (record.outcome, record.settled_at, record.retry_at) == (again, NOON, NOON + 9 * MINUTE)
        assert store.next_due() == NOON + 9 * MINUTE

    @pytest.mark.parametrize(
        "last", [outcome_of({"dev": COMMITTED, "prod": kind}) for kind in OutcomeKind if kind is not HELD]
    )
    def test_whatever_ends_the_holding_is_final(
        self, store: Store, clock: Clock, held: str, last: Outcome
    ) -> None:
        clock.advance(5 * MINUTE)
        store.claim(10, MINUTE)
        store.settle({held: last})
        record = known(store, held)
        assert (record.outcome, record.settled_at, record.retry_at) == (last, NOON + 5 * MINUTE, None)
        store.settle({held: HALF_HELD}, again={held: NOON})
        assert known(store, held) == record
        assert store.claim(10, MINUTE, hurry=True) == []
        assert store.next_due() is None

    def test_another_outcome_may_stand_for_a_request_that_is_held_somewhere(
        self, store: Store, clock: Clock
    ) -> None:
        request_id = store.add(wish())[0].request.id
        mixed = outcome_of({"dev": OutcomeKind.REFUSED, "prod": HELD})
        store.settle({request_id: mixed}, again={request_id: NOON + MINUTE})
        assert known(store, request_id).outcome == mixed
        clock.advance(MINUTE)
        (claimed,) = store.claim(10, MINUTE)
        assert claimed.done == (settled_in("dev", OutcomeKind.REFUSED),)

    def test_who_holds_must_say_until_when(self, store: Store) -> None:
        one, other = (store.add(wish())[0].request.id for _ in range(2))
        with pytest.raises(ValueError, match=one):
            store.settle({other: outcome(), one: HALF_HELD}, again={other: NOON})
        assert store.counts()["pending"] == 2

    def test_a_held_request_that_is_deferred_still_shows_that_it_is_held(
        self, store: Store, clock: Clock, held: str
    ) -> None:
        clock.advance(5 * MINUTE)
        store.claim(10, timedelta(hours=1))
        done = (settled_in("dev"), settled_in("stage"))
        store.defer({held: Deferral("Git is away.", NOON + 7 * MINUTE, done, troubled_since=NOON)})
        record = known(store, held)
        assert (record.outcome, record.retry_at, record.attempts) == (HALF_HELD, NOON + 7 * MINUTE, 1)
        assert (record.reason, record.troubled_since) == ("Git is away.", NOON)
        clock.advance(2 * MINUTE)
        (claimed,) = store.claim(10, MINUTE)
        assert claimed.done == done
        store.settle({held: HALF_HELD}, again={held: NOON + 9 * MINUTE})
        record = known(store, held)
        assert (record.reason, record.troubled_since) == ("", None)

    def test_the_notes_of_a_held_environment_stay_and_those_of_others_go(self, store: Store) -> None:
        one = store.add(wish())[0].request.id
        kept = Intent("updater/prod/iris", "b" * 40, settled_in("prod", PROPOSED))
        store.intend({one: [Intent("main", "a" * 40, settled_in("dev")), kept]})
        store.settle({one: HALF_HELD}, again={one: NOON})
        assert store.intents([one]) == {one: (kept,)}
        store.settle({one: LANDED})
        assert store.intents([one]) == {}

    def test_who_waits_is_woken_by_holding(self, store: Store) -> None:
        one = store.add(wish())[0].request.id
        ready, got = Barrier(2), []

        def wait() -> None:
            ready.wait()
            got.append(store.wait(one, LONG))

        thread = Thread(target=wait)
        thread.start()
        ready.wait()
        store.settle({one: HALF_HELD}, again={one: NOON})
        thread.join(LONG / 2)
        assert [record and record.outcome for record in got] == [HALF_HELD]

    def test_a_dead_servers_lease_on_a_held_request_ends_with_it(self, open_store: OpenStore) -> None:
        first = open_store()
        first.lock()
        one = first.add(wish())[0].request.id
        first.settle({one: HALF_HELD}, again={one: NOON})
        assert len(first.claim(10, MINUTE)) == 1
        first.close()
        second = open_store()
        assert second.claim(10, MINUTE) == []
        second.lock()
        assert [one.id for one in second.claim(10, MINUTE)] == [one]

    def test_thousands_are_held_and_settled(self, store: Store) -> None:
        threads = [Thread(target=lambda: [store.add(wish()) for _ in range(300)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in range(2):
            batch = [request.id for request in store.claim(5000, MINUTE)]
            assert len(batch) == 2400
            store.settle(dict.fromkeys(batch, HALF_HELD), again=dict.fromkeys(batch, NOON))
        assert store.counts()["held"] == 2400
        store.settle(dict.fromkeys(batch, HALF_PROPOSED))
        store.progress(dict.fromkeys(batch, LANDED))
        assert store.counts()["committed"] == 2400


class ProposingContract:
    @pytest.fixture
    def open_one(self, store: Store, clock: Clock) -> str:
        """A request that was committed in dev and waits in a merge request for prod."""
        request_id = store.add(wish())[0].request.id
        clock.advance(MINUTE)
        store.settle({request_id: HALF_PROPOSED})
        return request_id

    def test_what_rests_on_a_merge_request_is_listed_oldest_first(self, store: Store) -> None:
        made = [store.add(wish(f"t{number}"))[0].request.id for number in range(5)]
        store.settle({made[0]: outcome(PROPOSED, "prod"), made[1]: LANDED, made[2]: HALF_PROPOSED})
        store.settle({made[3]: outcome_of({"dev": OutcomeKind.FAILED, "prod": PROPOSED})})
        assert [tag_of(record.request) for record in store.proposed()] == ["t0", "t2", "t3"]
        assert [tag_of(record.request) for record in store.proposed(2)] == ["t0", "t2"]
        assert store.proposed()[1] == store.get(made[2])

    def test_what_waits_for_a_person_is_not_claimed(self, store: Store, open_one: str) -> None:
        assert known(store, open_one).outcome == HALF_PROPOSED
        assert store.counts()["committed"] == 1
        assert store.claim(10, MINUTE, hurry=True) == []
        assert store.next_due() is None

    @pytest.mark.parametrize("kind", [COMMITTED, OutcomeKind.SUPERSEDED, OutcomeKind.REFUSED])
    def test_what_became_of_the_merge_request_replaces_the_outcome(
        self, store: Store, clock: Clock, open_one: str, kind: OutcomeKind
    ) -> None:
        clock.advance(MINUTE)
        later = outcome_of({"dev": COMMITTED, "prod": kind})
        before = known(store, open_one)
        store.progress({open_one: later})
        assert known(store, open_one) == replace(before, outcome=later)
        assert store.counts()[later.kind] == 1
        assert store.proposed() == []
        store.progress({open_one: HALF_PROPOSED})
        assert known(store, open_one).outcome == later

    def test_an_open_one_that_is_told_of_anew_stays_open(self, store: Store, open_one: str) -> None:
        for reason in ("It waits for its pipeline.", "It waits for an approval."):
            later = outcome_of({"dev": COMMITTED, "prod": PROPOSED}, reason)
            store.progress({open_one: later})
            assert [record.outcome for record in store.proposed()] == [later]

    def test_only_open_requests_make_progress(self, store: Store) -> None:
        pending, settled = (store.add(wish())[0].request.id for _ in range(2))
        store.settle({settled: LANDED})
        before = known(store, settled)
        store.progress(dict.fromkeys((pending, settled, "0" * 26), HALF_PROPOSED))
        store.progress({})
        assert known(store, pending).outcome is None
        assert known(store, settled) == before
        assert store.proposed() == []
        assert [record.request.id for record in store.find(Query(environment="prod"))] == [settled]

    def test_progress_lists_a_request_under_environments_it_lacked(self, store: Store, open_one: str) -> None:
        kinds = {"dev": COMMITTED, "prod": COMMITTED, "stage": OutcomeKind.UNCHANGED}
        store.progress({open_one: outcome_of(kinds)})
        for environment in kinds:
            assert [one.request.id for one in store.find(Query(environment=environment))] == [open_one]

    def test_settling_again_does_not_touch_an_open_request(self, store: Store, open_one: str) -> None:
        store.settle({open_one: LANDED})
        assert known(store, open_one).outcome == HALF_PROPOSED

    def test_who_listens_is_woken_by_progress(self, store: Store, open_one: str) -> None:
        with store._waiters.expecting(open_one) as woken:
            store.progress({open_one: LANDED})
            assert woken.is_set()

    def test_a_request_may_be_held_in_one_place_and_open_in_another(self, store: Store, clock: Clock) -> None:
        one = store.add(wish())[0].request.id
        store.settle({one: outcome_of({"stage": PROPOSED, "prod": HELD})}, again={one: NOON + MINUTE})
        assert [record.request.id for record in store.proposed()] == [one]
        merged = outcome_of({"stage": COMMITTED, "prod": HELD})
        store.progress({one: merged})
        assert store.proposed() == []
        assert (known(store, one).outcome, known(store, one).retry_at) == (merged, NOON + MINUTE)
        clock.advance(MINUTE)
        (claimed,) = store.claim(10, MINUTE)
        assert claimed.done == (settled_in("stage"),)

    def test_a_held_request_whose_progress_holds_nothing_is_not_claimed_again(self, store: Store) -> None:
        one = store.add(wish())[0].request.id
        store.settle({one: outcome_of({"stage": PROPOSED, "prod": HELD})}, again={one: NOON})
        store.progress({one: LANDED})
        assert store.claim(10, MINUTE, hurry=True) == []
        assert known(store, one).retry_at is None

    def test_readers_and_writers_meet_without_harm(self, store: Store) -> None:
        batch = [store.add(wish())[0].request.id for _ in range(40)]
        store.settle(dict.fromkeys(batch, HALF_PROPOSED))
        stop, seen = Event(), []

        def look() -> None:
            while not stop.is_set():
                seen.append({record.outcome for record in store.proposed()})

        thread = Thread(target=look)
        thread.start()
        while not seen:
            Event().wait(0.001)
        store.progress(dict.fromkeys(batch, LANDED))
        stop.set()
        thread.join()
        # All of one change or nothing of it is seen.
        assert all(one in ({HALF_PROPOSED}, set()) for one in seen)


class TestHoldingOnSqlite(OnSqlite, HoldingContract):
    pass


class TestProposingOnSqlite(OnSqlite, ProposingContract):
    pass
