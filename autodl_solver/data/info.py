"""DatasetInfo: the frozen facts of a dataset, from metadata.textproto or from a metadata object of the challenge.

The metadata promise; the records decide. Only what cannot be read, or contradicts itself, is refused.
Source: data.proto and AutoDLMetadata of the AutoDL challenge (2019), whose names the functions below spell as they are.
Cost: 0.4 s for the 180,000 tokens of newsgroups20, one core.
"""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodl_solver.data import textproto
from autodl_solver.data.index_maps import index_map, names_in_order, no_name
from autodl_solver.data.textproto_fields import boolean, integer, messages, quoted, read_map, scalar
from autodl_solver.errors import MetadataError

METADATA_FILE = "metadata.textproto"
_MAPS = _LABELS, _CHANNELS, _FEATURES = "label_to_index_map", "channel_to_index_map", "feature_to_index_map"


class Format(enum.Enum):
    """How a bundle stores its matrices; the values are those of the challenge's data.proto."""

    DENSE = 0
    SPARSE = 1
    COMPRESSED = 2


@dataclass(frozen=True)
class MatrixSpec:
    """One bundle of an example: matrices of [n_rows, n_cols, n_channels], one per time step; -1: it varies."""

    n_rows: int
    n_cols: int
    n_channels: int
    format: Format
    is_sequence_row: bool = False
    is_sequence_col: bool = False


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before any example is read.

    Attributes:
        name: dataset name, without `.data`.
        folder: where metadata.textproto and the sample files lie; None if the dataset is no folder.
        n_examples: rows promised by the metadata (the records are to be trusted more); -1 if unknown.
        n_classes: output_dim.
        sequence_size: time steps; -1 if they vary.
        specs: one per bundle.
        class_names: [n_classes] in index order (the index where a class has none); empty if there is no map.
        vocabulary: tokens in index order ("" where an index has none); empty if there is no channel_to_index_map.
        feature_names: column names in index order (the index where a column has none); empty if absent.
    """

    name: str
    folder: Path | None
    n_examples: int
    n_classes: int
    sequence_size: int
    specs: tuple[MatrixSpec, ...]
    class_names: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()

    @classmethod
    def from_folder(cls, folder: Path) -> DatasetInfo:
        """Read folder/metadata.textproto.

        Args:
            folder: `.../NAME.data/train` or `.../NAME.data/test`.
        Raises:
            MetadataError: the file is missing, is not protobuf text, or contradicts itself.
        """
        path = Path(folder) / METADATA_FILE
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise MetadataError(
                f"A dataset folder must hold a readable {METADATA_FILE}; however {path} is not ({error.strerror}); "
                "give the folder NAME.data/train or NAME.data/test."
            ) from error
        except UnicodeDecodeError as error:
            raise MetadataError(f"{METADATA_FILE} must be UTF-8 text; however {path} is not: {error}.") from error
        message = textproto.parse(text, str(path))
        try:
            specs = tuple(_spec_from_message(m) for m in messages(message, "matrix_spec"))
            n_classes = scalar(message, "output_dim", integer, 0)
            n_examples = scalar(message, "sample_count", integer, None)
            sequence_size = scalar(message, "sequence_size", integer, 1)
            maps = [read_map(message, field) for field in _MAPS]
        except ValueError as error:
            raise MetadataError(f"In {path}, {error}; export the dataset again.") from error
        if n_examples is not None and n_examples < 0:
            raise _contradiction(str(path), "sample_count must not be negative", f"it is {n_examples}")
        return _checked(
            cls(
                _dataset_name(str(Path(folder).absolute())),
                Path(folder),
                -1 if n_examples is None else n_examples,
                n_classes,
                sequence_size or -1,
                specs,
            ),
            maps,
            str(path),
        )

    @classmethod
    def from_metadata(cls, metadata: Any) -> DatasetInfo:
        """Ask a metadata object of the challenge (`AutoDLMetadata` or anything with its methods).

        Its answers count, even if its folder holds a metadata file that says otherwise.

        Raises:
            MetadataError: a method is missing, or the answers contradict each other.
        """
        name = str(metadata.get_dataset_name()) if callable(getattr(metadata, "get_dataset_name", None)) else "dataset"
        source = f"the metadata object of {name}"
        messages = getattr(getattr(metadata, "metadata_", None), "matrix_spec", ())
        try:
            specs = tuple(_spec_from_metadata(metadata, b, messages) for b in range(int(metadata.get_bundle_size())))
            n_classes = int(metadata.get_output_size())
            n_examples = int(metadata.size())
            sequence_size = int(metadata.get_sequence_size())
            maps = [_ask_map(metadata, field) for field in _MAPS]
        except (AttributeError, TypeError, ValueError) as error:
            raise MetadataError(
                f"A metadata object must answer as AutoDLMetadata of the challenge; however {source} fails: {error}."
            ) from error
        if n_examples < 0:
            raise _contradiction(source, "sample_count must not be negative", f"it is {n_examples}")
        folder = Path(name) if Path(name).is_dir() else None
        # An absent sample_count is 0 in the protobuf message: unknown, like no promise in the file.
        facts = cls(_dataset_name(name), folder, n_examples or -1, n_classes, sequence_size or -1, specs)
        return _checked(facts, maps, source)


def write_metadata(info: DatasetInfo, path: Path) -> None:
    """Write a metadata file that `DatasetInfo.from_folder` and protobuf read back; it appears whole or not at all.

    Args:
        info: its name and folder are not part of the file.
        path: the file, `.../NAME.data/train/metadata.textproto`.
    Raises:
        MetadataError: a name stands at two indices, so that no map can hold it.
        OSError: the file cannot be written.
    """
    lines = ["is_sequence: false"]
    if info.n_examples >= 0:
        lines.append(f"sample_count: {info.n_examples}")
    lines += [f"sequence_size: {info.sequence_size}", f"output_dim: {info.n_classes}"]
    for spec in info.specs:
        lines += [
            "matrix_spec {",
            f"  col_count: {spec.n_cols}",
            f"  row_count: {spec.n_rows}",
            f"  is_sequence_col: {str(spec.is_sequence_col).lower()}",
            f"  is_sequence_row: {str(spec.is_sequence_row).lower()}",
            f"  format: {spec.format.name}",
            f"  num_channels: {spec.n_channels}",
            "}",
        ]
    maps = (
        index_map(info.class_names, str, _LABELS, info.n_classes),
        index_map(info.vocabulary, no_name, _CHANNELS),
        index_map(info.feature_names, str, _FEATURES),
    )
    for field, index_of in zip(_MAPS, maps, strict=True):
        for key, index in index_of.items():
            lines.append(f"{field} {{\n  key: {quoted(key)}\n  value: {index}\n}}")
    content = ("\n".join(lines) + "\n").encode()
    temporary = Path(path).with_name(f".{Path(path).name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _checked(facts: DatasetInfo, maps: list[dict[str, int]], source: str) -> DatasetInfo:
    """The facts with the names of the maps, if nothing contradicts."""
    labels, channels, features = maps
    if facts.n_classes < 1:
        raise _contradiction(source, "output_dim must be at least 1", f"it is {facts.n_classes}")
    if not facts.specs:
        raise _contradiction(source, "at least one matrix_spec must be given", "there is none")
    if facts.sequence_size < -1:
        raise _contradiction(source, "sequence_size must be positive, or -1", f"it is {facts.sequence_size}")
    for spec in facts.specs:
        _check_spec(spec, source)
    if labels and max(labels.values()) >= facts.n_classes:
        raise _contradiction(
            source,
            f"label_to_index_map must stay below output_dim = {facts.n_classes}",
            f"it has the index {max(labels.values())}",
        )
    return dataclasses.replace(
        facts,
        class_names=names_in_order(labels, str, _LABELS, source, facts.n_classes),
        vocabulary=names_in_order(channels, no_name, _CHANNELS, source),
        feature_names=names_in_order(features, str, _FEATURES, source),
    )


def _check_spec(spec: MatrixSpec, source: str) -> None:
    if spec.n_channels < 1:
        raise _contradiction(source, "num_channels must be positive, or -1", f"it is {spec.n_channels}")
    if spec.format is Format.DENSE and (spec.n_rows < 1 or spec.n_cols < 1):
        raise _contradiction(
            source,
            "dense matrices must have a known row_count and col_count",
            f"they are {spec.n_rows} and {spec.n_cols}",
        )


def _contradiction(source: str, rule: str, fact: str) -> MetadataError:
    return MetadataError(f"In {source}, {rule}; however {fact}; export the dataset again.")


def _dataset_name(folder: str) -> str:
    """NAME of .../NAME.data/train; without a .data folder, the last part."""
    parts = Path(folder).parts
    return next(
        (p.removesuffix(".data") for p in reversed(parts) if p.endswith(".data")), parts[-1] if parts else folder
    )


def _spec(n_rows: int, n_cols: int, n_channels: int, form: Format, is_row: bool, is_col: bool) -> MatrixSpec:
    """A spec with the unknown sizes as -1, and unknown channels as the official reader takes them."""
    if n_channels == -1:
        n_channels = 3 if form is Format.COMPRESSED else 1
    return MatrixSpec(max(n_rows, 0) or -1, max(n_cols, 0) or -1, n_channels, form, is_row, is_col)


def _spec_from_message(message: textproto.Message) -> MatrixSpec:
    is_sparse = scalar(message, "is_sparse", boolean, False)  # deprecated, but old datasets have it
    return _spec(
        scalar(message, "row_count", integer, 0),
        scalar(message, "col_count", integer, 0),
        scalar(message, "num_channels", integer, 1),
        scalar(message, "format", _format, Format.SPARSE if is_sparse else Format.DENSE),
        scalar(message, "is_sequence_row", boolean, False),
        scalar(message, "is_sequence_col", boolean, False),
    )


def _format(raw: textproto.Value) -> Format:
    by_text = {text: form for form in Format for text in (form.name, str(form.value))}
    if not isinstance(raw, str) or raw not in by_text:
        raise ValueError(f"it must be one of {', '.join(Format.__members__)}, however it is {raw}")
    return by_text[raw]


def _spec_from_metadata(metadata: Any, bundle: int, messages: Sequence[Any]) -> MatrixSpec:
    n_rows, n_cols = metadata.get_matrix_size(bundle)
    compressed, is_sparse = metadata.is_compressed(bundle), metadata.is_sparse(bundle)
    form = Format.COMPRESSED if compressed else Format.SPARSE if is_sparse else Format.DENSE
    message = messages[bundle] if bundle < len(messages) else None
    return _spec(
        int(n_rows),
        int(n_cols),
        int(metadata.get_num_channels(bundle)),
        form,
        bool(getattr(message, "is_sequence_row", False)),
        bool(getattr(message, "is_sequence_col", False)),
    )


def _ask_map(metadata: Any, field: str) -> dict[str, int]:
    """A map; early versions of the challenge have no method for the channels and features."""
    ask = getattr(metadata, f"get_{field}", dict)
    return {str(name): int(index) for name, index in ask().items()}
