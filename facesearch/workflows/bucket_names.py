"""S3's rules for the names of buckets, told one by one.

Source: "General purpose bucket naming rules" in the S3 user guide.
"""

from __future__ import annotations

import re

from facesearch.errors import UsageError

_ADDRESS = re.compile(r"\d+(\.\d+){3}")
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")

# Of a bucket that is there: those of before 2018 may have capitals and underscores and be longer.
_THERE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_NO_BUCKETS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_new(name: str) -> None:
    """Raise UsageError, saying which rule is broken, for a name that no new bucket can have."""
    broken = _broken(name)
    if broken:
        raise UsageError(f"{name!r} cannot be the name of a bucket: {broken}")


def check_there(name: str) -> None:
    """Raise UsageError for what cannot be an ordinary bucket: an ARN, an address, an alias of an access point."""
    if not _THERE.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a bucket: write the name alone, as `bucket list` does"
        )
    end = next((end for end in _NO_BUCKETS if name.endswith(end)), None)
    if end:
        raise UsageError(
            f"{name!r} is no ordinary bucket (its name ends with {end}): use AWS's own tools for it"
        )


def _broken(name: str) -> str | None:
    strange = next((one for one in name if not re.fullmatch("[a-z0-9.-]", one)), None)
    if strange is not None:
        return f"it may hold only a-z, 0-9, dots and hyphens, not {strange!r}"
    if not 3 <= len(name) <= 63:
        return f"it must have 3 to 63 characters, not {len(name)}"
    if name[0] in ".-" or name[-1] in ".-":
        return "it must begin and end with a letter or a digit"
    if ".." in name:
        return "two dots may not stand side by side"
    if _ADDRESS.fullmatch(name):
        return "it may not look like an IP address"
    for beginning in _RESERVED_BEGINNINGS:
        if name.startswith(beginning):
            return f"S3 keeps names that begin with {beginning} for itself"
    for end in _RESERVED_ENDS:
        if name.endswith(end):
            return f"S3 keeps names that end with {end} for itself"
    return None
