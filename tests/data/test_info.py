"""Facts of a dataset: read from text, asked of an object, written, and refused."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.errors import MetadataError

IMAGE = "matrix_spec { row_count: 28 col_count: 28 }"
BASE = f"sample_count: 5 output_dim: 3 {IMAGE} "


def read(folder: Path, text: str | bytes) -> DatasetInfo:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.textproto").write_bytes(text.encode() if isinstance(text, str) else text)
    return DatasetInfo.from_folder(folder)


class Metadata:
    """The challenge's metadata API over plain values."""

    metadata_: Any = SimpleNamespace(matrix_spec=[SimpleNamespace(is_sequence_row=False, is_sequence_col=True)])

    def __init__(self, folder: str = "/data/birds.data/train", **changes: Any) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = {
            "shape": (1, 24),
            "channels": 1,
            "size": 7,
            "steps": 1,
            "labels": {"no": 0, "yes": 1},
        } | changes

    def get_dataset_name(self) -> str:
        return self.folder

    def get_bundle_size(self) -> int:
        return 1

    def get_matrix_size(self, bundle_index: int = 0) -> Any:
        return self.facts["shape"]

    def get_num_channels(self, bundle_index: int = 0) -> Any:
        return self.facts["channels"]

    def is_compressed(self, bundle_index: int = 0) -> Any:
        return self.facts.get("compressed", False)

    def is_sparse(self, bundle_index: int = 0) -> Any:
        return self.facts.get("sparse", False)

    def get_output_size(self) -> int:
        return 2

    def get_sequence_size(self) -> Any:
        return self.facts["steps"]

    def size(self) -> Any:
        return self.facts["size"]

    def get_label_to_index_map(self) -> Any:
        return self.facts["labels"]

    def get_channel_to_index_map(self) -> dict[str, int]:
        return {"cat": 2, "the": 0}


def test_official_layout_is_read(tmp_path: Path) -> None:
    text = """
        is_sequence: false  # says nothing
        sample_count: 60000
        sequence_size: -1
        output_dim: 3
        matrix_spec {
          col_count: 64
          row_count: 48
          is_sequence_col: false
          is_sequence_row: true
          has_locality_col: true
          format: COMPRESSED
          num_channels: 3
        }
        label_to_index_map { key: 'cat' value: 0 }
        label_to_index_map { value: 2 key: "d\\"og" }
        channel_to_index_map { key: '\\346\\210\\221' value: 1 }
        feature_to_index_map { key: 'age' }
    """
    folder = tmp_path / "my.set.data" / "train"
    assert read(folder, text) == DatasetInfo(
        "my.set",
        folder,
        60000,
        3,
        -1,
        (MatrixSpec(48, 64, 3, Format.COMPRESSED, is_sequence_row=True),),
        ("cat", "1", 'd"og'),
        ("", "我"),
        ("age",),
    )


@pytest.mark.parametrize(
    ("text", "n_examples", "spec"),
    [
        (f"output_dim: 1 {IMAGE}", -1, MatrixSpec(28, 28, 1, Format.DENSE)),  # proto2 defaults
        (f"sample_count: 0 output_dim: 1 {IMAGE}", 0, MatrixSpec(28, 28, 1, Format.DENSE)),  # an empty split
        ("output_dim: 1 matrix_spec { format: 2 num_channels: -1 }", -1, MatrixSpec(-1, -1, 3, Format.COMPRESSED)),
        ("output_dim: 1 matrix_spec: < col_count: 0x10, format: 1; >", -1, MatrixSpec(-1, 16, 1, Format.SPARSE)),
        ("output_dim: 1 matrix_spec { col_count: 9 is_sparse: t }", -1, MatrixSpec(-1, 9, 1, Format.SPARSE)),
        ("output_dim: 1 matrix_spec: [{row_count: 2 col_count: 3}]", -1, MatrixSpec(2, 3, 1, Format.DENSE)),
        (f"\ufeffoutput_dim: 9 output_dim: 1 {IMAGE}", -1, MatrixSpec(28, 28, 1, Format.DENSE)),  # BOM; the last counts
    ],
)  # fmt: skip
def test_forms_and_defaults_of_the_text_format(tmp_path: Path, text: str, n_examples: int, spec: MatrixSpec) -> None:
    info = read(tmp_path, text)
    assert (info.n_examples, info.n_classes, info.sequence_size, info.specs) == (n_examples, 1, 1, (spec,))


@pytest.mark.parametrize(
    ("literal", "token"),
    [
        (r"'it\'s'", "it's"),
        (r'"say \"hi\""', 'say "hi"'),
        (r"'a\nb\\n'", "a\nb\\n"),
        (r"'\346\210\221'", "我"),  # octal bytes of UTF-8, as protobuf prints
        (r"'\xe6\x88\x91\x41'", "我A"),
        (r"'\u6211\U0001F600'", "我😀"),
        (r"'\7\07\007x\?'", "\a\a\ax?"),
        ("'我 and #no comment'", "我 and #no comment"),
        ("'} label_to_index_map { key: \"x\" value: 9 }'", '} label_to_index_map { key: "x" value: 9 }'),
        ("'one' \"two\" # and\n 'three'", "onetwothree"),
    ],
)
def test_strings_are_unescaped(tmp_path: Path, literal: str, token: str) -> None:
    info = read(tmp_path, BASE + f"channel_to_index_map {{ key: {literal} value: 0 }}")
    assert info.vocabulary == (token,)


@pytest.mark.parametrize(
    "unknown",
    [
        "author: 'me' ",
        "nested { a: 1 b < c: [1, 2] > } ",
        "ratio: -1.5e+3, flag: true; list: [] ",
        "[my.extension] { x: inf } ",
        "messages: [{ a: 1 }, < b: 2 >] ",
    ],
)
def test_unknown_fields_are_skipped(tmp_path: Path, unknown: str) -> None:
    assert read(tmp_path, unknown + BASE + unknown).n_examples == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample_count: 5 output_dim: 3", "matrix_spec"),  # nothing to read examples with
        (f"sample_count: 5 {IMAGE}", "output_dim"),
        (f"output_dim: -2 {IMAGE}", "output_dim"),
        (f"output_dim: many {IMAGE}", "output_dim"),
        (f"output_dim: 1_000 {IMAGE}", "output_dim"),
        (f"output_dim {{ }} {IMAGE}", "output_dim"),
        (f"output_dim: [] {IMAGE}", "output_dim"),
        ("output_dim: 1 matrix_spec { row_count: -1 col_count: 5 }", "row_count"),
        ("output_dim: 1 matrix_spec { row_count: 5 }", "col_count"),
        ("output_dim: 1 matrix_spec { format: COMPRESSED num_channels: 0 }", "num_channels"),
        ("output_dim: 1 matrix_spec { format: JPEG }", "format"),
        ("output_dim: 1 matrix_spec { format: 3 }", "format"),
        ("output_dim: 1 matrix_spec: 3", "matrix_spec"),
        (f"output_dim: 1 sample_count: -4 {IMAGE}", "sample_count"),
        (f"output_dim: 1 sequence_size: -2 {IMAGE}", "sequence_size"),
        (BASE + "label_to_index_map { key: 'd' value: 3 }", "output_dim"),  # three classes are 0, 1, 2
        (BASE + "channel_to_index_map { key: 'd' value: 51000000 }", "51000000"),  # must not allocate
        (BASE + "channel_to_index_map { key: 'd' value: -1 }", "-1"),
        (BASE + "channel_to_index_map { key: 7 value: 0 }", "quoted"),
        (BASE + "channel_to_index_map { key: 'd' value: 'x' }", "integer"),
        (BASE + r"channel_to_index_map { key: '\q' value: 0 }", "escape"),
        (BASE + r"channel_to_index_map { key: '\377' value: 0 }", "UTF-8"),
        (BASE + r"channel_to_index_map { key: '\ud800' value: 0 }", "Unicode"),
        (BASE + "channel_to_index_map: 'x'", "channel_to_index_map"),
        (BASE + "label_to_index_map { key: 'd", "line 1"),  # unterminated string
        (BASE + "\nlabel_to_index_map { key: 'd'", "line 2"),  # unterminated brace
        (BASE + "}", "field name"),
        (BASE + "output_dim 3", "`:`"),
        (BASE + "a: <", "end of the text"),
        (BASE + "a: [1 2]", "list"),
        (BASE + "[a.b", "closed"),
        (BASE + "a {" * 5000, "deep"),
        (b"\x08\x05\x12\x00\x00", "line 1"),  # the binary form of protobuf
        (b"\x89PNG\xff\xfe", "UTF-8"),
        ("", "output_dim"),
    ],
)
def test_bad_metadata_is_refused_by_name(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(MetadataError, match="however") as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_missing_metadata_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"metadata\.textproto"):
        DatasetInfo.from_folder(tmp_path)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="{}<>[]:,'\"\\#\n 0a", max_size=40))
def test_any_text_is_read_or_refused(tmp_path: Path, tail: str) -> None:
    with contextlib.suppress(MetadataError):
        read(tmp_path, BASE + tail)


def names() -> st.SearchStrategy[tuple[str, ...]]:
    hostile = st.sampled_from(
        ["'", '"', "\\", "\n", "\r\n", "\x00", "\x7f", "\x85", "\u2028", "😀", "} x {", "\\n", "#"]
    )
    return st.lists(st.text(max_size=6) | hostile, unique=True, max_size=8).map(tuple)


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    vocabulary=names(),
    features=names(),
    classes=names(),
    spec=st.builds(
        MatrixSpec,
        st.integers(1, 2**31 - 1),
        st.integers(1, 9),
        st.integers(1, 9),
        st.sampled_from(Format),
        st.booleans(),
        st.booleans(),
    ),
    sequence_size=st.sampled_from([-1, 1, 9]),
    n_examples=st.integers(-1, 5),
)
def test_written_metadata_reads_back(
    tmp_path: Path,
    vocabulary: tuple[str, ...],
    features: tuple[str, ...],
    classes: tuple[str, ...],
    spec: MatrixSpec,
    sequence_size: int,
    n_examples: int,
) -> None:
    info = DatasetInfo(
        tmp_path.name,
        tmp_path,
        n_examples,
        max(len(classes), 1),
        sequence_size,
        (spec, spec),
        classes,
        vocabulary,
        features,
    )
    write_metadata(info, tmp_path / "metadata.textproto")
    assert DatasetInfo.from_folder(tmp_path) == info
    assert [path.name for path in tmp_path.iterdir()] == ["metadata.textproto"]


@pytest.mark.parametrize(
    "changes",
    [
        {"vocabulary": ("", "a", "", "b", "")},  # holes, the last one too
        {"class_names": ("1", "1", "2")},  # "1" is the name of class 0, and what class 1 is called for want of one
    ],
)
def test_holes_read_back(tmp_path: Path, changes: dict[str, tuple[str, ...]]) -> None:
    plain = DatasetInfo(tmp_path.name, tmp_path, 1, 3, 1, (MatrixSpec(1, 1, 1, Format.DENSE),))
    info = dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
    write_metadata(info, tmp_path / "metadata.textproto")
    assert DatasetInfo.from_folder(tmp_path) == info


def test_a_name_at_two_indices_is_not_written(tmp_path: Path) -> None:
    info = DatasetInfo("d", None, 1, 3, 1, (MatrixSpec(1, 1, 1, Format.DENSE),), ("cat", "cat", "dog"))
    with pytest.raises(MetadataError, match="each name once"):
        write_metadata(info, tmp_path / "metadata.textproto")
    assert not list(tmp_path.iterdir())


def test_large_vocabulary_reads_back(tmp_path: Path) -> None:
    tokens = tuple(f"wort{i}'ü\n" if i % 3 else f"word{i}" for i in range(30_000))
    info = DatasetInfo(tmp_path.name, tmp_path, 1, 2, -1, (MatrixSpec(1, 1, 1, Format.DENSE),), vocabulary=tokens)
    write_metadata(info, tmp_path / "metadata.textproto")
    assert DatasetInfo.from_folder(tmp_path) == info


def test_protobuf_reads_what_is_written(tmp_path: Path) -> None:
    text_format = pytest.importorskip("google.protobuf.text_format")
    struct_pb2 = pytest.importorskip("google.protobuf.struct_pb2")
    from autodl_solver.data.textproto_fields import quoted

    for token in ["it's", 'a "b"', "\\", "\n\r\t\x00\x7f", "我😀", "\u2028"]:
        message = text_format.Parse(f"string_value: {quoted(token)}", struct_pb2.Value())
        assert message.string_value == token


def test_metadata_object_is_asked() -> None:
    assert DatasetInfo.from_metadata(Metadata()) == DatasetInfo(
        "birds",
        None,
        7,
        2,
        1,
        (MatrixSpec(1, 24, 1, Format.DENSE, is_sequence_col=True),),
        ("no", "yes"),
        ("the", "", "cat"),
    )


def test_metadata_object_counts_more_than_the_file_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "birds.data" / "train"
    read(folder, BASE)
    info = DatasetInfo.from_metadata(Metadata(str(folder)))
    assert (info.folder, info.n_examples, info.n_classes) == (folder, 7, 2)


@pytest.mark.parametrize(
    ("changes", "spec"),
    [
        (
            {"shape": (-1, -1), "channels": -1, "compressed": True},
            MatrixSpec(-1, -1, 3, Format.COMPRESSED, False, True),
        ),
        ({"shape": (0, 0), "channels": 3, "compressed": True}, MatrixSpec(-1, -1, 3, Format.COMPRESSED, False, True)),
        ({"shape": (1, 9), "sparse": True}, MatrixSpec(1, 9, 1, Format.SPARSE, False, True)),
        ({"channels": -1}, MatrixSpec(1, 24, 1, Format.DENSE, False, True)),
    ],
)
def test_metadata_object_gives_the_format(changes: dict[str, Any], spec: MatrixSpec) -> None:
    assert DatasetInfo.from_metadata(Metadata(**changes)).specs == (spec,)


def test_metadata_object_without_name_and_message_is_enough() -> None:
    class Nameless(Metadata):
        metadata_ = None
        get_dataset_name = None  # type: ignore[assignment]

    info = DatasetInfo.from_metadata(Nameless())
    assert (info.name, info.folder, info.specs[0].is_sequence_col) == ("dataset", None, False)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (object(), "get_bundle_size"),  # none of the API
        (Metadata(shape=None), "fails"),  # an answer that is no answer
        (Metadata(shape=(-1, -1)), "row_count"),  # dense, of unknown size
        (Metadata(size=-3), "sample_count"),
        (Metadata(labels={"maybe": 2}), "output_dim"),
    ],
)
def test_contradicting_metadata_object_is_refused(metadata: object, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        DatasetInfo.from_metadata(metadata)
