"""Which names a server answers to.

A page in a browser may point its own name at this machine (DNS rebinding) and then call the server as its own; its
name is in the Host header all the same. An address cannot be pointed elsewhere, so addresses need no list.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def is_loopback(address: str) -> bool:
    """Whether nobody but this machine can reach a server that is bound to this address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


class Hosts:
    """The names of a server bound to `address`: localhost, the given ones, and addresses.

    A server that only this machine can reach has no other address than loopback ones.
    """

    def __init__(self, address: str, names: Iterable[str] = ()) -> None:
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names)}
        self._loopback = is_loopback(address)

    def __contains__(self, header: str) -> bool:
        """Whether a request with this Host header is meant for the server."""
        found = _HOST.fullmatch(header.strip().lower())
        if found is None:
            return False
        host = found[1] or found[2]
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return host.rstrip(".") in self._names
        return address.is_loopback or not self._loopback
