"""What callers may ask for with `Prefer`, and how many may wait at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.web.waiting import MAX_WAIT, Seats, wait_asked_for


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0),
        (["wait=10"], 10),
        (["wait=60"], 60),
        (["wait=61"], 60),
        (["wait=999999999"], 60),
        (["wait=9999999999"], 0),
        (["wait=0"], 0),
        (["wait=1.5"], 0),
        (["wait=٣"], 0),
        (['wait="10"'], 10),
        (["Wait = 10 ; strict"], 10),
        (["respond-async", "wait=10"], 10),
        (["respond-async,,wait=10,"], 10),
        (["wait=10, wait=20"], 10),
        (["wait=x, wait=20"], 0),
        (['note="wait=5, wait=6", wait=7'], 7),
        (["waiting=10"], 0),
        (["x;wait=10"], 0),
    ],
)
def test_the_first_wait_is_read_as_rfc_7240_says(headers: list[str], seconds: int) -> None:
    assert wait_asked_for(headers) == seconds


@given(st.lists(st.text(max_size=40), max_size=3))
def test_any_header_is_a_number_of_seconds_that_may_be_waited(headers: list[str]) -> None:
    assert 0 <= wait_asked_for(headers) <= MAX_WAIT


def test_a_long_header_is_read_quickly_because_every_step_only_goes_forward() -> None:
    assert wait_asked_for(["a " * 200_000, '"' * 400_001, "wait=3"]) == 3


@pytest.mark.parametrize(("threads", "seats"), [(2, 1), (3, 1), (8, 4), (32, 16)])
def test_half_of_the_threads_are_seats(threads: int, seats: int) -> None:
    free = Seats(threads)
    blocks = [free.taken() for _ in range(seats + 1)]
    assert [block.__enter__() for block in blocks] == [True] * seats + [False]
    for block in blocks:
        block.__exit__(None, None, None)
    with free.taken() as seated:
        assert seated


def test_a_seat_is_given_back_when_the_wait_fails() -> None:
    seats = Seats(2)
    with pytest.raises(RuntimeError), seats.taken():
        raise RuntimeError
    with seats.taken() as seated:
        assert seated
