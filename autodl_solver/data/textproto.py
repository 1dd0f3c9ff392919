"""The syntax of the protobuf text format, as far as metadata.textproto needs it, without protobuf.

`parse` returns what is written, not what it means: every field name maps to the list of its values; a value is a nested
message, the raw text of a scalar, or the raw key and value of a map entry. `textproto_fields` gives a raw scalar its
meaning, only for the fields that somebody asks for; unknown fields cost nothing but their syntax.
Source: https://protobuf.dev/reference/protobuf/textformat-spec/
"""

from __future__ import annotations

import re
from typing import TypeAlias, Union

from autodl_solver.errors import MetadataError

MapEntry: TypeAlias = tuple[str, str]
Value: TypeAlias = Union[str, MapEntry, "Message"]
Message: TypeAlias = dict[str, list[Value]]

_MAX_DEPTH = 100  # nesting; protobuf's own limit
QUOTED = r"""(?:"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')"""
_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_TOKEN = re.compile(rf"{QUOTED}|[\w.+-]+|[{{}}<>\[\]:,;/]")
# A map entry as printers write it; the empty alternative ends a run of them at once instead of searching on.
_MAP_ENTRY = re.compile(
    rf"\s*(\w+)\s*(?::\s*)?\{{\s*key\s*:\s*({QUOTED})\s*value\s*:\s*(-?(?:0|[1-9][0-9]{{0,18}}))\s*\}}|"
)
_CLOSING = {"{": "}", "<": ">", "[": "]"}


def parse(text: str, source: str) -> Message:
    """Parse a whole text.

    Args:
        text: any text.
        source: file name, for the error texts.
    Raises:
        MetadataError: not the protobuf text format (the error names source and line).
    """
    return _Parser(text, source).message(closing="", depth=0)


class _Parser:
    """A recursive-descent parser; `_at` is the next character to read."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self._at = 0

    def message(self, closing: str, depth: int) -> Message:
        """Fields up to `closing` ("" stands for the end of the text)."""
        if depth > _MAX_DEPTH:
            raise self._error(f"messages nest at most {_MAX_DEPTH} deep", "this one is deeper")
        fields: Message = {}
        while True:
            self._map_entries(fields)
            name = self._token()
            if name == closing:
                return fields
            if name == "[":  # an extension, [package.name]: unknown to data.proto by definition
                name = self._extension()
            elif not (name[:1].isalnum() or name[:1] == "_"):
                raise self._error("a field name must stand here", f"it is {_shown(name)}")
            fields.setdefault(name, []).extend(self._values(depth))
            if self._peek() in (",", ";"):
                self._token()

    def _map_entries(self, fields: Message) -> None:
        for found in _MAP_ENTRY.finditer(self._text, self._at):
            name = found[1]
            if name is None:
                return
            fields.setdefault(name, []).append((found[2], found[3]))
            self._at = found.end()
            if self._text[self._at : self._at + 1] in (",", ";"):
                self._at += 1
                return

    def _extension(self) -> str:
        parts = []
        while (token := self._token()) != "]":
            if not token:
                raise self._error("`[` must be closed by `]`", "the text ends")
            parts.append(token)
        return f"[{''.join(parts)}]"

    def _values(self, depth: int) -> list[Value]:
        token = self._token()
        has_colon = token == ":"
        if has_colon:
            token = self._token()
        if token == "[" and has_colon:
            return self._list(depth)
        if not has_colon and token not in ("{", "<"):
            raise self._error("`:` or `{` must follow a field name", f"it is {_shown(token)}")
        return [self._value(token, depth)]

    def _list(self, depth: int) -> list[Value]:
        values: list[Value] = []
        token = self._token()
        while token != "]":
            values.append(self._value(token, depth))
            token = self._token()
            if token == ",":
                token = self._token()
            elif token != "]":
                raise self._error("`,` or `]` must follow a list value", f"it is {_shown(token)}")
        return values

    def _value(self, token: str, depth: int) -> Value:
        if token in ("{", "<"):
            return self.message(_CLOSING[token], depth + 1)
        if token[:1] in ("'", '"'):
            parts = [token]
            while self._peek()[:1] in ("'", '"') and self._peek():
                parts.append(self._token())  # adjacent strings are one string
            return "".join(parts)
        if not token or token in "}>[]:,;/":
            raise self._error("a value must stand here", f"it is {_shown(token)}")
        return token

    def _peek(self) -> str:
        at = self._at
        token = self._token()
        self._at = at
        return token

    def _token(self) -> str:
        """The next token, "" at the end of the text."""
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            if self._at >= len(self._text):
                return ""
            quote = self._text[self._at] in "'\""
            fact = "the quote is never closed" if quote else f"it is {_shown(self._text[self._at])}"
            raise self._error("a name, a value or a bracket must stand here", fact)
        self._at = found.end()
        return found[0]

    def _error(self, rule: str, fact: str) -> MetadataError:
        line = self._text.count("\n", 0, self._at) + 1
        return MetadataError(
            f"In the protobuf text format {rule}; however in {self._source}, line {line}, {fact}; "
            "export the dataset again."
        )


def _shown(token: str) -> str:
    return repr(token[:40]) if token else "the end of the text"
