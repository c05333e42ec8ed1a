"""The inbox, its notes and the record of outcomes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "request",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text()),
        sa.Column("environment", sa.Text()),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_document", sa.JSON(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("troubled_since", sa.DateTime(timezone=True)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("done", sa.JSON(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("outcome", sa.JSON()),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("sequence", name="pk_request"),
        sa.UniqueConstraint("caller", "idempotency_key", name="uq_request_caller_idempotency_key"),
        sa.UniqueConstraint("id", name="uq_request_id"),
    )
    op.create_index("ix_request_kind_sequence", "request", ["kind", "sequence"])
    op.create_index("ix_request_repository_sequence", "request", ["repository", "sequence"])
    op.create_table(
        "settled_in",
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("environment", "sequence", name="pk_settled_in"),
        sa.ForeignKeyConstraint(["sequence"], ["request.sequence"], name="fk_settled_in_sequence"),
    )
    op.create_table(
        "intent",
        sa.Column("request_id", sa.String(26), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "environment", "commit", name="pk_intent"),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name="fk_intent_request_id"),
    )
