"""The composition root: settings become a client, a gateway, records and a FaceSearch.

It may import everything, and imports what is heavy inside the functions that need it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache as once
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from facesearch.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client

    from facesearch.app import FaceSearch
    from facesearch.app.account import Account
    from facesearch.engine.http.keys import Keys
    from facesearch.engine.http.server import Server
    from facesearch.engine.http.workers import Workers
    from facesearch.engine.models.catalogue import Catalogue
    from facesearch.engine.models.loading import Models
    from facesearch.engine.processes import Processes
    from facesearch.engine.service import Engine
    from facesearch.records.database import Database
    from facesearch.rekognition import Rekognition
    from facesearch.settings import Settings
    from facesearch.sqs import DeadLetters

_NO_HOST = "http://embedded.invalid"  # never resolved: the engine answers before a socket is opened
_ENGINE_REGION = "us-east-1"
_REGION = ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)  # botocore alone knows but the second


def open_app(settings: Settings) -> FaceSearch:
    """FaceSearch over the engine and the records that the settings name; each is opened when first used."""
    from facesearch.app import FaceSearch

    return FaceSearch(settings, partial(open_gateway, settings), partial(open_database, settings), _s3_client)


def open_database(settings: Settings) -> Database:
    """The records; SQLite is brought up to date, Postgres must be."""
    from facesearch.records.database import Database

    return Database(settings.database_url)


def upgrade_database(settings: Settings) -> str:
    """Bring the records' schema up to date and name its revision."""
    from facesearch.records import database

    return database.upgrade(settings.database_url)


def database_revision(settings: Settings) -> tuple[str | None, str]:
    """The revision of the records' schema, None for an empty database, and the newest there is."""
    from facesearch.records import database

    return database.revision(settings.database_url)


@contextmanager
def open_keys(settings: Settings, data: Path | None = None) -> Iterator[Keys]:
    """The access keys of a store: of the embedded engine's if no other is named. Raises ConfigurationError."""
    from facesearch.engine.errors import StoreError
    from facesearch.engine.http.keys import Keys

    try:
        yield Keys.beside(data or settings.engine_store)
    except StoreError as exc:
        raise ConfigurationError(str(exc)) from exc


@contextmanager
def open_server(
    settings: Settings, data: Path | None = None, faults: Mapping[str, Any] | None = None, **wish: Any
) -> Iterator[Server | Workers]:
    """A running server over a store; `faults` are said in words.

    `wish` is what facesearch.engine.http.serving.Wish holds. Raises ConfigurationError, and UsageError for
    faults that cannot be.
    """
    from facesearch.engine.faults import Faults

    try:
        wish["faults"] = Faults.parse(**faults) if faults else None
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    try:
        from facesearch.engine.http.serving import ServingError, Wish, serving
    except ModuleNotFoundError as exc:
        raise ConfigurationError(f"{exc.name} is missing: pip install 'facesearch[serve]'") from exc

    open_engine = partial(
        _open_engine, data or settings.engine_store, settings.models, settings.cache, settings.detail
    )
    try:
        with open_keys(settings, data) as keys, serving(open_engine, keys, Wish(**wish)) as server:
            yield server
    except ServingError as exc:
        raise ConfigurationError(str(exc)) from exc


@contextmanager
def open_models(settings: Settings, data: Path | None = None) -> Iterator[Catalogue]:
    """The face models of this machine, and which of them a store's new collections are made with.

    Raises ConfigurationError, and UsageError for a model that cannot be used.
    """
    from facesearch.engine.errors import ModelError, StoreError
    from facesearch.engine.models.catalogue import Catalogue
    from facesearch.engine.models.chosen import opened
    from facesearch.engine.models.library import Library
    from facesearch.engine.models.loading import Models
    from facesearch.engine.vision.weights import WeightsError

    library = Library(settings.models)
    try:
        with opened(data or settings.engine_store) as chosen:
            yield Catalogue(library, chosen, Models(library, settings.cache, settings.detail))
    except ModelError as exc:
        raise UsageError(str(exc)) from exc
    except (StoreError, WeightsError) as exc:
        raise ConfigurationError(str(exc)) from exc


@contextmanager
def open_account(settings: Settings) -> Iterator[Account]:
    """The AWS account of botocore's own credentials and region, each asked for when it is first used.

    Raises ConfigurationError.
    """
    import botocore.session
    from botocore.exceptions import BotoCoreError, NoRegionError

    from facesearch.app.account import Account
    from facesearch.aws.buckets import S3Buckets
    from facesearch.aws.cloud import Cloud
    from facesearch.rekognition import client_config
    from facesearch.service_errors import translated

    def client(service: str) -> Any:
        return session.create_client(
            service, region_name=region or _ENGINE_REGION, config=client_config(settings)
        )

    def source() -> str | None:
        return credentials.method if (credentials := session.get_credentials()) else None

    def buckets() -> S3Buckets:
        s3 = S3Buckets(cloud.client("s3"))
        if region is None and s3.endpoint.endswith(".amazonaws.com"):
            raise translated(NoRegionError())
        return s3

    try:
        session = botocore.session.Session(session_vars={"region": _REGION})
        region = session.get_config_variable("region")
        regions = session.get_available_regions("rekognition")
        cloud = Cloud(region, regions, source, client)
    except BotoCoreError as exc:
        raise translated(exc) from exc
    with closing(cloud):
        yield Account(cloud, buckets)


def open_dead_letters(url: str) -> DeadLetters:
    """The SQS queue of that URL, for what can never be done."""
    from facesearch.sqs import DeadLetters

    return DeadLetters(partial(_aws_client, "sqs"), url)


def open_gateway(settings: Settings, photos: bool = False) -> tuple[Rekognition, Callable[[], None]]:
    """The gateway to the engine the settings name, and what closes it.

    With `photos` to come, what the embedded engine looks at them with is loaded beside all else.
    """
    if settings.engine == "embedded":
        return _embedded_gateway(settings, photos)
    from facesearch.rekognition import Rekognition

    client = _remote_client(settings)
    return Rekognition(client), client.close


def _embedded_gateway(settings: Settings, photos: bool) -> tuple[Rekognition, Callable[[], None]]:
    """A client whose requests the embedded engine answers: no credentials, no socket, no AWS configuration."""
    several = _several_processes(settings)
    if several and photos:
        several.start()
    import botocore.session

    from facesearch.engine import protocol
    from facesearch.engine.transports import attach, each_face
    from facesearch.rekognition import Rekognition

    unset = (None, None, None, None)
    session = botocore.session.Session(
        session_vars={"profile": unset, "config_file": (None, None, os.devnull, None)}
    )
    session.register_component("data_loader", protocol.loader())
    client = _client(session, settings, unsigned=True, endpoint_url=_NO_HOST, region_name=_ENGINE_REGION)
    engine = several or (_ready(_own_engine(settings)) if photos else _own_engine(settings))
    attach(client, engine)

    def close() -> None:
        client.close()
        engine.close()

    return Rekognition(client, partial(each_face, engine)), close


def _own_engine(settings: Settings) -> Engine:
    return _open_engine(settings.engine_store, settings.models, settings.cache, settings.detail)


# What a process of the engine's runs. Its modules are looked for where this process looks for them.
_ANSWER = "import sys; sys.path[:] = sys.argv[1:]; from facesearch.bootstrap import answer_all; answer_all()"


def _several_processes(settings: Settings) -> Processes | None:
    """The engine in processes, as many as there are jobs and processors for; None where that is one."""
    most = min(settings.jobs, processors())
    startable = sys.executable and not getattr(sys, "frozen", False)  # another Python, beside this one
    return processes(settings, most) if most > 1 and startable else None


def processes(settings: Settings, most: int) -> Processes:
    """The embedded engine in up to so many processes."""
    from facesearch.engine.processes import Processes
    from facesearch.settings import one_thread_each

    opening = {
        "store": str(settings.engine_store),
        "models": str(settings.models),
        "cache": str(settings.cache),
        "detail": settings.detail,
    }
    command = [sys.executable, "-c", _ANSWER, *sys.path]
    return Processes(
        partial(_own_engine, settings), command, one_thread_each(), opening, most, ConfigurationError
    )


def processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answer_all() -> None:
    """What a process of `processes` does: it opens the engine and answers until the one who asks is gone."""
    gc.disable()  # nearly all that is loaded stays; see __main__
    from facesearch.engine import pipes

    requests, answers = os.fdopen(0, "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # lest what some library prints gets among the answers

    def opened(opening: Mapping[str, str]) -> Engine:
        store, models, cache = (Path(opening[name]) for name in ("store", "models", "cache"))
        engine = _ready(_open_engine(store, models, cache, opening["detail"]))
        gc.freeze()
        gc.enable()
        return engine

    pipes.answer_all(requests, answers, opened, ConfigurationError)
    os._exit(0)  # the engine is closed; whoever waits need not wait for Python to take itself apart


def _ready(engine: Engine) -> Engine:
    """The engine, with its face model loaded. Raises ConfigurationError."""
    from facesearch.engine.errors import RekognitionError
    from facesearch.engine.vision.weights import WeightsError

    try:
        with suppress(RekognitionError):  # a model that is not there: whoever needs it is told
            engine.load()
    except WeightsError as exc:
        engine.close()
        raise ConfigurationError(str(exc)) from exc
    return engine


def _open_engine(store: Path, added: Path, cache: Path, detail: str) -> Engine:
    """The engine over a store, with the face models that come with it and those in a folder.

    Raises ConfigurationError.
    """
    from facesearch.engine.errors import StoreError
    from facesearch.engine.service import Engine
    from facesearch.engine.vision import weights

    @once
    def models() -> Models:
        from facesearch.engine.models.library import Library
        from facesearch.engine.models.loading import Models

        return Models(Library(added), cache, detail)

    try:
        weights.folder()
        return Engine(store, lambda: models().default(), s3=_s3_client, models=lambda one: models().load(one))
    except (weights.WeightsError, StoreError) as exc:
        raise ConfigurationError(str(exc)) from exc


def _s3_client() -> S3Client:
    """How images are read from S3."""
    return cast("S3Client", _aws_client("s3"))


def _aws_client(service: str) -> BaseClient:
    """A client of a service beside Rekognition: botocore's own credentials, region and endpoint, not for long."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session(session_vars={"region": _REGION})
    region = session.get_config_variable("region") or _ENGINE_REGION
    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})
    return session.create_client(service, region_name=region, config=config)


def _remote_client(settings: Settings) -> RekognitionClient:
    """A client of AWS, or of an endpoint; credentials, region and profile are botocore's own."""
    import botocore.session
    from botocore.exceptions import BotoCoreError

    from facesearch.service_errors import translated

    try:
        session = botocore.session.Session(session_vars={"region": _REGION})
        if settings.engine == "aws":
            return _client(session, settings)
        region = session.get_config_variable("region") or _ENGINE_REGION
        unsigned = session.get_credentials() is None
        return _client(session, settings, unsigned=unsigned, endpoint_url=settings.engine, region_name=region)
    except BotoCoreError as exc:
        raise translated(exc) from exc


def _client(
    session: Session,
    settings: Settings,
    *,
    unsigned: bool = False,
    endpoint_url: str | None = None,
    region_name: str | None = None,
) -> RekognitionClient:
    from botocore import UNSIGNED
    from botocore.config import Config

    from facesearch.rekognition import client_config

    config = client_config(settings)
    if unsigned:
        config = config.merge(Config(signature_version=UNSIGNED))
    if endpoint_url == _NO_HOST:  # what the embedded engine could not do once it cannot do twice
        config = config.merge(Config(retries={"total_max_attempts": 1}))
    client = session.create_client(
        "rekognition", config=config, endpoint_url=endpoint_url, region_name=region_name
    )
    return cast("RekognitionClient", client)
