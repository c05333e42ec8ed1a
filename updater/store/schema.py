"""Bring a database to the newest schema: a new one at once, an old one by its migrations.

Called by `inbox` and `records` when a store is opened. alembic is imported only where there is
something to migrate: that costs more time than opening the store.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)

from updater.errors import InvalidSettings
from updater.store.tables import REVISION, metadata

# alembic's own table, as alembic makes it.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(engine: Engine, place: str, alone: Callable[[], AbstractContextManager[None]]) -> None:
    """Make the tables or migrate them; `alone()` keeps other updaters away while that is done.

    Raises:
        InvalidSettings: the database belongs to something else or to a later version.
    """
    with engine.begin() as connection:
        if not inspect(connection).get_table_names():
            _create(connection)
        current = is_current(connection, place)
    if not current:
        with alone(), engine.begin() as connection:
            _migrate(connection, place)


def is_current(connection: Connection, place: str) -> bool:
    """Say whether the schema is the one of this version.

    Raises:
        InvalidSettings: the tables are not the updater's.
    """
    if not inspect(connection).has_table(_version.name):
        raise InvalidSettings(
            f"The database {place} holds something else than requests of the updater: choose another one."
        )
    return connection.scalar(select(_version.c.version_num)) == REVISION


def touch(connection: Connection) -> None:
    """Write what is there already: a change that changes nothing, and goes to the disk all the same."""
    connection.execute(update(_version).values(version_num=REVISION))


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version), {"version_num": REVISION})


def _migrate(connection: Connection, place: str) -> None:
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "updater.store:migrations")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise InvalidSettings(
            f"The database {place} cannot be brought to the schema of this version ({REVISION}): {error}. "
            "A later version of the updater has probably used it: run that version."
        ) from error
