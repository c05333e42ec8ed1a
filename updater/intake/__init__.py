"""Reads the body of a request into values.

This package hides the JSON of the original pipeline's `curl` and of what people send: promotions, rollbacks,
holds and decisions about proposals, and everything a body can have wrong with it. `web` calls it with the
bytes it received, and for the parameters that have a form of their own. It does no I/O and decides nothing
that needs the config repo.
"""

from updater.intake.decisions import (
    APPROVAL_FIELDS,
    CLOSING_FIELDS,
    HEAD_FORM,
    decode_approval,
    decode_closing,
)
from updater.intake.fields import (
    ENVIRONMENT_FORM,
    MAX_ENVIRONMENT,
    MAX_URL,
    OVERRIDE_FIELDS,
    TAG_FORM,
    TIME_FORM,
    read_repository,
    read_time,
)
from updater.intake.promotions import PROMOTION_FIELDS, PromotionIntake, decode_promotion
from updater.intake.reading import MAX_BODY, MAX_TEXT
from updater.intake.rollbacks import (
    COMMIT_FORM,
    HOLD_FIELDS,
    ROLLBACK_FIELDS,
    HoldIntake,
    RollbackIntake,
    decode_hold,
    decode_rollback,
)
from updater.intake.updates import FIELDS, PIPELINE_URL_FORM, SOURCE_FIELDS, Intake, decode

__all__ = [
    "APPROVAL_FIELDS",
    "CLOSING_FIELDS",
    "COMMIT_FORM",
    "ENVIRONMENT_FORM",
    "FIELDS",
    "HEAD_FORM",
    "HOLD_FIELDS",
    "MAX_BODY",
    "MAX_ENVIRONMENT",
    "MAX_TEXT",
    "MAX_URL",
    "OVERRIDE_FIELDS",
    "PIPELINE_URL_FORM",
    "PROMOTION_FIELDS",
    "ROLLBACK_FIELDS",
    "SOURCE_FIELDS",
    "TAG_FORM",
    "TIME_FORM",
    "HoldIntake",
    "Intake",
    "PromotionIntake",
    "RollbackIntake",
    "decode",
    "decode_approval",
    "decode_closing",
    "decode_hold",
    "decode_promotion",
    "decode_rollback",
    "read_repository",
    "read_time",
]
