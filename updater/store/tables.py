"""The tables, as the newest version of the schema has them.

Hides column names and types from everybody outside the package. A change here needs a migration
in `migrations/versions/`; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    true,
)

# The migration that leads to these tables (`revision` of the newest file in migrations/versions).
REVISION = "0003"


class Moment(TypeDecorator[datetime]):
    """A point in time: UTC in the database, aware in Python; SQLite keeps no time zone itself."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Bring `value` to UTC.

        Raises:
            ValueError: `value` has no time zone, so it is no point in time.
        """
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone.")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that what the database keeps is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Named constraints: a migration of a later version can drop them on every database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# `kind` is NULL while a request is pending. `due_at` NULL: due at once. `is_claimable` while it is
# pending or held, `is_open` while its outcome rests on an open merge request. `promotion` is NULL
# for all that is no promotion; `wish` holds what a rollback, a hold or an override asks for beside the
# other columns. `name`, `repository` and `tag` are empty for all that is no update.
request = Table(
    "request",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("id", String(26), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("digest", Text),
    Column("environment", Text),
    Column("caller", Text, nullable=False),
    Column("caller_document", JSON, nullable=False),
    Column("source", JSON, nullable=False),
    Column("idempotency_key", Text),
    Column("received_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("troubled_since", Moment),
    Column("leased_until", Moment),
    Column("done", JSON, nullable=False),
    Column("kind", Text),
    Column("outcome", JSON(none_as_null=True)),
    Column("settled_at", Moment),
    Column("promotion", JSON(none_as_null=True)),
    Column("is_claimable", Boolean, nullable=False, server_default=true()),
    Column("is_open", Boolean, nullable=False, server_default=false()),
    Column("wish", JSON(none_as_null=True)),
    UniqueConstraint("caller", "idempotency_key"),
    Index(None, "kind", "sequence"),
    Index(None, "repository", "sequence"),
    Index(None, "is_claimable", "sequence"),
    Index(None, "is_open", "sequence"),
)

# In which environments a request was settled, for listing: its outcome tells the story.
settled_in = Table(
    "settled_in",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("sequence", ForeignKey("request.sequence"), primary_key=True),
)

intent = Table(
    "intent",
    metadata,
    Column("request_id", String(26), ForeignKey("request.id"), primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("commit", Text, primary_key=True),
    Column("branch", Text, nullable=False),
    Column("outcome", JSON, nullable=False),
)
