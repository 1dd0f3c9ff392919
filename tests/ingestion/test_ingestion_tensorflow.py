"""Models of third parties: what they do with the dataset in eager and in graph mode, and without TensorFlow.

Each runs in a process of its own, as TensorFlow's mode is a matter of the whole process. Their asserts fail the run.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ingestion_harness import Outcome

from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import write_records

Ingest = Callable[..., Outcome]

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)

EAGER = """
import numpy as np
import tensorflow as tf
from pathlib import Path
from ingestion.dataset import AutoDLDataset  # only to open the other datasets of this test

class Model:
    def __init__(self, metadata):
        self.done_training = False

    def train(self, dataset, remaining_time_budget=None):
        assert isinstance(dataset, tf.data.Dataset)
        assert [spec.shape.as_list() for spec in dataset.element_spec] == [[1, 1, 2, 1], [3]]
        x, y = zip(*dataset.take(4))
        assert np.array_equal(np.ravel(x), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])
        assert np.array_equal(y, np.eye(3)[[0, 1, 2, 0]])
        assert [len(x) for x, y in dataset.map(lambda x, y: (x, y)).batch(4).prefetch(tf.data.AUTOTUNE)] == [4, 2]
        assert len(list(tf.data.Dataset.zip((dataset, dataset)))) == 6
        assert len(list(dataset.repeat(2).shuffle(3, seed=1))) == 12

        @tf.function
        def total(dataset):
            result = 0.0
            for x, y in dataset:
                result += tf.reduce_sum(x)
            return result

        assert float(total(dataset)) == 33.0
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            step = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()
            assert session.run(step)[1].tolist() == [1, 0, 0]
        with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:  # another one
            step = tf.compat.v1.data.make_one_shot_iterator(dataset.batch(4)).get_next()
            assert step[0].graph is graph
            assert [session.run(step)[0].shape for _ in range(2)] == [(4, 1, 1, 2, 1), (2, 1, 1, 2, 1)]
            iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
            session.run(iterator.initializer)
            assert session.run(iterator.get_next())[0].shape == (1, 1, 2, 1)
        assert len(list(dataset)) == 6  # after the graph: eager again
        check_kinds(Path(dataset.folder).parents[1] / "kinds")

    def test(self, dataset, remaining_time_budget=None):
        self.done_training = True
        assert all(not y.numpy().any() for x, y in dataset)
        return np.concatenate([x.numpy().reshape(1, 2)[:, [0, 1, 1]] for x, y in dataset])

def rows(folder):
    return [(x.numpy(), y.numpy()) for x, y in AutoDLDataset(folder).get_dataset()]

def check_kinds(folder):
    speech = rows(folder / "speech")
    assert [x.shape for x, y in speech] == [(3, 1, 1, 1), (5, 1, 1, 1)]
    assert speech[1][1].tolist() == [0.0, 0.5, 1.0]

    images = rows(folder / "images")
    assert [x.shape for x, y in images] == [(2, 4, 6, 3)]
    assert np.abs(images[0][0] - [[[[1.0, 0.0, 0.2]]]]).max() < 1e-6

    table = rows(folder / "table")
    assert table[0][0].shape == (1, 2, 2, 1)
    assert table[0][0].reshape(2, 2).tolist() == [[7.0, 0.25], [1.0, 0.5]]
    tokens = rows(folder / "tokens")
    assert tokens[0][0].ravel().tolist() == [5.0, 3.0] and tokens[0][0].shape == (2, 1, 1, 1)

    files = tf.data.Dataset.from_tensor_slices(sorted(map(str, (folder / "shards").glob("sample*"))))
    official = files.interleave(tf.data.TFRecordDataset, cycle_length=3, num_parallel_calls=tf.data.AUTOTUNE)
    order = [tf.train.SequenceExample.FromString(record.numpy()) for record in official]
    order = [example.context.feature["id"].int64_list.value[0] for example in order]
    assert [int(x.ravel()[0]) for x, y in rows(folder / "shards")] == order
    assert sorted(order) != order and len(order) == 11
"""


def _write(folder: Path, spec: str, shards: list[list[bytes]]) -> None:
    folder.mkdir(parents=True)
    head = f"sample_count: {sum(map(len, shards))}\noutput_dim: 3\n"
    (folder / "metadata.textproto").write_text(head + spec)
    for i, records in enumerate(shards):
        write_records(folder / f"sample-{i:05}.tfrecord", records)


def _write_kinds(folder: Path) -> None:
    """One folder for each way in which a bundle is stored."""
    import io

    from PIL import Image

    png = io.BytesIO()
    Image.new("RGB", (6, 4), (255, 0, 51)).save(png, "PNG")
    # The converter of the challenge swaps rows and columns: 6 x 4 here, 4 x 6 in the image.
    _write(
        folder / "images",
        "sequence_size: 2 matrix_spec { row_count: 6 col_count: 4 format: COMPRESSED num_channels: 3 }",
        [[encode_example(0, [(0, 1.0)], compressed=[png.getvalue()] * 2)]],
    )
    steps = "sequence_size: -1 matrix_spec { row_count: 1 col_count: 1 }"
    speech = [
        encode_example(0, [(0, 1.0)], dense=np.zeros((3, 1), np.float32)),
        encode_example(1, [(2, 1.0), (1, 0.5)], dense=np.zeros((5, 1), np.float32)),  # labels in any order, fractional
    ]
    _write(folder / "speech", steps, [speech])
    zeros = np.zeros(2, np.int64)
    columns, values = np.array([7, 1]), np.array([0.25, 0.5], np.float32)
    _write(
        folder / "table",
        "matrix_spec { row_count: 1 col_count: 9 format: SPARSE }",
        [[encode_example(0, [(0, 1.0)], sparse=(zeros, columns, zeros, values))]],
    )
    _write(
        folder / "tokens",
        "sequence_size: -1 matrix_spec { row_count: 1 col_count: 1 format: SPARSE num_channels: 8 }",
        [[encode_example(0, [(0, 1.0)], sparse=(zeros, zeros, np.array([5, 3]), np.ones(2, np.float32)))]],
    )
    shards = [
        [encode_example(i, [], dense=np.array([[i]], np.float32)) for i in numbers]
        for numbers in ([0, 1], [10, 11, 12, 13], [20, 21, 22], [30, 31])
    ]
    _write(folder / "shards", steps, shards)


@needs_tensorflow
def test_an_eager_model_uses_the_dataset_as_any_other(ingest: Ingest, dataset_dir: Path) -> None:
    _write_kinds(dataset_dir / "kinds")
    outcome = ingest(EAGER)
    assert outcome.exit_code == 0, outcome.log
    assert (outcome.folder / "tiny.predict_0").read_text() == "0 0.5 0.5\n1 1.5 1.5\n2 2.5 2.5\n3 3.5 3.5\n"


GRAPH = """
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()

class Model:
    def __init__(self, metadata):
        self.done_training = False

    def read(self, dataset):
        iterator = dataset.batch(4).make_one_shot_iterator()
        step = iterator.get_next()
        assert step[0].graph is tf.get_default_graph()
        parts = []
        with tf.Session() as session:
            while True:
                try:
                    parts.append(session.run(step))
                except tf.errors.OutOfRangeError:
                    return [np.concatenate(part) for part in zip(*parts)]

    def train(self, dataset, remaining_time_budget=None):
        assert isinstance(dataset, tf.data.Dataset)
        x, y = self.read(dataset)
        assert x.shape == (6, 1, 1, 2, 1) and y.shape == (6, 3)
        with tf.Graph().as_default():
            assert len(self.read(dataset)[0]) == 6
        step = tf.data.make_initializable_iterator(dataset)
        with tf.Session() as session:
            session.run(step.initializer)
            assert session.run(step.get_next())[0].shape == (1, 1, 2, 1)

    def test(self, dataset, remaining_time_budget=None):
        with tf.Graph().as_default():
            x, y = self.read(dataset)
        self.done_training = True
        return x.reshape(4, 2)[:, [0, 1, 1]]
"""


@needs_tensorflow
@pytest.mark.slow  # the eager model builds graphs too
def test_a_graph_mode_model_uses_the_dataset_in_any_graph(ingest: Ingest) -> None:
    outcome = ingest(GRAPH)
    assert outcome.exit_code == 0, outcome.log
    assert (outcome.folder / "tiny.predict_0").read_text() == "0 0.5 0.5\n1 1.5 1.5\n2 2.5 2.5\n3 3.5 3.5\n"


USES_DATASET = """
class Model:
    def __init__(self, metadata):
        self.done_training = False

    def train(self, dataset, remaining_time_budget=None):
        for x, y in dataset:
            pass

    def test(self, dataset, remaining_time_budget=None):
        return None
"""


def test_without_tensorflow_the_error_says_what_to_install(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "tensorflow.py").write_text("raise ImportError('not here')")
    outcome = ingest(USES_DATASET, python_path=[tmp_path / "path"])
    assert outcome.exit_code == 1
    assert 'pip install \\"autodl-solver[kit]\\"' in outcome.fields("end.txt")["ingestion_error"]
    assert "not here" in outcome.fields("end.txt")["ingestion_error"]
