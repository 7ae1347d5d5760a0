"""A photo's labels as a JSON document, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from facesearch.domain import Box
from facesearch.domain.files import Content
from facesearch.domain.labels import Label, LabelInstance, LabelRequest, PhotoLabels
from facesearch.workflows import documents
from facesearch.workflows.reading import SCHEME, is_stored


def written(labels: PhotoLabels) -> bytes:
    """The document of a photo's labels."""
    return documents.written(shape(labels))


def shape(labels: PhotoLabels) -> dict[str, Any]:
    """The document as names and values. An object in S3 is known by its ETag, a file by its sha256."""
    request, content = labels.request, labels.content
    return {
        "photo": labels.photo,
        **_identity(labels),
        "size": content.size,
        "label_model_version": labels.model_version,
        "custom_labels_project_version_arn": request.custom_model,
        "min_confidence": request.min_confidence,
        "max_labels": request.max_labels,
        "tagged_at": labels.tagged_at.isoformat(timespec="seconds"),
        "labels": [label_shape(label) for label in labels.labels if not label.custom],
        "custom_labels": [label_shape(label) for label in labels.labels if label.custom],
    }


def label_shape(label: Label) -> dict[str, Any]:
    """One label; its boxes are in ratios of the upright photo."""
    return {
        "name": label.name,
        "confidence": label.confidence,
        "parents": list(label.parents),
        "aliases": list(label.aliases),
        "categories": list(label.categories),
        "instances": [
            {
                "box": {
                    "left": one.box.left,
                    "top": one.box.top,
                    "width": one.box.width,
                    "height": one.box.height,
                },
                "confidence": one.confidence,
            }
            for one in label.instances
        ],
    }


def read(content: bytes) -> PhotoLabels | None:
    """The labels that a document holds; None for bytes that are no such document."""
    document = documents.parsed(content)
    try:
        return _labels(document) if document else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _identity(labels: PhotoLabels) -> dict[str, Any]:
    content = labels.content
    if not is_stored(labels.photo):
        return {"sha256": content.digest}
    bucket, _, key = labels.photo.removeprefix(SCHEME).partition("/")
    return {"bucket": bucket, "key": key, "version": content.version, "etag": content.digest}


def _labels(document: Mapping[str, Any]) -> PhotoLabels:
    digest = document["etag"] if "etag" in document else document["sha256"]
    return PhotoLabels(
        photo=document["photo"],
        content=Content(digest, document["size"], document.get("version")),
        request=LabelRequest(
            document["min_confidence"], document["max_labels"], document["custom_labels_project_version_arn"]
        ),
        model_version=document["label_model_version"],
        labels=(
            *(_label(label, custom=False) for label in document["labels"]),
            *(_label(label, custom=True) for label in document["custom_labels"]),
        ),
        tagged_at=datetime.fromisoformat(document["tagged_at"]),
    )


def _label(label: Mapping[str, Any], *, custom: bool) -> Label:
    return Label(
        name=str(label["name"]),
        confidence=float(label["confidence"]),
        parents=tuple(map(str, label["parents"])),
        aliases=tuple(map(str, label["aliases"])),
        categories=tuple(map(str, label["categories"])),
        instances=tuple(_instance(one) for one in label["instances"]),
        custom=custom,
    )


def _instance(one: Mapping[str, Any]) -> LabelInstance:
    sides = (float(one["box"][side]) for side in ("left", "top", "width", "height"))
    return LabelInstance(Box(*sides), float(one["confidence"]))
