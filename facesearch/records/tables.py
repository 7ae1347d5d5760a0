"""The tables. Alembic's migrations make them; a test holds the two together.

What only one database knows of an index (its kind, its condition) is in the migrations and not here, where every
command would load that database's dialect for it. Annotations are no text here, since that takes long to evaluate.
"""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from facesearch.records.columns import Json, Name, PathText, Remark, RowNumber, UtcDateTime

HEAD = "0004"  # the newest migration; a constant, so that opening a database needs no Alembic

INTENT = "intent"  # the state of a journal row whose photo was about to be sent; else a PhotoStatus value
UNFINISHED = text("state IN ('intent', 'failed', 'unreadable')")  # of the journal: few of very many


def now() -> datetime:
    return datetime.now(UTC)


class Row(DeclarativeBase):
    """What every table shares: the names of its constraints, so that a migration can name them again."""

    type_annotation_map: ClassVar = {float: Double}
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class CollectionRow(Row):
    """A collection that was seen on some engine; its ARN tells equal names on two engines apart."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    arn: Mapped[str] = mapped_column(String(2048), unique=True)
    collection_id: Mapped[str] = mapped_column(String(255))
    model_version: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(
        UtcDateTime
    )  # as the service says; made anew, it is another one
    users: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # whether each person is a user
    threshold: Mapped[str | None] = mapped_column(String(32))  # its own, as it was said: 90, fmr=0.001


class CalibrationRow(Row):
    """How alike the faces of a collection are, by one face model: counted shares, and nothing of any person."""

    __tablename__ = "calibrations"
    __table_args__ = (UniqueConstraint("collection", "model_version"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    model_version: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    faces: Mapped[int]
    people: Mapped[int]
    comparisons: Mapped[int] = mapped_column(BigInteger)
    own: Mapped[int]
    own_people: Mapped[int]
    points: Mapped[list[Any]] = mapped_column(Json)


class PersonRow(Row):
    """Someone we know. Several people may share a name; a key belongs to one."""

    __tablename__ = "people"
    # A hash on Postgres, whose B-trees refuse values of some 2,700 bytes; names are only asked for whole.
    __table_args__ = (Index(None, "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Name)
    key: Mapped[str | None] = mapped_column(Name, unique=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(Json)
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


class MergedRow(Row):
    """Somebody who turned out to be a person on record: their id, name and key lead to that person.

    ExternalImageIds hold the id for ever. It goes with the person.
    """

    __tablename__ = "merged"
    __table_args__ = (Index(None, "name"),)  # a hash, too

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Name)
    key: Mapped[str | None] = mapped_column(Name, index=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class PhotoRow(Row):
    """A file by its content. It stays as long as the journal or a face refers to it."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    path: Mapped[str] = mapped_column(PathText)  # where it was last seen
    dhash: Mapped[str | None] = mapped_column(String(16))  # 16 hex digits, alike for pictures that look alike
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class RunRow(Row):
    """One enrolment; without `finished_at` it was killed, or is going on."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, int] | None] = mapped_column(Json)
    source: Mapped[str | None] = mapped_column(PathText)  # what was enrolled, as it was asked for
    outcome: Mapped[str | None] = mapped_column(String(16))  # a RunOutcome value
    reason: Mapped[str | None] = mapped_column(Remark)  # why it ended before everything was done


class JournalRow(Row):
    """Where a photo of a person stands in a collection: about to be sent, or how it ended."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("collection", "person", "photo"),
        Index("ix_journal_unfinished", "collection", "id"),  # of the UNFINISHED rows alone
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    photo: Mapped[int] = mapped_column(ForeignKey("photos.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Remark)
    on_multiple: Mapped[str | None] = mapped_column(String(16))
    bars: Mapped[str | None] = mapped_column(String(32))  # what its face was measured against
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")  # calls made, repeated ones included
    calls: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # those that were answered, and so billed
    milliseconds: Mapped[int | None]  # that the last call took
    request_id: Mapped[str | None] = mapped_column(String(64))  # of the last call
    intended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UnreadRow(Row):
    """A file that could not be enrolled and whose content is not known, so that the journal has no place for it.

    It goes once the file has been read.
    """

    __tablename__ = "unread"
    __table_args__ = (UniqueConstraint("collection", "path_id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    person: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(PathText)
    path_id: Mapped[str] = mapped_column(String(64))  # sha256 of the path, since an index takes no long text
    state: Mapped[str] = mapped_column(String(16))  # a PhotoStatus value
    reason: Mapped[str | None] = mapped_column(Remark)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChangeRow(Row):
    """A remote change that is not the enrolment of a photo: intended before the call, settled after it.

    The person is not a reference: the row outlives them until the service has confirmed that their faces are gone.
    """

    __tablename__ = "changes"
    __table_args__ = (Index(None, "collection", "state"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    operation: Mapped[str] = mapped_column(String(64))  # Rekognition's name of it: DeleteFaces ...
    person: Mapped[str | None] = mapped_column(String(32), index=True)
    user_id: Mapped[str | None] = mapped_column(String(128))
    face_id: Mapped[str | None] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(16))  # a ChangeState value
    reason: Mapped[str | None] = mapped_column(Remark)
    attempts: Mapped[int] = mapped_column(default=0)
    request_id: Mapped[str | None] = mapped_column(String(64))
    intended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UsageRow(Row):
    """How many calls of an operation an engine answered on one day (UTC)."""

    __tablename__ = "usage"

    day: Mapped[date] = mapped_column(primary_key=True)
    engine: Mapped[str] = mapped_column(
        String(255), primary_key=True
    )  # what its collections' ARNs begin with
    operation: Mapped[str] = mapped_column(String(64), primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)


class FileRow(Row):
    """What a file held when it had this size, time and inode: an unchanged one need not be read again."""

    __tablename__ = "files"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # sha256 of the machine's name and the path
    size: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    inode: Mapped[str] = mapped_column(String(48))  # device and inode
    sha256: Mapped[str] = mapped_column(String(64))


class TaggedRow(Row):
    """A photo whose labels are known, by its path; the newest answer takes the place of the one before."""

    __tablename__ = "tagged"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    path: Mapped[str] = mapped_column(PathText)
    path_id: Mapped[str] = mapped_column(String(64), unique=True)  # sha256 of the path
    digest: Mapped[str] = mapped_column(String(255), index=True)  # sha256 of a file, ETag of an object
    size: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[str | None] = mapped_column(String(1024))  # of an object
    engine: Mapped[str] = mapped_column(String(255))
    model_version: Mapped[str | None] = mapped_column(String(255))
    min_confidence: Mapped[float]
    max_labels: Mapped[int | None]
    custom_model: Mapped[str | None] = mapped_column(String(2048))
    tagged_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LabelRow(Row):
    """A label with all that is above it, once for all photos. SQLite indexes its words in `labels_text` (FTS5)."""

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # sha256 of what follows
    name: Mapped[str] = mapped_column(Text)
    custom: Mapped[bool]
    parents: Mapped[list[str]] = mapped_column(Json)
    aliases: Mapped[list[str]] = mapped_column(Json)
    categories: Mapped[list[str]] = mapped_column(Json)
    words: Mapped[str] = mapped_column(Text)  # of its name and its aliases
    above: Mapped[str] = mapped_column(Text)  # the words of its parents


class PhotoLabelRow(Row):
    """A label of a photo, and where in the photo it is seen."""

    __tablename__ = "photo_labels"
    __table_args__ = (Index(None, "label", "confidence"),)

    tagged: Mapped[int] = mapped_column(ForeignKey("tagged.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)  # among the photo's labels
    label: Mapped[int] = mapped_column(ForeignKey("labels.id"))
    confidence: Mapped[float]
    instances: Mapped[list[list[float]]] = mapped_column(Json)  # left, top, width, height, confidence


class SightingRow(Row):
    """A person whom a search has seen in a photo, which need not be an enrolled one."""

    __tablename__ = "sightings"
    __table_args__ = (Index(None, "collection", "sha256"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(PathText)
    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    similarity: Mapped[float]
    threshold: Mapped[float]
    margin: Mapped[float | None]
    agreeing: Mapped[int | None]
    enrolled: Mapped[int | None]
    face_id: Mapped[str | None] = mapped_column(String(36))  # of the collection, the one most alike
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)  # when the photo was searched


class FaceRow(Row):
    """A face that a collection holds, with whose it is and which photo it came from."""

    __tablename__ = "faces"
    __table_args__ = (UniqueConstraint("collection", "face_id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    collection: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    face_id: Mapped[str] = mapped_column(String(36))
    image_id: Mapped[str] = mapped_column(String(36))
    external_image_id: Mapped[str | None] = mapped_column(String(255))
    person: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    photo: Mapped[int] = mapped_column(ForeignKey("photos.id"), index=True)
    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    confidence: Mapped[float]
    brightness: Mapped[float | None]
    sharpness: Mapped[float | None]
    roll: Mapped[float | None]
    yaw: Mapped[float | None]
    pitch: Mapped[float | None]
    model_version: Mapped[str | None] = mapped_column(String(255))
    user_id: Mapped[str | None] = mapped_column(String(128))  # of the collection, to which it was given
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
