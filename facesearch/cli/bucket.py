"""`facesearch bucket`: the buckets in S3 that photos come from and results go to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, show_document, show_list, show_one, write
from facesearch.cli.talk import agreed, counted, say
from facesearch.domain.buckets import Bucket, BucketState, Emptied, KeptVersion, Versions

if TYPE_CHECKING:
    from facesearch.app.account import Account

_TOLD = 10_000  # deleted versions from one word on how far it is to the next

_named = click.argument("name", metavar="NAME")


@click.group()
def bucket() -> None:
    """Create, list, show, empty and delete buckets in S3.

    Credentials and region are those of every AWS tool (AWS_PROFILE, AWS_REGION); AWS_ENDPOINT_URL_S3 names another
    service that speaks S3's API.

    \b
    Example:
      facesearch bucket list
    """


@contextmanager
def opened_account() -> Iterator[Account]:
    """The account, closed at the end of the block. Says on stderr where S3 is asked."""
    from facesearch.bootstrap import open_account
    from facesearch.settings import Settings

    with open_account(Settings.resolve()) as account:
        say(f"S3: {account.s3_endpoint} · region: {account.region}")
        yield account


@bucket.command()
@_named
@options.output
def create(name: str, form: Format) -> int:
    """Create a bucket that is closed to the public and encrypted.

    It is made in the region that is set. The name is checked by S3's rules first: 3 to 63 of the characters
    a-z 0-9 . - that no other account of AWS has taken.

    \b
    Example:
      facesearch bucket create my-company-photos
    """
    with opened_account() as account:
        state, problems = account.create_bucket(name)
        show_one(form, STATES, state, "bucket")
    _say_unknown(state)
    for problem in problems:
        say(f"the bucket was made, but {problem}")
    return failures.PARTLY if problems else failures.DONE


@bucket.command("list")
@options.output
def list_(form: Format) -> None:
    """List the buckets of the account.

    \b
    Example:
      facesearch bucket list -o csv
    """
    with opened_account() as account:
        show_list(form, BUCKETS, account.buckets())


@bucket.command()
@_named
@options.output
def show(name: str, form: Format) -> None:
    """Show how a bucket is set and what it holds.

    Told are its region, public access, encryption and versioning.

    What the credentials may not see stays open, and stderr says why.

    \b
    Example:
      facesearch bucket show my-company-photos
    """
    with opened_account() as account:
        state = account.bucket(name)
        show_one(form, STATES, state, "bucket")
    _say_unknown(state)


@bucket.command()
@_named
@options.yes
@options.output
def empty(name: str, yes: bool, form: Format) -> int:
    """Delete everything a bucket holds.

    Old versions and delete markers go too.

    What S3 does not delete is listed with its reason, and the exit code is 3.

    \b
    Example:
      facesearch bucket empty my-company-photos
      facesearch bucket empty my-company-photos --yes
    """
    with opened_account() as account:
        held = _held(account.count_versions(name))
        consequence = f"Bucket {name}: {held} will be deleted, which cannot be undone."
        if not agreed(consequence, yes=yes):
            return failures.NO
        return _show_emptied(form, account.empty_bucket(name, _tell()))


@bucket.command()
@_named
@options.yes
@options.output
def delete(name: str, yes: bool, form: Format) -> int:
    """Empty a bucket and delete it.

    Old versions and delete markers go too.

    It stays when S3 does not delete all it holds; that is listed with its reason, and the exit code is 3.

    \b
    Example:
      facesearch bucket delete my-company-photos
      facesearch bucket delete my-company-photos --yes
    """
    with opened_account() as account:
        held = account.count_versions(name)
        emptied = f"emptied of {_held(held)}, which cannot be undone, and " if held.count else ""
        if not agreed(f"Bucket {name} will be {emptied}deleted.", yes=yes):
            return failures.NO
        return _show_emptied(form, account.delete_bucket(name, _tell()))


def _say_unknown(state: BucketState) -> None:
    for reason in dict.fromkeys(state.unknown.values()):
        say(reason)


def _held(versions: Versions) -> str:
    number = counted(versions.count, "version or delete marker", "versions and delete markers")
    return f"more than {number}" if versions.more else number


def _tell() -> Any:
    told = 0

    def on_batch(deleted: int) -> None:
        nonlocal told
        if deleted - told >= _TOLD:
            told = deleted
            say(f"{deleted:,} deleted so far")

    return on_batch


def _show_emptied(form: Format, emptied: Emptied) -> int:
    if form is Format.JSON:
        show_document(
            {
                "bucket": emptied.name,
                "versions_deleted": emptied.deleted,
                "bucket_deleted": emptied.bucket_deleted,
                "kept": [_kept_shape(one) for one in emptied.kept],
            }
        )
    else:
        show_list(form, KEPT, emptied.kept)
        if form is Format.TABLE:
            gone = counted(emptied.deleted, "version or delete marker", "versions and delete markers")
            write(
                f"{gone} deleted from bucket {emptied.name}{', and the bucket' if emptied.bucket_deleted else ''}"
            )
    if not emptied.kept:
        return failures.DONE
    say(
        f"S3 did not delete {counted(len(emptied.kept), 'version')}; put the reasons right and run the same again"
    )
    return failures.PARTLY


# --- how buckets are shown -----------------------------------------------------------------------------------


def _bucket_shape(one: Bucket) -> dict[str, Any]:
    return {"name": one.name, "region": one.region, "created_at": shapes.moment(one.created_at)}


def _bucket_rows(one: Bucket) -> Iterator[Row]:
    yield _bucket_shape(one)


def _state_shape(state: BucketState) -> dict[str, Any]:
    return {
        "name": state.name,
        "region": state.region,
        "public_access_blocked": None if state.unblocked is None else not state.unblocked,
        "not_blocked": None if state.unblocked is None else list(state.unblocked),
        "encryption": state.encryption,
        "versioning": state.versioning,
        "versions": state.versions.count if state.versions else None,
        "more_versions": state.versions.more if state.versions else None,
        "unknown": dict(state.unknown),
    }


def _state_rows(state: BucketState) -> Iterator[Row]:
    blocked = None
    if state.unblocked is not None:
        blocked = f"not blocked: {', '.join(state.unblocked)}" if state.unblocked else "blocked"
    holds = None
    if state.versions:
        holds = _held(state.versions) if state.versions.count else "nothing"
    yield {
        "name": state.name,
        "region": state.region,
        "public_access": blocked,
        "encryption": state.encryption,
        "versioning": state.versioning,
        "holds": holds,
    }


def _kept_shape(one: KeptVersion) -> dict[str, Any]:
    return {
        "key": one.version.key,
        "version_id": one.version.version_id,
        "code": one.code,
        "reason": one.reason,
    }


def _kept_rows(one: KeptVersion) -> Iterator[Row]:
    yield _kept_shape(one)


BUCKETS: View[Bucket] = View(
    key="buckets",
    shape=_bucket_shape,
    rows=_bucket_rows,
    fields=("name", "region", "created_at"),
    columns=(
        Column("name", "bucket", Fit.WHOLE),
        Column("region", "region"),
        Column("created_at", "created"),
    ),
    empty="no buckets",
)
STATES: View[BucketState] = View(
    key="buckets",
    shape=_state_shape,
    rows=_state_rows,
    fields=("name", "region", "public_access", "encryption", "versioning", "holds"),
    columns=(),
    empty="",
)
KEPT: View[KeptVersion] = View(
    key="kept",
    shape=_kept_shape,
    rows=_kept_rows,
    fields=("key", "version_id", "code", "reason"),
    columns=(
        Column("key", "not deleted"),
        Column("version_id", "version"),
        Column("reason", "reason"),
    ),
    empty="",
)
