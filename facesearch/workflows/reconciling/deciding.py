"""What is wrong with one face of a collection, by what the records say, and what would put it right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from facesearch.domain import Face, PhotoStatus
from facesearch.domain.adoption import (
    PREFIX,
    Adoption,
    adoption,
    is_person_id,
    lost_name,
    named,
    user_person,
)
from facesearch.domain.reconciliation import Drift, Finding, NamedPhoto, RecordedFace, Repair, Unknown

# States of a photo's enrolment that say nothing against a face of it: what went wrong may have done so after the
# service had stored the face.
_MAY_HAVE_A_FACE = (None, PhotoStatus.ENROLLED, PhotoStatus.FAILED, PhotoStatus.UNREADABLE)

OF_UNKNOWN = {
    Unknown.LEAVE: Repair.LEAVE,
    Unknown.ADOPT: Repair.ADOPT,
    Unknown.DELETE: Repair.DELETE,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the records say of the faces of one page, and of what their ExternalImageIds name."""

    arn: str
    faces: Mapping[str, RecordedFace]
    merged: Mapping[str, str]  # whom the ids of people who were merged lead to
    photos: Mapping[tuple[str, str], NamedPhoto]
    erased: set[str]

    def named(self, face: Face) -> tuple[str, str] | None:
        """Whose the collection says the face is, who that is by now, and the beginning of the photo's sha256."""
        said = named(face)
        return (self.merged.get(said[0], said[0]), said[1]) if said else None

    def adopted(self, face: Face) -> Adoption:
        """What a face would be adopted as, of whoever that is by now."""
        whose = adoption(self.arn, face)
        return replace(whose, person_id=self.merged.get(whose.person_id, whose.person_id))


def decided(face: Face, known: Known, unknown: Unknown) -> Finding | None:
    """What is wrong with the face; None for one that both sides agree on."""
    recorded, whose = known.faces.get(face.face_id), known.named(face)
    if recorded is None:
        return _foreign(face, known, unknown) if whose is None else _of_ours(face, whose, known, unknown)
    # Who sent the photo cannot be changed in the collection. Whose the face is by now is what the record says.
    if face.external_image_id == recorded.external_image_id and (
        whose is None or whose[1] == recorded.sha256[:PREFIX]
    ):
        return None
    return _contradicted(face, recorded, whose, known, unknown)


def in_wrong_user(face: Face, recorded: RecordedFace, known: Known) -> Finding | None:
    """What is wrong with the user of a face that is on record; None where both sides say the same.

    A face that is nobody's on both sides is not looked at here.
    """
    own = face.user_id is None or _is_user_of(recorded.person_id, face.user_id, known)
    if own and face.user_id == recorded.user_id:
        return None
    finding = replace(
        found(Drift.USERLESS_FACE, Repair.ASSOCIATE, face),
        person_id=recorded.person_id,
        person=recorded.person,
        photo=recorded.path,
    )
    if own:
        said = "no user" if face.user_id is None else "its person's user"
        return replace(finding, reason=f"it has {said} in the collection, and the records say otherwise")
    if is_person_id(face.user_id):
        return replace(finding, reason="it has somebody else's user")
    return replace(finding, repair=Repair.LEAVE, reason="it has a user that another program made")


def _is_user_of(person_id: str, user_id: str, known: Known) -> bool:
    """The user that has the person's id, or one that the person, or who was merged into them, was adopted from."""
    adopted = user_person(known.arn, user_id)
    return user_id == person_id or known.merged.get(adopted, adopted) == person_id


def found(drift: Drift, repair: Repair, face: Face) -> Finding:
    """A disagreement about a face that the collection holds."""
    return Finding(
        drift,
        repair,
        face_id=face.face_id,
        external_image_id=face.external_image_id,
        user_id=face.user_id,
        face=face,
    )


def _foreign(face: Face, known: Known, unknown: Unknown) -> Finding:
    whose = known.adopted(face)
    finding = found(Drift.FOREIGN, OF_UNKNOWN[unknown], face)
    return replace(finding, person_id=whose.person_id, person=whose.name)


def _of_ours(face: Face, named: tuple[str, str], known: Known, unknown: Unknown) -> Finding:
    photo = known.photos.get(named)
    if photo is None or named[0] in known.erased:
        return _of_nobody(Drift.UNKNOWN_PERSON, face, named[0], known, unknown)
    orphan = replace(
        found(Drift.ORPHAN, Repair.RECORD, face), person_id=named[0], person=photo.person, photo=photo.path
    )
    if photo.face_id is not None:
        reason = f"face {photo.face_id} of the same photo is on record"
        return replace(orphan, drift=Drift.DUPLICATE, repair=Repair.DELETE, reason=reason)
    if photo.state not in _MAY_HAVE_A_FACE:
        reason = f"its photo was not to be enrolled: {photo.reason or photo.state}"
        return replace(orphan, repair=Repair.DELETE, reason=reason)
    return orphan


def _contradicted(
    face: Face, recorded: RecordedFace, named: tuple[str, str] | None, known: Known, unknown: Unknown
) -> Finding:
    """The collection is right: an ExternalImageId was given with the photo, and nobody can change it since."""
    reason = f"the record says {recorded.person}, {recorded.path or 'a photo never seen here'}"
    corrected = replace(found(Drift.WRONG_ID, Repair.CORRECT, face), reason=reason)
    if named is None:
        whose = known.adopted(face)
        return replace(corrected, person_id=whose.person_id, person=whose.name)
    photo = known.photos.get(named)
    if photo is None:
        return replace(_of_nobody(Drift.WRONG_ID, face, named[0], known, unknown), reason=reason)
    return replace(corrected, person_id=named[0], person=photo.person, photo=photo.path)


def _of_nobody(drift: Drift, face: Face, person_id: str, known: Known, unknown: Unknown) -> Finding:
    """A face of a person who is not on record; one who was erased stays erased, whatever is asked."""
    if person_id in known.erased:
        return replace(found(Drift.ERASED_PERSON, Repair.DELETE, face), person_id=person_id)
    finding = found(drift, OF_UNKNOWN[unknown], face)
    return replace(finding, person_id=person_id, person=lost_name(person_id))
