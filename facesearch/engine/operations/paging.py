"""NextToken: where a listing goes on, signed, for one operation on one collection of one store."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import TYPE_CHECKING

from facesearch.engine import errors

if TYPE_CHECKING:
    from facesearch.engine.storage import Store

# Undocumented for Rekognition; 1000 is what is commonly seen. A MaxResults of 0 is legal and asks for the same.
DEFAULT_PAGE = 1000

_POSITION = struct.Struct(">Q")
_SIGNATURE_BYTES = 16


def token(store: Store, scope: str, position: int) -> str:
    """The NextToken that goes on after `position`. `scope` says which listing it is good for."""
    packed = _POSITION.pack(position)
    return base64.urlsafe_b64encode(packed + _signature(store, scope, packed)).decode("ascii")


def position(store: Store, scope: str, given: str | None) -> int:
    """Where to go on: 0 without a token. Raises InvalidPaginationTokenException for one of another scope."""
    if given is None:
        return 0
    try:
        raw = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise errors.invalid_pagination_token() from exc
    packed, signature = raw[: _POSITION.size], raw[_POSITION.size :]
    if not hmac.compare_digest(signature, _signature(store, scope, packed)):
        raise errors.invalid_pagination_token()
    found: int = _POSITION.unpack(packed)[0]
    return found


def _signature(store: Store, scope: str, packed: bytes) -> bytes:
    signed = hmac.new(store.token_key, packed + scope.encode("utf-8"), hashlib.sha256)
    return signed.digest()[:_SIGNATURE_BYTES]
