"""The nouns of facesearch: frozen values with no behaviour beyond what they know of themselves.

Asking for one here loads the file that it is in and no other, for the sake of programs that soon end.

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

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facesearch.domain.changes import Change as Change
    from facesearch.domain.changes import ChangeState as ChangeState
    from facesearch.domain.deletion import Deletion as Deletion
    from facesearch.domain.enrolment import Duplicate as Duplicate
    from facesearch.domain.enrolment import EnrolmentReport as EnrolmentReport
    from facesearch.domain.enrolment import Intent as Intent
    from facesearch.domain.enrolment import JournalEntry as JournalEntry
    from facesearch.domain.enrolment import OnMultiple as OnMultiple
    from facesearch.domain.enrolment import PersonSpec as PersonSpec
    from facesearch.domain.enrolment import PhotoOutcome as PhotoOutcome
    from facesearch.domain.enrolment import PhotoStatus as PhotoStatus
    from facesearch.domain.enrolment import PlannedPhoto as PlannedPhoto
    from facesearch.domain.enrolment import Settlement as Settlement
    from facesearch.domain.faces import Box as Box
    from facesearch.domain.faces import Call as Call
    from facesearch.domain.faces import Collection as Collection
    from facesearch.domain.faces import ComparedFace as ComparedFace
    from facesearch.domain.faces import Comparison as Comparison
    from facesearch.domain.faces import Face as Face
    from facesearch.domain.faces import FaceDeletion as FaceDeletion
    from facesearch.domain.faces import FaceDetail as FaceDetail
    from facesearch.domain.faces import FaceMatch as FaceMatch
    from facesearch.domain.faces import FaceRecord as FaceRecord
    from facesearch.domain.faces import ImageSearch as ImageSearch
    from facesearch.domain.faces import IndexResult as IndexResult
    from facesearch.domain.faces import Landmark as Landmark
    from facesearch.domain.faces import Pose as Pose
    from facesearch.domain.faces import Quality as Quality
    from facesearch.domain.faces import UnindexedFace as UnindexedFace
    from facesearch.domain.records import EnrolledFace as EnrolledFace
    from facesearch.domain.records import ListedFace as ListedFace
    from facesearch.domain.records import Person as Person
    from facesearch.domain.records import PersonSummary as PersonSummary
    from facesearch.domain.records import Photo as Photo
    from facesearch.domain.runs import Run as Run
    from facesearch.domain.runs import RunOutcome as RunOutcome
    from facesearch.domain.runs import RunPhoto as RunPhoto
    from facesearch.domain.runs import UnfinishedPhoto as UnfinishedPhoto
    from facesearch.domain.searching import GivenPhoto as GivenPhoto
    from facesearch.domain.searching import PersonMatch as PersonMatch
    from facesearch.domain.searching import PhotoSearch as PhotoSearch
    from facesearch.domain.searching import SearchedFace as SearchedFace
    from facesearch.domain.searching import SearchStatus as SearchStatus
    from facesearch.domain.searching import Verification as Verification
    from facesearch.domain.usage import Estimate as Estimate
    from facesearch.domain.usage import Usage as Usage

_HOMES = {
    "Change": "changes",
    "ChangeState": "changes",
    "Deletion": "deletion",
    "Duplicate": "enrolment",
    "EnrolmentReport": "enrolment",
    "Intent": "enrolment",
    "JournalEntry": "enrolment",
    "OnMultiple": "enrolment",
    "PersonSpec": "enrolment",
    "PhotoOutcome": "enrolment",
    "PhotoStatus": "enrolment",
    "PlannedPhoto": "enrolment",
    "Settlement": "enrolment",
    "Box": "faces",
    "Call": "faces",
    "Collection": "faces",
    "ComparedFace": "faces",
    "Comparison": "faces",
    "Face": "faces",
    "FaceDeletion": "faces",
    "FaceDetail": "faces",
    "FaceMatch": "faces",
    "FaceRecord": "faces",
    "ImageSearch": "faces",
    "IndexResult": "faces",
    "Landmark": "faces",
    "Pose": "faces",
    "Quality": "faces",
    "UnindexedFace": "faces",
    "EnrolledFace": "records",
    "ListedFace": "records",
    "Person": "records",
    "PersonSummary": "records",
    "Photo": "records",
    "Run": "runs",
    "RunOutcome": "runs",
    "RunPhoto": "runs",
    "UnfinishedPhoto": "runs",
    "GivenPhoto": "searching",
    "PersonMatch": "searching",
    "PhotoSearch": "searching",
    "SearchStatus": "searching",
    "SearchedFace": "searching",
    "Verification": "searching",
    "Estimate": "usage",
    "Usage": "usage",
}

if not TYPE_CHECKING:  # a name that is not there is told by mypy, too

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
