"""The use cases, one file each, over a gateway to Rekognition and the records of people.

`workflows.searching` and the others are there for whoever imports this package, and loaded when first used: a
program that holds all of them, as FaceSearch does, mostly needs one.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facesearch.workflows import bucket_care as bucket_care
    from facesearch.workflows import calibrating as calibrating
    from facesearch.workflows import collections as collections
    from facesearch.workflows import costing as costing
    from facesearch.workflows import doctor as doctor
    from facesearch.workflows import documents as documents
    from facesearch.workflows import enrolling as enrolling
    from facesearch.workflows import erasing as erasing
    from facesearch.workflows import explaining as explaining
    from facesearch.workflows import exporting as exporting
    from facesearch.workflows import following as following
    from facesearch.workflows import importing as importing
    from facesearch.workflows import matching as matching
    from facesearch.workflows import pacing as pacing
    from facesearch.workflows import packages as packages
    from facesearch.workflows import people as people
    from facesearch.workflows import person_files as person_files
    from facesearch.workflows import planning as planning
    from facesearch.workflows import quotas as quotas
    from facesearch.workflows import reading as reading
    from facesearch.workflows import receipts as receipts
    from facesearch.workflows import reconciling as reconciling
    from facesearch.workflows import regrouping as regrouping
    from facesearch.workflows import runs as runs
    from facesearch.workflows import searching as searching
    from facesearch.workflows import sightings as sightings
    from facesearch.workflows import status as status
    from facesearch.workflows import tagging as tagging
    from facesearch.workflows import tagging_many as tagging_many
    from facesearch.workflows import verifying as verifying
else:

    def __getattr__(name: str) -> object:
        home = f"{__name__}.{name}"
        if find_spec(home) is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(home)
