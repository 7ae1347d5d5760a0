"""What an AWS account says of itself: whose credentials, which rights, which quotas. Nothing here is billed,
but for the requests about a bucket, of which 1,000 cost less than a cent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore import exceptions as aws

from facesearch.aws.actions import needed
from facesearch.domain.readiness import Decision, Identity
from facesearch.errors import AccessDeniedError, CollectionNotFoundError, FaceSearchError, ServiceError
from facesearch.service_errors import explained, translated

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_ROLE = re.compile(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*")
_NO_COLLECTION = "facesearch-doctor"


class Cloud:
    """An AWS account, by botocore's credentials and region. Every method raises FaceSearchError."""

    def __init__(
        self,
        region: str | None,
        regions: Sequence[str],
        source: Callable[[], str | None],
        open_client: Callable[[str], Any],
    ) -> None:
        """`regions` are those where botocore knows Rekognition, `source` tells where it finds credentials."""
        self.region = region
        self.regions = tuple(regions)
        self._source = source
        self._open_client = open_client
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def endpoint(self, service: str) -> str | None:
        """The URL that is asked in AWS's place; None where AWS is."""
        url = str(self.client(service).meta.endpoint_url)
        host = url.split("://", 1)[-1].split("/")[0].split(":")[0]
        return None if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else url

    @cached_property
    def identity(self) -> Identity:
        """Whose credentials they are; STS tells everybody that. Raises CredentialsError."""
        with self._asking("sts", "GetCallerIdentity"):
            source = self._source()
            answer = self.client("sts").get_caller_identity()
            return Identity(answer["Account"], answer["Arn"], source or "nowhere")

    def principal(self) -> str | None:
        """The ARN of the user or role whose policies count; None for the root user and federated users."""
        arn = self.identity.arn
        if found := _ROLE.fullmatch(arn):
            partition, account, role = found.groups()
            try:  # a role may have a path, which only IAM tells
                with self._asking("iam", "GetRole"):
                    return str(self.client("iam").get_role(RoleName=role)["Role"]["Arn"])
            except AccessDeniedError:
                return f"arn:{partition}:iam::{account}:role/{role}"
        return arn if ":user/" in arn else None

    def simulate(self, principal: str, actions: Sequence[str], resource: str) -> list[Decision]:
        """What the policies of a user or role allow on a resource, without doing it."""
        with self._asking("iam", "SimulatePrincipalPolicy"):
            pages = self.client("iam").get_paginator("simulate_principal_policy")
            answers = pages.paginate(
                PolicySourceArn=principal, ActionNames=list(actions), ResourceArns=[resource]
            )
            return [_decision(one) for page in answers for one in page["EvaluationResults"]]

    def read(self, operation: str, collection_id: str | None) -> None:
        """Make one of Rekognition's free calls that only read. A collection that is not there is no fault here.

        Raises AccessDeniedError where the right is missing.
        """
        asked: dict[str, Any] = (
            {} if operation == "ListCollections" else {"CollectionId": collection_id or _NO_COLLECTION}
        )
        if operation != "DescribeCollection":  # the others list
            asked["MaxResults"] = 1
        client = self.client("rekognition")
        try:
            with explained(operation, collection_id):
                getattr(client, _METHODS[operation])(**asked)
        except CollectionNotFoundError:
            return

    def quotas(self) -> Mapping[str, float]:
        """Calls a second that the account may make in its region, by Rekognition's operation."""
        with self._asking("service-quotas", "ListServiceQuotas"):
            pages = self.client("service-quotas").get_paginator("list_service_quotas")
            listed = [one for page in pages.paginate(ServiceCode="rekognition") for one in page["Quotas"]]
        return dict(_by_operation(listed))

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made when it is first needed."""
        if service not in self._clients:
            try:
                self._clients[service] = self._open_client(service)
            except aws.BotoCoreError as exc:
                raise translated(exc) from exc
        return self._clients[service]

    @contextmanager
    def _asking(self, service: str, operation: str) -> Iterator[None]:
        try:
            with explained(operation):
                yield
        except FaceSearchError as exc:
            cause = exc.__cause__
            if isinstance(cause, aws.ClientError) and cause.response.get("Error", {}).get("Code") in _DENIED:
                right = " and ".join(needed(service, operation))
                raise AccessDeniedError(f"the policies do not allow {right}") from cause
            if not isinstance(cause, aws.ClientError | aws.BotoCoreError):
                raise ServiceError(
                    f"what answered {operation} is not AWS ({type(cause).__name__})"
                ) from cause
            raise


_METHODS = {
    "ListCollections": "list_collections",
    "DescribeCollection": "describe_collection",
    "ListFaces": "list_faces",
    "ListUsers": "list_users",
}


def _decision(one: Mapping[str, Any]) -> Decision:
    why = str(one["EvalDecision"])
    if one.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        why += ", by a policy of the organisation"
    if one.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        why += ", by a permissions boundary"
    allowed = one["EvalDecision"] == "allowed"
    return Decision(one["EvalActionName"], allowed, why, tuple(one.get("MissingContextValues", ())))


def _by_operation(quotas: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Service Quotas says which call a quota is of by the metric that counts it, or only in its name."""
    for quota in quotas:
        name, value = str(quota.get("QuotaName", "")), quota.get("Value")
        if value is None or not re.match("transactions per second", name, re.IGNORECASE):
            continue
        counted = quota.get("UsageMetric", {}).get("MetricDimensions", {}).get("Resource")
        for operation in [counted] if counted else re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", name):
            yield operation, float(value)
