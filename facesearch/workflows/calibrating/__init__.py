"""Calibrating: what a similarity means in one collection, measured on its own faces."""

from __future__ import annotations

from facesearch.workflows.calibrating.measuring import calibrate, chosen
from facesearch.workflows.calibrating.thresholds import (
    own_threshold,
    parsed,
    rated,
    resolve,
    set_own_threshold,
    similarity_alone,
    usable,
)

__all__ = [
    "calibrate",
    "chosen",
    "own_threshold",
    "parsed",
    "rated",
    "resolve",
    "set_own_threshold",
    "similarity_alone",
    "usable",
]
