"""People, photos, faces and the enrolment journal

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration says what the schema was then: it takes nothing from the program, which changes.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("arn", sa.String(2048), nullable=False),
        sa.Column("collection_id", sa.String(255), nullable=False),
        sa.Column("model_version", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
        sa.UniqueConstraint("arn", name="uq_collections_arn"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("key", NAME),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("notes", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("key", name="uq_people_key"),
    )
    op.create_index("ix_people_name", "people", ["name"], postgresql_using="hash")
    op.create_table(
        "photos",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.UniqueConstraint("sha256", name="uq_photos_sha256"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("counts", JSON),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_runs_collection", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_runs_collection", "runs", ["collection"])
    _create_journal()
    _create_faces()


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("photo", ROW_NUMBER, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("on_multiple", sa.String(16)),
        sa.Column("intended_at", TIME, nullable=False),
        sa.Column("settled_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("collection", "person", "photo", name="uq_journal_collection_person_photo"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_journal_run"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_journal_collection", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_journal_person", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo"], ["photos.id"], name="fk_journal_photo"),
    )
    for column in ("run", "person", "photo"):
        op.create_index(f"ix_journal_{column}", "journal", [column])


def _create_faces() -> None:
    op.create_table(
        "faces",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("face_id", sa.String(36), nullable=False),
        sa.Column("image_id", sa.String(36), nullable=False),
        sa.Column("external_image_id", sa.String(255)),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("photo", ROW_NUMBER, nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("left", "top", "width", "height")),
        sa.Column("confidence", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double()) for name in ("brightness", "sharpness", "roll", "yaw", "pitch")),
        sa.Column("model_version", sa.String(255)),
        sa.Column("enrolled_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_faces"),
        sa.UniqueConstraint("collection", "face_id", name="uq_faces_collection_face_id"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_faces_collection", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_faces_person", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo"], ["photos.id"], name="fk_faces_photo"),
    )
    for column in ("person", "photo"):
        op.create_index(f"ix_faces_{column}", "faces", [column])


def downgrade() -> None:
    for table in ("faces", "journal", "runs", "photos", "people", "collections"):
        op.drop_table(table)
