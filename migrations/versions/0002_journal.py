"""What each call cost and how it ended, every other remote change, and what is known of unchanged files

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)

ADDED = {
    "runs": (
        sa.Column("source", sa.Text()),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.Text()),
    ),
    "journal": (
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("calls", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("milliseconds", sa.Integer()),
        sa.Column("request_id", sa.String(64)),
        sa.Column("bars", sa.String(32)),
    ),
    "photos": (sa.Column("dhash", sa.String(16)),),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    unfinished = sa.text("state IN ('intent', 'failed', 'unreadable')")
    op.create_index(
        "ix_journal_unfinished",
        "journal",
        ["collection", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "unread",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("person", sa.String(32)),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unread"),
        sa.UniqueConstraint("collection", "path_id", name="uq_unread_collection_path_id"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_unread_run"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_unread_collection", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_unread_person", ondelete="CASCADE"),
    )
    for column in ("run", "person"):
        op.create_index(f"ix_unread_{column}", "unread", [column])
    op.create_table(
        "changes",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("person", sa.String(32)),
        sa.Column("user_id", sa.String(128)),
        sa.Column("face_id", sa.String(36)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("intended_at", TIME, nullable=False),
        sa.Column("settled_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_changes_collection", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_changes_collection_state", "changes", ["collection", "state"])
    op.create_index("ix_changes_person", "changes", ["person"])
    op.create_table(
        "usage",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("engine", sa.String(255), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "engine", "operation", name="pk_usage"),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.String(48), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
    )


def downgrade() -> None:
    for table in ("files", "usage", "changes", "unread"):
        op.drop_table(table)
    op.drop_index("ix_journal_unfinished", "journal")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
