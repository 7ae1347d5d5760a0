"""AWS JSON 1.1 without I/O: a request's headers and body in, an answer's status, headers and body out.

Everything it knows of Rekognition comes from botocore's own service model: which operations there are, what their
parameters must look like, what their results look like and which errors they may answer.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import botocore.loaders
from botocore.model import OperationModel, ServiceModel

from facesearch.engine import errors, validation
from facesearch.engine.errors import FRAMEWORK_CODES, RekognitionError

log = logging.getLogger(__name__)

Operation = Callable[[dict[str, Any]], dict[str, Any]]

# Told the name and the checked parameters of what is about to be done; raises RekognitionError to forbid it.
Authorise = Callable[[str, Mapping[str, Any]], None]

CONTENT_TYPE = "application/x-amz-json-1.1"

# CompareFaces carries two images of 5 MiB, a third more in base64. Twice that leaves room to answer an image that
# is over its limit with the error that says so.
MAX_BODY = 32 * 1024 * 1024

_ACCEPTED_TYPES = frozenset({"", CONTENT_TYPE, "application/x-amz-json-1.0", "application/json"})


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, ready for any transport. `error` is the code in it, None for a result."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str | None = None


class _Loader(botocore.loaders.Loader):
    """botocore's data on Rekognition, for a client that is told where to send; none is read of other services."""

    def list_available_services(self, type_name: str) -> list[str]:
        return ["rekognition"]

    def load_data_with_path(self, name: str) -> tuple[dict[str, Any], str]:
        # Those of every service in every region: to read them is half of what making a client takes.
        if name == "endpoints":
            return {"version": 3, "partitions": []}, ""
        return super().load_data_with_path(name)


@cache
def loader() -> botocore.loaders.Loader:
    """What reads botocore's data on Rekognition, once for all who ask."""
    return _Loader()


@cache
def service_model() -> ServiceModel:
    """Rekognition as botocore describes it."""
    return ServiceModel(loader().load_service_model("rekognition", "service-2"), "rekognition")


def shows_photo(headers: Mapping[str, str]) -> bool:
    """Whether a request of these headers brings an image to look at."""
    try:
        shape = _operation_model(headers).input_shape
    except RekognitionError:
        return False
    return shape is not None and any(member.name == "Image" for member in shape.members.values())


def handle(
    headers: Mapping[str, str],
    body: bytes,
    operations: Mapping[str, Operation],
    authorise: Authorise | None = None,
) -> Response:
    """Answer one request. A fault of ours is one InternalServerError, and its traceback is logged."""
    request_id = str(uuid.uuid4())
    try:
        return _response(200, request_id, _answer(headers, body, operations, authorise))
    except RekognitionError as error:
        return refusal(error, request_id)
    except Exception:
        log.exception("Request %s failed by a fault of the engine", request_id)
        return refusal(errors.internal(), request_id)


def refusal(error: RekognitionError, request_id: str | None = None) -> Response:
    """The answer that an error makes."""
    request_id = request_id or str(uuid.uuid4())
    return _response(error.status, request_id, _error_members(error, request_id), error.code)


def _answer(
    headers: Mapping[str, str],
    body: bytes,
    operations: Mapping[str, Operation],
    authorise: Authorise | None,
) -> Any:
    if len(body) > MAX_BODY:
        raise RekognitionError("RequestEntityTooLargeException", f"Request is larger than {MAX_BODY} bytes")
    model = _operation_model(headers)
    operation = operations.get(model.name)
    if operation is None:
        raise RekognitionError(
            "AccessDeniedException",
            f"rekognition:{model.name} is not part of this engine; the operation needs Amazon Rekognition itself.",
        )
    assert (
        model.input_shape is not None and model.output_shape is not None
    )  # every Rekognition operation has both
    parameters = validation.read(model.input_shape, _decode(body))
    if authorise is not None:
        authorise(model.name, parameters)
    try:
        result = operation(parameters)
    except RekognitionError as error:
        modelled = {shape.name for shape in model.error_shapes}
        if error.code not in modelled:
            raise ValueError(f"{model.name} may not answer {error.code}") from error
        raise
    return validation.write(model.output_shape, result)


def _operation_model(headers: Mapping[str, str]) -> OperationModel:
    lower = {name.lower(): value for name, value in headers.items()}
    content_type = lower.get("content-type", "").partition(";")[0].strip().lower()
    service, _, name = lower.get("x-amz-target", "").strip().partition(".")
    model = service_model()
    known = service == model.metadata["targetPrefix"] and name in model.operation_names
    if not known or content_type not in _ACCEPTED_TYPES:
        raise RekognitionError(
            "UnknownOperationException",
            f"There is no operation for X-Amz-Target {lower.get('x-amz-target', '')[:100]!r} "
            f"with Content-Type {content_type[:100]!r}",
        )
    return model.operation_model(name)


def _decode(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise errors.serialization("The request body is not valid JSON") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _error_members(error: RekognitionError, request_id: str) -> dict[str, str]:
    if error.code in FRAMEWORK_CODES:
        return {"__type": error.code, "message": error.message}
    return {"__type": error.code, "Code": error.code, "Logref": request_id, "Message": error.message}


def _response(status: int, request_id: str, members: Any, error: str | None = None) -> Response:
    body = json.dumps(members, allow_nan=False, separators=(",", ":")).encode("ascii")
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": request_id,
    }
    return Response(status, headers, body, error)
