"""Who may call the server, and what: requests are matched with access keys, and keys with operations.

A key that is limited to collections may do with them what it could do anyway, may look at images that go into no
collection, and nothing else: ListCollections, which tells of all collections, is refused as IAM would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from facesearch.engine.errors import RekognitionError
from facesearch.engine.http import signatures
from facesearch.engine.http.keys import AccessKey, Keys
from facesearch.engine.http.signatures import Claim, Signed

# What a read-only key may do. An operation that is not named here changes something, or may do so one day.
READING = frozenset(
    {
        "CompareFaces",
        "DescribeCollection",
        "DetectFaces",
        "DetectLabels",
        "ListCollections",
        "ListFaces",
        "ListTagsForResource",
        "ListUsers",
        "SearchFaces",
        "SearchFacesByImage",
        "SearchUsers",
        "SearchUsersByImage",
    }
)
_OF_NO_COLLECTION = frozenset({"CompareFaces", "DetectFaces", "DetectLabels"})

_SESSION_TOKEN = "x-amz-security-token"  # noqa: S105 - a header's name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, as far as its headers say."""

    key: AccessKey
    claimed: Claim
    arn: Callable[[str], str]  # of a collection

    def check(self, request: Signed) -> None:
        """Raises InvalidSignatureException unless the key's owner sent this very request."""
        signatures.verify(self.claimed, self.key.secret_access_key, request)

    def authorise(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Raises AccessDeniedException for what the key does not allow."""
        collection_id = self._collection_id(parameters)
        if self.key.collections is None:
            allowed = True
        elif collection_id is None:
            allowed = operation in _OF_NO_COLLECTION
        else:
            allowed = collection_id in self.key.collections
        if not allowed or (self.key.read_only and operation not in READING):
            raise self._denied(operation, collection_id)

    def _collection_id(self, parameters: Mapping[str, Any]) -> str | None:
        """The collection that an operation is about; also where its ARN says so."""
        if "CollectionId" in parameters:
            return str(parameters["CollectionId"])
        prefix, given = self.arn(""), str(parameters.get("ResourceArn", ""))
        return given.removeprefix(prefix) if given.startswith(prefix) else None

    def _denied(self, operation: str, collection_id: str | None) -> RekognitionError:
        account = self.arn("").split(":")[4]
        user = f"arn:aws:iam::{account}:user/{self.key.name or self.key.access_key_id}"
        resource = "*" if collection_id is None else self.arn(collection_id)
        return RekognitionError(
            "AccessDeniedException",
            f"User: {user} is not authorized to perform: rekognition:{operation} on resource: {resource}",
        )


class Gate:
    """Matches requests with keys; one that is `open_at_first` lets everybody through until a key is created."""

    def __init__(self, keys: Keys | None, arn: Callable[[str], str], *, open_at_first: bool) -> None:
        self._keys = keys
        self._arn = arn
        self._open = open_at_first

    def is_open(self) -> bool:
        """Whether anybody may call. Once shut it stays so, whatever becomes of the file of keys."""
        if self._open and self._keys is not None and self._keys.ever_created():
            self._open = False
        return self._open

    def caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Who a request is from, by its headers (lower-case names) alone; None where anybody may call.

        Raises UnrecognizedClientException, and what signatures.claim raises.
        """
        if self.is_open():
            return None
        claimed = signatures.claim(headers, datetime.now(UTC))
        key = self._keys.find(claimed.access_key_id) if self._keys else None
        if key is None or _SESSION_TOKEN in headers:  # our keys are for good: none has a session token
            raise RekognitionError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        return Caller(key, claimed, self._arn)
