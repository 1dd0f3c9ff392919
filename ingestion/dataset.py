"""The dataset as a model sees it: a tf.data.Dataset to every use, which imports TensorFlow only when it is used.

A model that reads the records itself takes `dataset.folder` and never waits for TensorFlow.
The parse follows the official program: same order of the records, same tensors.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingestion.errors import DatasetError, MetadataError, MissingTensorFlowError
from ingestion.log import logger
from ingestion.metadata import AutoDLMetadata, read_metadata
from ingestion.records import count_records, record_files


class LazyDataset:
    """Stands in for a `tf.data.Dataset` of (tensor, ..., labels) and builds it when it is first used.

    In graph mode it belongs to the graph that is the default at that moment; in another graph it is built anew.

    Attributes:
        folder: the folder of the records, to be read without TensorFlow.
    """

    def __init__(self, folder: Path, metadata: AutoDLMetadata) -> None:
        self.folder = folder
        self._metadata = metadata
        self._graph: object = None
        self._dataset: Any = None

    @property  # type: ignore[misc]  # a property of this name is what makes isinstance(dataset, tf.data.Dataset) true
    def __class__(self) -> type:
        # Nobody can ask for a class of TensorFlow before it is imported; so other questions need not import it.
        return type(self._built()) if sys.modules.get("tensorflow") else LazyDataset

    def __getattr__(self, name: str) -> Any:
        # copy, pickle, numpy and others look for special methods of anything they meet; that is not a use either.
        if name.startswith("__") and not sys.modules.get("tensorflow"):
            raise AttributeError(f"{LazyDataset.__name__!r} object has no attribute {name!r}")
        return getattr(self._built(), name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._built())

    def __len__(self) -> int:
        return len(self._built())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<tf.data.Dataset of {str(self.folder)!r}>"

    def _built(self) -> Any:
        tf = _import_tensorflow()
        with (
            tf.init_scope()
        ):  # leaves the function that a tf.function is being traced into, as for any dataset from outside
            graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
            if self._dataset is None or graph is not self._graph:
                self._dataset, self._graph = _tensorflow_dataset(tf, self.folder, self._metadata), graph
        return self._dataset


class AutoDLDataset:
    """One folder (train or test) of a dataset: metadata, number of records, and the dataset for the model."""

    def __init__(self, folder: Path) -> None:
        """Read the metadata and check the lengths of all records.

        Raises:
            DatasetError: the folder, its records or its metadata are not what the format promises.
        """
        if not folder.is_dir():
            raise DatasetError(f"A dataset must have the folders train and test, however {folder} is not a folder")
        declared = read_metadata(folder)  # before the records: says more where the folder is something else altogether
        n_records = sum(count_records(path) for path in record_files(folder))
        if n_records == 0:
            raise DatasetError(f"A dataset folder must hold at least one record, however {folder} holds none")
        if declared.size() != n_records:
            logger.warning(
                f"{folder}: the metadata say sample_count: {declared.size()}, however there are {n_records} records; "
                "the records are trusted"
            )
        self._metadata = AutoDLMetadata(str(folder), replace(declared.metadata_, sample_count=n_records))
        self._dataset = LazyDataset(folder, self._metadata)

    def get_dataset(self) -> LazyDataset:
        """The dataset; the same object at each call."""
        return self._dataset

    def get_metadata(self) -> AutoDLMetadata:
        """The metadata; its size is the number of records."""
        return self._metadata


def find_dataset(dataset_dir: Path) -> Path:
    """The one folder NAME.data in dataset_dir.

    Raises:
        DatasetError: there is none, or more than one.
    """
    if not dataset_dir.is_dir():
        raise DatasetError(f"--dataset_dir must be a folder, however {dataset_dir} is not")
    found = sorted(path for path in dataset_dir.iterdir() if path.name.endswith(".data") and path.is_dir())
    if len(found) != 1:
        names = f" ({', '.join(path.name for path in found)})" if found else ""
        raise DatasetError(
            f"{len(found)} datasets found in dataset_dir={dataset_dir}{names}! "
            "Please put only ONE dataset, a folder NAME.data, under dataset_dir."
        )
    if not found[0].name.isprintable():
        raise DatasetError(
            f"The name of a dataset must be printable, however {found[0].name!r} is not; rename the folder"
        )
    return found[0]


def read_datasets(folder: Path) -> tuple[AutoDLDataset, AutoDLDataset]:
    """Open NAME.data/train and NAME.data/test.

    Raises:
        DatasetError: one of them is broken, or they contradict each other.
    """
    train, test = AutoDLDataset(folder / "train"), AutoDLDataset(folder / "test")
    ours, theirs = train.get_metadata().metadata_, test.get_metadata().metadata_
    if (ours.output_dim, ours.matrix_spec) != (theirs.output_dim, theirs.matrix_spec):
        raise MetadataError(
            f"train and test must agree on output_dim and matrix_spec, however {folder} says "
            f"{ours.output_dim}, {ours.matrix_spec} and {theirs.output_dim}, {theirs.matrix_spec}"
        )
    return train, test


def _import_tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise MissingTensorFlowError(
            f"A model that uses its dataset needs TensorFlow, however importing it failed ({error}); "
            'pip install "autodl-solver[kit]" (or tensorflow-cpu), or read dataset.folder without TensorFlow'
        ) from error
    return tensorflow


def _tensorflow_dataset(tf: Any, folder: Path, metadata: AutoDLMetadata) -> Any:
    # The classes of tf.compat.v1 are tf.data.Datasets that also have what models of the challenge's time call, such as
    # make_one_shot_iterator.
    data = tf.compat.v1.data
    files = [str(path) for path in record_files(folder)]
    if len(files) == 1:
        dataset = data.TFRecordDataset(files)
    else:
        dataset = data.Dataset.from_tensor_slices(files).interleave(
            data.TFRecordDataset, cycle_length=3, block_length=1, num_parallel_calls=1
        )
    dataset = dataset.map(_parser(tf, metadata), num_parallel_calls=os.cpu_count() or 1)
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # its threads can block for seconds when an iterator is dropped early
    return dataset.with_options(options)


def _parser(tf: Any, metadata: AutoDLMetadata) -> Callable[[Any], tuple[Any, ...]]:
    """The function that maps a serialized tf.train.SequenceExample to (tensor of each bundle ..., labels)."""
    bundles = range(metadata.get_bundle_size())
    context = {"label_index": tf.io.VarLenFeature(tf.int64), "label_score": tf.io.VarLenFeature(tf.float32)}
    features: dict[str, Any] = {}
    for i in bundles:
        if metadata.is_sparse(i):
            for name in ("row", "col", "channel"):
                features[f"{i}_sparse_{name}_index"] = tf.io.VarLenFeature(tf.int64)
            features[f"{i}_sparse_value"] = tf.io.VarLenFeature(tf.float32)
        elif metadata.is_compressed(i):
            features[f"{i}_compressed"] = tf.io.VarLenFeature(tf.string)
        else:
            features[f"{i}_dense_input"] = tf.io.FixedLenSequenceFeature(metadata.get_tensor_size(i), tf.float32)

    def parse(serialized: Any) -> tuple[Any, ...]:
        values, sequences = tf.io.parse_single_sequence_example(
            serialized, context_features=context, sequence_features=features
        )
        tensors = []
        for i in bundles:
            if metadata.is_sparse(i):
                tensors.append(_sparse_tensor(tf, sequences, metadata, i))
            elif metadata.is_compressed(i):
                tensors.append(_image_tensor(tf, sequences[f"{i}_compressed"].values, metadata, i))
            else:
                tensors.append(tf.reshape(sequences[f"{i}_dense_input"], metadata.get_tensor_shape(i)))
        labels = tf.SparseTensor(
            tf.reshape(values["label_index"].values, [-1, 1]),
            values["label_score"].values,
            [metadata.get_output_size()],
        )
        return (*tensors, tf.sparse.to_dense(labels, validate_indices=False))

    return parse


def _image_tensor(tf: Any, encoded: Any, metadata: AutoDLMetadata, bundle: int) -> Any:
    """[T, rows, columns, channels] in [0, 1]."""
    n_steps, n_rows, n_cols, n_channels = (size if size > 0 else None for size in metadata.get_tensor_shape(bundle))
    if n_rows != n_cols:
        n_rows = n_cols = None  # the official converter swaps them; only the decoded image tells

    def decode(image: Any) -> Any:
        pixels = tf.io.decode_image(image, channels=n_channels, expand_animations=False)
        return tf.image.convert_image_dtype(pixels, tf.float32)

    images = tf.map_fn(decode, encoded, fn_output_signature=tf.float32)
    images.set_shape([n_steps, n_rows, n_cols, n_channels])
    return images


def _sparse_tensor(tf: Any, sequences: Any, metadata: AutoDLMetadata, bundle: int) -> Any:
    """[1, n_values, 2, 1], pairs of column and value; or, for a sequence of indices, [n_values, 1, 1, 1]."""
    _, n_cols = metadata.get_matrix_size(bundle)
    if n_cols > metadata.get_num_channels(bundle):
        columns = tf.cast(sequences[f"{bundle}_sparse_col_index"].values, tf.float32)
        pairs = tf.stack([columns, sequences[f"{bundle}_sparse_value"].values], axis=1)
        return tf.reshape(pairs, [1, -1, 2, 1])
    indices = tf.cast(sequences[f"{bundle}_sparse_channel_index"].values, tf.float32)
    return tf.reshape(indices, [-1, 1, 1, 1])
