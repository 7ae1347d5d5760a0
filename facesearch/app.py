"""FaceSearch: the use cases bound to one engine and one database, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Self

from facesearch.domain import (
    Collection,
    Comparison,
    Deletion,
    EnrolmentReport,
    FaceDetail,
    ListedFace,
    OnMultiple,
    Person,
    PersonSummary,
    PhotoOutcome,
    PhotoSearch,
    PlannedPhoto,
    SearchedFace,
)
from facesearch.errors import NoFaceError
from facesearch.settings import Settings, without_password
from facesearch.workflows import collections, indexing, people, planning, searching

if TYPE_CHECKING:
    from facesearch.records.database import Database
    from facesearch.rekognition import Rekognition


class FaceSearch:
    """Enrol people, search photos, and look after collections.

        with FaceSearch.open() as fs:
            fs.enroll(["people"], "staff")
            for photo in fs.search(["visitor.jpg"], "staff"):
                print(photo.status, [match.person for face in photo.faces for match in face.matches])

    Every method raises FaceSearchError, or a more telling child of it. The engine and the records are opened at
    the first use of each. An instance may be used by one thread at a time; it makes threads of its own.
    """

    def __init__(
        self,
        settings: Settings,
        open_gateway: Callable[[], tuple[Rekognition, Callable[[], None]]],
        open_database: Callable[[], Database],
    ) -> None:
        self.settings = settings
        self._open_gateway = open_gateway
        self._open_database = open_database
        self._closing: list[Callable[[], None]] = []
        self._drawn: dict[Path, Path] = {}

    @classmethod
    def open(cls, settings: Settings | None = None, **arguments: object) -> FaceSearch:
        """Open with settings, or with arguments named like settings: FaceSearch.open(engine="aws").

        What is not given comes from the environment, facesearch.toml and the defaults.
        """
        from facesearch.bootstrap import open_app

        return open_app(settings or Settings.resolve(arguments))

    def close(self) -> None:
        """Let go of the engine's store and of the database."""
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def engine(self) -> str:
        """Who answers: `embedded`, `aws`, or the endpoint's URL."""
        return without_password(self.settings.engine)

    @cached_property
    def _gateway(self) -> Rekognition:
        gateway, close = self._open_gateway()
        self._closing.append(close)
        return gateway

    @cached_property
    def _database(self) -> Database:
        database = self._open_database()
        self._closing.append(database.close)
        return database

    # --- collections

    def create_collection(self, collection_id: str) -> Collection:
        """Make a collection. Raises CollectionExistsError."""
        return collections.create(self._gateway, self._database, collection_id)

    def collection(self, collection_id: str) -> Collection:
        """One collection, as the service describes it. Raises CollectionNotFoundError."""
        return self._gateway.describe_collection(collection_id)

    def collections(self) -> Iterator[Collection]:
        """Every collection of the engine."""
        return collections.listed(self._gateway)

    def delete_collection(self, collection_id: str) -> Deletion:
        """Delete a collection with its faces and our records of them; people stay."""
        return collections.delete(self._gateway, self._database, collection_id)

    # --- enrolling and searching

    def plan(self, paths: Sequence[Path | str], person: str | None = None) -> Iterator[PlannedPhoto]:
        """What `enroll` would look at: each file and whom it shows. Raises UsageError for paths it cannot use."""
        return planning.plan([Path(path) for path in paths], person)

    def enroll(
        self,
        paths: Sequence[Path | str],
        collection_id: str,
        *,
        person: str | None = None,
        on_multiple: OnMultiple | str = OnMultiple.AUTO,
        jobs: int | None = None,
        on_photo: Callable[[PhotoOutcome], None] | None = None,
    ) -> EnrolmentReport:
        """Enrol folders of people (subfolder = person), or with `person` the files and folders of one person.

        The collection is made if it is not there. `on_photo` is told how each photo ended. Running the same
        again does nothing twice; after Ctrl-C or a crash it continues.
        """
        planned = self.plan(paths, person)
        return indexing.enroll(
            self._gateway,
            self._database,
            planned,
            collections.ensure(self._gateway, self._database, collection_id),
            on_multiple=OnMultiple(on_multiple),
            jobs=jobs or self.settings.jobs,
            on_photo=on_photo,
        )

    def search(
        self,
        photos: Sequence[Path | str],
        collection_id: str,
        *,
        threshold: float = 80.0,
        max_matches: int | None = None,
        jobs: int | None = None,
    ) -> Generator[PhotoSearch]:
        """Search the largest face of each photo; answers come in order and as they are ready.

        `threshold` is Rekognition's FaceMatchThreshold, 0..100; `max_matches` counts people, not faces.
        """
        return searching.search(
            self._gateway,
            self._database,
            map(Path, photos),
            collections.remembered(self._gateway, self._database, collection_id),
            threshold=threshold,
            max_matches=max_matches,
            jobs=jobs or self.settings.jobs,
        )

    def draw(self, result: PhotoSearch, folder: Path) -> Path:
        """Write the searched photo with boxes and names into a folder as NAME.faces.jpg, and say where.

        Two photos of one file name do not overwrite each other.
        """
        from facesearch import drawing, photos

        source = Path(result.path)
        drawn = drawing.draw(photos.open_upright(source), [(face.box, _label(face)) for face in result.faces])
        target = self._drawing_target(source, Path(folder))
        drawing.save(drawn, target)
        return target

    def _drawing_target(self, source: Path, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        endings = chain([""], (f"-{number}" for number in count(2)))
        targets = (folder / f"{source.stem}{ending}.faces.jpg" for ending in endings)
        return next(target for target in targets if self._drawn.setdefault(target, source) == source)

    # --- people and faces

    def people(self, collection_id: str | None = None) -> Iterator[PersonSummary]:
        """Everyone in the records, or everyone with a face in one collection, by name."""
        arn = self.collection(collection_id).arn if collection_id else None
        with self._database.read() as records:
            yield from records.people(arn)

    def person(self, ref: str) -> PersonSummary:
        """A person by id, key or name. Raises UsageError when there is none, or more than one."""
        return people.show(self._database, ref)

    def edit_person(
        self,
        ref: str,
        *,
        name: str | None = None,
        key: str | None = None,
        attributes: Mapping[str, object] | None = None,
        notes: str | None = None,
    ) -> Person:
        """Change what is given; None leaves a field as it is."""
        with self._database.begin() as records:
            person = people.find(records, ref)
            name = None if name is None else planning.person_name(name)
            return records.edit_person(person.id, name=name, key=key, attributes=attributes, notes=notes)

    def delete_person(self, ref: str) -> Deletion:
        """Delete a person's faces from every collection of the engine, and only then their records."""
        return people.delete(self._gateway, self._database, ref)

    def faces(self, collection_id: str, person: str | None = None) -> Iterator[ListedFace]:
        """The faces a collection holds, joined to our records; with `person` only theirs."""
        collection = collections.remembered(self._gateway, self._database, collection_id)
        if person is None:
            yield from collections.faces(self._gateway, self._database, collection)
            return
        with self._database.read() as records:
            person_id = people.find(records, person).id
            for enrolled in records.iter_faces(collection.arn, person_id):
                yield ListedFace(enrolled.face, enrolled)

    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> Deletion:
        """Delete faces from a collection, and then our records of them."""
        collection = collections.remembered(self._gateway, self._database, collection_id)
        return collections.delete_faces(self._gateway, self._database, collection, face_ids)

    # --- photos by themselves

    def detect(self, photo: Path | str) -> tuple[FaceDetail, ...]:
        """Every face of a photo, largest first."""
        from facesearch import photos

        return self._gateway.detect_faces(photos.prepare(Path(photo)).data)

    def compare(self, source: Path | str, target: Path | str, threshold: float = 80.0) -> Comparison:
        """The largest face of one photo against every face of another. Raises NoFaceError naming the photo."""
        from facesearch import photos

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
    name = best.person.name if best.person else f"face {best.face_id}"
    return f"{name} {best.similarity:.1f}"
