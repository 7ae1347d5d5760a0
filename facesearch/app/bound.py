"""What the use cases are bound to: one engine and one database, each opened when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

from facesearch import workflows
from facesearch.errors import ConfigurationError
from facesearch.settings import Settings, without_password

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from facesearch.records.database import Database
    from facesearch.rekognition import Rekognition
    from facesearch.s3 import S3Photos


class Counting(Protocol):
    """Records that keep the number of calls."""

    def add_calls(self, engine: str, calls: Mapping[str, int]) -> None: ...


class Bound:
    """The settings, the gateway and the database that a FaceSearch works with."""

    def __init__(
        self,
        settings: Settings,
        open_gateway: Callable[[bool], tuple[Rekognition, Callable[[], None]]],
        open_database: Callable[[], Database],
        open_s3: Callable[[], S3Client],
    ) -> None:
        self.settings = settings
        self._open_gateway = open_gateway
        self._open_database = open_database
        self._open_s3 = open_s3
        self._closing: list[Callable[[], None]] = []

    def expect_photos(self) -> None:
        """Say before anything else that photos will be looked at. Raises what opening the engine raises.

        What the embedded engine looks at them with is then loaded beside all else, and not at the first photo.
        """
        if "_gateway" not in self.__dict__:
            self._gateway = self._opened_gateway(photos=True)
            from facesearch import photos

            photos.load_decoder()

    def close(self) -> None:
        """Write down the calls that were answered, and let go of the engine's store and of the database."""
        try:
            if "_gateway" in self.__dict__ and self._prices.billed(self._gateway.meter.answered()):
                with self._database.begin() as records:
                    self._count_calls(records)
        finally:
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

    @property
    def _counted_as(self) -> str:
        """The engine as its calls are counted: AWS by region, since prices and tiers go by region."""
        return f"aws:{self._gateway.region}" if self.engine == "aws" else self.engine

    def _pace(self, rate: float | None) -> float | None:
        """IndexFaces calls a second: as asked for, else by the settings, else AWS's quota; None is no limit."""
        asked = rate or self.settings.rate
        return asked or (workflows.quotas.index_faces(self._gateway.region) if self.engine == "aws" else None)

    def _count_calls(self, records: Counting) -> None:
        """Write down the billed calls that were answered since this was last done."""
        records.add_calls(self._counted_as, self._prices.billed(self._gateway.meter.take()))

    @contextmanager
    def _within(self, max_cost: Decimal | None) -> Iterator[None]:
        """Calls inside the block may cost so much together; None is without a limit."""
        if max_cost is not None:
            already = workflows.costing.calls_this_month(self._database, self._counted_as)
            self._gateway.meter.budget = workflows.costing.Budget(max_cost, self._prices, already)
        try:
            yield
        finally:
            self._gateway.meter.budget = None

    @cached_property
    def _prices(self) -> workflows.costing.Prices:
        path = self.settings.prices
        try:
            return workflows.costing.parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"the prices in {path} cannot be read: {exc}") from exc

    @cached_property
    def _gateway(self) -> Rekognition:
        return self._opened_gateway(photos=False)

    def _opened_gateway(self, photos: bool) -> Rekognition:
        gateway, close = self._open_gateway(photos)
        self._closing.append(close)
        return gateway

    @cached_property
    def _stored(self) -> S3Photos:
        """Photos in S3; nothing of botocore's is loaded before the first of them."""
        from facesearch.s3 import S3Photos

        return S3Photos(self._open_s3, for_aws=self.engine == "aws")

    @cached_property
    def _database(self) -> Database:
        database = self._open_database()
        self._closing.append(database.close)
        return database
