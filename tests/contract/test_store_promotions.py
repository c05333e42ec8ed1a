"""What every store promises about promotions; see test_store.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.stores import MINUTE, NOON, OnSqlite, OpenStore, outcome, promotion, settled_in, tag_of, wish

from updater.errors import InvalidRequest, KeyReused
from updater.model import Chosen, OutcomeKind, PromotionRequest, Record, Request
from updater.store import Deferral, PromotionWish, Query, Store

WHOLE = replace(promotion("iris", "rose"), allow_older=True, reason="김: the sale starts\n\0\ud800")

CHOSEN = (
    Chosen("iris", f"registry.example.com/shop/iris:develop-7@sha256:{'a' * 64}"),
    Chosen("rose", "registry.example.com/shop/rose:develop-8"),
)


def having(request: Request, chosen: tuple[Chosen, ...]) -> Request:
    """Return a promotion with what was chosen for it."""
    assert isinstance(request, PromotionRequest)
    return replace(request, chosen=chosen)


class PromotionContract:
    def test_an_accepted_promotion_is_kept_whole(self, open_store: OpenStore) -> None:
        store = open_store()
        record, created = store.add(WHOLE)
        assert created
        assert record.request == PromotionRequest(
            id=record.request.id,
            origin="dev",
            environment="prod",
            caller=WHOLE.caller,
            received_at=NOON,
            charts=("iris", "rose"),
            allow_older=True,
            reason=WHOLE.reason,
            sequence=record.request.sequence,
        )
        assert record.request.sequence > 0
        store.close()
        assert open_store().get(record.request.id) == record

    def test_a_promotion_of_everything_names_no_chart(self, store: Store) -> None:
        record, _ = store.add(promotion())
        assert isinstance(record.request, PromotionRequest)
        assert (record.request.charts, record.request.allow_older) == ((), False)
        assert store.get(record.request.id) == record

    def test_promotions_and_updates_are_claimed_in_the_order_of_acceptance(self, store: Store) -> None:
        for one in (wish("develop-1"), promotion(), wish("develop-2")):
            store.add(one)
        claimed = store.claim(10, MINUTE)
        assert [tag_of(one) for one in claimed] == ["develop-1", "dev to prod", "develop-2"]
        assert [type(one) for one in claimed].count(PromotionRequest) == 1

    def test_a_claimed_promotion_knows_what_was_done_before(self, store: Store) -> None:
        record, _ = store.add(promotion())
        store.defer({record.request.id: Deferral("Git is away.", done=(settled_in("prod"),))})
        assert store.claim(10, MINUTE) == [replace(record.request, done=(settled_in("prod"),))]

    def test_a_promotion_is_settled_like_any_request(self, store: Store) -> None:
        record, _ = store.add(promotion())
        store.settle({record.request.id: outcome(OutcomeKind.UNCHANGED, "prod")})
        found = store.get(record.request.id)
        assert found == replace(
            record, outcome=outcome(OutcomeKind.UNCHANGED, "prod"), settled_at=NOON, request=record.request
        )
        assert store.claim(10, MINUTE) == []

    def test_the_same_promotion_with_the_same_key_is_the_same_request(self, store: Store) -> None:
        first, _ = store.add(WHOLE, key="k")
        again, created = store.add(WHOLE, key="k")
        assert (again, created) == (first, False)

    @pytest.mark.parametrize(
        "other",
        [
            replace(WHOLE, origin="stage"),
            replace(WHOLE, environment="stage"),
            replace(WHOLE, charts=("iris",)),
            replace(WHOLE, allow_older=False),
            replace(WHOLE, reason=""),
        ],
        ids=["origin", "environment", "charts", "allow_older", "reason"],
    )
    def test_a_key_does_not_serve_for_two_promotions(self, store: Store, other: PromotionWish) -> None:
        first, _ = store.add(WHOLE, key="k")
        with pytest.raises(KeyReused, match=f"a promotion from dev to prod.*{first.request.id}.*new key"):
            store.add(other, key="k")
        assert store.counts()["pending"] == 1

    def test_a_key_does_not_serve_for_an_update_and_a_promotion(self, store: Store) -> None:
        store.add(wish(caller="kim"), key="update")
        with pytest.raises(KeyReused, match="develop-1"):
            store.add(promotion(), key="update")
        store.add(promotion(), key="promotion")
        with pytest.raises(KeyReused, match="from dev to prod"):
            store.add(wish(caller="kim"), key="promotion")

    @pytest.mark.parametrize("bad", ["\0", "\ud800"])
    def test_a_target_that_no_database_holds_is_refused(self, store: Store, bad: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            store.add(promotion(environment=f"prod{bad}"))
        assert refused.value.field == "environment"

    def test_the_worker_is_woken_by_a_promotion(self, store: Store) -> None:
        store.add(promotion())
        assert store.arrived.is_set()

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (Query(), ["dev to stage", "dev to prod", "develop-1"]),
            (Query(text=":"), ["develop-1"]),
            (Query(text="dev"), ["develop-1"]),
            (Query(environment="prod"), ["dev to prod"]),
            (Query(environment="stage"), ["dev to stage"]),
            (Query(environment="dev"), ["develop-1"]),
            (Query(caller="kim"), ["dev to stage", "dev to prod"]),
            (Query(repository="registry.example.com/shop/iris"), ["develop-1"]),
        ],
        ids=str,
    )
    def test_promotions_are_listed_by_what_they_have(
        self, store: Store, query: Query, expected: list[str]
    ) -> None:
        update, _ = store.add(wish())
        store.settle({update.request.id: outcome()})
        store.add(promotion())
        store.add(promotion(environment="stage"))
        assert [tag_of(record.request) for record in store.find(query)] == expected

    def test_a_promotion_that_was_put_off_comes_along_with_the_next_one(self, store: Store) -> None:
        older, _ = store.add(promotion("iris"))
        store.claim(10, MINUTE)
        store.defer({older.request.id: Deferral("Git is away.", NOON + 2 * MINUTE)})
        store.add(wish())
        assert [tag_of(one) for one in store.claim(10, MINUTE)] == ["develop-1"]
        newer, _ = store.add(promotion("rose"))
        assert [one.id for one in store.claim(10, MINUTE)] == [older.request.id, newer.request.id]

    def test_what_was_chosen_is_kept_and_the_first_choice_stays(self, open_store: OpenStore) -> None:
        store = open_store()
        pending, other = (store.add(WHOLE)[0].request for _ in range(2))
        store.choose({pending.id: CHOSEN})
        store.choose(
            {pending.id: (Chosen("iris", "registry.example.com/shop/iris:develop-9"),), other.id: ()}
        )
        store.close()
        store = open_store()
        assert store.claim(10, MINUTE) == [having(pending, CHOSEN), other]
        assert [one.request for one in store.find(Query())] == [other, having(pending, CHOSEN)]
        store.choose({other.id: CHOSEN[:1]})
        assert store.get(other.id) == Record(request=having(other, CHOSEN[:1]))

    def test_a_held_promotion_keeps_what_was_chosen(self, store: Store) -> None:
        request = store.add(promotion("iris"))[0].request
        store.choose({request.id: CHOSEN})
        store.settle({request.id: outcome(OutcomeKind.HELD, "prod")}, again={request.id: NOON})
        store.choose({request.id: ()})
        assert store.claim(10, MINUTE) == [having(request, CHOSEN)]

    def test_a_held_promotion_may_still_choose(self, store: Store) -> None:
        request = store.add(promotion("iris"))[0].request
        store.settle({request.id: outcome(OutcomeKind.HELD, "prod")}, again={request.id: NOON})
        store.choose({request.id: CHOSEN})
        assert store.claim(10, MINUTE) == [having(request, CHOSEN)]

    def test_nothing_is_chosen_for_what_is_settled_no_promotion_or_unknown(self, store: Store) -> None:
        settled, update = (store.add(one)[0].request for one in (promotion("iris"), wish()))
        store.settle({settled.id: outcome(OutcomeKind.COMMITTED, "prod")})
        before = store.find(Query())
        store.choose(dict.fromkeys((settled.id, update.id, "0" * 26), CHOSEN))
        store.choose({})
        assert store.find(Query()) == before

    def test_what_was_chosen_makes_no_other_wish(self, store: Store) -> None:
        first, _ = store.add(WHOLE, key="k")
        store.choose({first.request.id: CHOSEN})
        again, created = store.add(WHOLE, key="k")
        assert (again.request, created) == (having(first.request, CHOSEN), False)


class TestPromotionsOnSqlite(OnSqlite, PromotionContract):
    pass
