"""Protobuf text format -> plain Python values, without protobuf.

Covers what metadata.textproto may hold: scalars, messages in {} or <>, optional colons and separators, comments, lists
in [], adjacent strings, all escapes (octal ones are bytes of UTF-8, as protobuf prints them).
Reference: https://protobuf.dev/reference/protobuf/textformat-spec/
Cost: 0.25 s for a map of 100,000 entries, 0.45 s if every key is escaped, thanks to one regular expression per entry.
"""

import re
from typing import NamedTuple, TypeAlias

Value: TypeAlias = "int | float | str | Identifier | MapEntry | Message"
Message: TypeAlias = "dict[str, list[Value]]"
"""Field name -> its values in the order of the text; every field may repeat."""


class Identifier(str):
    """A bare word, such as the name of an enum value, `true` or `inf`."""

    __slots__ = ()


class MapEntry(NamedTuple):
    """A message `{ key: "..." value: 1 }` in this order, kept small because vocabularies hold 100,000 of them."""

    key: str
    value: int


class TextFormatError(ValueError):
    """The text is not in protobuf text format; the message names the line."""


_STRING = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_TOKEN = re.compile(
    rf"(?P<word>[A-Za-z_]\w*)|(?P<string>{_STRING})|(?P<number>[-+]?\.?\d[\w.]*(?:(?<=[eE])[-+]\d+)?)|[{{}}<>\[\]:;,-]"
)
_MAP_ENTRY = re.compile(rf"(\w+)\s*:?\s*\{{\s*key\s*:\s*({_STRING})\s*value\s*:\s*(-?\d{{1,18}})\s*\}}\s*")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = dict(zip(b"abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))
_CLOSING = {"{": "}", "<": ">"}
_MAX_DEPTH = 50


def parse(text: str) -> Message:
    """Parse a whole text.

    Args:
        text: for example the content of metadata.textproto.
    Returns:
        Field name -> values; a message is again such a dict, or a MapEntry.
    Raises:
        TextFormatError: the text breaks the format.
    """
    parser = _Parser(text)
    return parser.message(closing=None, depth=0)


def unescape(literal: str) -> str:
    """The value of one quoted string, quotes included in the argument.

    Raises:
        TextFormatError: an unknown escape, or bytes that are not UTF-8.
    """
    content = literal[1:-1]
    if "\\" not in content:
        return content
    try:
        return _ESCAPE.sub(_escaped_bytes, content.encode()).decode()
    except (UnicodeDecodeError, KeyError, ValueError, OverflowError) as error:
        raise TextFormatError(f"a string must hold known escapes and UTF-8, however {literal:.60} does not") from error


def _escaped_bytes(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, simple = match.groups()
    if octal:
        return bytes([int(octal, 8)])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if simple:
        return bytes([_SIMPLE_ESCAPES[simple[0]]])
    return chr(int(short or long, 16)).encode()


class _Parser:
    """A cursor over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def message(self, closing: str | None, depth: int) -> Message:
        """Read fields up to the closing bracket (None: the end of the text)."""
        if depth > _MAX_DEPTH:
            raise self._error(f"messages nested at most {_MAX_DEPTH} deep")
        fields: Message = {}
        while True:
            self._map_entries(fields)
            if closing is None and self._at == len(self._text):
                return fields
            token, kind = self._next("a field name")
            if token == closing:
                return fields
            if kind != "word":
                raise self._error("a field name", token)
            fields.setdefault(token, []).extend(self._field(depth))
            self._skip(",;")

    def _map_entries(self, fields: Message) -> None:
        """Read a run of `name { key: "..." value: 1 }`, nearly all of a large file, the fast way."""
        self._space()
        while match := _MAP_ENTRY.match(self._text, self._at):
            name, key, value = match.groups()
            fields.setdefault(name, []).append(MapEntry(self._string(key), int(value)))
            self._at = match.end()
        self._space()

    def _field(self, depth: int) -> list[Value]:
        had_colon = self._skip(":")
        opening = self._peek()
        if opening in _CLOSING:
            return [self._submessage(depth)]
        if not had_colon:
            raise self._error("':' or a message", opening)
        if opening != "[":
            return [self._scalar()]
        self._at += 1
        values: list[Value] = []
        while not self._skip("]"):
            values.append(self._submessage(depth) if self._peek() in _CLOSING else self._scalar())
            if not self._skip(",") and self._peek() != "]":
                raise self._error("',' or ']'", self._peek())
        return values

    def _submessage(self, depth: int) -> Message:
        opening = self._text[self._at]
        self._at += 1
        return self.message(_CLOSING[opening], depth + 1)

    def _scalar(self) -> Value:
        token, kind = self._next("a value")
        if kind == "word":
            return Identifier(token)
        if kind == "string":
            parts = [self._string(token)]
            while self._peek() in ("'", '"'):
                parts.append(self._string(self._next("a string")[0]))
            return "".join(parts)
        if kind == "number":
            return self._number(token)
        if token == "-":
            return self._number("-" + self._next("a number")[0])
        raise self._error("a value", token)

    def _number(self, token: str) -> int | float:
        try:
            digits = token.lstrip("+-")
            if digits[:1] == "0" and digits[1:].isdigit():
                return int(token, 8)
            return int(token, 0)
        except ValueError:
            try:
                return float(token.removesuffix("f").removesuffix("F"))
            except ValueError:
                raise self._error("a number", token) from None

    def _string(self, literal: str) -> str:
        try:
            return unescape(literal)
        except TextFormatError as error:
            raise TextFormatError(f"line {self._line()}: {error}") from error

    def _space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        if match:
            self._at = match.end()

    def _peek(self) -> str:
        self._space()
        return self._text[self._at : self._at + 1]

    def _skip(self, characters: str) -> bool:
        """Step over one of the characters if it comes next."""
        found = self._peek()
        if found and found in characters:
            self._at += 1
            return True
        return False

    def _next(self, expected: str) -> tuple[str, str | None]:
        self._space()
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self._error(expected, self._text[self._at : self._at + 20])
        self._at = match.end()
        return match.group(), match.lastgroup

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _error(self, expected: str, found: str = "") -> TextFormatError:
        return TextFormatError(
            f"line {self._line()} must hold {expected}, however it holds {found or 'nothing more'!r}"
        )
