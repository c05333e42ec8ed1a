"""What every store promises, whatever database is behind it.

Another database joins by a class of fixtures like `OnSqlite` and a subclass of each contract.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from support.stores import (
    MINUTE,
    NOON,
    Clock,
    OnSqlite,
    OpenStore,
    outcome,
    settled_in,
    update_in,
    wish,
)

from updater.errors import InvalidRequest, KeyReused, Unreachable
from updater.model import Caller, OutcomeKind, Source
from updater.store import Deferral, Intent, Store


class AcceptingContract:
    def test_an_accepted_wish_is_kept_whole(self, store: Store, clock: Clock) -> None:
        wanted = wish("1.2.3", environment="dev")
        record, created = store.add(wanted)
        assert created
        request = update_in(record)
        assert (request.image, request.caller, request.environment, request.source) == (
            wanted.image,
            wanted.caller,
            "dev",
            wanted.source,
        )
        assert (request.received_at, record.outcome, record.attempts, record.reason) == (NOON, None, 0, "")
        assert store.get(request.id) == record

    def test_a_digest_is_kept(self, store: Store) -> None:
        image = replace(wish().image, digest="sha256:" + "a" * 64)
        record, _ = store.add(replace(wish(), image=image))
        assert update_in(store.get(record.request.id)).image == image

    def test_ids_are_short_url_safe_and_sort_by_time(self, store: Store, clock: Clock) -> None:
        made = []
        for _ in range(20):
            made.append(store.add(wish())[0].request.id)
            clock.advance(timedelta(milliseconds=1))
        assert made == sorted(made)
        assert len({one[10:] for one in made}) == 20
        assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", one) for one in made)

    def test_sequence_numbers_rise_in_the_order_of_acceptance(self, store: Store) -> None:
        numbers = [store.add(wish())[0].request.sequence for _ in range(5)]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0

    def test_an_unknown_id_is_none(self, store: Store) -> None:
        assert store.get("0" * 26) is None
        assert store.wait("0" * 26, 10) is None

    def test_the_same_wish_with_the_same_key_is_the_same_request(self, store: Store) -> None:
        first, created = store.add(wish(), key="k")
        again, created_again = store.add(wish(), key="k")
        assert (created, created_again) == (True, False)
        assert again == first

    def test_a_repeated_key_answers_with_what_has_become_of_the_request(self, store: Store) -> None:
        first, _ = store.add(wish(), key="k")
        store.settle({first.request.id: outcome()})
        again, _ = store.add(wish(), key="k")
        assert again.outcome == outcome()

    def test_a_caller_whose_rights_changed_may_still_repeat(self, store: Store) -> None:
        first, _ = store.add(wish(), key="k")
        again, created = store.add(replace(wish(), caller=Caller(name="ci", images=("*",))), key="k")
        assert (again.request.id, created) == (first.request.id, False)

    @pytest.mark.parametrize(
        "other",
        [
            wish("develop-2"),
            wish(environment="dev"),
            replace(wish(), source=Source(project="other")),
            replace(wish(), image=replace(wish().image, digest="sha256:" + "a" * 64)),
        ],
        ids=["tag", "environment", "source", "digest"],
    )
    def test_a_key_does_not_serve_for_two_wishes(self, store: Store, other: object) -> None:
        first, _ = store.add(wish(), key="k")
        with pytest.raises(KeyReused, match=f"'k'.*develop-1.*{first.request.id}.*new key"):
            store.add(other, key="k")  # type: ignore[arg-type]
        assert store.counts()["pending"] == 1

    def test_two_callers_do_not_share_their_keys(self, store: Store) -> None:
        one, _ = store.add(wish(caller="one"), key="k")
        two, created = store.add(wish(caller="two"), key="k")
        assert created
        assert one.request.id != two.request.id

    def test_without_a_key_each_wish_is_a_request(self, store: Store) -> None:
        store.add(wish())
        store.add(wish())
        assert store.counts()["pending"] == 2

    def test_many_threads_with_one_key_make_one_request(self, store: Store) -> None:
        made: list[str] = []
        threads = [
            Thread(target=lambda: made.append(store.add(wish(), key="k")[0].request.id)) for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 16
        assert len(set(made)) == 1
        assert store.counts()["pending"] == 1

    @pytest.mark.parametrize("bad", ["\0", "\ud800"])
    def test_text_that_no_database_holds_is_refused(self, store: Store, bad: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            store.add(wish(environment=f"dev{bad}"))
        assert refused.value.field == "environment"
        with pytest.raises(InvalidRequest):
            store.add(wish(), key=bad)
        assert store.counts()["pending"] == 0

    def test_odd_characters_in_the_source_come_back_as_they_were(self, store: Store) -> None:
        source = Source(author="김\n\0\ud800'\"%_\\", project="a" * 5000)
        record, _ = store.add(replace(wish(), source=source))
        assert update_in(store.get(record.request.id)).source == source

    def test_the_worker_is_woken_by_a_new_request_and_not_by_a_repeated_one(self, store: Store) -> None:
        assert not store.arrived.is_set()
        store.add(wish(), key="k")
        assert store.arrived.is_set()
        store.arrived.clear()
        store.add(wish(), key="k")
        assert not store.arrived.is_set()

    def test_everything_is_there_after_closing_and_opening(self, open_store: OpenStore) -> None:
        store = open_store()
        record, _ = store.add(wish(), key="k")
        store.close()
        assert open_store().get(record.request.id) == record

    def test_a_closed_store_says_so(self, store: Store) -> None:
        store.close()
        store.close()
        with pytest.raises(Unreachable, match="stopping"):
            store.add(wish())
        with pytest.raises(Unreachable, match="stopping"):
            store.counts()

    def test_a_store_that_can_be_written_passes_its_check(self, store: Store) -> None:
        store.check()
        assert store.counts()["pending"] == 0


class ClaimingContract:
    def test_claims_come_in_the_order_of_acceptance(self, store: Store) -> None:
        made = [store.add(wish(f"develop-{number}"))[0].request for number in range(7)]
        assert store.claim(3, MINUTE) == made[:3]
        assert store.claim(100, MINUTE) == made[3:]

    def test_what_is_claimed_is_not_claimed_again_until_the_lease_ends(
        self, store: Store, clock: Clock
    ) -> None:
        record, _ = store.add(wish())
        assert store.claim(10, MINUTE) == [record.request]
        clock.advance(MINUTE - timedelta(microseconds=1))
        assert store.claim(10, MINUTE) == []
        clock.advance(timedelta(microseconds=1))
        assert store.claim(10, MINUTE) == [record.request]

    def test_two_claims_at_once_share_the_work(self, store: Store) -> None:
        for _ in range(50):
            store.add(wish())
        claimed: list[str] = []

        def work() -> None:
            while some := store.claim(7, MINUTE):
                claimed.extend(request.id for request in some)

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(claimed) == len(set(claimed)) == 50

    def test_a_dead_servers_leases_end_when_the_next_one_takes_the_lock(self, open_store: OpenStore) -> None:
        first = open_store()
        first.lock()
        record, _ = first.add(wish())
        first.claim(10, MINUTE)
        first.close()
        second = open_store()
        assert second.claim(10, MINUTE) == []
        second.lock()
        assert second.claim(10, MINUTE) == [record.request]

    def test_what_is_settled_is_never_claimed(self, store: Store, clock: Clock) -> None:
        record, _ = store.add(wish())
        store.settle({record.request.id: outcome()})
        assert store.claim(10, MINUTE) == []

    def test_a_deferred_request_is_claimed_when_its_time_comes(self, store: Store, clock: Clock) -> None:
        record, _ = store.add(wish())
        store.claim(10, MINUTE)
        done = (settled_in("dev"), settled_in("stage", OutcomeKind.REFUSED))
        store.defer({record.request.id: Deferral("Git is away.", NOON + 2 * MINUTE, done)})
        clock.advance(2 * MINUTE - timedelta(microseconds=1))
        assert store.claim(10, MINUTE) == []
        clock.advance(timedelta(microseconds=1))
        assert store.claim(10, MINUTE) == [replace(record.request, done=done)]

    def test_what_was_put_off_comes_along_with_a_newer_request_for_its_repository(self, store: Store) -> None:
        older, _ = store.add(wish())
        store.claim(10, MINUTE)
        store.defer({older.request.id: Deferral("Git is away.", NOON + 2 * MINUTE)})
        assert store.claim(10, MINUTE) == []
        newer, _ = store.add(wish())
        assert [one.id for one in store.claim(10, MINUTE)] == [older.request.id, newer.request.id]

    def test_how_long_there_was_trouble_is_kept_and_forgotten(self, store: Store) -> None:
        record, _ = store.add(wish())
        store.defer({record.request.id: Deferral("Git is away.", troubled_since=NOON)})
        found = store.get(record.request.id)
        assert found is not None
        assert found.troubled_since == NOON
        store.defer({record.request.id: Deferral("The rules are broken.")})
        found = store.get(record.request.id)
        assert found is not None
        assert found.troubled_since is None

    def test_a_deferral_is_told_to_who_asks(self, store: Store) -> None:
        record, _ = store.add(wish())
        store.defer({record.request.id: Deferral("Git is away.", NOON + MINUTE)})
        found = store.get(record.request.id)
        assert found == replace(record, reason="Git is away.", retry_at=NOON + MINUTE, attempts=1)

    def test_only_what_was_tried_counts_as_an_attempt(self, store: Store) -> None:
        record, _ = store.add(wish())
        for counts in (True, False, True):
            store.defer({record.request.id: Deferral("Later.", counts_as_attempt=counts)})
        found = store.get(record.request.id)
        assert found is not None
        assert found.attempts == 2

    def test_a_deferral_without_a_time_is_due_at_once(self, store: Store) -> None:
        record, _ = store.add(wish())
        store.claim(10, MINUTE)
        store.defer({record.request.id: Deferral("The branch moved.")})
        assert [request.id for request in store.claim(10, MINUTE)] == [record.request.id]

    def test_what_is_settled_is_not_deferred(self, store: Store) -> None:
        record, _ = store.add(wish())
        store.settle({record.request.id: outcome()})
        before = store.get(record.request.id)
        store.defer({record.request.id: Deferral("Too late.")})
        assert store.get(record.request.id) == before

    def test_next_due_is_the_earliest_moment_at_which_something_can_be_claimed(
        self, store: Store, clock: Clock
    ) -> None:
        assert store.next_due() is None
        one, _ = store.add(wish())
        assert store.next_due() == NOON
        store.claim(10, MINUTE)
        assert store.next_due() == NOON + MINUTE
        store.defer({one.request.id: Deferral("Later.", NOON + 5 * MINUTE)})
        assert store.next_due() == NOON + 5 * MINUTE
        clock.advance(2 * MINUTE)
        store.add(wish())
        assert store.next_due() == NOON + 2 * MINUTE

    def test_nothing_is_due_when_all_is_settled(self, store: Store) -> None:
        record, _ = store.add(wish())
        store.settle({record.request.id: outcome()})
        assert store.next_due() is None

    def test_a_batch_of_thousands_is_claimed_noted_deferred_and_settled(self, store: Store) -> None:
        threads = [Thread(target=lambda: [store.add(wish()) for _ in range(300)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        batch = [request.id for request in store.claim(5000, MINUTE)]
        assert len(batch) == 2400
        store.intend({one: [Intent("main", "c" * 40, settled_in())] for one in batch})
        assert store.intents(batch).keys() == set(batch)
        store.defer({one: Deferral("Later.") for one in batch})
        store.settle(dict.fromkeys(batch, outcome()))
        assert store.counts()["committed"] == 2400
        assert store.intents(batch) == {}


class TestAcceptingOnSqlite(OnSqlite, AcceptingContract):
    pass


class TestClaimingOnSqlite(OnSqlite, ClaimingContract):
    pass
