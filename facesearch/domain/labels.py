"""What a photo shows, as labels: Rekognition's own and those of a Custom Labels model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from facesearch.domain.faces import Box
from facesearch.domain.files import Content


class StoredObject(NamedTuple):
    """An object in S3, or one version of it."""

    bucket: str
    key: str
    version: str | None = None

    @property
    def address(self) -> str:
        """s3://bucket/key"""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class LabelInstance:
    """Where a label is seen."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Label:
    """A label with all that is above it. `custom` says that a Custom Labels model gave it."""

    name: str
    confidence: float
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    instances: tuple[LabelInstance, ...] = ()
    custom: bool = False


@dataclass(frozen=True, slots=True)
class DetectedLabels:
    """What DetectLabels answered, surest first."""

    labels: tuple[Label, ...]
    model_version: str | None


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """What is asked about a photo. `custom_model` is the ARN of a Custom Labels project version."""

    min_confidence: float = 55.0
    max_labels: int | None = None
    custom_model: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoLabels:
    """The labels of a photo as it was when they were asked for, Rekognition's first, each kind surest first."""

    photo: str  # a path, or s3://bucket/key
    content: Content
    request: LabelRequest
    model_version: str | None
    labels: tuple[Label, ...]
    tagged_at: datetime


class TagStatus(StrEnum):
    """How a photo ended that was to be tagged."""

    TAGGED = "tagged"
    ALREADY = "already"  # its labels were known: nothing was asked of the service
    UNREADABLE = "unreadable"
    GONE = "gone"  # an object that was deleted meanwhile


@dataclass(frozen=True, slots=True)
class TaggedPhoto:
    """One photo's labels, or the reason why there are none. `document` is where they were written as JSON."""

    photo: str
    status: TagStatus
    labels: PhotoLabels | None = None
    reason: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """A photo that was found by one of its labels."""

    photo: str
    label: Label
    tagged_at: datetime
