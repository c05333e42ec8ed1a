"""Rollbacks, holds, and updates that override a hold or a freeze."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; nothing that was asked for before has one."""
    op.add_column("request", sa.Column("wish", sa.JSON()))
