"""One photo on its way through an enrolment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from facesearch.domain import Call, Duplicate, OnMultiple, Person, PersonSpec
from facesearch.domain.files import KnownFile


@dataclass(slots=True)
class Work:
    """One photo on its way. `file` is what is to be remembered of its file, None when that is known or changing.

    `copies` are further files with the same content, which end as it does. `left` is the policy under which an
    earlier run left it unsettled, and `held` the FaceIds that the service has of it since. `was` is the sha256 its
    file had when it could not be enrolled. `conflict` says whose photo it is besides. `calls` are those that were
    answered.
    """

    path: str
    spec: PersonSpec
    sha256: str
    file: KnownFile | None = None
    person: Person | None = None
    was: str | None = None
    copies: list[str] = field(default_factory=list)
    left: OnMultiple | None = None
    held: tuple[str, ...] = ()
    conflict: str | None = None
    calls: tuple[Call, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Person and content, by which the journal knows it."""
        assert self.person is not None, "people are resolved before anything is asked of the journal"
        return self.person.id, self.sha256


def copied(one: Duplicate) -> str:
    """What is said of a photo that shows what another one does."""
    if one.bits is None:
        return f"it has the same content as {one.of}"
    return f"it looks almost like {one.of} ({one.bits} of 64 bits differ)"


def external_image_id(person_id: str, sha256: str) -> str:
    """The ExternalImageId of a photo: legal whatever the person is called, and it holds no personal data."""
    return f"{person_id}:{sha256[:32]}"


def lasting(path: str) -> str:
    """The path as it is written down: it leads to the same file from whatever folder a later command is run."""
    return path if "://" in path else os.path.abspath(path)  # noqa: PTH100 - text in, text out
