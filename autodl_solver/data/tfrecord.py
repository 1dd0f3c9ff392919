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
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
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
_FAULT_AROUND_BYTES = 2**16  # that Linux maps at each page fault, unless it was built otherwise
_POPULATE_READ = 22  # MADV_POPULATE_READ of <linux/mman.h>, since Linux 5.14; the module mmap has no name for it
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
        self._mapping = _map_file(self.path)
        self.buffer: Array = np.frombuffer(self._mapping, np.uint8)
        self._positions = np.zeros(1, np.int64)  # of the indexed records, and of the first that is not
        self._n_indexed = 0

    def __len__(self) -> int:
        """How many records the file holds; completes the index.

        Raises:
            RecordError: a record is cut short.
        """
        while self._end < len(self.buffer):
            self._index(max(1024, 2 * self._n_indexed))
        return self._n_indexed

    def locate(self, start: int, stop: int) -> tuple[Array, Array]:
        """Where the payloads of records start .. stop - 1 lie; fewer where the file ends before.

        Args:
            start: first record, from 0.
            stop: one past the last record.
        Returns:
            (starts, sizes), [n_found] int64 each, in bytes of `buffer`.
        Raises:
            RecordError: one of the records up to stop is cut short.
            ValueError: start or stop is negative.
        """
        if start < 0 or stop < 0:
            raise ValueError(f"Records are counted from 0; however {start=} and {stop=}.")
        self._index(stop)
        stop = min(stop, self._n_indexed)
        positions = self._positions[min(start, stop) : stop + 1]
        return positions[:-1] + _HEADER_BYTES, np.diff(positions) - _FRAME_BYTES

    def let_go(self) -> None:
        """Gives back the memory of what was read so far; whoever still looks at it has it mapped again."""
        if sys.platform == "linux" and isinstance(self._mapping, mmap.mmap):
            self._mapping.madvise(mmap.MADV_DONTNEED)

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
        stored = _CRC.unpack_from(self.buffer.data, footer)[0]
        actual = masked_crc32c(self.buffer[content])
        if stored != actual:
            raise RecordError(
                f"A record must agree with its checksums; however {self.path}, record {record}, has {actual:08x} for "
                f"its {part} where {stored:08x} is stored; {_REMEDY}"
            )

    def _index(self, stop: int) -> None:
        """Completes the index for the records below stop, as far as there are any."""
        n_bytes = len(self.buffer)
        self._reserve(min(stop - self._n_indexed, (n_bytes - self._end) // _FRAME_BYTES))
        while self._n_indexed < stop and self._end < n_bytes:
            run_size = self._hop(stop)
            if run_size is not None:
                self._gallop(run_size, stop)

    def _hop(self, stop: int) -> int | None:
        """Adds record after record, until a run of equal sizes shows (returns that size) or the end is reached."""
        data, size_at = self.buffer.data, _LENGTH.unpack_from
        n_wanted, last = stop - self._n_indexed, len(data) - _FRAME_BYTES
        position, previous, repeats = self._end, -1, 0
        found: list[int] = []
        for _ in range(n_wanted):
            size = size_at(data, position)[0] if position <= last else -1
            if not 0 <= size <= last - position:
                break
            position += size + _FRAME_BYTES
            found.append(position)
            if size != previous:
                previous, repeats = size, 0
                continue
            repeats += 1
            if repeats == _GALLOP_AFTER:
                break
        self._positions[self._n_indexed + 1 : self._n_indexed + 1 + len(found)] = found
        self._n_indexed += len(found)
        if repeats == _GALLOP_AFTER:
            return previous
        if len(found) < n_wanted and position < len(data):
            self._raise_cut_short(position)
        return None

    def _raise_cut_short(self, position: int) -> None:
        left = len(self.buffer) - position - _FRAME_BYTES
        fact = "ends within its frame"
        if left >= 0:
            fact = f"announces {_LENGTH.unpack_from(self.buffer.data, position)[0]} bytes where {left} are left"
        raise RecordError(
            f"A record must lie within its file; however {self.path}, record {self._n_indexed} at byte {position}, "
            f"{fact}; {_REMEDY}"
        )

    def _gallop(self, size: int, stop: int) -> None:
        """Adds the records that follow with the very same size, looking at ever more of them at once."""
        stride = size + _FRAME_BYTES
        step = 2 * _GALLOP_AFTER
        while True:
            n_seen = min(step, stop - self._n_indexed, (len(self.buffer) - self._end) // stride)
            if stride <= _FAULT_AROUND_BYTES:
                self._populate(self._end, n_seen * stride)
            lengths = np.ndarray((n_seen,), "<u8", self.buffer, self._end, (stride,))
            differs = np.flatnonzero(lengths != size)
            n_equal = int(differs[0]) if len(differs) else n_seen
            first = self._n_indexed + 1
            self._positions[first : first + n_equal] = self._end + stride * np.arange(1, n_equal + 1)
            self._n_indexed += n_equal
            if n_equal < step:
                return
            step *= 2

    def _populate(self, start: int, n_bytes: int) -> None:
        """Has these bytes mapped in one call, where the system offers that, instead of one page fault after another.

        Only for records that lie so close that looking at each maps everything between them, too.
        """
        page = start // mmap.PAGESIZE * mmap.PAGESIZE
        if sys.platform == "linux" and isinstance(self._mapping, mmap.mmap):
            with suppress(OSError):  # of an older Linux
                self._mapping.madvise(_POPULATE_READ, page, start + n_bytes - page)

    @property
    def _end(self) -> int:
        """Where the first record that is not indexed starts."""
        return int(self._positions[self._n_indexed])

    def _reserve(self, n_more: int) -> None:
        needed = self._n_indexed + n_more + 1
        if needed > len(self._positions):
            grown = np.zeros(max(needed, 2 * len(self._positions)), np.int64)
            grown[: self._n_indexed + 1] = self._positions[: self._n_indexed + 1]
            self._positions = grown


def _map_file(path: Path) -> mmap.mmap | bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return b""  # an empty file cannot be mapped
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    n_records = 0
    try:
        with temporary.open("wb") as file:
            for payload in payloads:
                length = _LENGTH.pack(len(payload))
                crcs = _CRC.pack(masked_crc32c(length)), _CRC.pack(masked_crc32c(payload))
                file.write(b"".join((length, crcs[0], payload, crcs[1])))
                n_records += 1
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return n_records
