import warnings
from itertools import permutations

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.data.examples import EncodedFrames, Ragged
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.data.sequence_example import decode_examples, encode_example
from autodl_solver.errors import DataError, RecordError, ShapeError

RNG = np.random.default_rng(0)
DENSE_23 = MatrixSpec(2, 3, 1, Format.DENSE)
TEXT = MatrixSpec(1, 1, 1, Format.DENSE)
JPEG = MatrixSpec(-1, -1, 3, Format.COMPRESSED)
TABLE = MatrixSpec(1, 50, 1, Format.SPARSE)


@pytest.fixture(scope="module")
def tf():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tensorflow")


def place(payloads, gap=16):
    """Payloads laid out as in a file."""
    sizes = np.array([len(p) for p in payloads], np.int64)
    starts = np.cumsum(sizes + gap) - sizes
    buffer = np.zeros(int((sizes + gap).sum()) + gap, np.uint8)
    for start, payload in zip(starts, payloads, strict=True):
        buffer[start : start + len(payload)] = np.frombuffer(payload, np.uint8)
    return buffer, starts, sizes


def decode(payloads, spec, n_classes=5, **options):
    return decode_examples(*place(payloads), spec, n_classes, source="sample-x", **options)


def dense_rows(lengths, n_values):
    return [RNG.random((n, n_values)).astype(np.float32) for n in lengths]


def assert_rows_equal(x, rows, shape):
    assert len(x) == len(rows)
    for found, expected in zip(x, rows, strict=True):
        np.testing.assert_array_equal(found, expected.reshape(-1, *shape))


# ---------------------------------------------------------------- dense
@pytest.mark.parametrize(
    ("lengths", "spec", "kind"),
    [
        ([1] * 6, DENSE_23, np.ndarray),  # images, tables
        ([1] * 300, MatrixSpec(28, 28, 1, Format.DENSE), np.ndarray),  # an id of two bytes among them
        ([4] * 5, DENSE_23, np.ndarray),  # videos of one length
        ([4] * 5, MatrixSpec(4, 5, 3, Format.DENSE), np.ndarray),
        ([3, 1, 2], DENSE_23, Ragged),
        ([3, 1, 2], MatrixSpec(4, 5, 1, Format.DENSE), Ragged),
        ([7, 3, 30, 1] * 90, TEXT, Ragged),
        ([3000, 2000, 4000, 1], TEXT, Ragged),  # speech
        ([300, 2, 0, 120], MatrixSpec(1, 9, 1, Format.DENSE), Ragged),
        ([0, 3, 0], TEXT, Ragged),  # an empty text
        ([0, 0], TEXT, np.ndarray),
        ([5], TEXT, np.ndarray),  # a single record
        ([1, 1], MatrixSpec(200, 300, 1, Format.DENSE), np.ndarray),
    ],
)
def test_dense_features_come_back_bit_for_bit(lengths, spec, kind):
    shape = (spec.n_rows, spec.n_cols, spec.n_channels)
    rows = dense_rows(lengths, int(np.prod(shape)))
    rows[0].flat[:1] = np.nan
    examples = decode([encode_example(i, [(i % 5, 1.0)], dense=row) for i, row in enumerate(rows)], spec)
    assert isinstance(examples.x, kind)
    assert_rows_equal(examples.x, rows, shape)
    assert (examples.x.values if kind is Ragged else examples.x).dtype == np.float32
    np.testing.assert_array_equal(examples.y, np.eye(5, dtype=np.float32)[np.arange(len(rows)) % 5])


def test_records_of_one_layout_are_not_copied():
    rows = dense_rows([2] * 8, 6)
    buffer, starts, sizes = place([encode_example(i, [], dense=row) for i, row in enumerate(rows)])
    x = decode_examples(buffer, starts, sizes, DENSE_23, 3, source="s").x
    assert np.shares_memory(x, buffer)
    assert_rows_equal(x, rows, (2, 3, 1))


def test_a_record_of_another_layout_among_equal_ones_is_found():
    rows = dense_rows([1] * 8, 6)
    payloads = [encode_example(i, [], dense=row) for i, row in enumerate(rows)]
    payloads[3] = encode_example(200, [], dense=rows[3])  # one byte more
    payloads[5] = encode_example(5, [(1, 1.0)], dense=rows[5])
    assert_rows_equal(decode(payloads, DENSE_23).x, rows, (2, 3, 1))


@pytest.mark.parametrize("n_values", [1, 6, 20])
def test_a_damaged_step_header_is_an_error_whatever_the_way_of_reading(n_values):
    spec = MatrixSpec(1, n_values, 1, Format.DENSE)
    for lengths in ([3] * 4, [3, 4, 5, 2], [400, 300, 200, 100], [60, 61, 900, 59] * 20):
        payloads = [encode_example(i, [], dense=row) for i, row in enumerate(dense_rows(lengths, n_values))]
        header = payloads[2].index(b"_input") + 8
        at = payloads[2].index(b"\x12", header)
        payloads[2] = payloads[2][:at] + b"\x0a" + payloads[2][at + 1 :]
        with pytest.raises(RecordError, match="sample-x, record 2"):
            decode(payloads, spec)


def test_the_wrong_number_of_values_is_named():
    payloads = [encode_example(i, [], dense=np.zeros((1, 783 if i == 17 else 784))) for i in range(20)]
    rule = r"A dense record must hold rows \* cols \* channels = 784 values per step, however sample-x, record 117, "
    with pytest.raises(RecordError, match=rule + "holds 783; re-export the dataset or delete the record"):
        decode(payloads, MatrixSpec(28, 28, 1, Format.DENSE), first_record=100)


@pytest.mark.parametrize("lengths", [[3, 3], [3, 2]])
def test_another_number_of_steps_than_promised_is_an_error(lengths):
    payloads = [encode_example(i, [], dense=row) for i, row in enumerate(dense_rows(lengths, 1))]
    with pytest.raises(
        RecordError, match="must hold sequence_size = 2 time steps, however sample-x, record 0, holds 3"
    ):
        decode(payloads, TEXT, sequence_size=2)
    with pytest.raises(RecordError, match="must hold the feature list 1_dense_input"):
        decode(payloads, TEXT, bundle=1)


def test_a_dense_bundle_of_unknown_size_is_refused():
    with pytest.raises(DataError, match="must have known rows"):
        decode([encode_example(0, [], dense=np.zeros((1, 4)))], MatrixSpec(-1, 2, 1, Format.DENSE))


def test_no_records_are_no_rows():
    for spec in (DENSE_23, JPEG, TABLE, MatrixSpec(1, 1, 9, Format.SPARSE)):
        examples = decode([], spec, sequence_size=1)
        assert len(examples) == 0
        assert examples.y.shape == (0, 5)
    assert decode([], DENSE_23, sequence_size=1).x.shape == (0, 1, 2, 3, 1)


# ---------------------------------------------------------------- labels
@pytest.mark.parametrize(
    "labels",
    [
        [[(0, 1.0)], [(4, 1.0)]],
        [[(1, 1.0), (3, 1.0)], [], [(0, 0.25)]],  # several, none, a fraction
        [[], []],  # a test set
        [[(300, 1.0)], [(2, 1.0), (399, 0.5)], [(127, 1.0)], [(128, 1.0)]],  # indices of two bytes
        [[(i % 400, 1.0)] for i in range(1000)],  # layouts
        [[(i % 7, 1.0)] * (i % 7 > 0) + [(300 + i % 7, 0.5)] * (i % 3 == 0) for i in range(900)],
        [[(2, 1.0), (2, 0.5)]],  # twice: the last one stands
    ],
)
def test_labels_become_a_row_of_scores(labels):
    expected = np.zeros((len(labels), 400), np.float32)
    for row, pairs in zip(expected, labels, strict=True):
        for index, score in pairs:
            row[index] = score
    payloads = [encode_example(i, pairs, dense=np.zeros((1, 1))) for i, pairs in enumerate(labels)]
    np.testing.assert_array_equal(decode(payloads, TEXT, 400).y, expected)


@pytest.mark.parametrize("index", [5, 300, -1, 2**62])
def test_a_label_beyond_the_classes_is_named(index):
    payloads = [encode_example(i, [(index if i == 2 else 1, 1.0)], dense=np.zeros((1, 1))) for i in range(4)]
    with pytest.raises(DataError, match=f"below output_dim = 5, however sample-x, record 2, holds {index};"):
        decode(payloads, TEXT)


# ---------------------------------------------------------------- compressed
def test_frames_are_found_where_they_lie():
    rows = [[RNG.bytes(int(n)) for n in sizes] for sizes in ([10], [200, 0, 3], [], [70_000], [5] * 100)]
    payloads = [encode_example(i, [(i, 1.0)], compressed=frames) for i, frames in enumerate(rows)]
    buffer, starts, sizes = place(payloads)
    x = decode_examples(buffer, starts, sizes, JPEG, 5, source="s").x
    assert isinstance(x, EncodedFrames)
    assert x.buffers == (buffer,) or x.buffers[0] is buffer
    assert x.lengths.tolist() == [len(frames) for frames in rows]
    found = [x.frame(k).tobytes() for k in range(len(x.starts))]
    assert found == [frame for frames in rows for frame in frames]


def test_a_record_without_the_bundle_has_no_frames():
    assert decode([encode_example(0, [], dense=np.zeros((1, 1)))], JPEG).x.lengths.tolist() == [0]


# ---------------------------------------------------------------- sparse
def sparse_parts(entries):
    row, col, channel, value = np.array(entries, float).reshape(-1, 4).T
    return row.astype(int), col.astype(int), channel.astype(int), value.astype(np.float32)


def test_a_sparse_table_becomes_a_csr_array():
    rows = [[(0, 3, 0, 1.5), (0, 49, 0, -2)], [], [(0, 0, 0, 7)], [(0, 9, 0, 1), (0, 2, 0, 4), (0, 9, 0, 3)]]
    x = decode([encode_example(i, [], sparse=sparse_parts(r)) for i, r in enumerate(rows)], TABLE).x
    assert isinstance(x, sparse.csr_array)
    expected = np.zeros((4, 50))
    expected[0, 3], expected[0, 49], expected[2, 0], expected[3, 2], expected[3, 9] = 1.5, -2, 7, 4, 3
    np.testing.assert_array_equal(x.toarray(), expected)
    assert x.dtype == np.float32
    assert x.has_canonical_format


def test_a_sparse_matrix_is_laid_out_row_by_row():
    x = decode([encode_example(0, [], sparse=sparse_parts([(2, 1, 0, 5)]))], MatrixSpec(3, 4, 1, Format.SPARSE)).x
    assert x.shape == (1, 12)
    assert x[0, 2 * 4 + 1] == 5


def test_sparse_text_becomes_its_channel_indices():
    rows = [[(0, 0, 700, 1), (0, 0, 3, 1)], [], [(0, 0, 80_000, 1)]]
    spec = MatrixSpec(1, 1, 90_000, Format.SPARSE)
    x = decode([encode_example(i, [], sparse=sparse_parts(r)) for i, r in enumerate(rows)], spec).x
    assert isinstance(x, Ragged)
    assert x.values.shape == (3, 1, 1, 1)
    assert [row.ravel().tolist() for row in x] == [[700, 3], [], [80_000]]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ((0, 50, 0, 1.0), "column"),
        ((0, -1, 0, 1.0), "column"),
        ((1, 3, 0, 1.0), "row"),
    ],
)
def test_a_sparse_index_out_of_range_is_named(entry, name):
    payloads = [encode_example(i, [], sparse=sparse_parts([entry] if i else [])) for i in range(3)]
    with pytest.raises(
        RecordError, match=f"sparse {name} index must lie in 0 .. .*, however sample-x, record 1, holds"
    ):
        decode(payloads, TABLE)


# ---------------------------------------------------------------- unusual encodings, made by hand
def varint(value, n_bytes=0):
    out = bytearray()
    while value > 127 or len(out) + 1 < n_bytes:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def entry(key, *messages):
    return field(1, field(1, key) + b"".join(field(2, m) for m in messages))


def floats(*values):
    return np.array(values, "<f4").tobytes()


PACKED = field(2, field(1, floats(1, 2)))
LABEL = entry(b"label_index", field(3, field(1, b"\x01")))
SCORE = entry(b"label_score", field(2, field(1, floats(1))))
PAIR = MatrixSpec(1, 2, 1, Format.DENSE)


def record(context=LABEL + SCORE, steps=(PACKED, PACKED), key=b"0_dense_input"):
    return field(1, context) + field(2, entry(key, b"".join(field(1, step) for step in steps)))


UNUSUAL = {
    "floats one by one": record(steps=[field(2, b"\x0d" + floats(1) + b"\x0d" + floats(2)), PACKED]),
    "floats in two packs": record(steps=[field(2, field(1, floats(1)) + field(1, floats(2))), PACKED]),
    "list in two parts": record(steps=[field(2, field(1, floats(1))) + field(2, field(1, floats(2))), PACKED]),
    "the last kind stands": record(steps=[field(3, field(1, b"\x07")) + PACKED, PACKED]),
    "integers": record(steps=[field(3, field(1, b"\x01\x02")), field(3, b"\x08\x01\x08\x02")]),
    "label one by one": record(context=entry(b"label_index", field(3, b"\x08\x01")) + SCORE),
    "score as an integer": record(context=LABEL + entry(b"label_score", field(3, field(1, b"\x01")))),
    "context in two sections": field(1, LABEL) + field(1, SCORE) + record(context=b""),
    "feature lists before context": record(context=b"")[2:] + field(1, LABEL + SCORE),
    "the last of equal keys stands": record(context=entry(b"label_index", field(3, field(1, b"\x09"))) + LABEL + SCORE),
    "value before key": record(
        context=SCORE + field(1, field(2, field(3, field(1, b"\x01"))) + field(1, b"label_index"))
    ),
    "value in two parts": field(1, LABEL + SCORE)
    + field(2, entry(b"0_dense_input", field(1, PACKED), field(1, PACKED))),
    "unknown fields": field(15, b"?")
    + b"\x81\x01"
    + b"x" * 8
    + b"\x20\x05"
    + b"\x2d"
    + b"abcd"
    + record()
    + field(99, b""),
    "unknown fields in the context": record(context=LABEL + field(7, b"?") + SCORE),
    "long numbers": b"\x0a" + varint(len(LABEL + SCORE), 5) + LABEL + SCORE + record(context=b"")[2:],
    "long label": record(context=entry(b"label_index", field(3, field(1, varint(1, 10)))) + SCORE),
    "other features": record(context=entry(b"more", b"") + LABEL + entry(b"", b"") + SCORE + entry(b"zzz", PACKED)),
}


@pytest.mark.parametrize("payload", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("neighbours", [0, 1, 300])
def test_any_encoding_that_protobuf_allows_is_read(payload, neighbours):
    payloads = [record()] * neighbours + [payload] + [record()] * neighbours
    examples = decode(payloads, PAIR)
    np.testing.assert_array_equal(
        examples.x, np.tile(np.float32([1, 2]).reshape(1, 1, 1, 2, 1), (len(payloads), 2, 1, 1, 1))
    )
    np.testing.assert_array_equal(examples.y, np.tile(np.eye(5, dtype=np.float32)[1], (len(payloads), 1)))


@pytest.mark.parametrize("payload", UNUSUAL.values(), ids=UNUSUAL)
def test_tensorflow_reads_the_unusual_encodings_the_same(payload, tf):
    message = tf.train.SequenceExample.FromString(payload)
    context, lists = message.context.feature, message.feature_lists.feature_list
    steps = [list(step.float_list.value or step.int64_list.value) for step in lists["0_dense_input"].feature]
    assert steps == [[1, 2], [1, 2]]
    assert list(context["label_index"].int64_list.value) == [1]


def test_rows_of_differing_length_stay_ragged_when_one_is_unusual():
    odd = record(steps=[field(2, b"\x0d" + floats(1) + b"\x0d" + floats(2))])
    for payloads, lengths in (([record(), odd], [2, 1]), ([record(), record(steps=[]), odd, record()], [2, 0, 1, 2])):
        x = decode(payloads, PAIR).x
        assert isinstance(x, Ragged)
        assert x.lengths.tolist() == lengths


def test_unusual_frames_and_sparse_entries_are_read_among_usual_ones():
    image = field(1, field(1, b"abc"))
    usual = record(steps=[image, image], key=b"0_compressed")
    unusual = record(steps=[field(1, field(1, b"x")) + field(1, field(1, b"yz"))], key=b"0_compressed") + field(9, b"")
    x = decode([usual, unusual, usual], JPEG).x
    assert [x.frame(k).tobytes() for k in range(6)] == [b"abc", b"abc", b"x", b"yz", b"abc", b"abc"]
    assert x.lengths.tolist() == [2, 2, 2]
    columns = field(
        2,
        entry(b"0_sparse_col_index", field(1, field(3, b"\x08\x03")))
        + entry(b"0_sparse_value", field(1, field(2, field(1, floats(5))))),
    )
    usual = encode_example(0, [], sparse=sparse_parts([(0, 7, 0, 2)]))
    x = decode([usual, columns, usual], TABLE).x  # rows and channels may be left out
    assert x.toarray().nonzero()[1].tolist() == [7, 3, 7]


BROKEN = {
    "nothing fits": (b"\x00\x01garbage", "record 1"),
    "label without score": (record(context=LABEL), "1 labels and 0 scores"),
    "two scores": (
        record(context=LABEL + entry(b"label_score", field(2, field(1, floats(1, 1))))),
        "1 labels and 2 scores",
    ),
    "label as a float": (
        record(context=entry(b"label_index", field(2, field(1, floats(1)))) + SCORE),
        "holds a float list",
    ),
    "dense data as bytes": (record(steps=[field(1, field(1, b"ab"))] * 2), "must be a float list.*holds a bytes list"),
    "an empty step": (record(steps=[PACKED, b""]), "holds 0;"),
    "floats cut short": (record(steps=[field(2, field(1, floats(1, 2)[:-1])), PACKED]), "4 bytes each"),
    "a length beyond the record": (record()[:-1], "must lie within its message"),
    "an endless number": (b"\x0a" + b"\xff" * 12, "at most 10 bytes"),
    "a number cut short": (b"\x0a\xff", "must end within its message"),
    "a group": (b"\x0b" + record(), "wire type 3"),
    "a field 0": (b"\x02\x00" + record(), "numbered from 1"),
    "no data": (field(1, LABEL + SCORE), "must hold the feature list 0_dense_input"),
    "nothing at all": (b"", "must hold the feature list 0_dense_input"),
    "a fixed number in a list of integers": (
        record(context=entry(b"label_index", field(3, b"\x0d" + floats(1))) + SCORE),
        "wire type 5",
    ),
}


@pytest.mark.parametrize(("payload", "text"), BROKEN.values(), ids=BROKEN)
def test_a_broken_record_is_named_with_rule_fact_and_remedy(payload, text):
    with pytest.raises(RecordError, match=rf"however sample-x, record 1, .*{text}|{text}.*") as caught:
        decode([record(), payload, record()], PAIR)
    assert "however sample-x, record 1, " in str(caught.value)
    assert str(caught.value).endswith("re-export the dataset or delete the record.")


@pytest.mark.parametrize(("starts", "sizes"), [([0], [99]), ([-1], [5]), ([5], [-1]), ([20], [2**62])])
def test_a_record_outside_the_buffer_is_refused(starts, sizes):
    with pytest.raises(RecordError, match="must lie within its file"):
        decode_examples(np.zeros(50, np.uint8), np.array(starts), np.array(sizes), PAIR, 2, source="s")


# ---------------------------------------------------------------- encoding
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"dense": np.zeros((1, 2)), "compressed": [b""]},
        {"dense": np.zeros(3)},
        {"dense": np.zeros((3, 0))},
        {"sparse": (np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(3))},
    ],
    ids=["no data", "two kinds", "one dimension", "no values", "unequal"],
)
def test_data_that_cannot_be_encoded_is_refused(data):
    with pytest.raises(ShapeError):
        encode_example(0, [], **data)


# ---------------------------------------------------------------- against TensorFlow
def features(tf, message, order, values):
    for key in order:
        kind, content = values[key]
        getattr(message[key], kind).value.extend(content)


@pytest.mark.parametrize("order", list(permutations(["id", "label_index", "label_score"])))
def test_what_tensorflow_writes_is_read_in_any_order_of_the_map(tf, order):
    rows = dense_rows([3, 1, 2], 6)
    payloads = []
    for i, row in enumerate(rows):
        message = tf.train.SequenceExample()
        values = {
            "id": ("int64_list", [i]),
            "label_index": ("int64_list", [i, 4]),
            "label_score": ("float_list", [1, 0.5]),
        }
        features(tf, message.context.feature, order, values)
        for step in row:
            message.feature_lists.feature_list["0_dense_input"].feature.add().float_list.value.extend(step)
        message.feature_lists.feature_list["other"].feature.add().bytes_list.value.append(b"?")
        payloads.append(message.SerializeToString())
    examples = decode(payloads, DENSE_23)
    assert_rows_equal(examples.x, rows, (2, 3, 1))
    assert examples.y.tolist() == [[1, 0, 0, 0, 0.5], [0, 1, 0, 0, 0.5], [0, 0, 1, 0, 0.5]]


@pytest.mark.parametrize("fmt", list(Format))
def test_the_official_parse_reads_what_we_write(tf, fmt):
    labels = [(3, 1.0), (300, 0.5)]
    dense, frames = dense_rows([4], 6)[0], [b"one", b"two"]
    parts = sparse_parts([(0, 3, 2, 1.5), (1, 400, 0, -2)])
    data = {Format.DENSE: {"dense": dense}, Format.COMPRESSED: {"compressed": frames}, Format.SPARSE: {"sparse": parts}}
    payload = encode_example(7, labels, **data[fmt])
    context = {"label_index": tf.io.VarLenFeature(tf.int64), "label_score": tf.io.VarLenFeature(tf.float32)}
    lists = {
        Format.DENSE: {"0_dense_input": tf.io.FixedLenSequenceFeature([6], tf.float32)},
        Format.COMPRESSED: {"0_compressed": tf.io.VarLenFeature(tf.string)},
        Format.SPARSE: {
            **{f"0_sparse_{key}_index": tf.io.VarLenFeature(tf.int64) for key in ("row", "col", "channel")},
            "0_sparse_value": tf.io.VarLenFeature(tf.float32),
        },
    }[fmt]
    context, lists = tf.io.parse_single_sequence_example(payload, context, lists)
    assert context["label_index"].values.numpy().tolist() == [3, 300]
    assert context["label_score"].values.numpy().tolist() == [1.0, 0.5]
    if fmt is Format.DENSE:
        np.testing.assert_array_equal(lists["0_dense_input"], dense)
    elif fmt is Format.COMPRESSED:
        assert lists["0_compressed"].values.numpy().tolist() == frames
    else:
        names = ("sparse_row_index", "sparse_col_index", "sparse_channel_index", "sparse_value")
        for name, part in zip(names, parts, strict=True):
            np.testing.assert_array_equal(lists[f"0_{name}"].values, part)
    message = tf.train.SequenceExample.FromString(payload)
    assert message.context.feature["id"].int64_list.value == [7]
