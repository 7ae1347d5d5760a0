"""`facesearch engine`: the embedded engine as a server, and the keys of those who may call it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.models import models
from facesearch.cli.output import Column, Fit, Format, Row, View, show_list, show_one
from facesearch.cli.talk import agreed, say
from facesearch.errors import UsageError

if TYPE_CHECKING:
    from facesearch.engine.http.keys import AccessKey
    from facesearch.engine.http.server import Server
    from facesearch.engine.http.workers import Workers

_KEY_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)

_FAULTS = (
    click.option(
        "--throttle",
        metavar="PROBABILITY",
        type=click.FloatRange(0, 1),
        help="For tests: how often a call is told to slow down, 0 to 1.",
    ),
    click.option(
        "--error",
        "errors",
        metavar="OPERATION=CODE[:PROBABILITY]",
        multiple=True,
        help="For tests: an error that an operation answers, always or so often; may be repeated.",
    ),
    click.option(
        "--latency",
        metavar="SECONDS",
        help="For tests: what each call waits, such as 0.05, or 0.05-0.4 for a range.",
    ),
    click.option(
        "--lost-answers",
        metavar="PROBABILITY",
        type=click.FloatRange(0, 1),
        help="For tests: how often a call is done and the connection breaks before its answer, 0 to 1.",
    ),
    click.option(
        "--fault-seed",
        "seed",
        metavar="N",
        type=int,
        default=0,
        show_default=True,
        help="For tests: what the faults follow from.",
    ),
)


def _faults(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FAULTS):
        command = option(command)
    return command


def _asked(wish: dict[str, Any]) -> dict[str, Any]:
    """Take the faults that were asked for out of what a server is to be."""
    seed = wish.pop("seed")
    values = {name: wish.pop(name) for name in ("throttle", "errors", "latency", "lost_answers")}
    faults = {name: value for name, value in values.items() if value}
    return {**faults, "seed": seed} if faults else {}


def _said(faults: dict[str, Any]) -> str:
    texts = {name: " ".join(value) if name == "errors" else value for name, value in faults.items()}
    return " · ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items())


@click.group()
def engine() -> None:
    """Serve the engine to other programs, and say who may call it.

    \b
    Example:
      facesearch engine serve --port 9000
    """


@engine.command()
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=9000,
    show_default=True,
    help="Port to listen on; 0 is any free one.",
)
@options.data
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer.",
)
@click.option(
    "--max-concurrency",
    "concurrency",
    metavar="N",
    type=click.IntRange(min=1),
    help="Requests that one process works on at once; four times as many wait, more are throttled."
    "  [default: the number of processors, at least 4]",
)
@click.option("--certfile", metavar="FILE", type=options.PATH, help="Certificate (PEM) for https.")
@click.option(
    "--keyfile", metavar="FILE", type=options.PATH, help="The certificate's key, if it has its own file."
)
@click.option(
    "--allow-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Name that clients may know this server by, beside localhost and addresses; may be repeated.",
)
@_faults
def serve(data: Path | None, **wish: Any) -> int:
    """Answer Amazon Rekognition's API over HTTP, for any AWS SDK.

    Ctrl-C stops it: requests under way are answered, unless it is pressed again.

    On this machine's own address anybody may call until the first access key is created; then, and on any other
    address, every request must be signed with one.

    For tests it fails on purpose: the same seed and the same calls meet the same faults (in each process anew).

    \b
    Example:
      facesearch engine serve --port 9000
      facesearch engine serve --throttle 0.1 --error IndexFaces=InternalServerError:0.2 --latency 0.05-0.4
      facesearch engine serve --host 0.0.0.0 --certfile cert.pem --keyfile key.pem --allow-host faces.example.org
    """
    from facesearch.bootstrap import open_keys, open_server
    from facesearch.settings import Settings

    if wish["keyfile"] and not wish["certfile"]:
        raise click.UsageError("--keyfile goes with --certfile")
    settings = Settings.resolve()
    faults = _asked(wish)
    with open_keys(settings, data) as keys:
        closed = keys.ever_created()
    with open_server(settings, data, faults, **wish) as server, _stopped_by_signals(server) as signals:
        who = (
            "requests must be signed" if closed else "any credentials are accepted: no access key was created"
        )
        say(f"engine: {server.url} · collections: {data or settings.engine_store} · {who}")
        say(f"use it: export AWS_ENDPOINT_URL_REKOGNITION={server.url}")
        if faults:
            say(f"calls fail on purpose: {_said(faults)}")
        server.join()
    return failures.INTERRUPTED if len(signals) > 1 else failures.DONE


@contextmanager
def _stopped_by_signals(server: Server | Workers) -> Iterator[list[int]]:
    """SIGINT and SIGTERM stop it: the first lets requests under way be answered, the next does not. Gives them."""
    came: list[int] = []

    def stop(number: int, _frame: object) -> None:
        came.append(number)
        server.stop(hurry=len(came) > 1)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


engine.add_command(models)


# --- access keys


@engine.group()
def keys() -> None:
    """Create, list and revoke the keys that requests are signed with.

    A server that runs learns of a new or revoked key at once.

    \b
    Example:
      facesearch engine keys create --name reception --collection staff --read-only
    """


def _checked_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _KEY_NAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} cannot name a key: 1 to 64 of the characters a-z A-Z 0-9 _ + = , . @ -"
        )
    return value


def _checked_collections(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        options.checked_collection_id(ctx, param, value)
    return values


@keys.command()
@click.option("--name", metavar="TEXT", callback=_checked_name, help="Whose key it is.")
@click.option(
    "--collection",
    "collections",
    metavar="ID",
    multiple=True,
    callback=_checked_collections,
    help="Collection that the key is limited to; may be repeated.",
)
@click.option("--read-only", is_flag=True, help="Let the key change nothing.")
@options.data
@options.output
def create(
    name: str | None, collections: tuple[str, ...], read_only: bool, data: Path | None, form: Format
) -> None:
    """Create an access key; its secret is shown this once.

    \b
    Example:
      facesearch engine keys create --name reception --collection staff --read-only
    """
    from facesearch.bootstrap import open_keys
    from facesearch.settings import Settings

    with open_keys(Settings.resolve(), data) as keys:
        first = not keys.ever_created()
        key = keys.create(name, collections, read_only=read_only)
    show_one(form, NEW_KEYS, key)
    say("the secret is not shown again; keep it where AWS_SECRET_ACCESS_KEY is read from")
    if first:
        say("from now on every request to the server must be signed with a key")


@keys.command("list")
@options.data
@options.output
def list_(data: Path | None, form: Format) -> None:
    """List all access keys, revoked ones too, without secrets.

    \b
    Example:
      facesearch engine keys list -o json
    """
    from facesearch.bootstrap import open_keys
    from facesearch.settings import Settings

    with open_keys(Settings.resolve(), data) as keys:
        show_list(form, KEYS, keys.all())


@keys.command()
@click.argument("access_key_id", metavar="ID")
@options.yes
@options.data
@options.output
def revoke(access_key_id: str, yes: bool, data: Path | None, form: Format) -> int:
    """Revoke an access key; what it signs is refused from then on.

    \b
    Example:
      facesearch engine keys revoke AKIAIOSFODNN7EXAMPLE --yes
    """
    from facesearch.bootstrap import open_keys
    from facesearch.settings import Settings

    with open_keys(Settings.resolve(), data) as keys:
        key = keys.find(access_key_id)
        if key is None:
            raise UsageError(
                f"no access key {access_key_id} is in force; `facesearch engine keys list` shows those there are"
            )
        named = f" ({key.name})" if key.name else ""
        if not agreed(f"Access key {key.access_key_id}{named} will be revoked for good.", yes=yes):
            return failures.NO
        keys.revoke(key.access_key_id)
        show_one(form, KEYS, next(one for one in keys.all() if one.access_key_id == key.access_key_id))
        return failures.DONE


def _shape(key: AccessKey) -> dict[str, Any]:
    return {
        "access_key_id": key.access_key_id,
        "name": key.name,
        "collections": None if key.collections is None else list(key.collections),
        "read_only": key.read_only,
        "created_at": shapes.moment(key.created_at),
        "revoked_at": shapes.moment(key.revoked_at),
    }


def _rows(key: AccessKey) -> Iterator[Row]:
    allowed = "all" if key.collections is None else " ".join(key.collections)
    yield {**_shape(key), "collections": allowed}


def _new_shape(key: AccessKey) -> dict[str, Any]:
    return {**_shape(key), "secret_access_key": key.secret_access_key}


def _new_rows(key: AccessKey) -> Iterator[Row]:
    for row in _rows(key):
        yield {**row, "secret_access_key": key.secret_access_key}


_FIELDS = ("access_key_id", "name", "collections", "read_only", "created_at", "revoked_at")

KEYS: View[AccessKey] = View(
    key="access_keys",
    shape=_shape,
    rows=_rows,
    fields=_FIELDS,
    columns=(
        Column("access_key_id", "access key", Fit.WHOLE),
        Column("name", "name"),
        Column("collections", "collections"),
        Column("read_only", "read only"),
        Column("created_at", "created"),
        Column("revoked_at", "revoked"),
    ),
    empty="no access keys: on this machine's own address anybody may call the server",
)

NEW_KEYS: View[AccessKey] = View(
    key="access_keys",
    shape=_new_shape,
    rows=_new_rows,
    fields=("access_key_id", "secret_access_key", *_FIELDS[1:]),
    columns=(),
    empty="",
)
