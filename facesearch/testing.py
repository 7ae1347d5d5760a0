"""For tests of code that calls Rekognition: an engine of its own for each test, and real matches.

    @mock_rekognition()
    def test_the_visitor_is_known():
        client = boto3.client("rekognition")
        ...

Only Rekognition is answered, so moto's `mock_aws` may stand around it or inside it, and images may lie in its S3.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import unittest
from collections.abc import AsyncIterator, Callable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from facesearch.engine.faults import Errors, Faults, FaultyEngine
from facesearch.engine.interception import intercepting
from facesearch.engine.service import Engine
from facesearch.engine.vision import weights
from facesearch.settings import Settings

if TYPE_CHECKING:
    from facesearch.engine.s3 import S3Client
    from facesearch.engine.vision.recognizer import Recognizer

__all__ = ["Engines", "MockRekognition", "mock_rekognition"]

_loading = threading.Lock()

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@overload
def mock_rekognition(
    *,
    throttle: float = ...,
    errors: Errors | None = ...,
    latency: float | tuple[float, float] = ...,
    lost_answers: float = ...,
    seed: int = ...,
) -> MockRekognition: ...
@overload
def mock_rekognition(decorated: Decorated, /) -> Decorated: ...
def mock_rekognition(
    decorated: Decorated | None = None,
    /,
    *,
    throttle: float = 0.0,
    errors: Errors | None = None,
    latency: float | tuple[float, float] = 0.0,
    lost_answers: float = 0.0,
    seed: int = 0,
) -> Decorated | MockRekognition:
    """Let a fresh engine in memory answer every Rekognition client of this process, in a `with` block or a test.

    No credentials, region or network are needed. A client without a region is in us-east-1; each region has
    collections of its own, as at AWS. Every Rekognition client is answered, whatever its endpoint and whenever it
    was made, and by the innermost mock, where several are active. A client that was made in a mock and is used
    after it raises RuntimeError, and never asks AWS. Only clients of facesearch's embedded engine are left to it.

    It decorates functions, coroutine functions, generators (fixtures) and methods, which get a fresh engine for
    each call; a unittest.TestCase gets one for each test, its setUp and tearDown included, and any other class one
    for each method whose name starts with `test`.

    `throttle` and `lost_answers` are probabilities; `errors` names, by operation, a code that is always answered
    or several with their probabilities; `latency` is a number of seconds, or a range of them. The same `seed` and
    the same calls meet the same faults. Raises ValueError for faults that AWS could not show.
    """
    mock = MockRekognition(Faults(throttle, errors or {}, latency, lost_answers, seed))
    return mock if decorated is None else mock(decorated)


class MockRekognition:
    """The mock as a context manager and a decorator, to be used any number of times: each is a fresh start."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._entered: list[contextlib.AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        active = self._active()
        active.__enter__()
        self._entered.append(active)

    def __exit__(self, *exc_info: Any) -> None:
        self._entered.pop().__exit__(*exc_info)

    @contextlib.contextmanager
    def _active(self) -> Iterator[None]:
        with Engines(self._faults) as engines, intercepting(engines.of):
            yield

    def __call__(self, decorated: Decorated) -> Decorated:
        """The function or class, run inside the mock."""
        if not isinstance(decorated, type):
            around: Decorated = self._around(decorated)
            return around
        if issubclass(decorated, unittest.TestCase):
            names = ["run", "debug"]  # each of them is a whole test, from setUp to the last clean-up
        else:
            names = [name for name in dir(decorated) if name.startswith("test")]
        for name in names:
            method = inspect.getattr_static(decorated, name)
            if isinstance(method, FunctionType):
                setattr(decorated, name, self._around(method))
        return decorated

    def _around(self, function: Any) -> Any:
        return functools.wraps(function)(_wrapper(function, self._active))


def _wrapper(function: Any, active: Callable[[], contextlib.AbstractContextManager[None]]) -> Any:
    """A function of the same kind that does its work, all of it, inside `active`."""

    async def async_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with active():
            async with contextlib.aclosing(function(*args, **kwargs)) as items:
                async for item in items:
                    yield item

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with active():
            return await function(*args, **kwargs)

    def generator(*args: Any, **kwargs: Any) -> Any:
        with active():
            return (yield from function(*args, **kwargs))

    def plain(*args: Any, **kwargs: Any) -> Any:
        with active():
            return function(*args, **kwargs)

    if inspect.isasyncgenfunction(function):
        return async_generator
    if inspect.iscoroutinefunction(function):
        return coroutine
    return generator if inspect.isgeneratorfunction(function) else plain


class Engines:
    """Fresh engines in memory, one for each region, all with the same faults."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self._guard = threading.Lock()
        self._engines: dict[str, FaultyEngine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._engines.values():
            engine.close()

    def of(self, region: str) -> FaultyEngine:
        """The engine of a region. Raises WeightsNotFoundError when there is nothing to recognise faces with."""
        with self._guard:
            if region not in self._engines:
                weights.folder()
                engine = Engine(None, _recognizer, region, functools.partial(_s3, region))
                self._engines[region] = FaultyEngine(engine, self._faults)
            return self._engines[region]


def _s3(region: str) -> S3Client:
    """Whatever boto3 takes for S3 in the test: moto's, or a server that its environment names."""
    import boto3

    return boto3.client("s3", region_name=region)


def _recognizer() -> Recognizer:
    """The networks, loaded once for all engines of this process."""
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> Recognizer:
    from facesearch.engine.vision.recognizer import DlibRecognizer

    return DlibRecognizer.load(cache=Settings.resolve().cache)
