# ruff: noqa: E501 (a table row is one line, however long its message)
"""Freezes, windows, rollbacks and manual reverts, as the rules say them, and what is told of mistakes."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidConfigRepo
from updater.policy import RULES_PATH, Environment, MergeRequestRules, Period, RollbackRules, parse_rules
from updater.policy.hours import cron

EVERYTHING = b"""\
environments:
  dev: {}
  prod:
    freeze:
      - from: 2026-12-24 00:00
        until: 2026-12-27T08:00
        timezone: Asia/Seoul
        reason: holidays
      - {cron: '0 18 * * FRI', duration: 2d14h30m}
    windows: [{cron: 0 14 * * 1-4, duration: 2h, timezone: Europe/Berlin, reason: the team is there}]
    rollback: {delivery: merge-request, hold: until-release}
    merge-request: {labels: deploy}
    manual-revert: ignore
"""


def environment(keys: str) -> Environment:
    (only,) = parse_rules(f"environments:\n  dev:\n{keys}".encode()).environments
    return only


def test_every_key_reaches_its_environment() -> None:
    dev, prod = parse_rules(EVERYTHING).environments
    seoul = ZoneInfo("Asia/Seoul")
    assert prod == Environment(
        name="prod",
        freeze=(
            Period(
                start=datetime(2026, 12, 24, tzinfo=seoul),
                end=datetime(2026, 12, 27, 8, tzinfo=seoul),
                timezone="Asia/Seoul",
                reason="holidays",
            ),
            Period(cron="0 18 * * FRI", duration=timedelta(days=2, hours=14, minutes=30)),
        ),
        windows=(
            Period(
                cron="0 14 * * 1-4",
                duration=timedelta(hours=2),
                timezone="Europe/Berlin",
                reason="the team is there",
            ),
        ),
        rollback=RollbackRules(delivery="merge-request", hold="until-release"),
        merge_request=MergeRequestRules(labels=("deploy",)),
        manual_revert="ignore",
    )
    assert dev == Environment(name="dev")


def test_without_keys_nothing_is_frozen_and_reverts_by_hand_hold() -> None:
    (dev,) = parse_rules(b"environments: {dev: {rollback: {}}}").environments
    assert (dev.freeze, dev.windows, dev.manual_revert) == ((), (), "hold")
    assert dev.rollback == RollbackRules(delivery="", hold="until-newer")


def test_a_single_mapping_is_a_list_of_one() -> None:
    listed = environment("    freeze: [{from: 2026-12-24, until: 2026-12-25}]\n")
    assert environment("    freeze: {from: 2026-12-24, until: 2026-12-25}\n") == listed
    assert listed.freeze[0].start == datetime(2026, 12, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "until", "zone", "wanted"),
    [
        ("2026-03-29 02:30", "2026-03-30", "Europe/Berlin", ("2026-03-29T01:00", "2026-03-29T22:00")),
        ("2026-03-28", "2026-03-29 02:30", "Europe/Berlin", ("2026-03-27T23:00", "2026-03-29T01:00")),
        ("2026-10-25 02:30", "2026-10-26", "Europe/Berlin", ("2026-10-25T00:30", "2026-10-25T23:00")),
        ("2026-10-24", "2026-10-25 02:30", "Europe/Berlin", ("2026-10-23T22:00", "2026-10-25T01:30")),
        ("2026-10-25 02:30", "2026-10-25 02:30", "Europe/Berlin", ("2026-10-25T00:30", "2026-10-25T01:30")),
        ("2026-10-04 02:15", "2026-10-05", "Australia/Lord_Howe", ("2026-10-03T15:30", "2026-10-04T13:00")),
        ("2026-04-04", "2026-04-05 01:45", "Australia/Lord_Howe", ("2026-04-03T13:00", "2026-04-04T15:15")),
        ("2011-12-30 12:00", "2011-12-31 06:00", "Pacific/Apia", ("2011-12-30T10:00", "2011-12-30T16:00")),
    ],
)
def test_a_time_that_clocks_leave_out_or_show_twice_is_a_moment_all_the_same(
    start: str, until: str, zone: str, wanted: tuple[str, str]
) -> None:
    (freeze,) = environment(f"    freeze: {{from: '{start}', until: '{until}', timezone: {zone}}}\n").freeze
    assert freeze.start is not None
    assert freeze.end is not None
    found = [moment.astimezone(UTC).isoformat(timespec="minutes") for moment in (freeze.start, freeze.end)]
    assert found == [f"{moment}+00:00" for moment in wanted]
    assert str(freeze.start.tzinfo) == zone


DAY = "'2026-12-24"
FIELDS = "minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-7; 0 and 7 are Sunday)"
LIKE = "Write it like '0 14 * * 1-4'."
NO_DURATION = "is no duration: write days, hours and minutes in this order, such as 30m, 2h, 1h30m or 2d."
NO_TIME = "is no day and time: write it like '2026-12-24 08:00', or '2026-12-24' for 00:00. The zone stands in the key timezone."
NO_TEXT = "where a day and a time should stand: write it in quotes, such as '2026-12-24 08:00'."
NO_ZONE = "Write a name of the IANA time zone database, such as Europe/Berlin or UTC."
NO_REASON = "is no reason: one line of at most 255 characters without blanks around it."
NOTHING = "Nothing stands here: fill it in, or take the key out where it is not needed."
NO_KIND = "Nothing says when this is: write from and until for a period that is once, or cron and duration for one that comes again."
TWO_KINDS = (
    "This period is written in two ways: from and until are for one that is once, cron and duration for one that "
    "comes again. Keep two of the keys; where both are meant, write two periods."
)
PERIOD_KEYS = "Allowed here: from, until, cron, duration, timezone, reason."
A_MAPPING = "where a mapping or a list of mappings should stand: from and until, or cron and duration."


@pytest.mark.parametrize(
    ("keys", "line", "column", "sentence"),
    [
        # periods as a whole
        ("freeze:", 3, 12, f"freeze: There is nothing {A_MAPPING}"),
        ("freeze: []", 3, 13, f"freeze: {NOTHING}"),
        ("windows: always", 3, 14, f"windows: There is text {A_MAPPING}"),
        ("windows: 5", 3, 14, f"windows: There is the number 5 {A_MAPPING}"),
        ("freeze: [holidays]", 3, 14, "freeze.0: There is text where a mapping should stand: keys with their values below them."),
        ("freeze: {form: 2026-12-24}", 3, 14, f"freeze: 'form' is no key here. Did you mean 'from'? {PERIOD_KEYS}"),
        ("freeze: [{time-zone: UTC}]", 3, 15, f"freeze.0: 'time-zone' is no key here. Did you mean 'timezone'? {PERIOD_KEYS}"),
        ("freeze: {}", 3, 13, f"freeze: {NO_KIND}"),
        ("freeze: [{timezone: Asia/Seoul, reason: a}]", 3, 14, f"freeze.0: {NO_KIND}"),
        ("freeze: {from: 2026-12-24}", 3, 14, "freeze: The key from needs the key until beside it: write it."),
        ("windows: [{until: 2026-12-24}]", 3, 16, "windows.0: The key until needs the key from beside it: write it."),
        ("windows: {cron: 0 1 * * *}", 3, 15, "windows: The key cron needs the key duration beside it: write it."),
        ("windows: {duration: 2h}", 3, 15, "windows: The key duration needs the key cron beside it: write it."),
        ("freeze: {from: 2026-12-24, until: 2026-12-25, cron: 0 1 * * *, duration: 2h}", 3, 51, f"freeze: {TWO_KINDS}"),
        ("freeze: {duration: 2h, from: 2026-12-24}", 3, 14, f"freeze: {TWO_KINDS}"),
        # from and until
        ("freeze: {from: 2026, until: 2026-12-25}", 3, 20, f"freeze.from: There is the number 2026 {NO_TEXT}"),
        ("freeze: {from: 2026-12-25, until: true}", 3, 39, f"freeze.until: There is the truth value true {NO_TEXT}"),
        ("freeze: [{from: , until: 2026-12-25}]", 3, 21, f"freeze.0.from: There is nothing {NO_TEXT}"),
        ("freeze: {from: 24.12.2026, until: 2026-12-25}", 3, 20, f"freeze.from: '24.12.2026' {NO_TIME}"),
        ("freeze: {from: '', until: 2026-12-25}", 3, 20, f"freeze.from: '' {NO_TIME}"),
        (f"freeze: {{from: {DAY} 8:00', until: 2026-12-25}}", 3, 20, f"freeze.from: '2026-12-24 8:00' {NO_TIME}"),
        (f"freeze: {{from: {DAY} 08:00:00', until: 2026-12-25}}", 3, 20, f"freeze.from: '2026-12-24 08:00:00' {NO_TIME}"),
        (f"freeze: {{from: {DAY}T08:00Z', until: 2026-12-25}}", 3, 20, f"freeze.from: '2026-12-24T08:00Z' {NO_TIME}"),
        ("freeze: {from: 2026-12-24, until: 2026-02-30}", 3, 39, "freeze.until: No calendar or clock shows '2026-02-30': write a day and a time that exist."),
        (f"freeze: {{from: {DAY} 24:00', until: 2026-12-25}}", 3, 20, "freeze.from: No calendar or clock shows '2026-12-24 24:00': write a day and a time that exist."),
        ("freeze: {from: 2026-12-24, until: 9999-12-31}", 3, 39, "freeze.until: '9999-12-31' is too far away: write a year from 1970 to 2999."),
        ("freeze: {from: 2026-12-24, until: 2026-12-24}", 3, 39, "freeze.until: In UTC, 2026-12-24 is not after 2026-12-24, where this starts: write a later until."),
        ("freeze: {from: 2026-12-24, until: 2026-12-24 00:00}", 3, 39, "freeze.until: In UTC, 2026-12-24 00:00 is not after 2026-12-24, where this starts: write a later until."),
        ("windows: [{until: 2026-12-23, from: 2026-12-24, timezone: Asia/Seoul}]", 3, 23, "windows.0.until: In Asia/Seoul, 2026-12-23 is not after 2026-12-24, where this starts: write a later until."),
        ("freeze: {from: 2026-03-29 02:10, until: 2026-03-29 02:50, timezone: Europe/Berlin}", 3, 45, "freeze.until: In Europe/Berlin, no time lies between 2026-03-29 02:10 and 2026-03-29 02:50, over which clocks there are set forward: write a later until."),
        # cron
        ("windows: {cron: * 1 * * *, duration: 2h}", 3, 22, "This is not YAML: did not find expected alphabetic or numeric character. A cron that starts with * must stand in quotes."),
        ("windows: {cron: 5, duration: 2h}", 3, 21, "windows.cron: There is the number 5 where five fields should stand: write them in quotes, such as '0 14 * * 1-4'."),
        ("windows: {cron: '', duration: 2h}", 3, 21, f"windows.cron: '' is no cron, which has five fields: {FIELDS}. {LIKE}"),
        ("windows: {cron: 0 14 * *, duration: 2h}", 3, 21, f"windows.cron: '0 14 * *' is no cron, which has five fields: {FIELDS}. {LIKE}"),
        ("windows: {cron: 0 0 14 * * 1, duration: 2h}", 3, 21, f"windows.cron: '0 0 14 * * 1' is no cron, which has five fields: {FIELDS}. {LIKE}"),
        ("windows: {cron: '@daily', duration: 2h}", 3, 21, f"windows.cron: '@daily' is no cron, which has five fields: {FIELDS}. {LIKE}"),
        ("windows: {cron: 60 1 * * *, duration: 2h}", 3, 21, f"windows.cron: '60 1 * * *' is no cron: '60' is no minute (0-59). {LIKE}"),
        ("windows: {cron: 0 24 * * *, duration: 2h}", 3, 21, f"windows.cron: '0 24 * * *' is no cron: '24' is no hour (0-23). {LIKE}"),
        ("windows: {cron: 0 1 32 * *, duration: 2h}", 3, 21, f"windows.cron: '0 1 32 * *' is no cron: '32' is no day of the month (1-31). {LIKE}"),
        ("windows: {cron: 0 1 * Mai *, duration: 2h}", 3, 21, f"windows.cron: '0 1 * Mai *' is no cron: 'Mai' is no month (1-12). {LIKE}"),
        ("windows: {cron: 0 1 * * 5-1, duration: 2h}", 3, 21, f"windows.cron: '0 1 * * 5-1' is no cron: '5-1' is no day of the week (0-7; 0 and 7 are Sunday). {LIKE}"),
        ("windows: {cron: 0 1 30 2 *, duration: 2h}", 3, 21, "windows.cron: The cron '0 1 30 2 *' never comes: no month has such a day. Write a day that exists."),
        ("windows: {cron: 0 1 */20 * 1L, duration: 2h}", 3, 21, "windows.cron: The cron '0 1 */20 * 1L' never comes: no month has such a day. Write a day that exists."),
        (f"windows: {{cron: '0 1 * * *{' ' * 250}', duration: 2h}}", 3, 21, "windows.cron: This is longer than 255 characters."),
        # duration
        ("windows: {cron: 0 1 * * *, duration: 30}", 3, 42, "windows.duration: There is the number 30 where a duration should stand: write it with its unit, such as 30m, 2h, 1h30m or 2d."),
        *((f"windows: {{cron: 0 1 * * *, duration: '{text}'}}", 3, 42, f"windows.duration: '{text}' {NO_DURATION}") for text in ("", "30", "2 h", "30m2h", "1.5h", "-1h", "2H", "1w", "2h ", "٣h")),
        *((f"windows: {{cron: 0 1 * * *, duration: {text}}}", 3, 42, f"windows.duration: '{text}' is no duration for this: write one from 1m to 31d.") for text in ("0m", "0d0h0m", "32d", "31d1m", "745h")),
        # time zones
        ("freeze: {timezone: Asia/Soul, cron: 0 1 * * *, duration: 2h}", 3, 24, f"freeze.timezone: There is no time zone 'Asia/Soul'. Did you mean 'Asia/Seoul'? {NO_ZONE}"),
        ("freeze: {timezone: europe/berlin, cron: 0 1 * * *, duration: 2h}", 3, 24, f"freeze.timezone: There is no time zone 'europe/berlin'. Did you mean 'Europe/Berlin'? {NO_ZONE}"),
        ("freeze: {timezone: utc, cron: 0 1 * * *, duration: 2h}", 3, 24, f"freeze.timezone: There is no time zone 'utc'. Did you mean 'UTC'? {NO_ZONE}"),
        *((f"freeze: {{timezone: '{name}', cron: 0 1 * * *, duration: 2h}}", 3, 24, f"freeze.timezone: There is no time zone '{name}'. {NO_ZONE}") for name in ("", "KST", "+09:00", "localtime", "..", "/")),
        ("freeze: [{timezone: 9, cron: 0 1 * * *, duration: 2h}]", 3, 25, "freeze.0.timezone: There is the number 9 where text should stand: put it in quotes."),
        # reasons
        ("freeze: {cron: 0 1 * * *, duration: 2h, reason: ''}", 3, 53, f"freeze.reason: {NOTHING}"),
        ("freeze: {cron: 0 1 * * *, duration: 2h, reason: ' a'}", 3, 53, f"freeze.reason: ' a' {NO_REASON}"),
        ('freeze: {cron: 0 1 * * *, duration: 2h, reason: "a\\nb"}', 3, 53, f"freeze.reason: 'a\\nb' {NO_REASON}"),
        ('freeze: {cron: 0 1 * * *, duration: 2h, reason: "a\\u200bb"}', 3, 53, f"freeze.reason: 'a\\u200bb' {NO_REASON}"),
        ("freeze: {cron: 0 1 * * *, duration: 2h, reason: 12}", 3, 53, "freeze.reason: There is the number 12 where text should stand: put it in quotes."),
        # rollbacks and manual reverts
        ("rollback: commit", 3, 15, "rollback: There is text where a mapping should stand: keys with their values below them."),
        ("rollback: {deliver: commit}", 3, 16, "rollback: 'deliver' is no key here. Did you mean 'delivery'? Allowed here: delivery, hold."),
        ("rollback: {delivery: ''}", 3, 26, "rollback.delivery: '' is no value for delivery. Allowed here: commit, merge-request, auto-merge."),
        ("rollback: {delivery: }", 3, 26, "rollback.delivery: There is nothing where a word should stand. Allowed here: commit, merge-request, auto-merge."),
        ("rollback: {hold: until-new}", 3, 22, "rollback.hold: 'until-new' is no value for hold. Did you mean 'until-newer'? Allowed here: until-newer, until-release."),
        ("manual-revert: no", 3, 20, "manual-revert: 'no' is no value for manual-revert. Allowed here: hold, ignore."),
        ("manual-revert: false", 3, 20, "manual-revert: There is the truth value false where a word should stand. Allowed here: hold, ignore."),
        ("manual_revert: hold", 3, 5, "'manual_revert' is no key here. Did you mean 'manual-revert'? Allowed here: branch, files, exclude, base, tags, delivery, merge-request, promote-from, digest, deployments, freeze, windows, rollback, manual-revert, chart."),
        # rollbacks and merge requests
        ("rollback: {delivery: commit}\n    merge-request: {}", 4, 5, "This environment makes no merge requests, as its delivery is commit: write delivery: merge-request (or auto-merge), or take merge-request out."),
        ("rollback: {delivery: merge-request}\n    branch: updater", 4, 13, "branch: The branch 'updater' is in the way of the merge requests, whose source branches are updater/...: give the environment's branch another name."),
        ("rollback: {delivery: auto-merge}\n    merge-request: {draft: true}", 4, 28, "merge-request.draft: GitLab never merges a draft, so with delivery: auto-merge in rollback no rollback would ever arrive: take draft out, or write delivery: merge-request in rollback."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_to_write(
    keys: str, line: int, column: int, sentence: str
) -> None:
    with pytest.raises(InvalidConfigRepo) as caught:
        environment(f"    {keys}\n")
    told = str(caught.value).splitlines()[0]
    assert (caught.value.path, caught.value.line, caught.value.column) == (RULES_PATH, line, column)
    place = f"{RULES_PATH}:{line}:{column}: "
    assert told in {
        f"{place}{sentence}",
        f"{place}environments.dev: {sentence}",
        f"{place}environments.dev.{sentence}",
    }


def test_every_mistake_of_every_period_is_told_at_once() -> None:
    with pytest.raises(InvalidConfigRepo) as caught:
        environment("    freeze:\n    - {from: 2026-12-24}\n    - {}\n    windows: {duration: 2h}\n")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{RULES_PATH}:4:8",
        f"{RULES_PATH}:5:7",
        f"{RULES_PATH}:6:15",
    ]


def test_a_draft_is_fine_where_only_people_merge() -> None:
    prod = environment(
        "    delivery: merge-request\n    merge-request: {draft: true}\n    rollback: {delivery: commit}\n"
    )
    assert (prod.delivery, prod.rollback.delivery) == ("merge-request", "commit")


@given(st.text("0123456789*/,-#LW MONJAN@?ß", max_size=20) | st.text(max_size=20))
def test_text_that_is_no_cron_is_refused_and_never_crashes(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert cron(text) == text
