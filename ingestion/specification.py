"""The facts in metadata.textproto: `DataSpecification` of data.proto, read and checked without protobuf."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from ingestion.text_format import Identifier, MapEntry, Message, Value, parse

_INT32_MAX = 2**31 - 1
_BOOLEANS = {"true": True, "True": True, "t": True, "1": True, "false": False, "False": False, "f": False, "0": False}


class Format(IntEnum):
    """How the values of a bundle are stored."""

    DENSE = 0
    SPARSE = 1
    COMPRESSED = 2


@dataclass(frozen=True)
class MatrixSpec:
    """One bundle: the matrix that every time step holds. Sizes of -1 are unknown or differ per example."""

    DENSE: ClassVar[Format] = Format.DENSE
    SPARSE: ClassVar[Format] = Format.SPARSE
    COMPRESSED: ClassVar[Format] = Format.COMPRESSED

    col_count: int = 0
    row_count: int = 0
    is_sequence_col: bool = False
    is_sequence_row: bool = False
    has_locality_col: bool = False
    has_locality_row: bool = False
    format: Format = Format.DENSE
    is_sparse: bool = False  # deprecated in data.proto in favour of format
    num_channels: int = 1


@dataclass(frozen=True)
class DataSpecification:
    """The content of metadata.textproto, with the names and defaults of data.proto."""

    matrix_spec: tuple[MatrixSpec, ...] = ()
    is_sequence: bool = False
    output_dim: int = 0
    label_to_index_map: dict[str, int] = field(default_factory=dict)
    feature_to_index_map: dict[str, int] = field(default_factory=dict)
    channel_to_index_map: dict[str, int] = field(default_factory=dict)
    sequence_size: int = 1
    sample_count: int = 0


class ContradictionError(ValueError):
    """The text is well-formed but cannot be true; the message is a clause."""


def parse_specification(text: str) -> DataSpecification:
    """Read the text of a metadata.textproto.

    Raises:
        TextFormatError: the text breaks the format (a ValueError).
        ContradictionError: its values cannot be true (a ValueError).
    """
    fields = parse(text)
    specification = DataSpecification(
        matrix_spec=tuple(_matrix_spec(value) for value in fields.get("matrix_spec", [])),
        is_sequence=_boolean(fields, "is_sequence"),
        output_dim=_integer(fields, "output_dim", 0),
        label_to_index_map=_map(fields, "label_to_index_map"),
        feature_to_index_map=_map(fields, "feature_to_index_map"),
        channel_to_index_map=_map(fields, "channel_to_index_map"),
        sequence_size=_integer(fields, "sequence_size", 1),
        sample_count=_integer(fields, "sample_count", 0),
    )
    _check(specification)
    return specification


def _check(specification: DataSpecification) -> None:
    rules: list[tuple[bool, str]] = [
        (len(specification.matrix_spec) > 0, "it has no matrix_spec"),
        (specification.output_dim >= 1, f"output_dim is {specification.output_dim}"),
        (
            specification.sequence_size == -1 or specification.sequence_size >= 1,
            f"sequence_size is {specification.sequence_size}",
        ),
        (specification.sample_count >= 0, f"sample_count is {specification.sample_count}"),
    ]
    for label, index in specification.label_to_index_map.items():
        rules.append(
            (
                0 <= index < specification.output_dim,
                f"label {label!r} has index {index}, output_dim is {specification.output_dim}",
            )
        )
    for spec in specification.matrix_spec:
        may_be_unknown = spec.format != Format.DENSE
        for name, size in (("row_count", spec.row_count), ("col_count", spec.col_count)):
            rules.append(
                (
                    size >= 1 or (may_be_unknown and size in (-1, 0)),
                    f"{name} is {size} in a {spec.format.name} matrix_spec",
                )
            )
        rules.append((spec.num_channels == -1 or spec.num_channels >= 1, f"num_channels is {spec.num_channels}"))
    broken = next((fact for holds, fact in rules if not holds), None)
    if broken:
        raise ContradictionError(broken)


def _matrix_spec(fields: Value) -> MatrixSpec:
    if not isinstance(fields, dict):
        raise ContradictionError("matrix_spec is not a message")
    return MatrixSpec(
        col_count=_integer(fields, "col_count", 0),
        row_count=_integer(fields, "row_count", 0),
        is_sequence_col=_boolean(fields, "is_sequence_col"),
        is_sequence_row=_boolean(fields, "is_sequence_row"),
        has_locality_col=_boolean(fields, "has_locality_col"),
        has_locality_row=_boolean(fields, "has_locality_row"),
        format=_format(fields),
        is_sparse=_boolean(fields, "is_sparse"),
        num_channels=_integer(fields, "num_channels", 1),
    )


def _single(fields: Message, name: str, default: Value) -> Value:
    """The one value of a field that must not repeat with another value."""
    values = fields.get(name, [])
    if any(value != values[0] for value in values):
        raise ContradictionError(f"{name} is {values[0]} and {values[-1]}")
    return values[0] if values else default


def _integer(fields: Message, name: str, default: int) -> int:
    value = _single(fields, name, default)
    if not isinstance(value, int) or abs(value) > _INT32_MAX:
        raise ContradictionError(f"{name} is {value!r}, not a 32-bit integer")
    return value


def _boolean(fields: Message, name: str) -> bool:
    value = _single(fields, name, "false")
    if str(value) not in _BOOLEANS:
        raise ContradictionError(f"{name} is {value!r}, not true or false")
    return _BOOLEANS[str(value)]


def _format(fields: Message) -> Format:
    value = _single(fields, "format", Identifier("DENSE"))
    if isinstance(value, Identifier) and value in Format.__members__:
        return Format[value]
    if isinstance(value, int) and value in {member.value for member in Format}:
        return Format(value)
    raise ContradictionError(f"format is {value!r}, not DENSE, SPARSE or COMPRESSED")


def _map(fields: Message, name: str) -> dict[str, int]:
    entries: dict[str, int] = {}
    for entry in fields.get(name, []):
        key, value = _key_and_value(entry, name)
        if entries.setdefault(key, value) != value:
            raise ContradictionError(f"{name} gives {key!r} the indices {entries[key]} and {value}")
    return entries


def _key_and_value(entry: Value, name: str) -> tuple[str, int]:
    if isinstance(entry, MapEntry):
        return entry
    if isinstance(entry, dict):
        key, value = _single(entry, "key", ""), _single(entry, "value", 0)
        if isinstance(key, str) and not isinstance(key, Identifier) and isinstance(value, int):
            return key, value
    raise ContradictionError(f"an entry of {name} is {entry!r}, not a key and a value")
