# ruff: noqa: E501 (a table row is one line, however many cases it holds)
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from updater.errors import InvalidConfigRepo
from updater.policy import parse_rules, rules_schema
from updater.yamledit import load

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "rules.md").read_text()
REGENERATE = (
    "docs/rules.schema.json is not what the code says. Write it anew: .venv/bin/python -c 'import json; "
    "from updater.policy import rules_schema; print(json.dumps(rules_schema(), indent=2))' > docs/rules.schema.json"
)


def documented_examples() -> list[str]:
    return [text for text in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL) if "environments:" in text]


def takes(text: str) -> bool:
    return jsonschema_rs.validator_for(rules_schema()).is_valid(load(text.encode()).value)


def parses(text: str) -> bool:
    try:
        parse_rules(text.encode())
    except InvalidConfigRepo:
        return False
    return True


def test_the_published_schema_is_the_one_the_code_makes() -> None:
    published = json.loads((ROOT / "docs" / "rules.schema.json").read_text())
    assert published == rules_schema(), REGENERATE


def test_the_schema_is_a_schema_of_the_version_it_names() -> None:
    schema = rules_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_the_examples_in_the_docs_are_rules_and_fit_the_schema() -> None:
    examples = documented_examples()
    assert len(examples) == 11
    assert [parses(text) and takes(text) for text in examples] == [True] * 11


def test_every_key_is_described_for_people_and_stands_in_the_docs() -> None:
    described = dict(_properties(rules_schema()))
    expected = (
        "environments images branch files exclude base tags delivery merge-request promote-from digest deployments "
        "freeze windows rollback manual-revert from until cron duration timezone reason hold "
        "group-by labels assignees reviewers milestone draft squash remove-source-branch "
        "pattern order repository file path "
        "chart questions app-version version directory keep"
    )
    assert set(described) == set(expected.split(" "))
    assert all(text.endswith(".") for text in described.values())
    for key in described.keys() - {"pattern", "order", "tags"} | {"tags.pattern", "tags.order"}:
        assert f"`{key}`" in DOCS


def _properties(schema: dict[str, Any]) -> list[tuple[str, str]]:
    forms = [schema, *schema["$defs"].values()]
    return [(key, value["description"]) for form in forms for key, value in form["properties"].items()]


def test_the_docs_name_every_word_that_a_key_may_have() -> None:
    forms = rules_schema()["$defs"]
    words = forms["TagsForm"]["properties"]["order"]["enum"]
    environment = forms["EnvironmentForm"]["properties"]
    words = words + environment["digest"]["enum"] + environment["delivery"]["enum"]
    words = words + environment["manual-revert"]["enum"] + forms["RollbackForm"]["properties"]["hold"]["enum"]
    words = words + forms["MergeRequestForm"]["properties"]["group-by"]["enum"]
    expected = (
        "numeric semver alphabetical none refuse clear commit merge-request auto-merge chart environment "
        "hold ignore until-newer until-release"
    )
    assert set(words) == set(expected.split(" "))
    assert all(f"`{word}`" in DOCS for word in words)


def test_the_mistakes_shown_in_the_docs_are_told_in_these_words() -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", DOCS, re.DOTALL)
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(b"environments:\n  dev:\n    brnach: develop\n    files: /charts/*\n")
    assert str(caught.value) == shown.strip()


DEV = "environments: {dev: {%s}}\n"
MERGE_REQUEST = "environments: {dev: {delivery: merge-request, merge-request: {%s}}}\n"
IMAGE = "environments: {dev: {files: a/*}}\nimages: [{%s}]\n"
ONCE = "environments: {dev: {freeze: {from: '%s', until: 2030-01-01}}}\n"
AGAIN = "environments: {dev: {windows: [{cron: '%s', duration: '%s'}]}}\n"


@pytest.mark.parametrize(
    "text",
    [
        *(
            DEV % keys
            for keys in ("", "files: a", "files: [a, '**/b', '*']", "files: 'a/*', base: 'x/{chart}.yaml'")
        ),
        *(
            DEV % f"branch: '{name}'"
            for name in ("main", "release/1.0", "a", "이리스", "a.locked", "@x", "HEAD2")
        ),
        *(
            DEV % f"tags: {keys}"
            for keys in ("{}", "{pattern: x}", "{order: none}", "{order: semver, pattern: '.'}")
        ),
        *(DEV % f"digest: {word}, delivery: commit" for word in ("refuse", "clear")),
        *(DEV % f"delivery: {word}" for word in ("commit", "merge-request", "auto-merge")),
        *(DEV % f"deployments: {word}" for word in ("true", "false")),
        *(
            MERGE_REQUEST % keys
            for keys in (
                "",
                "group-by: environment, draft: true",
                "squash: true, remove-source-branch: false",
            )
        ),
        *(MERGE_REQUEST % f"labels: {labels}" for labels in ("deploy", "[deploy, 'team::배포']", "'a b'")),
        *(MERGE_REQUEST % f"reviewers: {logins}" for logins in ("kim", "[kim, _x.y-z]")),
        *(MERGE_REQUEST % f"milestone: {title}" for title in ("'1.0, second half'", "봄", "x" * 255)),
        DEV % "delivery: auto-merge, merge-request: {draft: false}",
        *(ONCE % time for time in ("2026-12-24", "2026-12-24 08:00", "2026-12-24T08:00", "1970-01-01 23:59")),
        *(AGAIN % (cron, "2h") for cron in ("0 14 * * 1-4", "*/5  9-17 1,15 JAN-mar *", "0 0 L * *", "0 0 * * 5#2")),
        *(AGAIN % ("0 1 * * *", length) for length in ("30m", "2h", "1h30m", "2d", "1d1h1m", "90m", "744h")),
        *(DEV % f"freeze: {{cron: 0 1 * * *, duration: 1h, {key}}}" for key in ("timezone: Etc/GMT+3", "reason: 휴일 둘")),
        *(DEV % f"manual-revert: {word}" for word in ("hold", "ignore")),
        *(DEV % f"rollback: {{hold: {word}}}" for word in ("until-newer", "until-release")),
        *(DEV % f"rollback: {{delivery: {word}}}" for word in ("commit", "merge-request", "auto-merge")),
        *(DEV % f"rollback: {{delivery: {word}}}, merge-request: {{}}" for word in ("merge-request", "auto-merge")),
        DEV % "rollback: {}",
        *(
            DEV % f"chart: {{{keys}}}"
            for keys in (
                "",
                "questions: false",
                "app-version: true, version: none",
                "version: build, directory: true, keep: 2",
                "version: patch, directory: false",
            )
        ),
        "environments: {dev: {}, prod: {promote-from: dev}}",
        *(f"environments: {{'{name}': {{}}}}" for name in ("a", "0", "prod-eu", "a.b", "x" * 63)),
        *(
            IMAGE % f"repository: 'r.example.com:5000/a', file: a/b, path: {path}"
            for path in ("a.b", "[a, 0]", "[a]")
        ),
    ],
)  # fmt: skip
def test_what_the_updater_reads_fits_the_schema(text: str) -> None:
    assert parses(text)
    assert takes(text)


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "x", "{}", "environments: {}", "environments: []", "environments: {dev: }", "images: []"),
        *("environments: {dev: {}}\nmore: 1", "environments: {dev: {}}\nimages: {}", DEV % "freeze: []"),
        *(f"environments: {{'{name}': {{}}}}" for name in ("", "Dev", "a..b", ".a", "-a", "a/b", "a b", "x" * 64)),
        *(DEV % f"branch: {name}" for name in ("''", "5", "a b", "-a", "/a", "a/", "a//b", "a..b", "a.", "a/.b")),
        *(DEV % f"branch: '{name}'" for name in ("a.lock", "a.lock/b", "a@{b", "@", "HEAD", "refs/heads/a", "a:b")),
        *(DEV % f"files: {glob}" for glob in ("''", "5", "[]", "[5]", "/a", "a/", "a//b", "../a", "a/./b", "[a, /b]")),
        *(DEV % f"exclude: '{glob}'" for glob in ("a\\b", "a**", "**a", "a/***", "{a,b}")),
        *(DEV % f"files: a/*, base: '{path}'" for path in ("", "/a", "a/", "a/../b", "*", "a?", "{app}/x", "{chart", "}")),
        *(DEV % keys for keys in ("base: a", "tags: x", "tags: {x: y}", "tags: {pattern: ''}", "tags: {order: x}")),
        *(DEV % keys for keys in ("delivery: pull-request", "delivery: ", "digest: keep", "digest: ", "deployments: 1")),
        *(DEV % f"promote-from: {name}" for name in ("''", "5", "[dev]", "Dev", "a/b")),
        *(DEV % keys for keys in ("merge-request: {}", "merge-request: {}, delivery: commit", "merge_request: {}")),
        *(MERGE_REQUEST % keys for keys in ("group-by: charts", "group-by: ", "group_by: chart", "squash: 'true'")),
        *(MERGE_REQUEST % f"labels: {labels}" for labels in ("[]", "''", "'a,b'", "[a, 5]", "' a'", "'a '", "{a: b}")),
        *(MERGE_REQUEST % f"reviewers: {logins}" for logins in ("[]", "''", "'@kim'", "a b", "a/b", "[kim, ~]")),
        *(MERGE_REQUEST % f"{key}: 1" for key in ("draft", "squash", "remove-source-branch", "assignees", "milestone")),
        *(MERGE_REQUEST % f"milestone: {title}" for title in ("''", "' '", "'x '", "[a]", "x" * 256)),
        DEV % "delivery: auto-merge, merge-request: {draft: true}",
        DEV % "rollback: {delivery: auto-merge}, merge-request: {draft: true}",
        *(
            DEV % f"chart: {{{keys}}}"
            for keys in (
                "questions: yes",
                "version: minor",
                "directory: true",
                "directory: true, version: none",
                "keep: 10",
                "keep: 1, version: patch, directory: true",
                "app_version: true",
            )
        ),
        DEV % "rollback: {delivery: commit}, merge-request: {}",
        *(DEV % keys for keys in ("rollback: ", "rollback: commit", "rollback: {delivery: ''}", "rollback: {hold: no}")),
        *(DEV % keys for keys in ("manual-revert: no", "manual-revert: ", "manual-revert: true")),
        *(DEV % f"windows: {period}" for period in ("", "x", "[]", "[x]", "{}", "{timezone: UTC}", "[{reason: x}]")),
        *(DEV % f"freeze: {{{keys}}}" for keys in ("from: 2026-12-24", "until: 2026-12-24", "duration: 1h", "cron: 0 1 * * *")),
        *(DEV % f"freeze: {{from: 2026-12-24, until: 2026-12-25, {keys}}}" for keys in ("cron: 0 1 * * *", "duration: 1h")),
        *(DEV % f"freeze: {{cron: 0 1 * * *, duration: 1h, {keys}}}" for keys in ("reason: ''", "reason: ' a'", "timezone: ''", "timezone: 5")),
        *(ONCE % time for time in ("", "24.12.2026", "2026-12-24 8:00", "2026-12-24 08:00:00", "2026-12-24T08:00Z", "1969-01-01", "9999-12-31")),
        DEV % "freeze: {from: 2026, until: 2030-01-01}",
        *(AGAIN % (cron, "2h") for cron in ("", "0 14 * *", "0 14 * * * *", "@daily", "0 1 * * *" + " " * 250)),
        *(AGAIN % ("0 1 * * *", length) for length in ("", "30", "2 h", "1.5h", "30m2h", "-1h", "2w", "PT2H", "123456m")),
        DEV % f"tags: {{pattern: {'x' * 513}}}",
        *(IMAGE % keys for keys in ("", "file: a/b, path: a", "repository: a, path: a", "repository: a, file: a/b")),
        *(IMAGE % f"repository: '{name}', file: a/b, path: a" for name in ("", "a:1", "a@sha256:b", "a b", "a/")),
        *(IMAGE % f"repository: a, file: '{file}', path: a" for file in ("", "/a/b", "a/", "a/../b", "a/*", "a\\b")),
        *(IMAGE % f"repository: a, file: a/b, path: {path}" for path in ("''", "5", "[]", "[0]", "[a, -1]", "[a, 1.5]")),
    ],
)  # fmt: skip
def test_what_breaks_the_form_is_rejected_by_the_schema_and_by_the_updater(text: str) -> None:
    assert not takes(text)
    assert not parses(text)


@pytest.mark.parametrize(
    "text",
    [
        DEV % "tags: {pattern: 'a('}",
        DEV % "tags: {pattern: '(?P<x>.)'}",
        DEV % "files: '[z-a]'",
        DEV % "files: a, base: '{chart}'",
        "environments: {a.lock: {}}",
        "environments: {dev: {promote-from: dev}}",
        "environments: {dev: {promote-from: prod}}",
        "environments: {dev: {delivery: merge-request, branch: updater/dev}}",
        MERGE_REQUEST % 'labels: "a\\u200bb"',
        IMAGE % "repository: A b, file: c/d, path: a",
        *(ONCE % time for time in ("2026-02-30", "2026-13-01", "2026-01-01 24:00", "2030-01-01", "2031-01-01")),
        *(AGAIN % (cron, "2h") for cron in ("60 1 * * *", "0 0 30 2 *", "x x x x x")),
        *(AGAIN % ("0 1 * * *", length) for length in ("0m", "32d", "745h")),
        DEV % "freeze: {cron: 0 1 * * *, duration: 1h, timezone: Europe/Berlim}",
    ],
)  # fmt: skip
def test_the_updater_rejects_what_no_schema_can_say_as_well(text: str) -> None:
    assert not parses(text)
