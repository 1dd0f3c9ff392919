"""TFRecord framing: index on demand, read by mapping, check, write; and the official order of several files.

A file is a sequence of records: length (uint64, little endian), masked CRC32C of the length (4 bytes), payload,
masked CRC32C of the payload (4 bytes). The lengths form a linked list, so that the place of record i is only known
after i hops; runs of records of equal length (dense data) are found by galloping instead, many records at a time.
Source: tensorflow/core/lib/io/record_writer.h; CRC32C is the Castagnoli polynomial of RFC 3720.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import google_crc32c
import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import RecordError

_HEADER_BYTES = 12
_FRAME_BYTES = 16
_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_GALLOP_AFTER = 4  # equal lengths in a row; below that a numpy call costs more than the hops that it saves
_REMEDY = "copy the file again, or write it anew from its source."


class RecordFile:
    """The records of one file, indexed as far as they were asked for. Not to be shared between threads.

    Attributes:
        path: the file.
        buffer: [n_bytes] uint8, read-only: the mapped file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Maps the file and reads nothing.

        Raises:
            RecordError: the file cannot be opened.
        """
        self.path = Path(path)
        self.buffer = _map_file(self.path)
        self._view = self.buffer.data
        self._starts = np.empty(0, np.int64)
        self._sizes = np.empty(0, np.int64)
        self._n_indexed = 0
        self._end = 0  # of the last indexed record, footer included

    def __len__(self) -> int:
        """How many records the file holds; completes the index.

        Raises:
            RecordError: a record is cut short.
        """
        while self._end < len(self._view):
            self._index(max(1024, self._n_indexed))
        return self._n_indexed

    def locate(self, start: int, stop: int) -> tuple[Array, Array]:
        """Where the payloads of records start .. stop - 1 lie; fewer where the file ends before.

        Args:
            start: first record, from 0.
            stop: one past the last record.
        Returns:
            (starts, sizes), int64, in bytes of `buffer`; read-only.
        Raises:
            RecordError: one of the records up to stop is cut short.
            ValueError: start or stop is negative.
        """
        if start < 0 or stop < 0:
            raise ValueError(f"Records are counted from 0; however {start=} and {stop=}.")
        if stop > self._n_indexed and self._end < len(self._view):
            self._index(stop - self._n_indexed)
        found = slice(start, min(stop, self._n_indexed))
        starts, sizes = self._starts[found], self._sizes[found]
        starts.flags.writeable = sizes.flags.writeable = False
        return starts, sizes

    def verify(self) -> None:
        """Compares the checksums of all lengths and payloads.

        Raises:
            RecordError: one differs, or a record is cut short.
        """
        for record, (start, size) in enumerate(zip(*self.locate(0, len(self)), strict=True)):
            head = start - _HEADER_BYTES
            self._compare(record, "length", slice(head, head + 8), head + 8)
            self._compare(record, "payload", slice(start, start + size), start + size)

    def _compare(self, record: int, part: str, content: slice, footer: int) -> None:
        stored = _CRC.unpack_from(self._view, footer)[0]
        actual = masked_crc32c(self.buffer[content])
        if stored != actual:
            raise RecordError(
                f"A record must agree with its checksums; however {self.path}, record {record}, has {actual:08x} for "
                f"its {part} where {stored:08x} is stored; {_REMEDY}"
            )

    def _index(self, n_more: int) -> None:
        """Adds up to n_more records to the index."""
        self._reserve(min(n_more, (len(self._view) - self._end) // _FRAME_BYTES))
        stop = self._n_indexed + n_more
        previous, repeats = -1, 0
        while self._n_indexed < stop and self._end < len(self._view):
            size = self._size_at(self._end)
            n = self._n_indexed
            self._starts[n] = self._end + _HEADER_BYTES
            self._sizes[n] = size
            self._n_indexed = n + 1
            self._end += size + _FRAME_BYTES
            repeats = repeats + 1 if size == previous else 0
            previous = size
            if repeats >= _GALLOP_AFTER:
                self._gallop(size, stop)
                repeats = 0

    def _size_at(self, position: int) -> int:
        """The payload size of the record at a position, checked against the file."""
        left = len(self._view) - position - _FRAME_BYTES
        size = int(_LENGTH.unpack_from(self._view, position)[0]) if left >= 0 else 0
        if size > left:
            fact = f"announces {size} bytes where {left} are left" if left >= 0 else "ends within its frame"
            raise RecordError(
                f"A record must lie within its file; however {self.path}, record {self._n_indexed} at byte {position}, "
                f"{fact}; {_REMEDY}"
            )
        return size

    def _gallop(self, size: int, stop: int) -> None:
        """Adds the records that follow with the very same size, looking at ever more of them at once."""
        stride = size + _FRAME_BYTES
        step = 2 * _GALLOP_AFTER
        while True:
            n_seen = min(step, stop - self._n_indexed, (len(self._view) - self._end) // stride)
            lengths = np.ndarray((n_seen,), "<u8", self.buffer, self._end, (stride,))
            differs = np.flatnonzero(lengths != size)
            n_equal = int(differs[0]) if len(differs) else n_seen
            run = slice(self._n_indexed, self._n_indexed + n_equal)
            self._starts[run] = self._end + _HEADER_BYTES + stride * np.arange(n_equal)
            self._sizes[run] = size
            self._n_indexed += n_equal
            self._end += stride * n_equal
            if n_equal < step:
                return
            step *= 2

    def _reserve(self, n_more: int) -> None:
        """Room for n_more records; arrays handed out before stay as they are."""
        needed = self._n_indexed + n_more
        if needed > len(self._starts):
            room = np.zeros(max(needed, 2 * len(self._starts)) - self._n_indexed, np.int64)
            self._starts = np.concatenate([self._starts[: self._n_indexed], room])
            self._sizes = np.concatenate([self._sizes[: self._n_indexed], room])


def _map_file(path: Path) -> Array:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return np.empty(0, np.uint8)  # an empty file cannot be mapped
            return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except OSError as error:
        raise RecordError(
            f"A record file must be readable; however {path} is not ({error.strerror}); check its path and permissions."
        ) from error


def masked_crc32c(content: bytes | Array) -> int:
    """The checksum that the format stores: CRC32C, rotated and shifted (crcs of data that hold crcs are weak)."""
    crc = int(google_crc32c.value(content))
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The files `sample*` of a folder, in the order in which the challenge reads them: sorted by name."""
    return sorted(path for path in Path(folder).glob("sample*") if path.is_file())


def interleave_order(counts: Sequence[int], cycle_length: int = 3) -> tuple[Array, Array]:
    """The order in which tf.data's interleave (block_length 1) reads several files.

    It opens `cycle_length` files and takes one record of each in turn. A file that turns out to be at its end gives up
    its turn; at the next turn of its place the next file is opened.
    Source: tensorflow/core/kernels/data/interleave_dataset_op.cc.

    Args:
        counts: records of each file, in the order of the files.
        cycle_length: files that are open at a time.
    Returns:
        (file_index, record_index), [sum of counts] int64 each.
    """
    files: list[Array] = [np.empty(0, np.int64)]
    records: list[Array] = [np.empty(0, np.int64)]
    waiting = list(range(len(counts)))[::-1]
    places: list[int | None] = [None] * cycle_length
    taken = [0] * len(counts)
    while waiting or any(place is not None for place in places):
        places = [waiting.pop() if place is None and waiting else place for place in places]
        turn = [place for place in places if place is not None]
        n_rounds = min(counts[file] - taken[file] for file in turn)
        rounds = np.arange(n_rounds)[:, None]
        files.append(np.tile(turn, n_rounds))
        records.append((rounds + np.array([taken[file] for file in turn])).ravel())
        for file in turn:
            taken[file] += n_rounds
        # One more round, in which at least one file is found to be at its end.
        live = [file for file in turn if taken[file] < counts[file]]
        files.append(np.array(live, np.int64))
        records.append(np.array([taken[file] for file in live], np.int64))
        for file in live:
            taken[file] += 1
        places = [place if place in live else None for place in places]
    return np.concatenate(files).astype(np.int64), np.concatenate(records).astype(np.int64)


def write_records(path: str | os.PathLike[str], payloads: Iterable[bytes]) -> int:
    """Writes a record file; under a temporary name until it is complete, so that no part of a file is ever seen.

    Returns:
        How many records were written.
    Raises:
        Whatever `payloads` raises, and OSError; the path is then as it was before.
    """
    path = Path(path)
    n_records = 0
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for payload in payloads:
                length = _LENGTH.pack(len(payload))
                crcs = _CRC.pack(masked_crc32c(length)), _CRC.pack(masked_crc32c(payload))
                file.write(b"".join((length, crcs[0], payload, crcs[1])))
                n_records += 1
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return n_records


def _umask() -> int:
    """The file mode mask of this process; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
