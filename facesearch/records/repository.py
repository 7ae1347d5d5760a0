"""Records: people, photos, faces and the journal within one transaction, rows in and domain values out."""

from __future__ import annotations

from facesearch.records.adoption import AdoptionRecords
from facesearch.records.calibrations import CalibrationRecords
from facesearch.records.collections import CollectionRecords
from facesearch.records.enrolment import EnrolmentRecords
from facesearch.records.faces import FaceRecords
from facesearch.records.files import FileRecords
from facesearch.records.labels import LabelRecords
from facesearch.records.people import PeopleRecords
from facesearch.records.portability import PortabilityRecords
from facesearch.records.reconciliation import ReconciliationRecords
from facesearch.records.runs import RunRecords
from facesearch.records.sightings import SightingRecords
from facesearch.records.uploads import UploadRecords
from facesearch.records.usage import UsageRecords
from facesearch.records.users import UserRecords


class Records(
    AdoptionRecords,
    CalibrationRecords,
    CollectionRecords,
    PortabilityRecords,
    PeopleRecords,
    EnrolmentRecords,
    FaceRecords,
    FileRecords,
    LabelRecords,
    ReconciliationRecords,
    RunRecords,
    SightingRecords,
    UploadRecords,
    UsageRecords,
    UserRecords,
):
    """All that one transaction can ask and change. It never commits: `Database.begin` does, at the block's end."""
