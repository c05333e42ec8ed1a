"""The steps by which the schema grew; alembic runs them, started by `schema.migrate`."""
