"""Counting records and refusing broken framing."""

import struct
from pathlib import Path

import pytest

from autodl_solver.data.tfrecord import write_records
from ingestion.errors import DatasetError
from ingestion.records import count_records, record_files


@pytest.mark.parametrize(
    "payloads",
    [
        [],  # an empty file holds no record
        [b""],  # an empty record is one
        [b"a", b"bc" * 500, b"", b"d"],
    ],
)
def test_records_are_counted(tmp_path: Path, payloads: list[bytes]) -> None:
    path = tmp_path / "sample.tfrecord"
    write_records(path, payloads)
    assert count_records(path) == len(payloads)


@pytest.mark.parametrize(
    "tail",
    [
        b"\x01",  # ends within the length
        struct.pack("<Q", 10) + b"crc_" + b"0123456789" + b"crc",  # within the last checksum
        struct.pack("<Q", 10) + b"crc_" + b"012",  # within the payload
        struct.pack("<Q", 2**60) + b"crc_" + b"0123456789" + b"crc_",  # a length of 2^60 must not allocate
        b"\xff" * 40,  # garbage
    ],
)
def test_a_record_that_does_not_end_within_its_file_is_named(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "sample.tfrecord"
    write_records(path, [b"first", b"second"])
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises(DatasetError, match=r"sample\.tfrecord, record 2 "):
        count_records(path)


def test_record_files_are_sorted_and_nothing_else_is_taken(tmp_path: Path) -> None:
    for name in ("sample-b", "sample-a", "metadata.textproto", "other"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sample-folder").mkdir()
    assert [path.name for path in record_files(tmp_path)] == ["sample-a", "sample-b"]


def test_a_folder_without_record_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds none"):
        record_files(tmp_path)
