"""Reading speed: the native reader against the tf.data.Dataset that the challenge hands over, in one process, in turn.

    python benchmarks/reading.py --data DIR        DIR holds datasets in AutoDL format; or AUTODL_DATA=DIR

ours      reads the whole training split from a fresh mapping (in the page cache) to the end product: float32 values
          as a strided view of the mapping or copied from it, or decoded uint8 pixels; the best of some runs
batched   the dataset of ingestion/, `.batch(256)`, on all cores; not possible where examples differ in length
one by one   the same, as a model receives it
fastest   parse_sequence_example on batches of serialised records, in parallel: no program of the challenge offers it
copy      the time of np.copy of the file's bytes, freshly mapped too, as a fraction of the time that ours takes
Needs tensorflow; takes about a minute. Ratios are those of ours to the column before.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.examples import EncodedFrames
from autodl_solver.data.images import decode_frames
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.source import RecordReader
from autodl_solver.data.tfrecord import RecordFile, record_files, write_records

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[1]))  # ingestion/ is a program, not an installed package
from ingestion.dataset import AutoDLDataset

BATCH_SIZE = 256
TF_SECONDS = 3.0
REPETITIONS = 9
TF_COLUMNS = ("batched, 1/s", "one by one, 1/s", "fastest, 1/s")
DATASETS = ("fsdd", "go_emotions", "cifar10")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Reading speed against tf.data, as a markdown table.")
    parser.add_argument("--data", type=Path, default=os.environ.get("AUTODL_DATA"), help="folder of datasets")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("The folder of datasets must be given; pass --data DIR or set AUTODL_DATA.")
    print(f"| dataset | examples | ours, 1/s | {' | ratio | '.join(TF_COLUMNS)} | ratio | copy |")
    print(f"|---|{'--:|' * 9}")
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        images = _random_images(Path(folder))
        print(_row("28x28x1 noise, view", images, copied=False), flush=True)
        print(_row("28x28x1 noise, copied", images), flush=True)
        for name in DATASETS:
            split = Path(options.data) / name / f"{name}.data" / "train"
            if record_files(split):
                print(_row(name, split), flush=True)
            else:
                missing.append(f"{name}: skipped, not found in {options.data}.")
    print("", *missing, sep="\n")
    return 0


def _random_images(folder: Path, n_examples: int = 20_000) -> Path:
    """A dense dataset of noise whose records have one layout: ids take three bytes each, as most do in a large set."""
    rng = np.random.default_rng(0)
    pixels = (rng.random((1, 784), np.float32) for _ in range(n_examples))
    records = (encode_example(20_000 + i, [(i % 10, 1.0)], dense=x) for i, x in enumerate(pixels))
    write_records(folder / "sample-random.tfrecord", records)
    info = DatasetInfo("random", None, n_examples, 10, 1, (MatrixSpec(28, 28, 1, Format.DENSE),))
    write_metadata(info, folder / METADATA_FILE)
    return folder


def _row(name: str, split: Path, *, copied: bool = True) -> str:
    info = DatasetInfo.from_folder(split)
    n_examples = RecordReader(split, info).n_rows
    ours_s, copy_s = _ours(split, info, copied)
    ours = n_examples / ours_s
    rates = [
        _rate(_batched(split)) if info.sequence_size > 0 else None,
        _rate(_one_by_one(split)),
        _rate(_fastest(split, info)) if info.specs[0].format is Format.DENSE else None,
    ]
    cells = [name, f"{n_examples:,}", f"{ours:,.0f}"]
    for rate in rates:
        cells += ["", ""] if rate is None else [f"{rate:,.0f}", f"{ours / rate:.1f}"]
    return f"| {' | '.join([*cells, f'{copy_s / ours_s:.2f}'])} |"


def _ours(split: Path, info: DatasetInfo, copied: bool) -> tuple[float, float]:
    """Seconds to read the split, and to copy its bytes; the best of some repetitions, in turn."""
    gc.collect()
    gc.freeze()  # as in model.py: the collector would go through all of TensorFlow again and again
    times = [(_seconds(lambda: _read(split, info, copied)), _seconds(lambda: _copy(split))) for _ in range(REPETITIONS)]
    ours_s, copy_s = np.min(times, axis=0).tolist()
    return ours_s, copy_s


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _copy(split: Path) -> Any:
    return [np.copy(RecordFile(path).buffer) for path in record_files(split)]


def _read(split: Path, info: DatasetInfo, copied: bool) -> Any:
    x = RecordReader(split, info).read(0, sys.maxsize).x
    if isinstance(x, EncodedFrames):
        return decode_frames(x, info.specs[0].n_channels).pixels
    return np.ascontiguousarray(x) if copied and isinstance(x, np.ndarray) else x


def _rate(sizes: Iterator[int]) -> float:
    """Examples a second of endless batches, from the second one on; the first pays for the start."""
    next(sizes)
    n_examples, start = 0, time.perf_counter()
    for n in sizes:
        n_examples += n
        if time.perf_counter() - start > TF_SECONDS:
            break
    return n_examples / (time.perf_counter() - start)


def _batched(split: Path) -> Iterator[int]:
    for _, labels in AutoDLDataset(split).get_dataset().repeat().batch(BATCH_SIZE).prefetch(1):
        yield int(labels.shape[0])


def _one_by_one(split: Path) -> Iterator[int]:
    for x, labels in AutoDLDataset(split).get_dataset().repeat():
        yield int(x.numpy().ndim > 0 and labels.numpy().ndim > 0)


def _fastest(split: Path, info: DatasetInfo) -> Iterator[int]:
    import tensorflow as tf

    spec = info.specs[0]
    context = {"label_index": tf.io.VarLenFeature(tf.int64), "label_score": tf.io.VarLenFeature(tf.float32)}
    n_values = spec.n_rows * spec.n_cols * spec.n_channels
    lists = {"0_dense_input": tf.io.FixedLenSequenceFeature([n_values], tf.float32)}
    files = [os.fspath(path) for path in record_files(split)]
    records = tf.data.TFRecordDataset(files).repeat().batch(BATCH_SIZE)
    dataset = records.map(lambda batch: tf.io.parse_sequence_example(batch, context, lists), tf.data.AUTOTUNE)
    for _, parsed, _ in dataset.prefetch(1):
        yield int(parsed["0_dense_input"].shape[0])


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
