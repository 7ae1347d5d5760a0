"""The nouns of facesearch: frozen values with no behaviour beyond what they know of themselves.

Units are stated here and only here:

* a box, and a point, is in ratios of the width and height of the upright photo: (0, 0) is the top left corner,
  (1, 1) the bottom right. A face cut by the edge has a box that leaves 0..1.
* similarity, confidence, threshold, brightness and sharpness run from 0 to 100.
* angles are degrees: roll clockwise, yaw to the photo's right and pitch upwards are positive.
* times are aware and in UTC.
* a sha256 is 64 lower-case hex digits and is taken over the file's own bytes, before any conversion.

Collection, Face, FaceId, ImageId, ExternalImageId, BoundingBox, Similarity and FaceMatchThreshold mean what
Amazon Rekognition means by them. A person is a record of ours, and a photo is a file, known by its sha256.
"""

from __future__ import annotations

from facesearch.domain.changes import (
    Change,
    ChangeState,
)
from facesearch.domain.deletion import (
    Deletion,
)
from facesearch.domain.enrolment import (
    Duplicate,
    EnrolmentReport,
    Intent,
    JournalEntry,
    OnMultiple,
    PersonSpec,
    PhotoOutcome,
    PhotoStatus,
    PlannedPhoto,
    Settlement,
)
from facesearch.domain.faces import (
    Box,
    Call,
    Collection,
    ComparedFace,
    Comparison,
    Face,
    FaceDeletion,
    FaceDetail,
    FaceMatch,
    FaceRecord,
    ImageSearch,
    IndexResult,
    Landmark,
    Pose,
    Quality,
    UnindexedFace,
)
from facesearch.domain.records import (
    EnrolledFace,
    ListedFace,
    Person,
    PersonSummary,
    Photo,
)
from facesearch.domain.runs import (
    Run,
    RunOutcome,
    RunPhoto,
    UnfinishedPhoto,
)
from facesearch.domain.searching import (
    GivenPhoto,
    PersonMatch,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
    Verification,
)
from facesearch.domain.usage import (
    Estimate,
    Usage,
)

__all__ = [
    "Box",
    "Call",
    "Change",
    "ChangeState",
    "Collection",
    "ComparedFace",
    "Comparison",
    "Deletion",
    "Duplicate",
    "EnrolledFace",
    "EnrolmentReport",
    "Estimate",
    "Face",
    "FaceDeletion",
    "FaceDetail",
    "FaceMatch",
    "FaceRecord",
    "GivenPhoto",
    "ImageSearch",
    "IndexResult",
    "Intent",
    "JournalEntry",
    "Landmark",
    "ListedFace",
    "OnMultiple",
    "Person",
    "PersonMatch",
    "PersonSpec",
    "PersonSummary",
    "Photo",
    "PhotoOutcome",
    "PhotoSearch",
    "PhotoStatus",
    "PlannedPhoto",
    "Pose",
    "Quality",
    "Run",
    "RunOutcome",
    "RunPhoto",
    "SearchStatus",
    "SearchedFace",
    "Settlement",
    "UnfinishedPhoto",
    "UnindexedFace",
    "Usage",
    "Verification",
]
