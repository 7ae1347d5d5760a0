"""Whether an AWS account is ready: credentials, region, each right, quotas, a bucket. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from facesearch.domain.readiness import Check, Decision, Identity, Verdict
from facesearch.errors import (
    AccessDeniedError,
    ConfigurationError,
    FaceSearchError,
    ServiceError,
    UsageError,
)
from facesearch.workflows import quotas
from facesearch.workflows.bucket_names import check_there

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


class Cloud(Protocol):
    """What this asks of the account."""

    @property
    def region(self) -> str | None: ...
    @property
    def regions(self) -> tuple[str, ...]: ...
    @property
    def identity(self) -> Identity: ...
    def endpoint(self, service: str) -> str | None: ...
    def principal(self) -> str | None: ...
    def simulate(self, principal: str, actions: Sequence[str], resource: str) -> list[Decision]: ...
    def read(self, operation: str, collection_id: str | None) -> None: ...
    def quotas(self) -> Mapping[str, float]: ...


class Buckets(Protocol):
    """What this asks of S3."""

    def region_of(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Right:
    """An IAM action: what it is for, whether all of the program needs it, and on what it is asked."""

    action: str
    purpose: str
    always: bool = True
    on: str = "collection"  # or `model`, `bucket`, `objects`, `*` for what IAM grants on no resource

    @property
    def operation(self) -> str:
        return self.action.partition(":")[2]


RIGHTS = (
    Right("rekognition:CreateCollection", "collection create, enroll"),
    Right("rekognition:DescribeCollection", "every command with a collection"),
    Right("rekognition:ListCollections", "collection list", on="*"),
    Right("rekognition:DeleteCollection", "collection delete"),
    Right("rekognition:IndexFaces", "enroll"),
    Right("rekognition:ListFaces", "enroll, reconcile, person erase"),
    Right("rekognition:DeleteFaces", "enroll, face delete, person erase"),
    Right("rekognition:SearchFacesByImage", "search"),
    Right("rekognition:SearchFaces", "calibrate, enroll --on-conflict", always=False),
    Right("rekognition:DetectFaces", "detect, explain, search --faces", always=False, on="*"),
    Right("rekognition:CompareFaces", "compare, verify", always=False, on="*"),
    Right("rekognition:DetectLabels", "tag", always=False, on="*"),
    Right("rekognition:DetectCustomLabels", "tag, with the model of the settings", always=False, on="model"),
    Right("rekognition:SearchUsersByImage", "search --by user", always=False),
    Right("rekognition:CreateUser", "collections that have users", always=False),
    Right("rekognition:AssociateFaces", "collections that have users", always=False),
    Right("rekognition:ListUsers", "collections that have users", always=False),
    Right("rekognition:DeleteUser", "collections that have users", always=False),
    Right("rekognition:DisassociateFaces", "collections that have users", always=False),
    Right("s3:ListBucket", "photos in S3", on="bucket"),
    Right("s3:GetObject", "photos in S3", on="objects"),
    Right("s3:PutObject", "tag --to s3://", always=False, on="objects"),
)
READS = ("ListCollections", "DescribeCollection", "ListFaces", "ListUsers")  # free calls that change nothing
_LONGEST = 300  # characters of a reason
QUOTAS = ("IndexFaces", "SearchFacesByImage", "DetectLabels")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the account is to be ready for: a collection, a bucket, and the ARN of a Custom Labels model."""

    collection_id: str | None = None
    bucket: str | None = None
    model: str | None = None

    def rights(self) -> list[Right]:
        """Those that are needed for it."""
        without = {"bucket", "objects"} if self.bucket is None else set()
        return [
            right
            for right in RIGHTS
            if right.on not in without and (self.model is not None or right.on != "model")
        ]


def examine(cloud: Cloud, buckets: Buckets, asked: Asked) -> Iterator[Check]:
    """Every check in its order, each as soon as it is made. Without credentials or a region the others are not.

    Raises UsageError for what cannot be a bucket.
    """
    if asked.bucket is not None:
        check_there(asked.bucket)
    region = _region(cloud)
    yield region
    if region.verdict is FAIL:
        return
    credentials = _credentials(cloud)
    yield credentials
    if credentials.verdict is FAIL:
        return
    yield from _endpoints(cloud, asked.bucket)
    yield from _rights(cloud, asked)
    yield from _quotas(cloud)
    if asked.bucket is not None:
        yield _bucket(cloud, buckets, asked.bucket)


def _region(cloud: Cloud) -> Check:
    region = cloud.region
    if region is None:
        return Check(
            "region", FAIL, "no AWS region is set", "set AWS_REGION, or the profile's region", basic=True
        )
    if region not in cloud.regions:
        return Check(
            "region",
            WARN,
            f"{region}: this botocore does not know that Rekognition is there",
            f"use one of {', '.join(cloud.regions)}, or a newer boto3",
        )
    return Check("region", OK, region)


def _credentials(cloud: Cloud) -> Check:
    try:
        who = cloud.identity
    except (ConfigurationError, ServiceError) as exc:
        return Check("credentials", FAIL, _brief(exc), basic=True)
    found = f"account {who.account}, {who.arn}, found in {who.source}"
    if who.arn.endswith(":root"):
        return Check(
            "credentials", WARN, found, "the root user may do everything: use a role or a user of its own"
        )
    return Check("credentials", OK, found)


def _endpoints(cloud: Cloud, bucket: str | None) -> Iterator[Check]:
    for service in ("rekognition", "s3") if bucket else ("rekognition",):
        if url := cloud.endpoint(service):
            yield Check(
                f"endpoint {service}",
                WARN,
                f"{url} is asked in AWS's place",
                f"unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_{service.upper()} to ask AWS",
            )


# --- rights --------------------------------------------------------------------------------------------------


def _rights(cloud: Cloud, asked: Asked) -> Iterator[Check]:
    wanted = asked.rights()
    if cloud.identity.arn.endswith(":root"):
        yield from (_right(right, OK, "the root user may do everything") for right in wanted)
        return
    try:
        decisions = _simulated(cloud, wanted, asked)
    except (ConfigurationError, ServiceError) as exc:
        yield Check(
            "rights by simulation",
            WARN,
            f"IAM does not simulate them: {_brief(exc)}",
            "allow iam:SimulatePrincipalPolicy and iam:GetRole to have every right checked without a billed call"
            if isinstance(exc, AccessDeniedError)
            else None,
        )
        yield from (_tried(cloud, right, asked.collection_id) for right in wanted)
        return
    for right in wanted:
        yield _decided(right, decisions.get(right.action), asked.collection_id)


def _simulated(cloud: Cloud, wanted: Sequence[Right], asked: Asked) -> dict[str, Decision]:
    principal = cloud.principal()
    if principal is None:
        raise ConfigurationError(f"{cloud.identity.arn} is neither a user nor a role")
    partition = cloud.identity.arn.split(":")[1]
    resources = {
        "*": "*",
        "collection": f"arn:{partition}:rekognition:{cloud.region}:{cloud.identity.account}"
        f":collection/{asked.collection_id or '*'}",
        "model": asked.model or "",
        "bucket": f"arn:{partition}:s3:::{asked.bucket}",
        "objects": f"arn:{partition}:s3:::{asked.bucket}/*",
    }
    decisions = {}
    for on, resource in resources.items():
        actions = [right.action for right in wanted if right.on == on]
        for decision in cloud.simulate(principal, actions, resource) if actions else ():
            decisions[decision.action] = decision
    return decisions


def _decided(right: Right, decision: Decision | None, collection_id: str | None) -> Check:
    if decision is None:
        return _right(right, WARN, "IAM's simulation says nothing of it")
    if decision.allowed:
        return _right(right, OK, "allowed")
    if decision.missing:
        return _right(right, WARN, f"{decision.why}, unless {', '.join(decision.missing)} says otherwise")
    todo = f"allow {right.action} in the policies of these credentials"
    if right.on == "collection" and collection_id is None:
        todo += "; if they are for one collection alone, say which with -c"
    return _right(right, FAIL if right.always else WARN, decision.why, todo)


def _tried(cloud: Cloud, right: Right, collection_id: str | None) -> Check:
    if right.operation not in READS:
        return _right(
            right, WARN, "not checked: only a billed call, or one that changes something, would tell"
        )
    try:
        cloud.read(right.operation, collection_id)
    except AccessDeniedError as exc:
        todo = f"allow {right.action} in the policies of these credentials"
        return _right(right, FAIL if right.always else WARN, str(exc), todo)
    except (ConfigurationError, ServiceError) as exc:
        return _right(right, WARN, f"not found out: {_brief(exc)}")
    return _right(right, OK, "a call was answered")


def _right(right: Right, verdict: Verdict, found: str, todo: str | None = None) -> Check:
    return Check(f"right {right.action}", verdict, f"{found} (for: {right.purpose})", todo)


# --- quotas, and a bucket ------------------------------------------------------------------------------------


def _quotas(cloud: Cloud) -> Iterator[Check]:
    assumed = quotas.index_faces(cloud.region or "")
    try:
        known = cloud.quotas()
    except (ConfigurationError, ServiceError) as exc:
        yield Check(
            "quotas",
            WARN,
            f"not found out: {_brief(exc)}; enroll begins with {assumed:g} IndexFaces calls a second",
            "allow servicequotas:ListServiceQuotas, or look at the Service Quotas page of the AWS console",
        )
        return
    for operation in QUOTAS:
        yield _quota(operation, known.get(operation), assumed if operation == "IndexFaces" else None)


def _quota(operation: str, granted: float | None, assumed: float | None) -> Check:
    name = f"quota {operation}"
    if granted is None:
        return Check(
            name, WARN, "Service Quotas lists none", "look at the Service Quotas page of the AWS console"
        )
    found = f"{granted:g} calls a second"
    if assumed is None or granted == assumed:
        return Check(name, OK, found)
    found += f", enroll begins with {assumed:g}"
    todo = f"set FACESEARCH_RATE={granted:g}"
    return Check(name, WARN if granted < assumed else OK, found, todo)


def _bucket(cloud: Cloud, buckets: Buckets, name: str) -> Check:
    try:
        region = buckets.region_of(name)
    except (UsageError, ConfigurationError, ServiceError) as exc:
        return Check(f"bucket {name}", FAIL, _brief(exc))
    if region != cloud.region:
        return Check(
            f"bucket {name}",
            FAIL,
            f"it is in {region}, and Rekognition, asked in {cloud.region}, reads no photos from elsewhere",
            f"set AWS_REGION={region}, or use a bucket in {cloud.region}",
        )
    return Check(f"bucket {name}", OK, f"in {region}, as Rekognition is")


def _brief(exc: FaceSearchError) -> str:
    """What went wrong, without the whole page that a proxy may have answered."""
    text = " ".join(str(exc).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
