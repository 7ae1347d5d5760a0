"""What similarities mean in each collection, and the threshold it keeps to

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    # --- calibrations
    op.add_column("collections", sa.Column("threshold", sa.String(32)))
    op.create_table(
        "calibrations",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("model_version", sa.String(255), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("comparisons", sa.BigInteger(), nullable=False),
        sa.Column("own", sa.Integer(), nullable=False),
        sa.Column("own_people", sa.Integer(), nullable=False),
        sa.Column("points", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calibrations"),
        sa.UniqueConstraint("collection", "model_version", name="uq_calibrations_collection_model_version"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_calibrations_collection", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    # --- calibrations
    op.drop_table("calibrations")
    with op.batch_alter_table("collections") as batch:
        batch.drop_column("threshold")
