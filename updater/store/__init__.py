"""The store: the durable inbox and the record of outcomes.

The face of the package, and the only door to the database; SQLAlchemy and alembic are imported
behind it and nowhere else.
"""

from updater.store.inbox import Store
from updater.store.records import Records
from updater.store.values import (
    AnyWish,
    Deferral,
    HoldWish,
    Intent,
    PromotionWish,
    Query,
    RollbackWish,
    Wish,
)

__all__ = [
    "AnyWish",
    "Deferral",
    "HoldWish",
    "Intent",
    "PromotionWish",
    "Query",
    "Records",
    "RollbackWish",
    "Store",
    "Wish",
]
