# ruff: noqa: E501 (a table row is one line, however many cases it holds)
"""When nothing may go out, and until when: freezes, windows, and clocks that are changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.policy import Environment, Pause, Period, pause_at
from updater.policy.calendar import HORIZON
from updater.policy.clocks import moments

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def once(start: str, end: str, reason: str = "", timezone: str = "UTC") -> Period:
    zone = ZoneInfo(timezone)
    return Period(
        start=utc(start).astimezone(zone), end=utc(end).astimezone(zone), timezone=timezone, reason=reason
    )


def again(cron: str, duration: timedelta = HOUR, timezone: str = "UTC", reason: str = "") -> Period:
    return Period(cron=cron, duration=duration, timezone=timezone, reason=reason)


def environment(*windows: Period, freeze: tuple[Period, ...] = ()) -> Environment:
    return Environment(name="dev", freeze=freeze, windows=windows)


def until(place: Environment, now: str) -> str:
    """The end of the pause in UTC; `open` where there is none, `never` where nothing ends it."""
    pause = pause_at(place, utc(now))
    if pause is None:
        return "open"
    return pause.until.astimezone(UTC).isoformat()[:16] if pause.until else "never"


def test_without_freezes_and_windows_all_may_go_out_at_any_time() -> None:
    assert pause_at(environment(), utc("2025-01-01")) is None


def test_a_freeze_begins_and_ends_to_the_second() -> None:
    place = environment(freeze=(once("2025-12-24", "2025-12-27T08:00", "holidays", "Asia/Seoul"),))
    start, end = utc("2025-12-24"), utc("2025-12-27T08:00")
    assert pause_at(place, start - SECOND) is None
    assert pause_at(place, start - timedelta(microseconds=1)) is None
    frozen = Pause(kind="freeze", reason="holidays", until=end, timezone="Asia/Seoul")
    assert pause_at(place, start) == pause_at(place, end - timedelta(microseconds=1)) == frozen
    assert pause_at(place, end) is None
    assert frozen.until is not None
    found = pause_at(place, start)
    assert found is not None
    assert str(found.until) == "2025-12-27 17:00:00+09:00"


def test_a_window_opens_and_closes_to_the_second_in_its_own_zone() -> None:
    place = environment(again("0 14 * * 1-4", 2 * HOUR, "Europe/Berlin", "the team is there"))
    opens, closes = utc("2025-07-01T12:00"), utc("2025-07-01T14:00")
    waiting = Pause(kind="window", reason="the team is there", until=opens, timezone="Europe/Berlin")
    assert pause_at(place, opens - SECOND) == waiting
    assert pause_at(place, opens) is None
    assert pause_at(place, closes - timedelta(microseconds=1)) is None
    after = pause_at(place, closes)
    assert after is not None
    assert str(after.until) == "2025-07-02 14:00:00+02:00"


def test_the_moment_may_come_in_any_zone() -> None:
    place = environment(freeze=(once("2025-12-24", "2025-12-25"),))
    assert pause_at(place, datetime(2025, 12, 24, 8, 59, 59, tzinfo=ZoneInfo("Asia/Seoul"))) is None
    assert pause_at(place, datetime(2025, 12, 24, 9, tzinfo=ZoneInfo("Asia/Seoul"))) is not None


@pytest.mark.parametrize(
    ("freeze", "windows", "now", "wanted"),
    [
        # freezes that overlap, touch, or leave a gap
        ([once("2025-01-01", "2025-01-03"), once("2025-01-02", "2025-01-05")], [], "2025-01-01", "2025-01-05T00:00"),
        ([once("2025-01-01", "2025-01-09"), once("2025-01-02", "2025-01-05")], [], "2025-01-02", "2025-01-09T00:00"),
        ([once("2025-01-01", "2025-01-03"), once("2025-01-03", "2025-01-05")], [], "2025-01-01", "2025-01-05T00:00"),
        ([once("2025-01-01", "2025-01-03"), once("2025-01-03T00:01", "2025-01-05")], [], "2025-01-01", "2025-01-03T00:00"),
        ([once("2025-01-01", "2025-01-02"), again("30 23 * * *")], [], "2025-01-01", "2025-01-02T00:30"),
        ([again("0 18 * * 5", timedelta(days=2, hours=14))], [], "2025-01-05T12:00", "2025-01-06T08:00"),
        ([again("0 0 * 12 *", DAY)], [], "2024-12-01", "2025-01-01T00:00"),
        ([again("0 0 1 1 *", 31 * DAY)], [], "2025-01-31T23:59", "2025-02-01T00:00"),
        # windows that overlap, or come after another
        ([], [again("0 14 * * *"), again("30 14 * * *")], "2025-01-01T15:15", "open"),
        ([], [again("0 14 * * *"), again("0 9 * * *")], "2025-01-01T10:00", "2025-01-01T14:00"),
        ([], [again("0 14 * * *"), once("2025-01-01T11:00", "2025-01-01T12:00")], "2025-01-01T10:00", "2025-01-01T11:00"),
        ([], [again("*/30 9-16 * * 1-5", timedelta(minutes=30))], "2025-01-03T16:59", "open"),
        ([], [again("*/30 9-16 * * 1-5", timedelta(minutes=30))], "2025-01-03T17:00", "2025-01-06T09:00"),
        # a freeze closes windows
        ([once("2025-01-01T13:00", "2025-01-01T14:20")], [again("0 14 * * *")], "2025-01-01T10:00", "2025-01-01T14:20"),
        ([once("2025-01-01T13:00", "2025-01-01T15:00")], [again("0 14 * * *")], "2025-01-01T10:00", "2025-01-02T14:00"),
        ([once("2025-01-01T14:20", "2025-01-01T14:40")], [again("0 14 * * *")], "2025-01-01T10:00", "2025-01-01T14:00"),
        ([once("2025-01-01T14:20", "2025-01-01T14:40")], [again("0 14 * * *")], "2025-01-01T14:20", "2025-01-01T14:40"),
        ([once("2025-01-01T14:20", "2025-01-01T15:00")], [again("0 14 * * *")], "2025-01-01T14:20", "2025-01-02T14:00"),
        ([again("0 14 * * 1-6", 2 * HOUR)], [again("0 14 * * *")], "2025-01-01T10:00", "2025-01-05T14:00"),
        # what nothing ends
        ([again("0 0 * * *", DAY)], [], "2025-01-01", "never"),
        ([again("* * * * *", MINUTE)], [], "2025-01-01T12:34", "never"),
        ([again("0 * * * *", HOUR / 2), again("30 * * * *", HOUR / 2)], [], "2025-01-01", "never"),
        ([again("0 14 * * *")], [again("0 14 * * *")], "2025-01-01T10:00", "never"),
        ([], [once("2025-01-01", "2025-01-02")], "2025-01-02", "never"),
        ([], [again("0 0 29 2 *")], "2025-01-01", "never"),
        ([], [again("0 0 29 2 *")], "2027-03-01", "2028-02-29T00:00"),
        ([once("2025-01-01", "2026-02-05")], [], "2025-01-01", "2026-02-05T00:00"),
        ([once("2025-01-01", "2026-02-05T00:01")], [], "2025-01-01", "never"),
    ],
)  # fmt: skip
def test_a_pause_ends_as_a_whole(freeze: list[Period], windows: list[Period], now: str, wanted: str) -> None:
    assert until(environment(*windows, freeze=tuple(freeze)), now) == wanted


def test_the_table_above_reaches_exactly_as_far_as_the_calendar_looks() -> None:
    assert utc("2025-01-01") + HORIZON == utc("2026-02-05")


def test_of_several_freezes_the_one_that_ends_last_gives_the_reason() -> None:
    short, long = once("2025-01-01", "2025-01-02", "short"), once("2025-01-01", "2025-01-03", "long")
    for freeze in ((short, long), (long, short)):
        pause = pause_at(environment(again("0 14 * * *", reason="window"), freeze=freeze), utc("2025-01-01"))
        assert pause is not None
        assert (pause.kind, pause.reason) == ("freeze", "long")


def test_of_several_windows_the_next_one_gives_the_reason_and_the_zone() -> None:
    windows = (
        again("0 14 * * *", HOUR, "Europe/Berlin", "afternoon"),
        again("0 9 * * *", HOUR, "Asia/Seoul", "morning"),
        once("2024-01-01", "2024-01-02", "long ago"),
    )
    found = [pause_at(environment(*windows), utc(now)) for now in ("2025-01-01T12:00", "2025-01-01T14:00")]
    assert [(pause.reason, pause.timezone, str(pause.until)) for pause in found if pause] == [
        ("afternoon", "Europe/Berlin", "2025-01-01 14:00:00+01:00"),
        ("morning", "Asia/Seoul", "2025-01-02 09:00:00+09:00"),
    ]


def test_where_no_window_comes_any_more_the_first_one_gives_the_reason() -> None:
    place = environment(once("2025-01-01", "2025-01-02", "a"), once("2025-01-01", "2025-01-03", "b"))
    assert pause_at(place, utc("2025-02-01")) == Pause(kind="window", reason="a", until=None, timezone="UTC")


@pytest.mark.parametrize(
    ("cron", "zone", "opened"),
    [
        # clocks are set forward: what is left out opens at that moment
        ("30 2 * * *", "Europe/Berlin", ["2025-03-29T01:30", "2025-03-30T01:00", "2025-03-31T00:30"]),
        ("0 2 * * *", "Europe/Berlin", ["2025-03-29T01:00", "2025-03-30T01:00", "2025-03-31T00:00"]),
        ("0 3 * * *", "Europe/Berlin", ["2025-03-29T02:00", "2025-03-30T01:00", "2025-03-31T01:00"]),
        ("30 2 * * *", "America/New_York", ["2025-03-08T07:30", "2025-03-09T07:00", "2025-03-10T06:30"]),
        ("15 2 * * *", "Australia/Lord_Howe", ["2025-10-03T15:45", "2025-10-04T15:30", "2025-10-05T15:15"]),
        ("45 2 * * *", "Australia/Lord_Howe", ["2025-10-03T16:15", "2025-10-04T15:45", "2025-10-05T15:45"]),
        ("0 0 * * *", "America/Santiago", ["2025-09-06T04:00", "2025-09-07T04:00", "2025-09-08T03:00"]),
        ("30 0 * * *", "Africa/Cairo", ["2025-04-23T22:30", "2025-04-24T22:00", "2025-04-25T21:30"]),
        # clocks are set back: what comes twice opens once
        ("30 2 * * *", "Europe/Berlin", ["2025-10-25T00:30", "2025-10-26T00:30", "2025-10-27T01:30"]),
        ("0 3 * * *", "Europe/Berlin", ["2025-10-25T01:00", "2025-10-26T02:00", "2025-10-27T02:00"]),
        ("30 1 * * *", "America/New_York", ["2025-11-01T05:30", "2025-11-02T05:30", "2025-11-03T06:30"]),
        ("45 1 * * *", "Australia/Lord_Howe", ["2025-04-04T14:45", "2025-04-05T14:45", "2025-04-06T15:15"]),
        ("30 23 * * *", "America/Santiago", ["2025-04-05T02:30", "2025-04-06T02:30", "2025-04-07T03:30"]),
        # and both times where it means "again and again"
        ("30 */2 26 10 *", "Europe/Berlin", ["2025-10-25T22:30", "2025-10-26T00:30", "2025-10-26T01:30", "2025-10-26T03:30"]),
        # a day that never was, and clocks that are never changed
        ("0 9 * * *", "Pacific/Apia", ["2011-12-28T19:00", "2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"]),
        ("30 2 * * *", "Asia/Seoul", ["2025-03-29T17:30", "2025-03-30T17:30", "2025-03-31T17:30"]),
    ],
)  # fmt: skip
def test_a_window_opens_in_its_zone_whatever_its_clock_does(cron: str, zone: str, opened: list[str]) -> None:
    place = environment(again(cron, MINUTE, zone))
    now = utc(opened[0]) - SECOND
    for wanted in opened:
        pause = pause_at(place, now)
        assert pause is not None
        assert pause.until is not None
        assert pause.until.astimezone(UTC) == utc(wanted)
        now = utc(wanted) + MINUTE


def test_a_window_lasts_as_long_as_it_says_over_a_change_of_the_clock() -> None:
    berlin = environment(again("0 1 * * *", 3 * HOUR, "Europe/Berlin"))
    for opens in ("2025-03-30T00:00", "2025-10-25T23:00"):
        assert until(berlin, opens) == "open"
        assert pause_at(berlin, utc(opens) + 3 * HOUR - SECOND) is None
        assert pause_at(berlin, utc(opens) + 3 * HOUR) is not None


def test_a_freeze_of_every_minute_has_no_hole_where_an_hour_comes_twice() -> None:
    place = environment(freeze=(again("* 1-3 * * *", MINUTE, "Europe/Berlin"),))
    assert until(place, "2025-10-25T23:00") == "2025-10-26T03:00"


# Against what can be found out slowly: minute by minute, from what a clock shows

CHANGES = [
    ("Europe/Berlin", "2025-03-30T01:00"),
    ("Europe/Berlin", "2025-10-26T01:00"),
    ("America/New_York", "2025-03-09T07:00"),
    ("America/New_York", "2025-11-02T06:00"),
    ("Australia/Lord_Howe", "2025-04-05T15:00"),
    ("Australia/Lord_Howe", "2025-10-04T15:30"),
    ("America/Santiago", "2025-04-06T03:00"),
    ("America/Santiago", "2025-09-07T04:00"),
    ("Africa/Cairo", "2025-04-24T22:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
]


def numbers(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a cron takes."""
    taken: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start, end = (low, high) if first == "*" else (int(first), int(last or (high if step else first)))
        taken |= set(range(start, end + 1, int(step or 1)))
    return taken


def shows(cron: str, wall: datetime) -> bool:
    """Whether a cron takes what a clock shows, by the words of crontab(5)."""
    minute, hour, day, month, weekday = cron.split()
    of_month = wall.day in numbers(day, 1, 31)
    of_week = bool({wall.isoweekday(), wall.isoweekday() % 7} & numbers(weekday, 0, 7))
    both = day.startswith("*") or weekday.startswith("*")
    return (
        wall.minute in numbers(minute, 0, 59)
        and wall.hour in numbers(hour, 0, 23)
        and wall.month in numbers(month, 1, 12)
        and ((of_month and of_week) if both else (of_month or of_week))
    )


def ticks(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[tuple[datetime, list[datetime], bool]]:
    """Each minute with what the clock shows, what it left out just before, and whether it was shown before."""
    before = (first - MINUTE).astimezone(zone)
    for index in range((last - first) // MINUTE):
        now = first + index * MINUTE
        wall = now.astimezone(zone)
        step = wall.replace(tzinfo=None) - before.replace(tzinfo=None)
        left_out = [wall.replace(tzinfo=None) - n * MINUTE for n in range(1, step // MINUTE)]
        yield now, [wall.replace(tzinfo=None), *left_out], bool(wall.fold)
        before = wall


def on(period: Period, first: datetime, last: datetime) -> set[datetime]:
    """The minutes at which a period is on."""
    if period.start and period.end:
        return {
            first + n * MINUTE
            for n in range((last - first) // MINUTE)
            if period.start <= first + n * MINUTE < period.end
        }
    minute, hour, *_ = period.cron.split()
    twice = minute.startswith("*") or hour.startswith("*")
    found: set[datetime] = set()
    for now, walls, shown_before in ticks(ZoneInfo(period.timezone), first, last):
        counted = walls[1:] if shown_before and not twice else walls
        if any(shows(period.cron, wall) for wall in counted):
            found |= {now + n * MINUTE for n in range(period.duration // MINUTE)}
    return found


def paused(place: Environment, first: datetime, last: datetime) -> list[bool]:
    frozen = set().union(*(on(period, first, last) for period in place.freeze))
    opened = set().union(*(on(period, first, last) for period in place.windows))
    every = [first + n * MINUTE for n in range((last - first) // MINUTE)]
    return [now in frozen or (bool(place.windows) and now not in opened) for now in every]


def check(place: Environment, first: datetime, last: datetime, warm: timedelta) -> None:
    """Hold every minute from `first` until `last` against the slow way, which starts `warm` earlier."""
    flags = paused(place, first - warm, last)
    end: datetime | None = None
    for index in range(len(flags) - 1, warm // MINUTE - 1, -1):
        now = first - warm + index * MINUTE
        pause = pause_at(place, now)
        assert (pause is not None) is flags[index], now
        if pause is None:
            end = now
        elif end:
            assert pause.until is not None
            assert pause.until.astimezone(UTC) == end, now
        else:
            assert pause.until is None or pause.until.astimezone(UTC) >= last


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(1, high).map(lambda step: f"*/{step}"),
        st.lists(number, min_size=2, max_size=3).map(lambda some: ",".join(map(str, some))),
        st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}"),
        # cronsim takes 2-2/7 for 2/7.
        st.tuples(st.integers(low, high - 1), number, st.integers(1, 9)).map(
            lambda three: f"{three[0]}-{max(three[0] + 1, three[1])}/{three[2]}"
        ),
    )


lengths = st.one_of(st.integers(1, 90), st.sampled_from([120, 300, 360])).map(lambda n: n * MINUTE)


def periods(zone: str, change: datetime) -> st.SearchStrategy[Period]:
    cron = st.tuples(field(0, 59), field(0, 4) | field(0, 23)).map(lambda pair: f"{pair[0]} {pair[1]} * * *")
    minutes = st.integers(-300, 900).map(lambda n: change + n * MINUTE)
    return st.builds(again, cron, lengths, st.just(zone)) | st.builds(
        lambda start, length: Period(start=start, end=start + length, timezone=zone), minutes, lengths
    )


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@settings(max_examples=8)
@given(data=st.data())
def test_every_minute_about_a_change_of_the_clock_is_right_and_so_is_the_end_it_names(
    zone: str, change: str, data: st.DataObject
) -> None:
    moment = utc(change)
    some = st.lists(periods(zone, moment), max_size=2)
    place = environment(*data.draw(some), freeze=tuple(data.draw(some)))
    check(place, moment - 4 * HOUR, moment + 14 * HOUR, 6 * HOUR)


crons = st.tuples(
    field(0, 59), field(0, 23), field(1, 31), field(1, 12) | st.just("*"), field(0, 7) | st.just("*")
).map(" ".join)


@settings(max_examples=25)
@given(
    crons,
    lengths,
    st.sampled_from(["Asia/Seoul", "UTC", "Asia/Kolkata", "America/Phoenix"]),
    st.integers(0, 400 * 24 * 60),
)
def test_a_cron_is_on_exactly_where_its_fields_say_in_zones_without_changes(
    cron: str, length: timedelta, zone: str, start: int
) -> None:
    first = utc("2024-01-01") + start * MINUTE
    check(environment(again(cron, length, zone)), first, first + DAY, 6 * HOUR)


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_what_a_clock_leaves_out_is_the_moment_it_is_changed_and_no_moment_is_lost(
    zone: str, change: str
) -> None:
    own = ZoneInfo(zone)
    for now, walls, _ in ticks(own, utc(change) - 2 * HOUR, utc(change) + 2 * HOUR):
        shown, *left_out = walls
        assert now in moments(shown, own)
        assert all(moments(wall, own) == (utc(change),) for wall in left_out)
