"""People who were merged into others: what led to them leads to those

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "merged",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("key", NAME),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_merged"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_merged_person", ondelete="CASCADE"),
    )
    op.create_index("ix_merged_name", "merged", ["name"], postgresql_using="hash")
    op.create_index("ix_merged_key", "merged", ["key"])
    op.create_index("ix_merged_person", "merged", ["person"])


def downgrade() -> None:
    op.drop_table("merged")
