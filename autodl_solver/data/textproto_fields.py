"""What the raw scalars of a parsed protobuf text mean.

A wrong scalar is a ValueError whose text is `rule, however fact`; who knows the file turns it into a MetadataError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from autodl_solver.data.textproto import QUOTED, Message, Value

_QUOTED_TOKEN = re.compile(QUOTED)
_INTEGER = re.compile(r"[+-]?(?:(0[xX][0-9a-fA-F]{1,16})|(0[0-7]{0,22})|([1-9][0-9]{0,18}))")
# A run of three-digit octals, as protobuf prints what is not ASCII, is taken at once: a Chinese token is one match.
_ESCAPE = re.compile(
    rb"((?:\\[0-3][0-7]{2})+)"
    rb"|\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))",
    re.DOTALL,
)
_SIMPLE_ESCAPES = dict(zip(b"abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\\']")

T = TypeVar("T")
D = TypeVar("D")


def integer(raw: Value) -> int:
    """An int of decimal, 0x hexadecimal or 0 octal text.

    Raises:
        ValueError: anything else.
    """
    found = _INTEGER.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError(f"an integer must stand here, however it is {_raw_shown(raw)}")
    hexadecimal, octal, decimal = found.groups()
    magnitude = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    return -magnitude if found[0].startswith("-") else magnitude


def boolean(raw: Value) -> bool:
    """A bool of true, True, t, 1 or false, False, f, 0.

    Raises:
        ValueError: anything else.
    """
    if raw in ("true", "True", "t", "1"):
        return True
    if raw in ("false", "False", "f", "0"):
        return False
    raise ValueError(f"true or false must stand here, however it is {_raw_shown(raw)}")


def string(raw: Value) -> str:
    """A str of one or several quoted strings, escapes decoded; octal and hexadecimal escapes are bytes of UTF-8.

    Raises:
        ValueError: no quotes, an unknown escape, or bytes that are not UTF-8.
    """
    if not isinstance(raw, str) or raw[:1] not in ("'", '"'):
        raise ValueError(f"a quoted string must stand here, however it is {_raw_shown(raw)}")
    inner = raw[1:-1]
    if raw[0] in inner:  # an escaped quote, or several strings side by side
        inner = "".join(part[1:-1] for part in _QUOTED_TOKEN.findall(raw))
    if "\\" not in inner:
        return inner
    try:
        return _ESCAPE.sub(_unescaped, inner.encode()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"a string must be UTF-8, however {_raw_shown(raw)} is not") from error


def _unescaped(found: re.Match[bytes]) -> bytes:
    octals, octal, hexadecimal, unit, code_point, letter = found.groups()
    if octals is not None:
        return bytes([int(digits, 8) for digits in octals[1:].split(b"\\")])
    if octal is not None:
        return bytes((int(octal, 8) & 255,))
    if hexadecimal is not None:
        return bytes((int(hexadecimal, 16),))
    if letter is not None:
        if letter[0] not in _SIMPLE_ESCAPES:
            raise ValueError(f"an escape must be one of protobuf's, however it is \\{letter.decode('latin-1')}")
        return bytes((_SIMPLE_ESCAPES[letter[0]],))
    code = int(unit or code_point, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError(f"\\u and \\U must name a Unicode character, however the code is {code:#x}")
    return chr(code).encode()


def quoted(text: str) -> str:
    """The text as a quoted string that `string` and protobuf read back; characters beyond ASCII stay readable."""
    return f"'{_TO_ESCAPE.sub(_escaped, text)}'"


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0] if found[0] in "\\'" else f"\\{ord(found[0]):03o}"


def _raw_shown(raw: Value) -> str:
    return raw[:40] if isinstance(raw, str) else "a message in braces"


def messages(fields: Message, name: str) -> list[Message]:
    """The nested messages of a repeated field.

    Raises:
        ValueError: a plain value stands where a message must.
    """
    found = [value for value in fields.get(name, ()) if isinstance(value, dict)]
    if len(found) != len(fields.get(name, ())):
        raise ValueError(f"{name} must be a message in braces, however it is a plain value")
    return found


def scalar(fields: Message, name: str, read: Callable[[Value], T], default: D) -> T | D:
    """The last value of a field, as protobuf takes it; `default` if the field is absent.

    Raises:
        ValueError: `read` refuses the value.
    """
    if not fields.get(name):
        return default
    try:
        return read(fields[name][-1])
    except ValueError as error:
        raise ValueError(f"the field {name} cannot be read: {error}") from error


def read_map(fields: Message, name: str) -> dict[str, int]:
    """A `map<string, int32>` field; of equal keys the last stands.

    Raises:
        ValueError: a key is no string or a value no integer.
    """
    index_of = {}
    try:
        for entry in fields.get(name, ()):
            if isinstance(entry, tuple):
                index_of[string(entry[0])] = int(entry[1])  # the parser has checked the digits
            elif isinstance(entry, dict):
                index_of[scalar(entry, "key", string, "")] = scalar(entry, "value", integer, 0)
            else:
                raise ValueError(f"an entry must be a message in braces, however it is {_raw_shown(entry)}")
    except ValueError as error:
        raise ValueError(f"the field {name} cannot be read: {error}") from error
    return index_of
