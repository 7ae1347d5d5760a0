"""Reconciling: a collection, the records and the files held against each other, and made to agree.

The one thing that a service and a database of two owners can promise is that a disagreement is found, named and
repaired; neither can change both in one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from facesearch.domain.reconciliation import (
    Drift,
    Finding,
    Reconciliation,
    Repair,
    Repaired,
    Tally,
    Unknown,
)
from facesearch.workflows.reconciling.ports import Database, Gateway
from facesearch.workflows.reconciling.repairing import Repairer
from facesearch.workflows.reconciling.scanning import OnFaces, Scan

__all__ = ["EXAMPLES", "ROUNDS", "reconcile", "repair"]

EXAMPLES = 5  # findings of each kind that a report shows
ROUNDS = 3  # repairs, each followed by another look, before what is left is left

OnFinding = Callable[[Finding], None]


def reconcile(
    gateway: Gateway,
    database: Database,
    collection_id: str,
    *,
    unknown: Unknown = Unknown.LEAVE,
    files: bool = False,
    on_finding: OnFinding | None = None,
    on_faces: OnFaces | None = None,
) -> Reconciliation:
    """Find every disagreement about a collection, and say what a repair would do about it. Changes nothing.

    `on_finding` is told each of them; the answer has their numbers and a few examples. `on_faces` is told how many
    more faces of the collection were looked at.
    """
    scan = Scan(
        gateway,
        database,
        gateway.describe_collection(collection_id),
        unknown,
        files=files,
        on_faces=on_faces,
    )
    return _looked(scan, on_finding)


def repair(
    gateway: Gateway,
    database: Database,
    before: Reconciliation,
    *,
    unknown: Unknown = Unknown.LEAVE,
    files: bool = False,
    deleting: bool = False,
) -> Repaired:
    """Put right what `before` found, and look again, until nothing is left or nothing more can be done.

    Nothing is deleted from the collection unless `deleting`. Running it again after it was killed goes on where it
    stopped.
    """
    collection = gateway.describe_collection(before.collection.collection_id)
    with database.begin() as records:
        records.remember_collection(collection)
    done: Counter[tuple[Drift, Repair]] = Counter()
    refused: dict[str, str] = {}
    after = before
    for _ in range(ROUNDS):
        repairer = Repairer(gateway, database, collection, deleting=deleting)
        for batch in Scan(gateway, database, collection, unknown).findings():
            repairer.repair(batch)
        repairer.finish()
        done.update(repairer.done)
        refused.update(repairer.refused)
        collection = gateway.describe_collection(collection.collection_id)
        after = _looked(Scan(gateway, database, collection, unknown, files=files), None)
        if not after.repairable or not repairer.done:
            break
    return Repaired(before, after, dict(done), refused)


def _looked(scan: Scan, on_finding: OnFinding | None) -> Reconciliation:
    findings = _tallied(scan.findings(), on_finding)
    return Reconciliation(scan.collection, scan.faces_there, scan.faces_here, findings, scan.unlooked)


def _tallied(batches: Iterable[list[Finding]], on_finding: OnFinding | None) -> tuple[Tally, ...]:
    counts: Counter[tuple[Drift, Repair]] = Counter()
    examples: dict[tuple[Drift, Repair], list[Finding]] = {}
    for finding in (finding for batch in batches for finding in batch):
        kind = finding.drift, finding.repair
        counts[kind] += 1
        some = examples.setdefault(kind, [])
        if len(some) < EXAMPLES:
            some.append(finding)
        if on_finding:
            on_finding(finding)
    order = list(Drift)
    return tuple(
        Tally(drift, repair, counts[drift, repair], tuple(examples[drift, repair]))
        for drift, repair in sorted(counts, key=lambda kind: (order.index(kind[0]), kind[1]))
    )
