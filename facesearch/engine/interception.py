"""The widest door: every Rekognition client of this process, for as long as a test wants it.

Three public events of botocore do the work on each client: no signature is made, the request is sent to a host
that cannot exist (other tools leave it alone, and nothing is lost should this fail), and an engine answers before
a socket is opened. Two functions of botocore are replaced meanwhile, to meet the clients: the one that makes them
and, for clients made before, the one through which every call goes.
"""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore
from botocore.client import BaseClient
from botocore.session import Session

from facesearch.engine.answering import Answering
from facesearch.engine.transports import answer

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse

REGION = "us-east-1"  # of a client that names none

_SERVICE = "rekognition"
_NOWHERE = "invalid"  # the domain that is never resolved

Engines = Callable[[str], Answering]  # by region

# Those that answer now, the latest last, and which of them this thread or task started, in the same order. Threads
# that start none ask the latest of all.
_active: list[Engines] = []
_own: ContextVar[tuple[Engines, ...]] = ContextVar("facesearch_own_engines", default=())

# Clients that were made while engines answered, who never ask AWS afterwards, and others that are borrowed.
_born: weakref.WeakSet[BaseClient] = weakref.WeakSet()
_borrowed: weakref.WeakSet[BaseClient] = weakref.WeakSet()

_restorers: list[Callable[[], None]] = []
_guard = threading.RLock()


@contextmanager
def intercepting(engines: Engines) -> Iterator[None]:
    """Let `engines` answer every Rekognition client, unless others come to do so inside this block."""
    with _guard:
        if not _active:
            _restorers.append(_replace(Session, "create_client", _creating))
            _restorers.append(_replace(BaseClient, "_make_api_call", _calling))
        _active.append(engines)
    _own.set((*_own.get(), engines))
    try:
        yield
    finally:
        _own.set(tuple(own for own in _own.get() if own is not engines))
        with _guard:
            _active.remove(engines)
            if not _active:
                _restore()


def _current() -> Engines | None:
    with _guard:
        for own in reversed(_own.get()):
            if own in _active:
                return own
        return _active[-1] if _active else None


def _replace(
    owner: type, name: str, replacement_of: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[[], None]:
    """Replace a method, and return what puts it back, unless somebody else has replaced it since."""
    original = getattr(owner, name)
    replacement = functools.wraps(original)(replacement_of(original))
    setattr(owner, name, replacement)

    def restore() -> None:
        if getattr(owner, name) is replacement:
            setattr(owner, name, original)

    return restore


def _restore() -> None:
    while _restorers:
        _restorers.pop()()
    for client in list(_borrowed):
        for event in _handlers(client):
            client.meta.events.unregister(event, unique_id=_unique(event))
    _borrowed.clear()


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def create_client(*args: Any, **kwargs: Any) -> Any:
        call = signature.bind(*args, **kwargs)
        if call.arguments.get("service_name") != _SERVICE or _current() is None:
            return original(*args, **kwargs)
        _complete(call.arguments)
        client = original(*call.args, **call.kwargs)
        _take(client, _born)
        return client

    return create_client


def _complete(arguments: MutableMapping[str, Any]) -> None:
    """Name a region if there is none, and credentials, lest botocore looks for some on the network."""
    session = arguments["self"]
    configs = (arguments.get("config"), session.get_default_client_config())
    if not (
        arguments.get("region_name")
        or any(config is not None and config.region_name for config in configs)
        or session.get_config_variable("region")
    ):
        arguments["region_name"] = REGION
    if arguments.get("aws_access_key_id") is None and arguments.get("aws_secret_access_key") is None:
        arguments.update(aws_access_key_id="testing", aws_secret_access_key="testing")  # noqa: S106


def _calling(original: Callable[..., Any]) -> Callable[..., Any]:
    def _make_api_call(client: BaseClient, *args: Any, **kwargs: Any) -> Any:
        if client.meta.service_model.service_name == _SERVICE and _current() is not None:
            _take(client, _borrowed)
        return original(client, *args, **kwargs)

    return _make_api_call


def _take(client: BaseClient, kept: weakref.WeakSet[BaseClient]) -> None:
    """Let the engines answer a client from now on, unless its requests go nowhere: an engine is attached to it."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    with _guard:
        if host.rpartition(".")[2] == _NOWHERE or client in _born or client in _borrowed:
            return
        for event, handler in _handlers(client).items():
            client.meta.events.register(event, handler, unique_id=_unique(event))
        kept.add(client)


def _handlers(client: BaseClient) -> dict[str, Callable[..., Any]]:
    return {
        f"choose-signer.{_SERVICE}": _unsigned,
        f"request-created.{_SERVICE}": _to_nowhere,
        f"before-send.{_SERVICE}": functools.partial(_answered, client.meta.region_name),
    }


def _unique(event: str) -> str:
    return f"facesearch-interception-{event}"


def _unsigned(**_: object) -> object:
    return botocore.UNSIGNED


def _to_nowhere(request: AWSRequest, **_: object) -> None:
    request.url = f"http://rekognition.{_NOWHERE}/"


def _answered(region: str, request: AWSPreparedRequest, **_: object) -> AWSResponse:
    engines = _current()
    if engines is None:
        raise RuntimeError(
            "This Rekognition client was made inside mock_rekognition(), which has ended. Make a client for AWS "
            "outside of it, or use this one inside another."
        )
    return answer(request, engines(region))
