"""The tables, and their columns by type. Alembic's migrations make them; a test holds the two together.

What only one database knows of an index (its kind, its condition) is in the migrations and not here, where every
command would load that database's dialect for it. Annotations are no text here, since that takes long to evaluate.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    false,
    text,
)

from facesearch.records.columns import Json, Name, PathText, Remark, RowNumber, UtcDateTime

HEAD = "0004"  # the newest migration; a constant, so that opening a database needs no Alembic

INTENT = "intent"  # the state of a journal row whose photo was about to be sent; else a PhotoStatus value
UNFINISHED = text("state IN ('intent', 'failed', 'unreadable')")  # of the journal: few of very many


METADATA = MetaData(
    naming_convention={  # every constraint has a name, so that a migration can name it again
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def now() -> datetime:
    return datetime.now(UTC)


class Collections(TypedColumns):
    """A collection that was seen on some engine; its ARN tells equal names on two engines apart."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    arn: Named[str] = Column(String(2048), unique=True)
    collection_id: Named[str] = Column(String(255))
    model_version: Named[str] = Column(String(255))
    created_at: Named[datetime] = Column(UtcDateTime)  # as the service says; made anew, it is another one
    users: Named[bool] = Column(default=False, server_default=false())  # whether each person is a user
    threshold: Named[str | None] = Column(String(32))  # its own, as it was said: 90, fmr=0.001


COLLECTIONS = Table("collections", METADATA, Collections)


class Calibrations(TypedColumns):
    """How alike the faces of a collection are, by one face model: counted shares, and nothing of any person."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    model_version: Named[str] = Column(String(255))
    made_at: Named[datetime] = Column(UtcDateTime)
    faces: Named[int]
    people: Named[int]
    comparisons: Named[int] = Column(BigInteger)
    own: Named[int]
    own_people: Named[int]
    points: Named[list[Any]] = Column(Json)


CALIBRATIONS = Table("calibrations", METADATA, Calibrations, UniqueConstraint("collection", "model_version"))


class People(TypedColumns):
    """Someone we know. Several people may share a name; a key belongs to one."""

    id: Named[str] = Column(String(32), primary_key=True)
    name: Named[str] = Column(Name)
    key: Named[str | None] = Column(Name, unique=True)
    attributes: Named[dict[str, Any]] = Column(Json)
    notes: Named[str | None] = Column(Text)
    created_at: Named[datetime] = Column(UtcDateTime, default=now)
    updated_at: Named[datetime] = Column(UtcDateTime, default=now, onupdate=now)


# A hash on Postgres, whose B-trees refuse values of some 2,700 bytes; names are only asked for whole.
PEOPLE = Table("people", METADATA, People, Index(None, "name"))


class Merged(TypedColumns):
    """Somebody who turned out to be a person on record: their id, name and key lead to that person.

    ExternalImageIds hold the id for ever. It goes with the person.
    """

    id: Named[str] = Column(String(32), primary_key=True)
    name: Named[str] = Column(Name)
    key: Named[str | None] = Column(Name, index=True)
    person: Named[str] = Column(String(32), ForeignKey("people.id", ondelete="CASCADE"), index=True)
    merged_at: Named[datetime] = Column(UtcDateTime, default=now)


MERGED = Table("merged", METADATA, Merged, Index(None, "name"))  # a hash, too


class Photos(TypedColumns):
    """A file by its content. It stays as long as the journal or a face refers to it."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    sha256: Named[str] = Column(String(64), unique=True)
    path: Named[str] = Column(PathText)  # where it was last seen
    dhash: Named[str | None] = Column(String(16))  # 16 hex digits, alike for pictures that look alike
    first_seen_at: Named[datetime] = Column(UtcDateTime, default=now)


PHOTOS = Table("photos", METADATA, Photos)


class Runs(TypedColumns):
    """One enrolment; without `finished_at` it was killed, or is going on."""

    id: Named[str] = Column(String(32), primary_key=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"), index=True)
    started_at: Named[datetime] = Column(UtcDateTime, default=now)
    finished_at: Named[datetime | None] = Column(UtcDateTime)
    counts: Named[dict[str, int] | None] = Column(Json)
    source: Named[str | None] = Column(PathText)  # what was enrolled, as it was asked for
    outcome: Named[str | None] = Column(String(16))  # a RunOutcome value
    reason: Named[str | None] = Column(Remark)  # why it ended before everything was done


RUNS = Table("runs", METADATA, Runs)


class Journal(TypedColumns):
    """Where a photo of a person stands in a collection: about to be sent, or how it ended."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    run: Named[str] = Column(String(32), ForeignKey("runs.id"), index=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    person: Named[str] = Column(String(32), ForeignKey("people.id", ondelete="CASCADE"), index=True)
    photo: Named[int] = Column(RowNumber, ForeignKey("photos.id"), index=True)
    state: Named[str] = Column(String(16))
    reason: Named[str | None] = Column(Remark)
    on_multiple: Named[str | None] = Column(String(16))
    bars: Named[str | None] = Column(String(32))  # what its face was measured against
    attempts: Named[int] = Column(default=0, server_default="0")  # calls made, repeated ones included
    calls: Named[int] = Column(default=0, server_default="0")  # those that were answered, and so billed
    milliseconds: Named[int | None]  # that the last call took
    request_id: Named[str | None] = Column(String(64))  # of the last call
    intended_at: Named[datetime] = Column(UtcDateTime)
    settled_at: Named[datetime | None] = Column(UtcDateTime)


JOURNAL = Table(
    "journal",
    METADATA,
    Journal,
    UniqueConstraint("collection", "person", "photo"),
    Index("ix_journal_unfinished", "collection", "id"),  # of the UNFINISHED rows alone
)


class Unread(TypedColumns):
    """A file that could not be enrolled and whose content is not known, so that the journal has no place for it.

    It goes once the file has been read.
    """

    id: Named[int] = Column(RowNumber, primary_key=True)
    run: Named[str] = Column(String(32), ForeignKey("runs.id"), index=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    person: Named[str | None] = Column(String(32), ForeignKey("people.id", ondelete="CASCADE"), index=True)
    path: Named[str] = Column(PathText)
    path_id: Named[str] = Column(String(64))  # sha256 of the path, since an index takes no long text
    state: Named[str] = Column(String(16))  # a PhotoStatus value
    reason: Named[str | None] = Column(Remark)
    seen_at: Named[datetime] = Column(UtcDateTime)


UNREAD = Table("unread", METADATA, Unread, UniqueConstraint("collection", "path_id"))


class Changes(TypedColumns):
    """A remote change that is not the enrolment of a photo: intended before the call, settled after it.

    The person is not a reference: the row outlives them until the service has confirmed that their faces are gone.
    """

    id: Named[int] = Column(RowNumber, primary_key=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    operation: Named[str] = Column(String(64))  # Rekognition's name of it: DeleteFaces ...
    person: Named[str | None] = Column(String(32), index=True)
    user_id: Named[str | None] = Column(String(128))
    face_id: Named[str | None] = Column(String(36))
    state: Named[str] = Column(String(16))  # a ChangeState value
    reason: Named[str | None] = Column(Remark)
    attempts: Named[int] = Column(default=0)
    request_id: Named[str | None] = Column(String(64))
    intended_at: Named[datetime] = Column(UtcDateTime)
    settled_at: Named[datetime | None] = Column(UtcDateTime)


CHANGES = Table("changes", METADATA, Changes, Index(None, "collection", "state"))


class Usage(TypedColumns):
    """How many calls of an operation an engine answered on one day (UTC)."""

    day: Named[date] = Column(primary_key=True)
    engine: Named[str] = Column(String(255), primary_key=True)  # what its collections' ARNs begin with
    operation: Named[str] = Column(String(64), primary_key=True)
    calls: Named[int] = Column(BigInteger)


USAGE = Table("usage", METADATA, Usage)


class Files(TypedColumns):
    """What a file held when it had this size, time and inode: an unchanged one need not be read again."""

    id: Named[str] = Column(String(64), primary_key=True)  # sha256 of the machine's name and the path
    size: Named[int] = Column(BigInteger)
    modified_ns: Named[int] = Column(BigInteger)
    inode: Named[str] = Column(String(48))  # device and inode
    sha256: Named[str] = Column(String(64))


FILES = Table("files", METADATA, Files)


class Tagged(TypedColumns):
    """A photo whose labels are known, by its path; the newest answer takes the place of the one before."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    path: Named[str] = Column(PathText)
    path_id: Named[str] = Column(String(64), unique=True)  # sha256 of the path
    digest: Named[str] = Column(String(255), index=True)  # sha256 of a file, ETag of an object
    size: Named[int] = Column(BigInteger)
    version: Named[str | None] = Column(String(1024))  # of an object
    engine: Named[str] = Column(String(255))
    model_version: Named[str | None] = Column(String(255))
    min_confidence: Named[float]
    max_labels: Named[int | None]
    custom_model: Named[str | None] = Column(String(2048))
    tagged_at: Named[datetime] = Column(UtcDateTime)


TAGGED = Table("tagged", METADATA, Tagged)


class Labels(TypedColumns):
    """A label with all that is above it, once for all photos. SQLite indexes its words in `labels_text` (FTS5)."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    digest: Named[str] = Column(String(64), unique=True)  # sha256 of what follows
    name: Named[str] = Column(Text)
    custom: Named[bool]
    parents: Named[list[str]] = Column(Json)
    aliases: Named[list[str]] = Column(Json)
    categories: Named[list[str]] = Column(Json)
    words: Named[str] = Column(Text)  # of its name and its aliases
    above: Named[str] = Column(Text)  # the words of its parents


LABELS = Table("labels", METADATA, Labels)


class PhotoLabels(TypedColumns):
    """A label of a photo, and where in the photo it is seen."""

    tagged: Named[int] = Column(RowNumber, ForeignKey("tagged.id", ondelete="CASCADE"), primary_key=True)
    place: Named[int] = Column(primary_key=True)  # among the photo's labels
    label: Named[int] = Column(RowNumber, ForeignKey("labels.id"))
    confidence: Named[float]
    instances: Named[list[list[float]]] = Column(Json)  # left, top, width, height, confidence


PHOTO_LABELS = Table("photo_labels", METADATA, PhotoLabels, Index(None, "label", "confidence"))


class Sightings(TypedColumns):
    """A person whom a search has seen in a photo, which need not be an enrolled one."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    person: Named[str] = Column(String(32), ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sha256: Named[str] = Column(String(64))
    path: Named[str] = Column(PathText)
    left: Named[float]
    top: Named[float]
    width: Named[float]
    height: Named[float]
    similarity: Named[float]
    threshold: Named[float]
    margin: Named[float | None]
    agreeing: Named[int | None]
    enrolled: Named[int | None]
    face_id: Named[str | None] = Column(String(36))  # of the collection, the one most alike
    seen_at: Named[datetime] = Column(UtcDateTime, index=True)  # when the photo was searched


SIGHTINGS = Table("sightings", METADATA, Sightings, Index(None, "collection", "sha256"))


class Faces(TypedColumns):
    """A face that a collection holds, with whose it is and which photo it came from."""

    id: Named[int] = Column(RowNumber, primary_key=True)
    collection: Named[int] = Column(RowNumber, ForeignKey("collections.id", ondelete="CASCADE"))
    face_id: Named[str] = Column(String(36))
    image_id: Named[str] = Column(String(36))
    external_image_id: Named[str | None] = Column(String(255))
    person: Named[str] = Column(String(32), ForeignKey("people.id", ondelete="CASCADE"), index=True)
    photo: Named[int] = Column(RowNumber, ForeignKey("photos.id"), index=True)
    left: Named[float]
    top: Named[float]
    width: Named[float]
    height: Named[float]
    confidence: Named[float]
    brightness: Named[float | None]
    sharpness: Named[float | None]
    roll: Named[float | None]
    yaw: Named[float | None]
    pitch: Named[float | None]
    model_version: Named[str | None] = Column(String(255))
    user_id: Named[str | None] = Column(String(128))  # of the collection, to which it was given
    enrolled_at: Named[datetime] = Column(UtcDateTime, default=now)


FACES = Table("faces", METADATA, Faces, UniqueConstraint("collection", "face_id"))
