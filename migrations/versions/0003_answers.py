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
    # --- labels
    op.create_table(
        "tagged",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(1024)),
        sa.Column("engine", sa.String(255), nullable=False),
        sa.Column("model_version", sa.String(255)),
        sa.Column("min_confidence", sa.Double(), nullable=False),
        sa.Column("max_labels", sa.Integer()),
        sa.Column("custom_model", sa.String(2048)),
        sa.Column("tagged_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tagged"),
        sa.UniqueConstraint("path_id", name="uq_tagged_path_id"),
    )
    op.create_index("ix_tagged_digest", "tagged", ["digest"])
    op.create_table(
        "labels",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("custom", sa.Boolean(), nullable=False),
        sa.Column("parents", JSON, nullable=False),
        sa.Column("aliases", JSON, nullable=False),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("above", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("digest", name="uq_labels_digest"),
    )
    op.create_table(
        "photo_labels",
        sa.Column("tagged", ROW_NUMBER, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("label", ROW_NUMBER, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("instances", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tagged", "place", name="pk_photo_labels"),
        sa.ForeignKeyConstraint(["tagged"], ["tagged.id"], name="fk_photo_labels_tagged", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["label"], ["labels.id"], name="fk_photo_labels_label"),
    )
    op.create_index("ix_photo_labels_label_confidence", "photo_labels", ["label", "confidence"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE labels_text USING fts5("
            "words, above, content='labels', content_rowid='id', tokenize='unicode61 remove_diacritics 0')"
        )
        op.execute(
            "CREATE TRIGGER labels_text_insert AFTER INSERT ON labels BEGIN "
            "INSERT INTO labels_text(rowid, words, above) VALUES (new.id, new.words, new.above); END"
        )
    # --- sightings
    op.create_table(
        "sightings",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("collection", ROW_NUMBER, nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("left", "top", "width", "height")),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("margin", sa.Double()),
        sa.Column("agreeing", sa.Integer()),
        sa.Column("enrolled", sa.Integer()),
        sa.Column("face_id", sa.String(36)),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sightings"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.id"], name="fk_sightings_collection", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_sightings_person", ondelete="CASCADE"),
    )
    op.create_index("ix_sightings_collection_sha256", "sightings", ["collection", "sha256"])
    op.create_index("ix_sightings_person", "sightings", ["person"])
    op.create_index("ix_sightings_seen_at", "sightings", ["seen_at"])
    # --- users
    op.add_column("collections", sa.Column("users", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("faces", sa.Column("user_id", sa.String(128)))


def downgrade() -> None:
    # --- users
    for table, column in (("faces", "user_id"), ("collections", "users")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    # --- sightings
    op.drop_table("sightings")
    # --- labels
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER labels_text_insert")
        op.execute("DROP TABLE labels_text")
    for table in ("photo_labels", "labels", "tagged"):
        op.drop_table(table)
    # --- calibrations
    op.drop_table("calibrations")
    with op.batch_alter_table("collections") as batch:
        batch.drop_column("threshold")
