"""Searching photos, drawing what was found, and looking at photos by themselves."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facesearch import workflows
from facesearch.app.bound import Bound
from facesearch.errors import NoFaceError, UsageError

if TYPE_CHECKING:
    from facesearch.domain import (
        Comparison,
        FaceDetail,
        GivenPhoto,
        PhotoSearch,
        SearchedFace,
        Verification,
    )
    from facesearch.domain.searching import By


class Searching(Bound):
    """Search, draw, detect and compare."""

    def given(self, stream: BinaryIO, name: str) -> GivenPhoto:
        """A photo to search that is no file, read from a stream."""
        from facesearch.domain import GivenPhoto
        from facesearch.photos import MAX_FILE_BYTES

        return GivenPhoto(name, stream.read(MAX_FILE_BYTES + 1))  # one more, so that too much is seen to be

    def photos(self, given: Iterable[Path | str | GivenPhoto]) -> Iterator[Path | GivenPhoto]:
        """What `search` looks at: the files themselves, those in and below the folders, and what is no file."""
        for photo in given:
            if isinstance(photo, Path | str):
                yield from map(Path, workflows.planning.files([photo]))
            else:
                yield photo

    def search(
        self,
        photos: Sequence[Path | str | GivenPhoto],
        collection_id: str,
        *,
        threshold: float | str | None = None,
        max_matches: int | None = None,
        faces: int | None = 1,
        by: By | str = "face",
        jobs: int | None = None,
        record: bool = False,
    ) -> Generator[PhotoSearch]:
        """Search the largest face of each photo, or the `faces` largest (None is every face).

        A folder stands for the files in and below it. Answers come in order and as they are ready. More than one
        face takes a call for each and one more for the photo. `threshold` is Rekognition's FaceMatchThreshold,
        0..100, or `fmr=` and the rate of false matches to keep to in this collection as it was measured; without
        one the collection's own counts, else 80. `max_matches` counts people, not faces. With `record` the best
        match of every face is written down for `sightings`.

        By USER (see `keep_users`) photos are held against all faces of a person at once. Raises UsageError for a
        collection without users, and for a threshold that was measured on faces.
        """
        from facesearch.domain.searching import By

        by = By(by)
        self.expect_photos()
        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        if by is By.USER and not collection.user_count:
            raise UsageError(
                f"collection {collection_id} has no users to search: `facesearch collection users "
                f"{collection_id} on` makes one of each person"
            )
        limit = workflows.calibrating.resolve(
            self._database, collection, workflows.calibrating.parsed(threshold)
        )
        if by is By.USER and limit.wanted:
            raise UsageError("rates of false matches were measured on faces: with users give a similarity")
        found = workflows.searching.search(
            self._gateway,
            self._database,
            self.photos(photos),
            collection,
            threshold=limit.similarity,
            max_matches=max_matches,
            faces=faces,
            by=by,
            jobs=jobs or self.settings.jobs,
        )
        if by is By.FACE:  # no rate was measured on users
            found = workflows.calibrating.rated(found, limit.calibration)
        return (
            workflows.sightings.recorded(self._database, collection, found, limit.similarity)
            if record
            else found
        )

    def draw(self, result: PhotoSearch, folder: Path, *, redact: bool = False) -> Path:
        """Write the searched photo with boxes and names into a folder as NAME.faces.jpg, and say where.

        Two photos of one file name do not overwrite each other. With `redact` nobody can be recognised but those
        who were found.
        """
        from facesearch import drawing, photos, redaction

        photo = photos.open_upright(result.source)
        if redact:
            photo = redaction.redact(photo, result.faces)
        drawn = drawing.draw(photo, [(face.box, _label(face)) for face in result.faces])
        target = self._drawing_target(Path(result.path), Path(folder))
        drawing.save(drawn, target)
        return target

    def verify(
        self,
        photo: Path | str,
        other: Path | str | None = None,
        *,
        person: str | None = None,
        collection_id: str | None = None,
        threshold: float | str | None = None,
    ) -> Verification:
        """Whether the largest face of a photo is that of another photo, or a person's by all their faces.

        Give either the other photo, or a person (id, key or name) and the collection. Raises NoFaceError naming
        the photo, and UsageError.
        """
        from facesearch.domain import Verification

        self.expect_photos()
        if person is not None and collection_id is not None and other is None:
            collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
            limit = workflows.calibrating.resolve(
                self._database, collection, workflows.calibrating.parsed(threshold)
            )
            answer = workflows.verifying.verify(
                self._gateway, self._database, Path(photo), person, collection, threshold=limit.similarity
            )
            if limit.calibration is None or answer.similarity is None:
                return answer
            return replace(answer, false_match_rate=limit.calibration.rate_at(answer.similarity))
        if other is None or person is not None or collection_id is not None:
            raise UsageError("verify takes another photo, or a person and a collection")
        least = workflows.calibrating.similarity_alone(threshold)
        compared = self.compare(photo, other, threshold=0)
        best = max((match.similarity or 0.0 for match in compared.matches), default=None)
        return Verification(best is not None and best >= least, best, least, compared.source.box)

    @cached_property
    def _drawn(self) -> dict[Path, Path]:
        """Which photo was drawn into which file."""
        return {}

    def _drawing_target(self, source: Path, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        endings = chain([""], (f"-{number}" for number in count(2)))
        targets = (folder / f"{source.stem}{ending}.faces.jpg" for ending in endings)
        return next(target for target in targets if self._drawn.setdefault(target, source) == source)

    def detect(self, photo: Path | str) -> tuple[FaceDetail, ...]:
        """Every face of a photo, largest first."""
        from facesearch import photos

        self.expect_photos()
        return self._gateway.detect_faces(photos.prepare(Path(photo)).data)

    def compare(self, source: Path | str, target: Path | str, threshold: float = 80.0) -> Comparison:
        """The largest face of one photo against every face of another. Raises NoFaceError naming the photo."""
        from facesearch import photos

        self.expect_photos()
        paths = {"source": str(source), "target": str(target)}
        images = [photos.prepare(Path(path)).data for path in paths.values()]
        try:
            return self._gateway.compare_faces(*images, threshold=threshold)
        except NoFaceError as exc:
            raise NoFaceError(exc.reason, paths.get(exc.photo or "")) from exc


def _label(face: SearchedFace) -> str:
    if not face.matches:
        return "no match"
    best = face.matches[0]
    name = (
        best.person.name
        if best.person
        else f"user {best.user_id}"
        if best.user_id
        else f"face {best.face_id}"
    )
    return f"{name} {best.similarity:.1f}"
