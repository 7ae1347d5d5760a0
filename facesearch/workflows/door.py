"""Quality at the door: a face that the service has stored may still be turned away.

Too small a face is turned away by its pixels, and, if so asked, a face that the collection has under another
person already. Threads ask; the thread that writes the records decides, one photo after the other, so that of two
new photos that resemble each other one is let in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from facesearch.domain import Box, FaceRecord, PhotoStatus, Settlement
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.workflows.choosing import Choice

MOST_MET = 10_000  # faces nobody has a record of yet that are kept in mind


class Records(Protocol):
    """What the door asks of the records."""

    def owners(self, arn: str, face_ids: Sequence[str]) -> dict[str, tuple[str, str]]: ...


def large_enough(choice: Choice, width: int, height: int, min_face: int) -> Choice:
    """The choice, or none of its faces when the one that was kept has fewer pixels a side than asked for."""
    if choice.kept is None:
        return choice
    side = shorter_side(choice.kept.detail.box, width, height)
    if side >= min_face:
        return choice
    reason = f"the face has {side} pixels on its shorter side, and {min_face} are asked for (--min-face)"
    gone = (*choice.superfluous, choice.kept.face.face_id)
    return Choice(PhotoStatus.FILTERED, reason, None, gone)


def shorter_side(box: Box, width: int, height: int) -> int:
    """In pixels of a photo of that size; what lies outside of it counts too, as the face does."""
    return round(min(box.width * width, box.height * height))


class Door:
    """Decides on faces that resemble somebody else's, in the order in which photos are settled. For one thread."""

    def __init__(self, policy: AtTheDoor, arn: str) -> None:
        self._skips = policy.on_conflict is OnConflict.SKIP
        self._arn = arn
        self._away: set[str] = set()  # the FaceIds that were turned away
        self._met: dict[str, list[_Met]] = {}  # by FaceIds that are not on record yet, whom they were met by

    def decide(self, records: Records, settlements: Sequence[Settlement]) -> list[Settlement]:
        """The settlements with the conflicts that were found: told, or their faces turned away."""
        matched = {match.face.face_id for one in settlements for match in one.matches or ()}
        known = records.owners(self._arn, list(matched)) if matched else {}
        decided = []
        for one in settlements:
            if one.record:
                one = self._decided(one, one.record, known)
            if one.record:  # no record tells of it before all of them are written down
                known[one.record.face.face_id] = (one.person_id, one.person)
            decided.append(one)
        return decided

    def _decided(
        self, one: Settlement, record: FaceRecord, known: Mapping[str, tuple[str, str]]
    ) -> Settlement:
        face_id = record.face.face_id
        others = self._met.pop(face_id, [])
        for match in one.matches or ():
            other = match.face.face_id
            if other in known:
                others.append(_Met(other, *known[other], match.similarity))
            elif (
                other not in self._away
            ):  # of this run, it may be, and then it is decided when its turn comes
                met = _Met(face_id, one.person_id, one.person, match.similarity)
                self._met.setdefault(other, []).append(met)
                if len(self._met) > MOST_MET:
                    del self._met[next(iter(self._met))]
        for met in others:
            if met.person_id == one.person_id or met.face_id in self._away:
                continue
            conflict = f"the same face is under {met.name} already (similarity {met.similarity:.1f})"
            if not self._skips:
                return replace(one, conflict=conflict)
            self._away.add(face_id)
            superfluous = (*one.superfluous, face_id)
            return replace(
                one, status=PhotoStatus.CONFLICT, reason=conflict, record=None, superfluous=superfluous
            )
        return one


class _Met(NamedTuple):
    """A face that resembles another one, and whose it is."""

    face_id: str
    person_id: str
    name: str
    similarity: float
