"""Labels: what Rekognition, and a Custom Labels model, see in a photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from facesearch.errors import CollectionNotFoundError, ConfigurationError
from facesearch.rekognition import answers
from facesearch.rekognition.calling import Calling, as_image
from facesearch.service_errors import explained

if TYPE_CHECKING:  # while it runs, imported where they are made: few commands are about labels
    from mypy_boto3_rekognition.type_defs import (
        CustomLabelTypeDef,
        LabelTypeDef,
    )

    from facesearch.domain.labels import DetectedLabels, Label, StoredObject


class Labels(Calling):
    """Labels of a photo, which is its bytes or an object in S3 that only the service reads."""

    def detect_labels(
        self, image: bytes | StoredObject, *, min_confidence: float, max_labels: int | None = None
    ) -> DetectedLabels:
        """The photo's labels of at least that confidence (0 to 100), surest first; none is an empty answer."""
        from facesearch.domain.labels import DetectedLabels

        parameters: dict[str, Any] = {"Image": as_image(image), "MinConfidence": min_confidence}
        if max_labels is not None:
            parameters["MaxLabels"] = max_labels
        with explained("DetectLabels"):
            answer = self._client.detect_labels(**parameters)
            return DetectedLabels(tuple(map(_label, answer["Labels"])), answer.get("LabelModelVersion"))

    def detect_custom_labels(
        self, image: bytes | StoredObject, model: str, *, min_confidence: float
    ) -> tuple[Label, ...]:
        """The labels that a Custom Labels model sees, surest first; `model` is its project version's ARN.

        Raises ServiceUnavailableError while the model is not running, and ConfigurationError where there is none.
        """
        try:
            with explained("DetectCustomLabels"):
                answer = self._client.detect_custom_labels(
                    ProjectVersionArn=model, Image=as_image(image), MinConfidence=min_confidence
                )
                return _custom_labels(answer["CustomLabels"])
        except CollectionNotFoundError as exc:  # ResourceNotFoundException, which is of the model here
            raise ConfigurationError(
                f"there is no Custom Labels model {model}: check CUSTOM_LABELS_PROJECT_VERSION_ARN and the region"
            ) from exc


def _label(label: LabelTypeDef) -> Label:
    from facesearch.domain.labels import Label, LabelInstance

    return Label(
        name=label["Name"],
        confidence=label["Confidence"],
        parents=tuple(parent["Name"] for parent in label.get("Parents", ())),
        aliases=tuple(alias["Name"] for alias in label.get("Aliases", ())),
        categories=tuple(category["Name"] for category in label.get("Categories", ())),
        instances=tuple(
            LabelInstance(answers.box(instance["BoundingBox"]), instance["Confidence"])
            for instance in label.get("Instances", ())
        ),
    )


def _custom_labels(labels: Iterable[CustomLabelTypeDef]) -> tuple[Label, ...]:
    """One label for each name: a model that finds things answers each of them as a label of its own."""
    from facesearch.domain.labels import Label, LabelInstance

    by_name: defaultdict[str, list[CustomLabelTypeDef]] = defaultdict(list)
    for label in labels:
        by_name[label["Name"]].append(label)
    grouped = (
        Label(
            name=name,
            confidence=max(label["Confidence"] for label in alike),
            instances=tuple(
                LabelInstance(answers.box(label["Geometry"]["BoundingBox"]), label["Confidence"])
                for label in alike
                if "Geometry" in label
            ),
            custom=True,
        )
        for name, alike in by_name.items()
    )
    return tuple(sorted(grouped, key=lambda label: -label.confidence))
