"""The JSON form of nouns: what goes in comes out, whatever version wrote it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.dialects import sqlite as dialect
from support.stores import NOON, outcome

from updater.model import (
    Caller,
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
    Promoted,
    ProposalLink,
    Source,
)
from updater.store.documents import dumps, from_document, loads, to_document
from updater.store.ids import new_id
from updater.store.tables import Moment

TEXT = some.text(alphabet=some.characters(exclude_categories=()), max_size=12)
PLACES = some.builds(
    PlaceOutcome,
    chart=TEXT,
    file=TEXT,
    line=some.integers(),
    path=TEXT,
    old=some.none() | TEXT,
    new=some.none() | TEXT,
)
ENVIRONMENTS = some.builds(
    EnvironmentOutcome,
    environment=TEXT,
    kind=some.sampled_from(OutcomeKind),
    code=TEXT,
    reason=TEXT,
    commit=TEXT,
    link=TEXT,
    superseded_by=TEXT,
    places=some.lists(PLACES, max_size=3).map(tuple),
    notes=some.lists(TEXT, max_size=3).map(tuple),
    image=TEXT,
    proposals=some.lists(
        some.builds(ProposalLink, branch=TEXT, number=some.integers(), link=TEXT), max_size=2
    ).map(tuple),
)
WORDS = some.lists(TEXT, max_size=3).map(tuple)
NOUNS = (
    some.builds(
        Outcome,
        kind=some.sampled_from(OutcomeKind),
        reason=TEXT,
        environments=some.lists(ENVIRONMENTS, max_size=3).map(tuple),
    )
    | some.builds(Source, project=TEXT, commit=TEXT, ref=TEXT, author=TEXT)
    | some.builds(Caller, name=TEXT, images=WORDS, acts=WORDS)
    | some.builds(Promoted, origin=TEXT, allow_older=some.booleans(), reason=TEXT)
)


@given(NOUNS)
def test_every_noun_comes_back_as_it_was(noun: Any) -> None:
    text = dumps(to_document(noun))
    text.encode("ascii")
    assert from_document(type(noun), loads(text)) == noun


def test_fields_of_a_later_version_are_ignored() -> None:
    document = to_document(outcome())
    document["added"] = 1
    document["environments"][0]["places"][0]["added"] = {"deep": [1]}
    assert from_document(Outcome, document) == outcome()


def test_fields_that_an_earlier_version_did_not_write_have_their_defaults() -> None:
    document = to_document(outcome())
    for name in ("notes", "image", "proposals"):
        del document["environments"][0][name]
    story = replace(outcome().environments[0], notes=())
    assert from_document(Outcome, document) == replace(outcome(), environments=(story,))


def test_a_document_has_the_names_of_the_fields() -> None:
    assert to_document(Source(project="shop/iris", commit="c")) == {
        "project": "shop/iris",
        "commit": "c",
        "ref": "",
        "pipeline_id": "",
        "pipeline_url": "",
        "author": "",
        "committed_at": "",
    }


@given(some.integers(min_value=0, max_value=10**13).map(lambda wait: NOON + timedelta(milliseconds=wait)))
def test_an_id_begins_with_its_time(moment: datetime) -> None:
    crockford = "0123456789abcdefghjkmnpqrstvwxyz"
    number = 0
    for letter in new_id(moment)[:10]:
        number = number * 32 + crockford.index(letter)
    assert number == int(moment.timestamp() * 1000)


def test_moments_are_kept_in_universal_time() -> None:
    seoul = timezone(timedelta(hours=9))
    moment, sqlite = Moment(), dialect.dialect()
    kept = moment.process_bind_param(NOON.astimezone(seoul), sqlite)
    assert (kept, kept and kept.tzinfo) == (NOON, UTC)
    assert moment.process_result_value(NOON.replace(tzinfo=None), sqlite) == NOON
    assert moment.process_result_value(NOON.astimezone(seoul), sqlite) == NOON
    with pytest.raises(ValueError, match="no time zone"):
        moment.process_bind_param(NOON.replace(tzinfo=None), sqlite)
