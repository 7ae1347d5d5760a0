"""JSON values to parameters and results to JSON values, as the shapes of a botocore service model say.

On the way in, a value of the wrong type is a SerializationException at once; values that break a constraint are
gathered, and all of them are named in one ValidationException. Members that the shape does not know are ignored.
On the way out, whatever does not fit the shape is a fault of ours and raises TypeError or ValueError.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from facesearch.engine.errors import RekognitionError, serialization

# An error names the value that broke a rule. That may be megabytes long; this much is enough to know it by.
_ECHOED = 256

_INTEGERS = range(-(2**31), 2**31)
_JSON_NAMES = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    list: "START_ARRAY",
    dict: "START_OBJECT",
}

# Python's patterns lack Java's \p{L}, \p{Z} and \p{N}. Within ASCII these are the following.
_CATEGORY = re.compile(r"\\p\{(\w)\}")
_ASCII_OF_CATEGORY = {"L": "A-Za-z", "Z": " ", "N": "0-9"}


def read(shape: StructureShape, value: object) -> dict[str, Any]:
    """The parameters of an operation out of a decoded JSON body.

    Raises RekognitionError: SerializationException or ValidationException.
    """
    violations: list[str] = []
    parameters: dict[str, Any] = _read_structure(shape, value, "", violations)
    if violations:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected: "
        raise RekognitionError("ValidationException", count + "; ".join(violations))
    return parameters


def write(shape: Shape, value: Any) -> Any:
    """What goes into the JSON body for a result; members that are None are left out."""
    return _WRITERS[shape.type_name](shape, value)


# --- in -------------------------------------------------------------------------------------------------------


def _read(shape: Shape, value: object, path: str, violations: list[str]) -> Any:
    return _READERS[shape.type_name](shape, value, path, violations)


def _read_structure(shape: StructureShape, value: object, path: str, violations: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(value, "a structure")
    required = frozenset(shape.required_members)
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        member_path = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
        given = value.get(name)
        if given is not None:
            parameters[name] = _read(member, given, member_path, violations)
        elif name in required:
            violations.append(_violation(None, member_path, "Member must not be null"))
    return parameters


def _read_list(shape: ListShape, value: object, path: str, violations: list[str]) -> list[Any]:
    if not isinstance(value, list):
        raise _unexpected(value, "a list")
    if _check_length(shape, len(value), value, path, violations):
        return []
    if isinstance(shape.member, StructureShape):
        return [
            _read(shape.member, item, f"{path}.{n}.member", violations) for n, item in enumerate(value, 1)
        ]
    items, broken = _read_items(shape.member, value)
    if broken:
        violations.append(_violation(value, path, f"Member must satisfy constraint: [{', '.join(broken)}]"))
    return items


def _read_map(shape: MapShape, value: object, path: str, violations: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(value, "a map")
    if _check_length(shape, len(value), value, path, violations):
        return {}
    keys, broken_keys = _read_items(shape.key, list(value))
    values, broken_values = _read_items(shape.value, list(value.values()))
    for what, broken in (("keys", broken_keys), ("value", broken_values)):
        if broken:
            violations.append(
                _violation(value, path, f"Map {what} must satisfy constraint: [{', '.join(broken)}]")
            )
    return {} if broken_keys or broken_values else dict(zip(keys, values, strict=True))


def _read_items(shape: Shape, values: list[Any]) -> tuple[list[Any], list[str]]:
    """The items of a list, and every rule for an item when one of them breaks one, as AWS words it."""
    items = []
    broken: list[str] = []
    for value in values:
        if value is None:
            broken = _rules(shape)
        else:
            own: list[str] = []
            items.append(_read(shape, value, "", own))
            broken = _rules(shape) if own else broken
    return items, broken


def _read_string(shape: StringShape, value: object, path: str, violations: list[str]) -> str:
    if not isinstance(value, str):
        raise _unconvertible(value, "String")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise serialization("String is not valid Unicode")
    _check_length(shape, len(value), value, path, violations)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _fits(pattern, value):
        violations.append(
            _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")
        )
    if shape.enum and value not in shape.enum:
        violations.append(
            _violation(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        )
    return value


def _read_integer(shape: Shape, value: object, path: str, violations: list[str]) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unconvertible(value, "Integer")
    if value not in _INTEGERS:
        raise serialization("Number is out of the range of Integer")
    _check_value(shape, value, path, violations)
    return value


def _read_float(shape: Shape, value: object, path: str, violations: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unconvertible(value, "Float")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise serialization("Number is out of the range of Float")
    _check_value(shape, number, path, violations)
    return number


def _read_blob(shape: Shape, value: object, path: str, violations: list[str]) -> bytes:
    if not isinstance(value, str):
        raise _unconvertible(value, "Blob")
    try:
        blob = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise serialization("Blob is not valid Base64") from exc
    size = len(blob)
    _check_length(shape, size, f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]", path, violations)
    return blob


_READERS: Mapping[str, Callable[[Any, object, str, list[str]], Any]] = {
    "structure": _read_structure,
    "list": _read_list,
    "map": _read_map,
    "string": _read_string,
    "integer": _read_integer,
    "float": _read_float,
    "blob": _read_blob,
}


# --- rules and their texts ------------------------------------------------------------------------------------


def _check_length(shape: Shape, length: int, value: object, path: str, violations: list[str]) -> bool:
    """Whether the length broke a bound: what is in a list that is too long need not be looked at."""
    broken = list(_broken_bounds(shape, length, "length"))
    violations.extend(_violation(value, path, rule) for rule in broken)
    return bool(broken)


def _check_value(shape: Shape, value: float, path: str, violations: list[str]) -> None:
    violations.extend(_violation(value, path, rule) for rule in _broken_bounds(shape, value, "value"))


def _broken_bounds(shape: Shape, size: float, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and size > most:
        yield f"Member must have {what} less than or equal to {most}"
    if least is not None and size < least:
        yield f"Member must have {what} greater than or equal to {least}"


def _rules(shape: Shape) -> list[str]:
    least, most, pattern = (shape.metadata.get(name) for name in ("min", "max", "pattern"))
    rules = []
    if most is not None:
        rules.append(f"Member must have length less than or equal to {most}")
    if least is not None:
        rules.append(f"Member must have length greater than or equal to {least}")
    if pattern is not None:
        rules.append(f"Member must satisfy regular expression pattern: {pattern}")
    if isinstance(shape, StringShape) and shape.enum:
        rules.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return [*rules, "Member must not be null"]


def _violation(value: object, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{_echo(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _echo(value: object) -> str:
    if isinstance(value, list):
        text = f"[{', '.join(map(_scalar, value[:_ECHOED]))}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(f'{key}={_scalar(item)}' for key, item in list(value.items())[:_ECHOED])}}}"
    else:
        text = _scalar(value)
    return text if len(text) <= _ECHOED else f"{text[:_ECHOED]}..."


def _scalar(value: object) -> str:
    """A value as Java prints it; what is nested deeper is not walked, it may be a trap."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, str | int | float) else "..."


def _unconvertible(value: object, kind: str) -> RekognitionError:
    name = f"{str(value).upper()}_VALUE" if isinstance(value, bool) else _JSON_NAMES[type(value)]
    return serialization(f"{name} can not be converted to {kind}")


def _unexpected(value: object, wanted: str) -> RekognitionError:
    found = "null" if value is None else _JSON_NAMES.get(type(value), "TRUE_VALUE or FALSE_VALUE")
    return serialization(f"{found} found where {wanted} was expected")


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def _fits(pattern: str, value: str) -> bool:
    """Whether the whole value is what a Java pattern of the model says."""
    if _CATEGORY.search(pattern) and not value.isascii():
        value = "".join(map(_ascii_like, value))
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_CATEGORY.sub(lambda found: _ASCII_OF_CATEGORY[found[1]], pattern))


def _ascii_like(character: str) -> str:
    """A character of the same category that Python's patterns can name; one that is in none for the others."""
    if character.isascii():
        return character
    return _ASCII_OF_CATEGORY.get(unicodedata.category(character)[0], "\x7f")[0]


# --- out ------------------------------------------------------------------------------------------------------


def _write_structure(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    unknown = value.keys() - shape.members.keys()
    if unknown:
        raise ValueError(f"{shape.name} has no {', '.join(sorted(unknown))}")
    members = shape.members
    return {name: write(members[name], item) for name, item in value.items() if item is not None}


def _write_string(shape: StringShape, value: object) -> str:
    if not isinstance(value, str) or (shape.enum and value not in shape.enum):
        raise ValueError(f"{value!r} is no {shape.name}")
    return value


def _write_integer(shape: Shape, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no {shape.name}")
    return value


def _write_float(shape: Shape, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no {shape.name}")
    return float(value)


def _write_timestamp(shape: Shape, value: datetime) -> float:
    return value.timestamp()


_WRITERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "structure": _write_structure,
    "list": lambda shape, value: [write(shape.member, item) for item in value],
    "map": lambda shape, value: {
        write(shape.key, key): write(shape.value, item) for key, item in value.items()
    },
    "string": _write_string,
    "integer": _write_integer,
    "long": _write_integer,
    "float": _write_float,
    "timestamp": _write_timestamp,
}
