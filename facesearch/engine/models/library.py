"""The face models that were added to this machine: a folder of networks and definitions, named by their content.

`<sha256>.onnx` is a network and `<version>.json` a definition that names one. A file is written beside its place,
and moved there whole; once there it never changes, and one that is not what its name says is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facesearch.engine.errors import ModelError, ModelMissingError
from facesearch.engine.models.definition import Definition, DefinitionError
from facesearch.engine.vision.built_in import BUILT_IN

_LARGEST_TEXT = 64 * 1024
_LARGEST_NETWORK = 1024**3
_VERSION = re.compile(r"[0-9.]{1,64}")
_NO_NAME = re.compile(r"[^a-z0-9._-]+")

Try = Callable[[bytes, Definition], object]


class Library:
    """The models in a folder, which is made when the first is added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, path: Path, trial: Try) -> Definition:
        """Take in a model: a TOML file, or the network itself if it is of ArcFace's kind.

        What is checked is what is kept, whatever becomes of the file meanwhile. `trial` uses the model before it
        is kept, and raises ModelError to refuse it. Raises ModelError; a model that is there already is no error.
        """
        from facesearch.engine.models import inspection

        if path.suffix.lower() == ".toml":
            definition = Definition.parse(_toml(path), path)
            network = _content(path.with_name(definition.file), _LARGEST_NETWORK)
            if hashlib.sha256(network).hexdigest() != definition.sha256:
                raise ModelError(
                    f"{path}: sha256 is not that of {definition.file}, whose SHA-256 is "
                    f"{hashlib.sha256(network).hexdigest()}: the file is damaged or another one"
                )
            source = path
        else:
            source = path
            beside = path.with_suffix(".toml")
            if beside.exists():
                raise ModelError(f"{path}: {beside.name} lies beside it and says how it is used: add that")
            network = _content(path, _LARGEST_NETWORK)
            definition = inspection.arcface(
                network, _name_of(path), hashlib.sha256(network).hexdigest(), path
            )
        definition = inspection.inspected(network, definition, source)
        self._check_name(definition, source)
        try:
            trial(network, definition)
        except ModelError as exc:
            raise ModelError(f"{source}: {exc}") from exc
        self._keep(definition, network)
        return definition

    def all(self) -> list[Definition]:
        """The models that were added, by name. Raises ModelError for a damaged definition."""
        found = [self._definition(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted(found, key=lambda one: (one.name, one.version))

    def of_version(self, version: str) -> Definition:
        """Raises ModelMissingError, and ModelError for a damaged definition."""
        path = self._place(version)
        if not _VERSION.fullmatch(version) or not path.is_file():
            raise ModelMissingError(
                "It is not on this machine: `facesearch engine models add FILE` adds it, FILE being what it was "
                "added from."
            )
        return self._definition(path)

    def network(self, definition: Definition) -> bytes:
        """The network of a model that was added, as it was then. Raises ModelError."""
        path = self._folder / f"{definition.sha256}.onnx"
        data = _content(path, _LARGEST_NETWORK)
        if hashlib.sha256(data).hexdigest() != definition.sha256:
            raise ModelError(f"{path} was changed: delete it, and add {definition.name} again")
        return data

    def _place(self, version: str) -> Path:
        return self._folder / f"{version}.json"

    def _definition(self, path: Path) -> Definition:
        damaged = ModelError(f"{path} was changed: delete it, and add the model again")
        try:
            definition = Definition.parse(json.loads(_content(path, _LARGEST_TEXT)), path)
        except (ValueError, RecursionError, AttributeError, TypeError, DefinitionError) as exc:
            raise damaged from exc
        if self._place(definition.version) != path or definition.dimensions is None:
            raise damaged
        return definition

    def _check_name(self, definition: Definition, source: object) -> None:
        for other in self.all():
            if other.name == definition.name and other.version != definition.version:
                raise ModelError(
                    f"{source}: another model is called {other.name} already (version {other.version}): give this "
                    "one another `name` in its TOML file"
                )

    def _keep(self, definition: Definition, network: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._folder / f"{definition.sha256}.onnx", network)
            text = json.dumps(definition.table(), indent=1, sort_keys=True)
            _write(self._place(definition.version), f"{text}\n".encode("ascii"))
        except OSError as exc:
            raise ModelError(f"cannot keep the model in {self._folder}: {exc.strerror or exc}") from exc


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_content(path, _LARGEST_TEXT).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as exc:
        raise DefinitionError(f"{path}: not a TOML file: {exc}") from exc


def _content(path: Path, most: int) -> bytes:
    """All of a file. Raises ModelError when it is not there, no file, or of more bytes than `most`."""
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModelError(f"{path} is not a file")
            data: bytes = file.read(most + 1)
    except FileNotFoundError:
        raise ModelError(f"{path} is not there") from None
    except OSError as exc:
        raise ModelError(f"cannot read {path}: {exc.strerror or exc}") from exc
    if not data or len(data) > most:
        raise ModelError(f"{path} has {'no bytes' if not data else f'more than {most:,} bytes'}")
    return data


def _opened(path: str, flags: int) -> int:
    # A pipe would be waited for until somebody writes to it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _name_of(path: Path) -> str:
    """A model's name out of a file's, as far as it can be one."""
    name = _NO_NAME.sub("-", path.stem.lower()).strip("._-")[:64] or "model"
    return f"{name}-added" if name in {model.name for model in BUILT_IN.values()} else name


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on disk; a file that holds the data already is left alone."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            return
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(beside, "xb", opener=_for_owner) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
