"""`facesearch aws`: whether an AWS account is ready, and the template of the serverless pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import click

from facesearch.cli import failures, options
from facesearch.cli.output import Column, Fit, Format, Row, View, show_list
from facesearch.cli.talk import counted, say
from facesearch.domain.readiness import Check, Verdict


@click.group()
def aws() -> None:
    """Look whether an AWS account is ready, and deploy to it.

    \b
    Example:
      facesearch aws doctor -c staff
    """


@aws.command()
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="Ask for the rights on this collection.")  # fmt: skip
@click.option("--bucket", metavar="NAME", help="Look at this bucket too: its region, and the rights on it.")
@options.output
def doctor(collection_id: str | None, bucket: str | None, form: Format) -> int:
    """Check an account before anything costs.

    Credentials, region, each right, quotas and a bucket are looked at.

    Rights are asked of IAM's simulation, which does nothing and is free. Where it is not allowed, the free calls
    of Rekognition that only read are made, and the other rights stay unchecked. Only --bucket is billed: one or
    two requests to S3, of which 1,000 cost less than a cent.

    The exit code is 1 when a check failed, and 4 when there are no credentials or no region to check with.

    \b
    Example:
      facesearch aws doctor
      facesearch aws doctor -c staff --bucket my-company-photos -o json
    """
    from facesearch.bootstrap import open_account
    from facesearch.settings import Settings

    failed: list[Check] = []

    def seen(checks: Iterator[Check]) -> Iterator[Check]:
        for check in checks:
            if check.verdict is Verdict.FAIL:
                failed.append(check)
            yield check

    settings = Settings.resolve()
    with open_account(settings) as account:
        model = settings.custom_labels_project_version_arn
        show_list(form, CHECKS, seen(account.examine(collection_id, bucket, model)))
    if not failed:
        return failures.DONE
    say(f"{counted(len(failed), 'check')} failed")
    return failures.CONFIGURATION if any(check.basic for check in failed) else failures.NO


@aws.command()
def template() -> None:
    """Print the CloudFormation template of the serverless pipeline.

    It makes a bucket, queues, and functions that work on what is put into the bucket, with the rights for exactly
    the calls they make, alarms and logs. What it takes is said in its Parameters.

    \b
    Example:
      facesearch aws template > template.yaml
    """
    click.echo(files("facesearch").joinpath("deploy/template.yaml").read_text(encoding="utf-8"), nl=False)


def _shape(check: Check) -> dict[str, Any]:
    return {"check": check.name, "verdict": check.verdict.value, "found": check.found, "todo": check.todo}


def _rows(check: Check) -> Iterator[Row]:
    yield _shape(check)


CHECKS: View[Check] = View(
    key="checks",
    shape=_shape,
    rows=_rows,
    fields=("check", "verdict", "found", "todo"),
    columns=(
        Column("verdict", "", Fit.WHOLE),
        Column("check", "check"),
        Column("found", "found"),
        Column("todo", "what to do"),
    ),
    empty="",
)
