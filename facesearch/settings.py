"""What can be set, where each value came from, and nothing else: the only reader of os.environ.

Argument > environment > facesearch.toml > default. The file is looked for in the current folder and then in the
home folder. What AWS needs (profile, region, credentials, endpoint) is botocore's own business and is not here.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from facesearch.errors import ConfigurationError

FILE_NAME = "facesearch.toml"
DETAILS = ("fast", "auto", "high")

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "home": "Folder for everything the program keeps: records, the embedded engine's store, caches",
        "engine": "`embedded`, `aws`, or the URL of an endpoint that speaks Rekognition's API",
        "detail": "How small the faces are that the embedded engine looks for: `fast`, `auto` or `high`",
        "database_url": "Where the records are, as a SQLAlchemy URL (SQLite or Postgres)",
        "jobs": "Photos worked on at the same time; the embedded engine has a process for each, and none for 1",
        "rate": "Photos sent a second at most; on AWS the region's default quota, elsewhere no limit",
        "max_attempts": "Tries of one call to the service, the first one included",
        "connect_timeout": "Seconds to wait for a connection to the service",
        "read_timeout": "Seconds to wait for an answer of the service",
        "prices": "TOML file of AWS prices in place of the one that is shipped",
        "custom_labels_project_version_arn": "ARN of the Custom Labels model whose labels join in",
    }
)

_CUSTOM_LABELS = re.compile(
    r"arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project/[\w.-]{1,255}/version/[\w.-]{1,255}/\d+"
)


_KINDS: Mapping[str, type] = MappingProxyType(  # of the settings that are not text
    {
        "home": Path,
        "jobs": int,
        "rate": float,
        "max_attempts": int,
        "connect_timeout": float,
        "read_timeout": float,
        "prices": Path,
    }
)


_SHIPPED_PRICES = Path(__file__).with_name("prices.toml")


def _default_home() -> Path:
    import platformdirs

    return platformdirs.user_data_path("facesearch", appauthor=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, resolved. `origins` says for each one where its value came from."""

    home: Path = field(default_factory=_default_home)
    engine: str = "embedded"
    detail: str = "auto"
    database_url: str = ""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    rate: float | None = None
    max_attempts: int = 5
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    prices: Path = _SHIPPED_PRICES
    custom_labels_project_version_arn: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        home = Path(self.home).expanduser().absolute()
        object.__setattr__(self, "home", home)
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{home / 'facesearch.db'}")
        _check(self)

    @classmethod
    def resolve(
        cls,
        arguments: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Settings:
        """Find every setting's value. An argument of None counts as not given.

        Raises ConfigurationError for a value that cannot be used, naming where it stands.
        """
        given = {name: value for name, value in (arguments or {}).items() if value is not None}
        unknown = given.keys() - DESCRIPTIONS.keys()
        if unknown:
            raise ConfigurationError(
                f"no such setting: {', '.join(sorted(unknown))}; there are {', '.join(DESCRIPTIONS)}"
            )
        environ = os.environ if environ is None else environ
        values: dict[str, object] = {}
        origins = dict.fromkeys(DESCRIPTIONS, "default")
        in_environment = {
            name: environ[variable(name)] for name in DESCRIPTIONS if environ.get(variable(name))
        }
        home = given.get("home") or in_environment.get("home") or _default_home()
        for path, from_file in _files([folder or Path.cwd(), Path(str(home)).expanduser()]):
            values.update(from_file)
            origins.update(dict.fromkeys(from_file, str(path)))
        for name, text in in_environment.items():
            values[name] = text
            origins[name] = variable(name)
        for name, value in given.items():
            values[name] = value
            origins[name] = "argument"
        typed = {name: _typed(name, value, origins[name]) for name, value in values.items()}
        return cls(**typed, origins=MappingProxyType(origins))  # type: ignore[arg-type]

    @property
    def engine_store(self) -> Path:
        """The embedded engine's collections and faces, one SQLite file."""
        return self.home / "engine.db"

    @property
    def cache(self) -> Path:
        """What can be made again from the installed package at any time."""
        return self.home / "cache"

    @property
    def models(self) -> Path:
        """The face models that were added to the embedded engine."""
        return self.home / "models"

    def shown(self) -> dict[str, tuple[str, str]]:
        """Each setting as text with its origin, passwords left out."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "origins"}
        texts = {name: "" if value is None else str(value) for name, value in values.items()}
        texts["database_url"] = without_password(self.database_url)
        texts["engine"] = without_password(self.engine)
        return {name: (text, self.origin(name)) for name, text in texts.items()}

    def origin(self, name: str) -> str:
        """Where a setting's value came from."""
        return self.origins.get(name, "argument")


class FunctionSettings(NamedTuple):
    """What the functions on AWS Lambda are told beside the settings, by their environment alone."""

    collection: str | None  # FACESEARCH_COLLECTION
    dead_letter_queue_url: str | None

    @classmethod
    def resolve(cls, environ: Mapping[str, str] | None = None) -> FunctionSettings:
        """What is set; empty is not."""
        environ = os.environ if environ is None else environ
        return cls(environ.get("FACESEARCH_COLLECTION") or None, environ.get("DEAD_LETTER_QUEUE_URL") or None)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name == "custom_labels_project_version_arn" else f"FACESEARCH_{name.upper()}"


def one_thread_each() -> dict[str, str]:
    """The environment of a process beside which others do the same.

    Numpy's libraries use one thread there, unless the environment says how many.
    """
    libraries = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(libraries, "1") | os.environ


def without_password(url: str) -> str:
    """The URL as it may be shown: a password in it becomes three stars."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return "***"
    return url.replace(f":{password}@", ":***@", 1) if password else url


def _files(folders: list[Path]) -> list[tuple[Path, dict[str, object]]]:
    for folder in folders:
        path = folder / FILE_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"cannot read {path}: {exc}") from exc
        table = _parsed(text, path)
        known = DESCRIPTIONS.keys() - {"home"}
        unknown = table.keys() - known
        if unknown:
            raise ConfigurationError(
                f"{path}: no such setting: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
            )
        return [(path, table)]
    return []


def _parsed(text: str, path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"cannot read {path}: {exc}") from exc


def _typed(name: str, value: object, origin: str) -> object:
    kind = _KINDS.get(name, str)
    try:
        return value if type(value) is kind else kind(str(value))
    except ValueError as exc:
        raise ConfigurationError(f"{name} (from {origin}) must be a number, not {value!r}") from exc


def _check(settings: Settings) -> None:
    if settings.engine not in ("embedded", "aws") and not _is_endpoint(settings.engine):
        raise ConfigurationError(
            f"engine (from {settings.origin('engine')}) must be embedded, aws or a URL such as "
            f"http://127.0.0.1:9000, not {settings.engine!r}"
        )
    if settings.detail not in DETAILS:
        raise ConfigurationError(
            f"detail (from {settings.origin('detail')}) must be one of {', '.join(DETAILS)}, "
            f"not {settings.detail!r}"
        )
    model = settings.custom_labels_project_version_arn
    if model is not None and not _CUSTOM_LABELS.fullmatch(model):
        origin = settings.origin("custom_labels_project_version_arn")
        raise ConfigurationError(
            f"custom_labels_project_version_arn (from {origin}) must be the ARN of a project version, "
            f"arn:aws:rekognition:REGION:ACCOUNT:project/NAME/version/NAME/NUMBER, not {model!r}"
        )
    for name in ("jobs", "rate", "max_attempts", "connect_timeout", "read_timeout"):
        value = getattr(settings, name)
        if value is not None and not 0 < value < math.inf:
            raise ConfigurationError(
                f"{name} (from {settings.origin(name)}) must be more than 0, not {value}"
            )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
