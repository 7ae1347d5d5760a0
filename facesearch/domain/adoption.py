"""Faces that a collection holds and our records do not: whose they are, as far as the collection says.

An ExternalImageId of ours is `<person id>:<first 32 digits of the photo's sha256>`. Of a photo that was never seen
here nothing else is known, so it is kept by what is: those digits, or for faces of other programs the ImageId.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeGuard

from facesearch.domain.faces import Face

PERSON_ID = 32  # digits of a person's id, with which it begins
PREFIX = 32  # digits of a sha256 that an ExternalImageId of ours holds

_OURS = re.compile(r"([0-9a-f]{32}):([0-9a-f]{32})")
_PERSON = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Adoption:
    """A face that is to be on record: whose it is, and what stands for its photo.

    `photo` is the beginning of a sha256, or `image:` and an ImageId. The name is for a person not on record.
    """

    face: Face
    person_id: str
    name: str
    photo: str


def ours(external_image_id: str | None) -> tuple[str, str] | None:
    """The person id and the beginning of the photo's sha256, where an ExternalImageId is of our form."""
    found = _OURS.fullmatch(external_image_id or "")
    return (found[1], found[2]) if found else None


def named(face: Face) -> tuple[str, str] | None:
    """Whose a face of ours is and the beginning of its photo's sha256, as far as the collection says.

    A user has the id of the person whose the face is, also where they were merged or it was moved since it was
    sent; an ExternalImageId cannot be changed.
    """
    said = ours(face.external_image_id)
    return (face.user_id, said[1]) if said and is_person_id(face.user_id) else said


def is_person_id(text: str | None) -> TypeGuard[str]:
    """Whether it is of the form that the ids of our people have."""
    return bool(_PERSON.fullmatch(text or ""))


def lost_name(person_id: str) -> str:
    """The name of a person of whom only the id is left; whoever still has it has been given no other."""
    return f"person {person_id[:8]}"


def adoption(arn: str, face: Face) -> Adoption:
    """Whose a face is that the records do not know, and what stands for its photo.

    Our own ExternalImageId says both, but a user of ours says better whose it is. Else it is the face of its user,
    where it has one, else of whoever its ExternalImageId names, else of somebody of their own. Such a
    person has the same id however often the collection is adopted, and another one in another collection: one
    label need not mean one person in both.
    """
    if known := named(face):
        return Adoption(face, known[0], lost_name(known[0]), known[1])
    photo = f"image:{face.image_id}"
    if face.user_id is not None:
        return Adoption(face, user_person(arn, face.user_id), face.user_id, photo)
    if face.external_image_id is not None:
        label = face.external_image_id
        return Adoption(face, _derived(arn, "label", label), label, photo)
    return Adoption(face, _derived(arn, "face", face.face_id), f"face {face.face_id[:8]}", photo)


def user_person(arn: str, user_id: str) -> str:
    """The id of the person that a user of a collection is adopted as."""
    return _derived(arn, "user", user_id)


def _derived(arn: str, kind: str, label: str) -> str:
    return sha256(f"{arn}\0{kind}\0{label}".encode()).hexdigest()[:32]
