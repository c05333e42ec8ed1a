"""A target: one place where an image's tag is written.

It hides nothing; it is the value that `scan` finds, `plan` judges and `writing` turns into edits.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from updater.yamledit import KeyPath


class Form(enum.Enum):
    """How a place holds its tag: what is written there when the tag moves."""

    TAG = "tag"  # the scalar is the tag, perhaps with `@digest` behind it
    REFERENCE = "reference"  # the scalar is `name[:tag][@digest]`
    MISSING = "missing"  # there is no key of its own yet: a line is added after `after`


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place where an image's tag is written.

    `repository` is the canonical name. `tag` is the tag in force there: None where it is empty or
    missing; where the key is missing but `<<` or the base values give one, that one. `digest` is the
    digest in force ("" for an own key that is empty, None where the place has room for none).
    `problem` says why the place cannot be edited safely ("" where it can). `line` counts from 1.

    The fields from `form` on are for `writing`: `name` is the name part of a reference as written,
    `after` the key a missing tag is added after, `follow` says that the value is an alias whose
    anchor is edited, `digest_path` is the digest's own key (`digest_missing`: still to be added).
    """

    chart: str
    file: str
    document: int
    path: KeyPath
    line: int
    repository: str
    tag: str | None
    digest: str | None
    problem: str = ""
    form: Form = Form.TAG
    name: str = ""
    after: str = ""
    follow: bool = False
    digest_path: KeyPath | None = None
    digest_missing: bool = False
    digest_bare: bool = False
