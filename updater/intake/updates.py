"""Reads that an image was built: the original pipeline's body, and what may stand beside its image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from updater.errors import InvalidRequest
from updater.intake.fields import MAX_URL, environment_name, missing, override, read_time, text
from updater.intake.reading import MAX_BODY, MAX_TEXT, kind, read_object, refuse_unknown
from updater.model import ImageReference, Source

# Userinfo is left out on purpose: a pipeline URL with a password would end in a commit message.
PIPELINE_URL_FORM = r"^(?:|https?://[A-Za-z0-9.\-_\[\]:]+(?:[/?#][!-~]*)?)$"

FIELDS = ("image", "digest", "environment", "override", "source")
SOURCE_FIELDS = ("project", "commit", "ref", "pipeline_id", "pipeline_url", "author", "committed_at")

_PIPELINE_URL = re.compile(PIPELINE_URL_FORM)
_HINT = '{"image": "registry/repository:tag"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a body says: an image that was built, where it should go and where it came from.

    With `override` no hold and no freeze is to stop it, for the `reason` given.
    """

    image: ImageReference
    environment: str | None
    source: Source
    override: bool = False
    reason: str = ""


def decode(body: bytes) -> Intake:
    """Read a JSON body such as `{"image": "registry.example.com/iris:develop-52666"}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = read_object(body, FIELDS, _HINT)
    # The grammar of references has a limit, and a sentence about it, of its own.
    image = text(value, "image", limit=MAX_BODY)
    if not image:
        raise missing("image", _HINT)
    digest = text(value, "digest") or None
    reason = override(value)
    return Intake(
        image=ImageReference.parse(image, digest),
        environment=_environment(value),
        source=_source(value.get("source")),
        override=bool(reason),
        reason=reason,
    )


def _environment(value: Mapping[str, object]) -> str | None:
    if value.get("environment") is None:
        return None
    # Empty too: a variable somebody forgot to set must not mean "everywhere".
    return environment_name(value, "environment", "Leave the field out for all that take the tag.")


def _source(value: object) -> Source:
    if value is None:
        return Source()
    if not isinstance(value, dict):
        raise InvalidRequest(f'The field "source" is {kind(value)}; send an object.', field="source")
    refuse_unknown(value, SOURCE_FIELDS, "source.")
    pipeline_id = value.get("pipeline_id")
    # CI_PIPELINE_ID is a number; some callers send it as one.
    if isinstance(pipeline_id, int) and not isinstance(pipeline_id, bool):
        value = {**value, "pipeline_id": str(pipeline_id)}
    texts = {
        name: text(value, name, "source.", limit=MAX_URL if name == "pipeline_url" else MAX_TEXT)
        for name in SOURCE_FIELDS
    }
    url = texts["pipeline_url"]
    if not _PIPELINE_URL.fullmatch(url):
        raise InvalidRequest(
            'The field "source.pipeline_url" is not an http or https URL without user and password.',
            field="source.pipeline_url",
        )
    committed_at = texts["committed_at"]
    if committed_at and read_time(committed_at) is None:
        raise InvalidRequest(
            f'The field "source.committed_at" is {committed_at!r}, which is no time by RFC 3339: send one '
            "with its zone, such as 2026-03-02T09:30:00Z (CI_COMMIT_TIMESTAMP is one).",
            field="source.committed_at",
        )
    return Source(**texts)
