"""Promotions, held requests that are claimed again, and outcomes that rest on a merge request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; what is settled already stays settled, and nothing of it is open."""
    op.add_column("request", sa.Column("promotion", sa.JSON()))
    for name, default in (("is_claimable", sa.true()), ("is_open", sa.false())):
        op.add_column("request", sa.Column(name, sa.Boolean(), nullable=False, server_default=default))
    request = sa.table("request", sa.column("kind"), sa.column("is_claimable", sa.Boolean()))
    op.execute(request.update().where(request.c.kind.is_not(None)).values(is_claimable=False))
    op.create_index("ix_request_is_claimable_sequence", "request", ["is_claimable", "sequence"])
    op.create_index("ix_request_is_open_sequence", "request", ["is_open", "sequence"])
