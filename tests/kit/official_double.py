"""A test double of the challenge's own ingestion program (version of 2019-12-04), after docs/challenge_api.md.

    python official_double.py DATASET_DIR OUTPUT_DIR CODE_DIR TIME_BUDGET eager|graph named|nameless

Written from the description, sharing nothing with ingestion/: metadata are a protobuf message made here, datasets are
plain tf.data.Dataset objects, the code directory comes last on sys.path, the timestamp is written before the
prediction. `graph` is TensorFlow 1 behaviour. `nameless` hides the folder from the model (get_dataset_name() names
none), so that it has to iterate what it is handed.
"""

from __future__ import annotations

import glob
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

Field = descriptor_pb2.FieldDescriptorProto
DENSE, SPARSE, COMPRESSED = range(3)
SCALARS = {"int32": Field.TYPE_INT32, "bool": Field.TYPE_BOOL, "string": Field.TYPE_STRING}
MATRIX_FIELDS = {
    "col_count": "int32",
    "row_count": "int32",
    "is_sequence_col": "bool",
    "is_sequence_row": "bool",
    "has_locality_col": "bool",
    "has_locality_row": "bool",
    "is_sparse": "bool",
    "num_channels": "int32",
}
DATA_FIELDS = {"is_sequence": "bool", "output_dim": "int32", "sequence_size": "int32", "sample_count": "int32"}
MAPS = ("label_to_index_map", "feature_to_index_map", "channel_to_index_map")
DEFAULTS = {"num_channels": "1", "sequence_size": "1"}


def specification_class() -> Any:
    """DataSpecification of data.proto (proto2); text format does not care for field numbers."""
    file = descriptor_pb2.FileDescriptorProto(name="data.proto", package="autodl", syntax="proto2")
    matrix = file.message_type.add(name="MatrixSpec")
    form = matrix.enum_type.add(name="Format")
    for number, name in enumerate(("DENSE", "SPARSE", "COMPRESSED")):
        form.value.add(name=name, number=number)
    add_scalars(matrix, MATRIX_FIELDS)
    matrix.field.add(
        name="format",
        number=50,
        label=Field.LABEL_OPTIONAL,
        type=Field.TYPE_ENUM,
        type_name=".autodl.MatrixSpec.Format",
    )
    data = file.message_type.add(name="DataSpecification")
    add_scalars(data, DATA_FIELDS)
    data.field.add(
        name="matrix_spec",
        number=50,
        label=Field.LABEL_REPEATED,
        type=Field.TYPE_MESSAGE,
        type_name=".autodl.MatrixSpec",
    )
    for number, name in enumerate(MAPS, 60):
        entry = data.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        add_scalars(entry, {"key": "string", "value": "int32"})
        data.field.add(
            name=name,
            number=number,
            label=Field.LABEL_REPEATED,
            type=Field.TYPE_MESSAGE,
            type_name=f".autodl.DataSpecification.{entry.name}",
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("autodl.DataSpecification"))


def add_scalars(message: Any, fields: dict[str, str]) -> None:
    for number, (name, kind) in enumerate(fields.items(), 1):
        field = message.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL, type=SCALARS[kind])
        if name in DEFAULTS:
            field.default_value = DEFAULTS[name]


class Metadata:
    """What a model is told; the names are those of the challenge."""

    def __init__(self, folder: str, named: bool) -> None:
        self._name = folder if named else "/nowhere/hidden.data/train"
        text = Path(folder, "metadata.textproto").read_text(encoding="utf-8")
        self.metadata_ = text_format.Parse(text, specification_class()())

    def get_dataset_name(self) -> str:
        return self._name

    def get_bundle_size(self) -> int:
        return len(self.metadata_.matrix_spec)

    def is_compressed(self, bundle_index: int = 0) -> bool:
        return bool(self.metadata_.matrix_spec[bundle_index].format == COMPRESSED)

    def is_sparse(self, bundle_index: int = 0) -> bool:
        return bool(self.metadata_.matrix_spec[bundle_index].format == SPARSE)

    def get_matrix_size(self, bundle_index: int = 0) -> tuple[int, int]:
        spec = self.metadata_.matrix_spec[bundle_index]
        return spec.row_count, spec.col_count

    def get_num_channels(self, bundle_index: int = 0) -> int:
        channels = self.metadata_.matrix_spec[bundle_index].num_channels
        return int(channels) if channels != -1 else 3 if self.is_compressed(bundle_index) else 1

    def get_tensor_size(self, bundle_index: int = 0) -> tuple[int, int, int]:
        return (*self.get_matrix_size(bundle_index), self.get_num_channels(bundle_index))

    def get_tensor_shape(self, bundle_index: int = 0) -> tuple[int, int, int, int]:
        return (self.get_sequence_size(), *self.get_tensor_size(bundle_index))

    def get_sequence_size(self) -> int:
        return int(self.metadata_.sequence_size)

    def get_output_size(self) -> int:
        return int(self.metadata_.output_dim)

    def size(self) -> int:
        return int(self.metadata_.sample_count)

    def get_label_to_index_map(self) -> dict[str, int]:
        return dict(self.metadata_.label_to_index_map)

    def get_channel_to_index_map(self) -> dict[str, int]:
        return dict(self.metadata_.channel_to_index_map)

    def get_feature_to_index_map(self) -> dict[str, int]:
        return dict(self.metadata_.feature_to_index_map)


class Dataset:
    """One split: its metadata and its tf.data.Dataset."""

    def __init__(self, folder: str, named: bool) -> None:
        self._folder = folder
        self._metadata = Metadata(folder, named)

    def get_metadata(self) -> Metadata:
        return self._metadata

    def get_dataset(self) -> Any:
        files = sorted(glob.glob(os.path.join(self._folder, "sample*")))
        if len(files) == 1:
            records = tf.data.TFRecordDataset(files)
        else:
            records = tf.data.Dataset.from_tensor_slices(files).interleave(tf.data.TFRecordDataset, cycle_length=3)
        return records.map(self._parse)

    def _parse(self, record: Any) -> tuple[Any, ...]:
        metadata = self._metadata
        sequence, context = (
            {},
            {
                "label_index": tf.io.VarLenFeature(tf.int64),
                "label_score": tf.io.VarLenFeature(tf.float32),
            },
        )
        for i in range(metadata.get_bundle_size()):
            if metadata.is_compressed(i):
                sequence[f"{i}_compressed"] = tf.io.VarLenFeature(tf.string)
            elif metadata.is_sparse(i):
                for part in ("row", "col", "channel"):
                    sequence[f"{i}_sparse_{part}_index"] = tf.io.VarLenFeature(tf.int64)
                sequence[f"{i}_sparse_value"] = tf.io.VarLenFeature(tf.float32)
            else:
                size = int(np.prod(metadata.get_tensor_size(i)))
                sequence[f"{i}_dense_input"] = tf.io.FixedLenSequenceFeature([size], tf.float32)
        labels, features = tf.io.parse_single_sequence_example(record, context, sequence)
        examples = [self._tensor(features, i) for i in range(metadata.get_bundle_size())]
        sparse = tf.SparseTensor(
            tf.reshape(labels["label_index"].values, [-1, 1]),
            labels["label_score"].values,
            [metadata.get_output_size()],
        )
        return (*examples, tf.sparse.to_dense(sparse, validate_indices=False))

    def _tensor(self, features: Any, i: int) -> Any:
        metadata = self._metadata
        if metadata.is_compressed(i):
            channels = metadata.get_num_channels(i)

            def decode(image: Any) -> Any:
                decoded = tf.image.decode_image(image, channels=channels, expand_animations=False)
                return tf.image.convert_image_dtype(decoded, tf.float32)

            return tf.map_fn(decode, features[f"{i}_compressed"].values, fn_output_signature=tf.float32)
        if metadata.is_sparse(i):
            if metadata.get_matrix_size(i)[1] > metadata.get_num_channels(i):
                columns = tf.cast(features[f"{i}_sparse_col_index"].values, tf.float32)
                return tf.reshape(tf.stack([columns, features[f"{i}_sparse_value"].values], 1), [1, -1, 2, 1])
            return tf.reshape(tf.cast(features[f"{i}_sparse_channel_index"].values, tf.float32), [-1, 1, 1, 1])
        size = metadata.get_sequence_size()
        return tf.reshape(features[f"{i}_dense_input"], [size if size > 0 else -1, *metadata.get_tensor_size(i)])


def main(dataset_dir: str, output_dir: str, code_dir: str, time_budget: str, mode: str, naming: str) -> int:
    if mode == "graph":
        tf.compat.v1.disable_v2_behavior()
    sys.path.append(code_dir)
    from model import Model

    (data,) = glob.glob(os.path.join(dataset_dir, "*.data"))
    name = os.path.basename(data).removesuffix(".data")
    train, test = (Dataset(os.path.join(data, split), naming == "named") for split in ("train", "test"))
    model = Model(train.get_metadata())
    start = Path(output_dir, "start.txt")
    began, budget = time.time(), float(time_budget)
    head = f"ingestion_pid: {os.getpid()}\ntask_name: {name}\ntime_budget: {budget}\nstart_time: {began}\n"
    start.write_text(head, encoding="utf-8")
    shape = (test.get_metadata().size(), test.get_metadata().get_output_size())
    k, success = 0, True
    try:
        while not model.done_training:
            model.train(train.get_dataset(), remaining_time_budget=began + budget - time.time())
            scores = model.test(test.get_dataset(), remaining_time_budget=began + budget - time.time())
            if scores is None:
                break
            if scores.shape != shape:
                raise ValueError(f"bad prediction shape {scores.shape}, expected {shape}")
            with start.open("a", encoding="utf-8") as file:
                file.write(f"{k}: {time.time()}\n")
            rows = (" ".join(f"{float(value):g}" for value in row) for row in scores)
            temporary = Path(output_dir, f"{name}.predict_{k}.tmp")
            temporary.write_text("\n".join(rows) + "\n", encoding="utf-8")
            temporary.rename(temporary.with_suffix(""))
            k += 1
            if time.time() - began >= budget:
                break
    except Exception:
        success = False
        raise
    finally:
        end = f"ingestion_duration: {time.time() - began}\ningestion_success: {int(success)}\nend_time: {time.time()}\n"
        Path(output_dir, "end.txt").write_text(end, encoding="utf-8")
        print("model:", sys.modules["model"].__file__)
        print("package:", sys.modules["autodl_solver"].__file__)
        print("eager:", tf.executing_eagerly())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
