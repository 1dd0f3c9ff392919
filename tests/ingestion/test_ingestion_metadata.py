"""Text format, specification and the metadata object of the challenge."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import MetadataError
from ingestion.metadata import AutoDLMetadata, read_metadata
from ingestion.specification import ContradictionError, Format, MatrixSpec, parse_specification
from ingestion.text_format import TextFormatError, parse

MINIMAL = "output_dim: 2 matrix_spec { row_count: 3 col_count: 4 }"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: 5", 5),
        ("x: -5", -5),
        ("x: - 5", -5),  # white space after the sign is allowed
        ("x: 0x10", 16),
        ("x: 010", 8),  # octal
        ("x: 1.5", 1.5),
        ("x: 1e-3", 1e-3),
        ("x: 2.5f", 2.5),
        ("x: true", "true"),
        ("x: DENSE", "DENSE"),
        ("x: 'a'", "a"),
        ('x: "it\'s"', "it's"),
        ("x: 'a' \"b\"\n'c'", "abc"),  # adjacent strings are one
        (r"x: '\344\270\255'", "中"),  # protobuf prints UTF-8 as octal bytes
        (r"x: '\xe4\xb8\xad'", "中"),
        (r"x: '\u4e2d\U0001F600'", "中😀"),
        (r"x: '\n\t\\\'\"\a\?'", "\n\t\\'\"\a?"),
        ("x: 'label_to_index_map { key: 1 }'", "label_to_index_map { key: 1 }"),  # no syntax inside a string
        ("x: '#'  # comment\n", "#"),
        ("# comment\nx: 1;", 1),
        ("x <y: 1>", {"y": [1]}),
        ("x: {y: 1, z: 'a'}", {"y": [1], "z": ["a"]}),
        ("x { }", {}),
    ],
)
def test_text_format_is_read(text: str, value: object) -> None:
    assert parse(text) == {"x": [value]}


def test_repeated_fields_and_lists_are_kept_in_order() -> None:
    assert parse("x: 1 x: [2, 3] x: [] y: [{z: 1}, {}]") == {"x": [1, 2, 3], "y": [{"z": [1]}, {}]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x", 1),  # no value
        ("x: 1\ny {", 2),  # ends within a message
        ("x: 1 }", 1),
        ("x { y: 1 >", 1),  # the wrong bracket
        ("x:\n\n'abc", 3),  # a string without end
        ("x: 'a\nb'", 1),  # strings do not span lines
        (r"x: '\q'", 1),  # unknown escape
        (r"x: '\377'", 1),  # no UTF-8
        (r"x: '\U99999999'", 1),  # no character
        ("x: 12ab", 1),
        ("x: [1", 1),
        ("x: [1 2]", 1),
        ("x 5", 1),
        ("5: x", 1),
        ("\x00\x01", 1),
        ("x {" * 100, 1),  # nested without end
    ],
)
def test_broken_text_names_its_line(text: str, line: int) -> None:
    with pytest.raises(TextFormatError, match=f"line {line}"):
        parse(text)


FRAGMENTS = st.sampled_from(
    ["output_dim", "matrix_spec", ":", "{", "}", "<", ">", "[", "]", ",", "'", '"', "\\", "-", "0x", "1e", "#"]
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=15))
def test_any_other_text_is_read_or_refused_and_nothing_else(parts: list[str]) -> None:
    for text in ("".join(parts), " ".join(parts), MINIMAL + "".join(parts)):
        with contextlib.suppress(TextFormatError, ContradictionError):
            parse_specification(text)


def test_a_vocabulary_of_a_hundred_thousand_tokens_is_read_completely() -> None:
    tokens = [f"token 'q\" {i} 中" for i in range(100_000)]
    entries = "".join(
        "channel_to_index_map {\n  key: '%s'\n  value: %d\n}\n" % (t.replace("'", "\\'"), i)  # noqa: UP031
        for i, t in enumerate(tokens)
    )
    assert parse_specification(MINIMAL + "\n" + entries).channel_to_index_map == {t: i for i, t in enumerate(tokens)}


@pytest.mark.parametrize(
    "entry",
    [
        "{ key: 'a' value: 1 }",
        "{ value: 1 key: 'a' }",  # any order
        "< key: 'a', value: 1 >",
        "[{ key: 'a' value: 1 }]",
        ": {key:'a' # comment\n value:1}",
        "{ key: 'a' value: 1 } label_to_index_map { key: 'a' value: 1 }",  # twice the same
    ],
)
def test_a_map_entry_may_be_written_in_every_way(entry: str) -> None:
    colon = ":" if entry.startswith("[") else ""
    assert parse_specification(f"{MINIMAL} label_to_index_map{colon} {entry}").label_to_index_map == {"a": 1}


def test_absent_fields_have_the_defaults_of_the_protocol() -> None:
    specification = parse_specification(MINIMAL)
    assert specification.sequence_size == 1
    assert specification.matrix_spec == (MatrixSpec(row_count=3, col_count=4, num_channels=1, format=Format.DENSE),)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("output_dim: 2", "no matrix_spec"),
        (MINIMAL.replace("2", "0"), "output_dim is 0"),
        (MINIMAL.replace("output_dim: 2", ""), "output_dim is 0"),
        (MINIMAL + " output_dim: 3", "output_dim is 2 and 3"),
        (MINIMAL + " sequence_size: 0", "sequence_size is 0"),
        (MINIMAL + " sequence_size: 'x'", "sequence_size is 'x'"),
        (MINIMAL + " sequence_size: 99999999999", "not a 32-bit integer"),
        (MINIMAL + " sample_count: -1", "sample_count is -1"),
        (MINIMAL + " is_sequence: maybe", "is_sequence is 'maybe'"),
        (MINIMAL + " label_to_index_map { key: 'a' value: 2 }", "label 'a' has index 2"),  # output_dim is 2
        (MINIMAL + " label_to_index_map { key: 'a' value: 0 } label_to_index_map { key: 'a' value: 1 }", "0 and 1"),
        (MINIMAL + " label_to_index_map { key: a value: 0 }", "not a key and a value"),
        (MINIMAL + " label_to_index_map: 3", "not a key and a value"),
        (MINIMAL + " matrix_spec: 3", "matrix_spec is not a message"),
        (MINIMAL.replace("row_count: 3", "row_count: -1"), "row_count is -1 in a DENSE"),
        (MINIMAL.replace("}", "format: ROUND }"), "format is 'ROUND'"),
        (MINIMAL.replace("}", "num_channels: 0 }"), "num_channels is 0"),
    ],
)
def test_contradictory_metadata_are_refused_with_file_and_fact(tmp_path: Path, text: str, fact: str) -> None:
    (tmp_path / "metadata.textproto").write_text(text, encoding="utf-8")
    with pytest.raises(MetadataError, match=r"metadata\.textproto") as error:
        read_metadata(tmp_path)
    assert fact in str(error.value)


def test_missing_and_binary_metadata_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="No such file"):
        read_metadata(tmp_path)
    (tmp_path / "metadata.textproto").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MetadataError, match="however"):
        read_metadata(tmp_path)


@pytest.fixture
def metadata(tmp_path: Path) -> AutoDLMetadata:
    (tmp_path / "metadata.textproto").write_text(
        """
        is_sequence: false  sample_count: 7  sequence_size: -1  output_dim: 2
        matrix_spec { row_count: -1 col_count: -1 format: COMPRESSED num_channels: -1 has_locality_row: true }
        matrix_spec { row_count: 1 col_count: 9 format: SPARSE num_channels: -1 }
        label_to_index_map { key: 'no' value: 0 }  label_to_index_map { key: 'yes' value: 1 }
        channel_to_index_map { key: 'the' value: 0 }
        feature_to_index_map { key: 'age' value: 0 }
        """,
        encoding="utf-8",
    )
    return read_metadata(tmp_path)


def test_the_metadata_object_answers_as_the_official_one(metadata: AutoDLMetadata, tmp_path: Path) -> None:
    assert metadata.get_dataset_name() == str(tmp_path)
    assert metadata.get_bundle_size() == 2
    assert (metadata.is_compressed(), metadata.is_compressed(1)) == (True, False)
    assert (metadata.is_sparse(0), metadata.is_sparse(1)) == (False, True)
    assert metadata.get_matrix_size(1) == (1, 9)
    assert (metadata.get_num_channels(0), metadata.get_num_channels(1)) == (3, 1)  # unknown: images have three
    assert metadata.get_tensor_size(1) == (1, 9, 1)
    assert metadata.get_tensor_shape() == (-1, -1, -1, 3)
    assert (metadata.get_sequence_size(), metadata.get_output_size(), metadata.size()) == (-1, 2, 7)
    assert metadata.get_label_to_index_map() == {"no": 0, "yes": 1}
    assert metadata.get_channel_to_index_map() == {"the": 0}
    assert metadata.get_feature_to_index_map() == {"age": 0}


def test_the_specification_has_the_attributes_of_the_protobuf_message(metadata: AutoDLMetadata) -> None:
    message = metadata.metadata_
    assert (message.output_dim, message.sequence_size, message.sample_count, message.is_sequence) == (2, -1, 7, False)
    first = message.matrix_spec[0]
    assert first.format == first.COMPRESSED == 2
    assert (first.has_locality_row, first.has_locality_col, first.is_sequence_row, first.is_sequence_col) == (
        True,
        False,
        False,
        False,
    )
    assert (first.row_count, first.col_count, first.num_channels) == (-1, -1, -1)
