"""Exporting people, and importing them elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch import __version__, workflows
from facesearch.app.enrolling import Enrolling

if TYPE_CHECKING:
    from facesearch.domain import PhotoOutcome
    from facesearch.domain.portability import Export, Import, ImportPlan


class Portability(Enrolling):
    """Take people out of the records with their photos, and into others."""

    def export(
        self,
        target: Path | str,
        collection_id: str | None = None,
        *,
        photos: bool = False,
        on_photo: Callable[[], None] | None = None,
    ) -> Export:
        """Write everyone, or everyone in a collection, into a new folder or .zip file; see `workflows.packages`.

        With `photos` their photos are inside, without them only their hashes and paths. No vector is in it: the
        service gives none away. Raises UsageError when something is at `target`.
        """
        collection = None
        if collection_id is not None:
            collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        about = {"facesearch": __version__, "engine": self.engine}
        return workflows.exporting.export(
            self._database, Path(target), about, collection, with_photos=photos, on_photo=on_photo
        )

    def import_(
        self,
        source: Path | str,
        collection_id: str,
        *,
        jobs: int | None = None,
        on_photo: Callable[[PhotoOutcome], None] | None = None,
        max_cost: Decimal | None = None,
    ) -> Import:
        """Put the people of an export on record and enrol their photos into a collection, made if it is not there.

        Every file is held against its checksum first. Running the same again does nothing twice and continues
        what was stopped. Raises UsageError for what is no whole export; `max_cost` is as for `enroll`.
        """
        from facesearch.domain import OnMultiple
        from facesearch.domain.portability import Import
        from facesearch.workflows.reconciling import users

        self.expect_photos()
        jobs, rate = jobs or self.settings.jobs, self._pace(None)
        with (
            workflows.packages.Package(Path(source)) as package,
            workflows.importing.unpacked() as folder,
            self._within(max_cost),
        ):
            package.verify()
            importing = workflows.importing.Importing(
                self._database, package, workflows.reading.Reader(self._stored)
            )
            importing.match_people(write=True)
            importing.unpacking(Path(folder))

            def told(outcome: PhotoOutcome) -> None:
                importing.done(outcome)
                if on_photo:
                    on_photo(outcome)

            report = workflows.enrolling.enroll(
                self._gateway,
                self._database,
                importing.photos(),
                workflows.collections.ensure(self._gateway, self._database, collection_id),
                workflows.reading.Reader(self._stored),
                source=str(source),
                on_multiple=OnMultiple.LARGEST,  # the face that was chosen when it was enrolled before
                jobs=jobs,
                in_flight=self._in_flight(jobs, rate),
                rate=rate,
                on_photo=told,
                count_calls=self._count_calls,
            )
            users.keep_up(self._gateway, self._database, report.collection)
            importing.place()
        return Import(importing.people, report)

    def plan_import(self, source: Path | str, collection_id: str) -> ImportPlan:
        """What `import_` would do and what it would cost. Nothing is sent and nothing written."""
        from facesearch.domain.portability import ImportPlan

        with workflows.packages.Package(Path(source)) as package:
            package.verify()
            importing = workflows.importing.Importing(
                self._database, package, workflows.reading.Reader(self._stored)
            )
            importing.match_people(write=False)
            collection = workflows.collections.found(self._gateway, collection_id)
            states = Counter(importing.states(collection.arn if collection else None))
        calls = {"IndexFaces": states["new"]}
        already = workflows.costing.calls_this_month(self._database, self._counted_as)
        return ImportPlan(
            people=importing.people,
            photos={state: states[state] for state in ("new", "already", "missing")},
            calls=calls,
            cost=self._prices.cost(calls, already),
            face_month=self._prices.face_month * states["new"],
        )
