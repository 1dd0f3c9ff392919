import os
import sys
import warnings
from pathlib import Path

import numpy as np
import psutil
import pytest

from autodl_solver.data.tfrecord import RecordFile, interleave_order, masked_crc32c, record_files, write_records
from autodl_solver.errors import RecordError


@pytest.fixture(scope="module")
def tf():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tensorflow")


def payloads_of(sizes):
    rng = np.random.default_rng(0)
    return [rng.bytes(size) for size in sizes]


def contents(file, start, stop):
    return [file.buffer[a : a + n].tobytes() for a, n in zip(*file.locate(start, stop), strict=True)]


SIZES = [
    [],  # no record
    [0],  # an empty record
    [7],
    [5, 5, 5, 5, 5, 5, 5],  # a run, short
    [100] * 1000,  # a run that gallops
    [3] * 50 + [4] * 50 + [3, 4] * 20 + [9] * 6,  # runs and none
    list(range(200)),  # never twice the same
    [0] * 300,  # a run of nothing
]


@pytest.mark.parametrize("sizes", SIZES, ids=len)
def test_what_was_written_is_read(tmp_path, sizes):
    payloads = payloads_of(sizes)
    path = tmp_path / "sample.tfrecord"
    assert write_records(path, payloads) == len(payloads)
    file = RecordFile(path)
    assert len(file) == len(payloads)
    assert contents(file, 0, len(payloads) + 5) == payloads
    file.verify()


@pytest.mark.parametrize("sizes", SIZES, ids=len)
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_records_are_located_batch_by_batch(tmp_path, sizes, batch):
    payloads = payloads_of(sizes)
    write_records(tmp_path / "sample", payloads)
    file = RecordFile(tmp_path / "sample")
    read = [p for start in range(0, len(payloads) + batch, batch) for p in contents(file, start, start + batch)]
    assert read == payloads


def test_locating_beyond_the_end_gives_nothing(tmp_path):
    write_records(tmp_path / "sample", payloads_of([3, 4]))
    starts, sizes = RecordFile(tmp_path / "sample").locate(5, 9)
    assert starts.shape == sizes.shape == (0,)
    assert starts.dtype == sizes.dtype == np.int64


def test_records_before_a_broken_one_can_be_read(tmp_path):
    path = tmp_path / "sample"
    write_records(path, payloads_of([10, 20, 30]))
    path.write_bytes(path.read_bytes()[:-1])
    file = RecordFile(path)
    assert len(contents(file, 0, 2)) == 2
    with pytest.raises(RecordError, match="record 2"):
        file.locate(0, 3)
    assert len(contents(file, 0, 2)) == 2


def test_a_negative_record_number_is_refused(tmp_path):
    write_records(tmp_path / "sample", [b"a"])
    with pytest.raises(ValueError, match="counted from 0"):
        RecordFile(tmp_path / "sample").locate(-1, 2)


CUTS = [
    1,  # within the footer
    4,  # without the footer
    9,  # within the payload
    25,  # within the header
    35,  # within the length
]


@pytest.mark.parametrize("n_cut", CUTS)
@pytest.mark.parametrize("sizes", [[20, 21, 22], [20] * 40], ids=["hopping", "galloping"])
def test_a_truncated_record_is_named(tmp_path, n_cut, sizes):
    path = tmp_path / "sample-cut.tfrecord"
    write_records(path, payloads_of(sizes))
    path.write_bytes(path.read_bytes()[:-n_cut])
    with pytest.raises(RecordError, match=rf"sample-cut.tfrecord, record {len(sizes) - 1} at byte"):
        len(RecordFile(path))


@pytest.mark.parametrize("length", [2**60, 2**63, 2**64 - 1, 2**64 - 16, 1000])
def test_an_absurd_length_is_an_error_and_allocates_nothing(tmp_path, length):
    path = tmp_path / "sample"
    write_records(path, payloads_of([10] * 12))
    content = bytearray(path.read_bytes())
    content[10 * 26 : 10 * 26 + 8] = length.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(RecordError, match=f"record 10 at byte 260, announces {length} bytes"):
        RecordFile(path).locate(0, 2**40)


@pytest.mark.parametrize(
    ("position", "part"),
    [
        (31 + 9, "length"),  # the checksum of the length
        (31 + 14, "payload"),  # the payload itself
        (31 + 12 + 15 + 2, "payload"),  # the checksum of the payload
    ],
)
def test_a_wrong_checksum_is_found_and_named(tmp_path, position, part):
    path = tmp_path / "sample"
    write_records(path, payloads_of([15, 15]))
    content = bytearray(path.read_bytes())
    content[position] ^= 16
    path.write_bytes(content)
    file = RecordFile(path)
    assert len(file) == 2
    with pytest.raises(RecordError, match=rf"sample, record 1, has \w+ for its {part}"):
        file.verify()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"missing.tfrecord is not \(No such file"):
        RecordFile(tmp_path / "missing.tfrecord")


def test_the_checksum_is_that_of_the_format():
    # CRC32C of "123456789" is e3069283 (RFC 3720), masked as record_writer.h does.
    assert masked_crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell how much of a file is mapped")
def test_what_was_read_takes_no_memory_once_it_was_let_go(tmp_path):
    def mapped_bytes():
        return psutil.Process().memory_info().shared

    payloads = payloads_of([2**20] * 64)
    write_records(tmp_path / "sample", payloads)
    file, before = RecordFile(tmp_path / "sample"), mapped_bytes()
    assert contents(file, 0, 64) == payloads
    assert mapped_bytes() - before > 60 * 2**20
    file.let_go()
    assert mapped_bytes() - before < 4 * 2**20
    assert contents(file, 0, 64) == payloads


def test_the_mapped_file_cannot_be_written_to(tmp_path):
    write_records(tmp_path / "sample", [b"abc"])
    with pytest.raises(ValueError, match="read-only"):
        RecordFile(tmp_path / "sample").buffer[0] = 1


def test_a_failing_source_leaves_neither_a_file_nor_a_part_of_one(tmp_path):
    def failing():
        yield b"first"
        raise KeyError("source")

    path = tmp_path / "sample"
    with pytest.raises(KeyError):
        write_records(path, failing())
    assert list(tmp_path.iterdir()) == []
    write_records(path, [b"old"])
    with pytest.raises(KeyError):
        write_records(path, failing())
    assert contents(RecordFile(path), 0, 9) == [b"old"]
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_have_the_usual_permissions(tmp_path):
    path = tmp_path / "sample"
    write_records(path, [b"a"])
    (tmp_path / "plain").write_bytes(b"a")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_record_files_are_sorted_and_only_files_named_sample(tmp_path):
    for name in ("sample-b", "sample-a", "metadata.textproto", "sample-10", "sample-9"):
        (tmp_path / name).touch()
    (tmp_path / "sample-folder").mkdir()
    assert [p.name for p in record_files(tmp_path)] == ["sample-10", "sample-9", "sample-a", "sample-b"]


COUNTS = [
    [5],  # one file
    [3, 7],  # fewer files than places
    [4, 4, 4],
    [3, 1, 5, 2],  # unequal
    [0, 2, 3, 0],  # empty first and last
    [0, 0, 0, 4],  # places full of empty files
    [1, 0, 6, 0, 2, 9, 3],
    [9, 1, 1, 1, 1, 1, 1],
    [0],
    [0, 0, 0, 0],
]


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("is_parallel", [False, True], ids=["sequential", "parallel"])
def test_several_files_are_read_in_the_order_of_tf_data(tmp_path, tf, counts, is_parallel):
    for i, count in enumerate(counts):
        write_records(tmp_path / f"sample-{i}", (b"%d %d" % (i, k) for k in range(count)))
    names = tf.data.Dataset.from_tensor_slices([os.fspath(p) for p in record_files(tmp_path)])
    calls = tf.data.AUTOTUNE if is_parallel else None
    dataset = names.interleave(tf.data.TFRecordDataset, cycle_length=3, num_parallel_calls=calls)
    order = [tuple(map(int, record.numpy().split())) for record in dataset]
    files, records = interleave_order(counts)
    assert list(zip(files.tolist(), records.tolist(), strict=True)) == order


@pytest.mark.parametrize("counts", [[], [100_000] * 10, [1] * 500, [0, 400_000, 3]])
def test_the_interleaved_order_reads_each_record_once_and_in_its_files_order(counts):
    files, records = interleave_order(counts)
    assert files.shape == records.shape == (sum(counts),)
    for i, count in enumerate(counts[:12]):
        assert np.array_equal(records[files == i], np.arange(count))


def test_tensorflow_reads_what_we_write_and_we_read_what_it_writes(tmp_path, tf):
    payloads = payloads_of([0, 1, 300, 300, 300, 300, 300, 300, 70_000])
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_records(ours, payloads)
    with tf.io.TFRecordWriter(os.fspath(theirs)) as writer:
        for payload in payloads:
            writer.write(payload)
    assert Path(ours).read_bytes() == Path(theirs).read_bytes()
    assert [record.numpy() for record in tf.data.TFRecordDataset(os.fspath(ours))] == payloads
