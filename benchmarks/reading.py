"""Reading speed: the native reader against tf.data, in one process, one after the other.

    python benchmarks/reading.py --data DIR        DIR holds NAME/NAME.data/train/sample*.tfrecord; or AUTODL_DATA=DIR

Ours reads the whole file from a fresh mapping (in the page cache) to the end product: a contiguous float32 array,
Ragged values, or decoded uint8 pixels; the median of some runs. tf.data reads for a few seconds, in two ways:
    official   as the challenge does it, map(parse_single_sequence_example ...), then batched for its consumer
    fastest    parse_sequence_example on batches of serialised records, in parallel; the challenge offers no such thing
"copy" is the time of np.copy of the file's bytes, freshly mapped too, as a fraction of the time that ours takes.
Needs tensorflow; takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.examples import EncodedFrames, Rows
from autodl_solver.data.images import decode_frames
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.data.sequence_example import decode_examples, encode_example
from autodl_solver.data.tfrecord import RecordFile, record_files, write_records

BATCH_SIZE = 256
TF_SECONDS = 4.0
REPETITIONS = 7


@dataclass(frozen=True)
class Case:
    """A row of the table; without a dataset folder it is generated."""

    name: str
    kind: str
    spec: MatrixSpec
    n_classes: int
    sequence_size: int = -1
    generated: int = 0


CASES = (
    Case("28x28x1, random", "dense", MatrixSpec(28, 28, 1, Format.DENSE), 10, sequence_size=1, generated=20_000),
    Case("fsdd", "speech", MatrixSpec(1, 1, 1, Format.DENSE), 10),
    Case("go_emotions", "text", MatrixSpec(1, 1, 1, Format.DENSE), 28),
    Case("cifar10", "small JPEG", MatrixSpec(32, 32, 3, Format.COMPRESSED), 10, sequence_size=1),
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Reading speed against tf.data, as a markdown table.")
    parser.add_argument("--data", type=Path, default=os.environ.get("AUTODL_DATA"), help="folder of datasets")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("The folder of datasets must be given; pass --data DIR or set AUTODL_DATA.")
    print("| dataset | kind | examples | ours, 1/s | tf.data official, 1/s | ratio | fastest, 1/s | ratio | copy |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            path = _path_of(case, Path(options.data), Path(folder))
            if path is None:
                notes.append(f"{case.name}: skipped, not found in {options.data}.")
            else:
                print(_row(case, path), flush=True)
    print("", *notes, sep="\n")
    return 0


def _path_of(case: Case, data: Path, folder: Path) -> Path | None:
    if case.generated:
        rng = np.random.default_rng(0)
        pixels = (rng.random((1, 784), np.float32) for _ in range(case.generated))
        path = folder / "sample-random.tfrecord"
        write_records(path, (encode_example(i, [(i % 10, 1.0)], dense=x) for i, x in enumerate(pixels)))
        return path
    files = record_files(data / case.name / f"{case.name}.data" / "train")
    return files[0] if files else None


def _row(case: Case, path: Path) -> str:
    ours_s, copy_s = _ours(case, path)
    n_examples = len(RecordFile(path))
    ours = n_examples / ours_s
    official = _tf_rate(_official_batches(case, path))
    cells = [case.name, case.kind, f"{n_examples:,}", f"{ours:,.0f}", f"{official:,.0f}", f"{ours / official:.1f}"]
    if case.spec.format is Format.DENSE:
        fastest = _tf_rate(_fastest_batches(case, path))
        cells += [f"{fastest:,.0f}", f"{ours / fastest:.1f}"]
    else:
        cells += ["", ""]
    return f"| {' | '.join([*cells, f'{copy_s / ours_s:.2f}'])} |"


def _ours(case: Case, path: Path) -> tuple[float, float]:
    """Seconds to read the file, and to copy its bytes; medians of some repetitions, in turn."""
    times = [(_seconds(lambda: _read(case, path)), _seconds(lambda: _copy(path))) for _ in range(REPETITIONS)]
    ours_s, copy_s = np.median(times, axis=0).tolist()
    return ours_s, copy_s


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _copy(path: Path) -> Any:
    return np.copy(RecordFile(path).buffer)


def _read(case: Case, path: Path) -> Any:
    file = RecordFile(path)
    starts, sizes = file.locate(0, len(file))
    steps = case.sequence_size
    x: Rows = decode_examples(
        file.buffer, starts, sizes, case.spec, case.n_classes, sequence_size=steps, source=path.name
    ).x
    if isinstance(x, EncodedFrames):
        return decode_frames(x, case.spec.n_channels).pixels
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x


def _tf_rate(batches: Iterator[int]) -> float:
    """Examples a second of endless batches, from the second one on; the first pays for the start."""
    next(batches)
    n_examples, start = 0, time.perf_counter()
    for n in batches:
        n_examples += n
        if time.perf_counter() - start > TF_SECONDS:
            break
    return n_examples / (time.perf_counter() - start)


def _features(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    import tensorflow as tf

    context = {"label_index": tf.io.VarLenFeature(tf.int64), "label_score": tf.io.VarLenFeature(tf.float32)}
    if case.spec.format is Format.COMPRESSED:
        return context, {"0_compressed": tf.io.VarLenFeature(tf.string)}
    n_values = case.spec.n_rows * case.spec.n_cols * case.spec.n_channels
    return context, {"0_dense_input": tf.io.FixedLenSequenceFeature([n_values], tf.float32)}


def _official_batches(case: Case, path: Path) -> Iterator[int]:
    """Sizes of batches of the challenge's dataset (AutoDLDataset._parse_function), batched."""
    import tensorflow as tf

    context_features, list_features = _features(case)
    spec = case.spec

    def parse(record: Any) -> tuple[Any, Any]:
        context, lists = tf.io.parse_single_sequence_example(record, context_features, list_features)
        indices, scores = context["label_index"].values[:, None], context["label_score"].values
        labels = tf.scatter_nd(indices, scores, [case.n_classes])
        if spec.format is Format.COMPRESSED:
            image = tf.io.decode_image(
                lists["0_compressed"].values[0], channels=spec.n_channels, expand_animations=False
            )
            return tf.ensure_shape(tf.image.convert_image_dtype(image, tf.float32), [32, 32, 3])[None], labels
        shape = (case.sequence_size, spec.n_rows, spec.n_cols, spec.n_channels)
        return tf.reshape(lists["0_dense_input"], shape), labels

    dataset = tf.data.TFRecordDataset(os.fspath(path)).map(parse).repeat()
    dataset = dataset.batch(BATCH_SIZE) if case.sequence_size > 0 else dataset.ragged_batch(BATCH_SIZE)
    for _, labels in dataset.prefetch(1):
        yield int(labels.shape[0])


def _fastest_batches(case: Case, path: Path) -> Iterator[int]:
    """Sizes of batches that were parsed as batches."""
    import tensorflow as tf

    context, lists = _features(case)
    records = tf.data.TFRecordDataset(os.fspath(path)).repeat().batch(BATCH_SIZE)
    dataset = records.map(lambda batch: tf.io.parse_sequence_example(batch, context, lists), tf.data.AUTOTUNE)
    for _, parsed, _ in dataset.prefetch(1):
        yield int(parsed["0_dense_input"].shape[0])


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
