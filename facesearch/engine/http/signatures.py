"""AWS Signature Version 4: what a request claims about its sender, and whether the claim is true.

The canonical form is the one that botocore signs. Both checks raise RekognitionError with AWS's codes and texts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from facesearch.engine.errors import RekognitionError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "rekognition"
TERMINATOR = "aws4_request"

# How far a client's clock may be off, either way. AWS says five minutes for one that runs ahead.
MAX_SKEW = timedelta(minutes=15)

_MOMENT = "%Y%m%dT%H%M%SZ"
_MOMENT_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_PARTS = ("Credential", "Signature", "SignedHeaders")


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed of a request: all headers (lower-case names, values joined by commas), query and body."""

    headers: Mapping[str, str]
    query: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a request says that it is from, and how that can be checked."""

    access_key_id: str
    moment: str  # 20261121T073923Z
    scope: tuple[str, ...]  # date, region, service, terminator
    signed_headers: tuple[str, ...]
    signature: str


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers under lower-case names; the values of one that comes more than once are joined by commas."""
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        found[lower] = f"{found[lower]},{value}" if lower in found else value
    return found


def claim(headers: Mapping[str, str], now: datetime) -> Claim:
    """The claim in a request's headers (lower-case names), if it can be true at this moment.

    Raises MissingAuthenticationTokenException, IncompleteSignatureException and InvalidSignatureException.
    """
    authorization = headers.get("authorization", "")
    if not authorization.strip():
        raise RekognitionError(
            "MissingAuthenticationTokenException", "Request is missing Authentication Token"
        )
    parts = _parts(authorization)
    missing = [f"Authorization header requires '{name}' parameter." for name in _PARTS if not parts.get(name)]
    moment = headers.get("x-amz-date", "")
    if not moment:
        missing.append("Authorization header requires existence of a 'X-Amz-Date' header.")
    if missing:
        raise RekognitionError("IncompleteSignatureException", " ".join(missing))
    access_key_id, _, scope = parts["Credential"].partition("/")
    claimed = Claim(
        access_key_id,
        moment,
        tuple(scope.split("/")),
        tuple(parts["SignedHeaders"].lower().split(";")),
        parts["Signature"],
    )
    _check_scope(claimed)
    _check_headers(claimed, headers)
    _check_moment(claimed.moment, now)
    return claimed


def verify(claimed: Claim, secret: str, request: Signed) -> None:
    """Raises InvalidSignatureException unless the request was signed with this secret, as it is."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    given = request.headers.get("x-amz-content-sha256", body_hash)
    expected = _signature(claimed, secret, _canonical(claimed, request, body_hash))
    if not (_same(given, body_hash) and _same(claimed.signature, expected)):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
        )


def _parts(authorization: str) -> dict[str, str]:
    algorithm, _, rest = authorization.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise RekognitionError(
            "IncompleteSignatureException", f"Authorization header requires the algorithm {ALGORITHM}."
        )
    pairs = (part.strip().partition("=") for part in rest.split(","))
    return {name: value for name, _, value in pairs}


def _check_scope(claimed: Claim) -> None:
    if len(claimed.scope) != 4 or not all(claimed.scope):
        raise RekognitionError(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        )
    date, _, service, terminator = claimed.scope
    if service != SERVICE:
        raise _invalid(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if terminator != TERMINATOR:
        raise _invalid(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    if date != claimed.moment[:8]:
        raise _invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
        )


def _check_headers(claimed: Claim, headers: Mapping[str, str]) -> None:
    """What decides about a request must be signed: its host and all that is Amazon's."""
    needed = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    unsigned = sorted(needed - set(claimed.signed_headers))
    absent = sorted(set(claimed.signed_headers) - headers.keys())
    if unsigned or absent:
        names = ", ".join(f"'{name}'" for name in (unsigned or absent))
        must = "must be a 'SignedHeader' in the AWS Authorization" if unsigned else "is signed and not there"
        raise _invalid(f"{names[:200]} {must}.")


def _check_moment(moment: str, now: datetime) -> None:
    try:
        if not _MOMENT_FORM.fullmatch(moment):
            raise ValueError(moment)
        signed_at = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError as exc:
        raise RekognitionError(
            "IncompleteSignatureException", "Date must be in ISO-8601 'basic format': YYYYMMDD'T'HHMMSS'Z'."
        ) from exc
    earliest, latest, current = (bound.strftime(_MOMENT) for bound in (now - MAX_SKEW, now + MAX_SKEW, now))
    minutes = MAX_SKEW.seconds // 60
    if signed_at < now - MAX_SKEW:
        raise _invalid(
            f"Signature expired: {moment} is now earlier than {earliest} ({current} - {minutes} min.)"
        )
    if signed_at > now + MAX_SKEW:
        raise _invalid(
            f"Signature not yet current: {moment} is still later than {latest} ({current} + {minutes} min.)"
        )


def _canonical(claimed: Claim, request: Signed, body_hash: str) -> str:
    values = (f"{name}:{' '.join(request.headers[name].split())}" for name in claimed.signed_headers)
    return "\n".join(
        (
            "POST",
            "/",
            _canonical_query(request.query),
            *values,
            "",
            ";".join(claimed.signed_headers),
            body_hash,
        )
    )


def _canonical_query(query: str) -> str:
    """The pairs as they were sent, sorted; a name without a value has an empty one."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


def _signature(claimed: Claim, secret: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
    to_sign = "\n".join((ALGORITHM, claimed.moment, "/".join(claimed.scope), digest))
    key = f"AWS4{secret}".encode()
    for part in (*claimed.scope, to_sign):
        key = hmac.new(key, part.encode("utf-8"), hashlib.sha256).digest()
    return key.hex()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8"), other.encode("utf-8"))


def _invalid(message: str) -> RekognitionError:
    return RekognitionError("InvalidSignatureException", message)
