"""Whether an AWS account is ready to be worked with: one check after the other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"  # it may do, or could not be found out
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `found` says what is, `todo` what to do about it where something is to be done."""

    name: str
    verdict: Verdict
    found: str
    todo: str | None = None
    basic: bool = False  # without it the other checks could not be made


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials they are, and where botocore found them (`env`, `sso`, `iam-role` ...)."""

    account: str
    arn: str
    source: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What IAM's simulation says of one action on one resource."""

    action: str
    allowed: bool
    why: str  # `allowed`, `explicitDeny`, `implicitDeny`, and who said so
    missing: tuple[str, ...] = ()  # conditions that the simulation could not know
