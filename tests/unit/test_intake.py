"""The body of a request: what is taken, and the field and sentence for what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidRequest
from updater.intake import (
    MAX_BODY,
    Intake,
    decode,
    read_time,
)
from updater.model import ImageReference, Source

IMAGE = "registry.example.com/iris:develop-52666"
DIGEST = f"sha256:{'ab' * 32}"


def refusal(body: bytes | str | object) -> InvalidRequest:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    with pytest.raises(InvalidRequest) as raised:
        decode(raw)
    return raised.value


def with_image(**fields: object) -> dict[str, object]:
    return {"image": IMAGE, **fields}


def test_the_original_pipelines_body_is_read() -> None:
    body = decode(b'{"image":"docker-registry.example.com/iris:develop-52666"}')
    assert body == Intake(
        image=ImageReference.parse("docker-registry.example.com/iris:develop-52666"),
        environment=None,
        source=Source(),
    )


def test_every_field_is_read() -> None:
    source = {
        "project": "shop/iris",
        "commit": "5d41402abc4b2a76",
        "ref": "develop",
        "pipeline_id": 52666,
        "pipeline_url": "https://gitlab.example.com/shop/iris/-/pipelines/52666",
        "author": "김 아무개",
        "committed_at": "2026-03-02T18:20:00+09:00",
    }
    body = decode(json.dumps(with_image(digest=DIGEST, environment="dev", source=source)).encode())
    assert body.image == ImageReference.parse(IMAGE, DIGEST)
    assert body.environment == "dev"
    assert body.source == Source(**{**source, "pipeline_id": "52666"})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["digest", "environment", "override", "source"])
def test_null_is_as_good_as_absent(field: str) -> None:
    assert decode(json.dumps(with_image(**{field: None})).encode()) == decode(
        json.dumps(with_image()).encode()
    )


def test_an_empty_digest_or_source_field_is_absent() -> None:
    body = decode(
        json.dumps(
            with_image(digest="", source={"author": "", "pipeline_url": "", "committed_at": ""})
        ).encode()
    )
    assert body == decode(json.dumps(with_image()).encode())


def test_a_byte_order_mark_and_white_space_do_no_harm() -> None:
    assert decode(b'\xef\xbb\xbf {"image": "a/b:1"}\r\n').image.tag == "1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is empty: send {"),
        (b" \n", "The body is empty"),
        (b"image=a/b:1", "The body is not JSON: line 1, column 1"),
        (b'{"image": "a/b:1"', "line 1, column 18"),
        (b'{"image":\n "a/b:1",}', "line 2, column 10"),
        (b"{'image': 'a/b:1'}", "line 1, column 2"),
        (b'{"image": "a/b:1"} x', "Extra data"),
        (b'{"image": "a\nb"}', "Invalid control character"),
        (b"\xff\xfe{", "The body is not UTF-8 text: byte 1"),
        (b'{"image": NaN}', "NaN is not JSON"),
        (b'{"image": -Infinity}', "-Infinity is not JSON"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"image":' * 7_000, "nested too deeply"),
        (b'{"image": ' + b"1" * 5000 + b"}", "A number of 5000 digits"),
        (b"[]", "The body is a list; send a JSON object"),
        (b'"a/b:1"', "The body is a string"),
        (b"1", "The body is a number"),
        (b"null", "The body is null"),
        (b"true", "The body is true or false"),
        (b'{"image":"a/b:1","image":"a/b:2"}', "The field 'image' stands there twice"),
        (b" " * (MAX_BODY + 1), "larger than 65536 bytes"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(body: bytes, said: str) -> None:
    error = refusal(body)
    assert said in str(error)
    assert error.field == ""


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "image", 'The field "image" is missing'),
        (with_image(image=None), "image", "missing"),
        (with_image(image=""), "image", "missing"),
        (with_image(image=7), "image", 'The field "image" is a number; send a string.'),
        (with_image(image=["a/b:1"]), "image", "is a list"),
        (with_image(image="registry.example.com/iris"), "image", "names no tag"),
        (with_image(image="registry.example.com:5000/iris"), "image", "names no tag"),
        (with_image(image="a/b:"), "image", "names no tag"),
        (with_image(image=f"a/b@{DIGEST}"), "image", "names no tag"),
        (with_image(image="a/b:-x"), "image", "is not a legal tag"),
        (with_image(image="a/b:feature/x"), "image", "CI_COMMIT_REF_SLUG"),
        (with_image(image="a/B:1"), "image", "use 'a/b'"),
        (with_image(image=" a/b:1"), "image", "begins or ends with a blank"),
        (with_image(image="a/b:1\n"), "image", "U+000A at position 6"),
        (with_image(image="a/b:1\u202e"), "image", "U+202E"),
        (with_image(image="a/b:1\ud800"), "image", "U+D800"),
        (with_image(image="a/b:1\0"), "image", "U+0000"),
        (with_image(image="a" * 600 + ":1"), "image", "512 are allowed"),
        (with_image(digest="sha256:abc"), "digest", "is not a digest"),
        (with_image(digest=5), "digest", "is a number"),
        (with_image(digest="x" * 300), "digest", "300 characters long; 255 are allowed"),
        (with_image(environment=""), "environment", "Leave the field out"),
        (with_image(environment="dev prod"), "environment", "is not the name of an environment"),
        (with_image(environment="../prod"), "environment", "is not the name of an environment"),
        (with_image(environment="x" * 64), "environment", "63 are allowed"),
        (with_image(environment=["dev"]), "environment", "is a list"),
        (with_image(enviroment="dev"), "enviroment", "did you mean 'environment'?"),
        (with_image(zzz=1), "zzz", "known are image, digest, environment, override, source."),
        (with_image(**{"x" * 400: 1}), "", "There is no field 'xxxxx"),
        (with_image(**{"a\nb": 1}), "", "There is no field 'a\\nb'"),
        (with_image(source="x"), "source", "is a string; send an object."),
        (with_image(source=[]), "source", "is a list"),
        (with_image(source={"comit": "1"}), "source.comit", "did you mean 'commit'?"),
        (with_image(source={"commit": 1}), "source.commit", 'The field "source.commit" is a number'),
        (with_image(source={"ref": "a\nUpdater-Image: x"}), "source.ref", "U+000A at position 2"),
        (with_image(source={"project": "x" * 256}), "source.project", "255 are allowed"),
        (with_image(source={"pipeline_id": 1.5}), "source.pipeline_id", "is a number; send a string."),
        (with_image(source={"pipeline_id": True}), "source.pipeline_id", "is true or false"),
        (with_image(source={"pipeline_url": "javascript:alert(1)"}), "source.pipeline_url", "not an http"),
        (
            with_image(source={"pipeline_url": "https://u:p@example.com/"}),
            "source.pipeline_url",
            "without user",
        ),
        (
            with_image(source={"pipeline_url": "https://example.com/a b"}),
            "source.pipeline_url",
            "not an http",
        ),
        (with_image(source={"pipeline_url": "https:///x"}), "source.pipeline_url", "not an http"),
        (with_image(source={"pipeline_url": f"https://a/{'x' * 2050}"}), "source.pipeline_url", "2048"),
        (with_image(source={"author": "a\u2028b"}), "source.author", "U+2028"),
        (
            with_image(source={"committed_at": "2026-03-02"}),
            "source.committed_at",
            "CI_COMMIT_TIMESTAMP is one",
        ),
        (
            with_image(source={"committed_at": 1772443800}),
            "source.committed_at",
            "is a number; send a string",
        ),
        (with_image(override="now"), "override", 'is a string; send an object: {"reason": "why'),
        (with_image(override={"reason": ""}), "override.reason", "An override needs a reason"),
        (with_image(override={"raeson": "x"}), "override.raeson", "did you mean 'reason'?"),
    ],
)
def test_what_is_wrong_in_a_field_is_refused_with_its_name(body: object, field: str, said: str) -> None:
    error = refusal(body)
    assert said in str(error)
    assert error.field == field
    assert str(error).isprintable()


@pytest.mark.parametrize("name", ["dev", "Dev", "a", "prod-eu.1", "k8s_dev"])
def test_names_of_environments_are_taken(name: str) -> None:
    assert decode(json.dumps(with_image(environment=name)).encode()).environment == name


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8080/p/1", "https://[::1]/p?x=1#y", "https://gitlab.example.com"],
)
def test_pipeline_urls_are_taken(url: str) -> None:
    assert decode(json.dumps(with_image(source={"pipeline_url": url})).encode()).source.pipeline_url == url


def test_an_override_is_its_reason() -> None:
    body = decode(json.dumps(with_image(override={"reason": "Mends the login"})).encode())
    assert (body.override, body.reason) == (True, "Mends the login")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02T09:30:00Z", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("2026-03-02T18:30:00+09:00", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("2026-03-02T09:30:00.5Z", datetime(2026, 3, 2, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("1970-01-01T00:00:00-00:00", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_by_rfc_3339_is_read_in_utc(text: str, time: datetime) -> None:
    found = read_time(text)
    assert found == time
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "2026-03-02",
        "2026-03-02T09:30:00",
        "2026-03-02 09:30:00Z",
        "2026-03-02T09:30Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:30:60Z",
        "2026-03-02T09:30:00+9:00",
        "2026-03-02T09:30:00+24:00",
        "2026-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-00:01",
        "2026-03-02T09:30:00Z\n",
    ],
)
def test_what_is_no_time_by_rfc_3339_is_none(text: str) -> None:
    assert read_time(text) is None


_offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_times = st.integers(86_400, 253_402_200_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(_times, _offsets)
def test_every_time_with_an_offset_of_minutes_is_read_as_python_writes_it(
    time: datetime, zone: timezone
) -> None:
    assert read_time(time.astimezone(zone).isoformat()) == time


@given(st.binary(max_size=300))
def test_any_bytes_are_an_intake_or_an_invalid_request(body: bytes) -> None:
    try:
        decode(body)
    except InvalidRequest as error:
        assert str(error)  # noqa: PT017 - what is left is no other error


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(["image", "digest", "environment", "source", "project", "pipeline_id", "ref", "odd"])


@given(st.dictionaries(_names, _json | st.dictionaries(_names, _json) | st.just(IMAGE)))
def test_any_json_is_an_intake_or_an_invalid_request_in_one_printable_line(body: dict[str, object]) -> None:
    try:
        intake = decode(json.dumps(body).encode())
    except InvalidRequest as error:
        assert str(error).isprintable()  # noqa: PT017 - what is left is no other error
    else:
        assert intake.image == ImageReference.parse(str(body["image"]), intake.image.digest)
