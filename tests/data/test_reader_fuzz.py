"""Whatever the bytes, the reader answers or raises a DataError, and allocates in proportion to them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.data.sequence_example import decode_examples, encode_example
from autodl_solver.data.tfrecord import RecordFile, write_records
from autodl_solver.errors import DataError

SPECS = {
    "dense": MatrixSpec(1, 3, 1, Format.DENSE),
    "text": MatrixSpec(1, 1, 1, Format.DENSE),
    "wide": MatrixSpec(5, 5, 1, Format.DENSE),
    "compressed": MatrixSpec(-1, -1, 3, Format.COMPRESSED),
    "table": MatrixSpec(1, 40, 1, Format.SPARSE),
    "sparse text": MatrixSpec(1, 1, 40, Format.SPARSE),
}
BOUNDED = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def payloads_of(kind):
    """Six records, of one layout and of others, long enough a text for each way of reading."""
    rng = np.random.default_rng(1)
    spec = SPECS[kind]
    for i in range(6):
        labels = [(i, 1.0)] if i % 3 else [(2, 1.0), (i, 0.5)]
        n_steps = 1 + (i == 5) * (100 if kind == "text" else 2)
        index = np.arange(n_steps)
        data = {
            Format.DENSE: {"dense": rng.random((n_steps, spec.n_rows * spec.n_cols))},
            Format.COMPRESSED: {"compressed": [rng.bytes(20)] * n_steps},
            Format.SPARSE: {"sparse": (0 * index, index, index, rng.random(n_steps))},
        }
        yield encode_example(i, labels, **data[spec.format])


def read_all(path, kind):
    """The examples of a file; None where the reader refuses it."""
    try:
        file = RecordFile(path)
        examples = decode_examples(file.buffer, *file.locate(0, 1 << 50), SPECS[kind], 6, source=str(path))
    except DataError:
        return None
    assert examples.y.shape == (len(file), 6)
    return examples


@pytest.fixture(params=SPECS)
def kind(request):
    return request.param


def test_a_flipped_byte_anywhere_is_survived(tmp_path, kind):
    path = tmp_path / "sample"
    write_records(path, payloads_of(kind))
    content = path.read_bytes()
    positions = np.unique(np.linspace(0, len(content) - 1, 100).astype(int))
    for flip in (0x01, 0x80, 0xFF):
        for position in positions:
            broken = bytearray(content)
            broken[position] ^= flip
            (tmp_path / "broken").write_bytes(broken)
            read_all(tmp_path / "broken", kind)


def test_a_file_cut_anywhere_is_survived(tmp_path, kind):
    path = tmp_path / "sample"
    write_records(path, payloads_of(kind))
    content = path.read_bytes()
    for n_bytes in np.unique(np.linspace(0, len(content) - 1, 40).astype(int)):
        (tmp_path / "cut").write_bytes(content[:n_bytes])
        read_all(tmp_path / "cut", kind)


@BOUNDED
@given(content=st.binary(max_size=400))
def test_a_file_of_garbage_is_survived(tmp_path, content):
    (tmp_path / "garbage").write_bytes(content)
    read_all(tmp_path / "garbage", "dense")


# Bytes that look like the format: field tags, small lengths and whole features, in any order.
pieces = st.one_of(
    st.sampled_from([b"\x0a", b"\x12", b"\x1a", b"\x08", b"\x0d", b"\x0b", b"\x0c", b"\xff", b"\x80", b"\x00"]),
    st.integers(0, 40).map(lambda n: bytes([n])),
    st.sampled_from(
        [b"\x0a\x0blabel_index", b"\x0a\x0blabel_score", b"\x0a\x0d0_dense_input", b"\x0a\x0c0_compressed"]
    ),
    st.sampled_from([next(payloads_of(kind))[:n] for kind in SPECS for n in (10, 60, 1000)]),
    st.binary(max_size=8),
)


def nested(children):
    """A length-delimited field around other pieces."""
    inside = st.lists(children, max_size=4).map(b"".join)
    return st.tuples(st.integers(1, 3), inside).map(lambda p: bytes([p[0] << 3 | 2, len(p[1]) & 127]) + p[1])


@BOUNDED
@given(payloads=st.lists(st.lists(st.recursive(pieces, nested), max_size=6).map(b"".join), max_size=4))
def test_payloads_that_resemble_the_format_are_survived(tmp_path, kind, payloads):
    write_records(tmp_path / "sample", payloads)
    read_all(tmp_path / "sample", kind)


values = st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), max_size=5)
labels = st.dictionaries(st.integers(0, 5), st.floats(0, 1, width=32), max_size=4)


@BOUNDED
@given(rows=st.lists(st.tuples(values, labels), min_size=1, max_size=5))
def test_whatever_is_written_comes_back(tmp_path, rows):
    arrays = [np.array(row, np.float32).reshape(-1, 3) for row, _ in rows]
    write_records(
        tmp_path / "sample",
        (encode_example(i, pairs.items(), dense=a) for i, (a, (_, pairs)) in enumerate(zip(arrays, rows, strict=True))),
    )
    examples = read_all(tmp_path / "sample", "dense")
    for found, expected, y, (_, pairs) in zip(examples.x, arrays, examples.y, rows, strict=True):
        np.testing.assert_array_equal(found.reshape(-1, 3), expected)
        assert y.tolist() == [np.float32(pairs.get(k, 0)) for k in range(6)]


def field(number, payload):
    size = bytes((len(payload) >> shift) & 127 | 128 for shift in (0, 7, 14)) + bytes([len(payload) >> 21])
    return bytes([number << 3 | 2]) + size + payload


HOSTILE = {
    "many empty entries": field(1, b"\x0a\x00" * 50_000),
    "many steps without values": field(2, field(1, field(1, b"0_dense_input") + field(2, b"\x0a\x00" * 50_000))),
    "lengths that promise much": b"\x0a\xff\xff\xff\xff\x7f" * 10_000,
    "deep nesting": b"\x0a\x7f" * 50_000,
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_records_take_memory_in_proportion_to_their_size(tmp_path, payload):
    write_records(tmp_path / "sample", [payload])
    tracemalloc.start()
    read_all(tmp_path / "sample", "dense")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250 * len(payload) + 10_000_000
