"""Files: of what kind each is by its name, and what the inputs that read files share.

A file that cannot be read is left out and told once, with all others of its kind; where more than a fifth of the
training files is unreadable, something else is wrong, and that is an error.
"""

from __future__ import annotations

import logging
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from autodl_solver.data.examples import EncodedFrames, Rows
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded, Input

logger = logging.getLogger(__name__)

_ENDS = {
    "image": "jpg jpeg jpe jfif png bmp dib gif webp tif tiff avif jp2 ppm pgm pbm pnm tga",
    "audio": "wav flac ogg oga opus mp3 aif aiff aifc au snd caf w64 m4a aac wma amr",
    "video": "mp4 m4v mov avi mkv webm mpg mpeg wmv flv ogv 3gp mts",
}
SUFFIXES = {f".{end}": kind for kind, ends in _ENDS.items() for end in ends.split()}
"""How the names of files end, in lower case -> their kind."""

TOO_MANY_UNREADABLE = 0.2
"""Share of the training files from which on they are refused."""

N_LISTED = 5
"""Unreadable files that an error names."""

BLOCK_BYTES = 2**26
"""Encoded frames lie in blocks of about this size."""

Fact = TypeVar("Fact")
Content = TypeVar("Content")
S = TypeVar("S")
T = TypeVar("T")


def kind_of_file(path: str | os.PathLike[str]) -> str | None:
    """ "image", "audio" or "video" by the end of the name; None for any other."""
    return SUFFIXES.get(os.path.splitext(os.fspath(path))[1].lower())


def paths_of(examples: Any) -> list[Path]:
    """A sequence of paths, whatever holds them.

    Raises:
        InputError: a single path, or something that is no path among them.
    """
    if isinstance(examples, (str, bytes, os.PathLike)):
        raise InputError(
            f"Files must be given as a list of paths; however one path is: {examples!r}; put it in a list."
        )
    try:
        return [Path(path) for path in examples]
    except TypeError as error:
        raise InputError(
            f"Files must be given as a list of paths; however it holds something else ({error}); "
            "give str or Path objects."
        ) from error


def read_whole(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: there are none; the reason only, since who asks knows the path.
        OSError: it cannot be opened.
    """
    check_file(path)
    content = path.read_bytes()
    if not content:
        raise InputError("it is empty")
    return content


def check_file(path: Path) -> None:
    """Raises InputError, with the reason only, where there is no file or an empty one."""
    if path.is_dir():
        raise InputError("it is a folder")
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("there is no such file") from None
    if size == 0:
        raise InputError("it is empty")


def brief(error: Exception) -> str:
    """What an error says, without the path that those of the system and of FFmpeg repeat."""
    return getattr(error, "strerror", None) or str(error)


def refuse_unreadable(skipped: Mapping[int, str], paths: Sequence[Path], plural: str) -> None:
    """Raises InputError where too many of the training files are unreadable."""
    if not paths:
        raise InputError(f"At least one file must be given to learn from; however there are no {plural}.")
    if len(skipped) <= TOO_MANY_UNREADABLE * len(paths):
        return
    listed = "; ".join(f"{paths[place]}: {reason}" for place, reason in sorted(skipped.items())[:N_LISTED])
    raise InputError(
        f"At most {TOO_MANY_UNREADABLE:.0%} of the {plural} may be unreadable; however {len(skipped)} of "
        f"{len(paths)} are ({listed}{'; ...' if len(skipped) > N_LISTED else ''}); repair or remove them."
    )


def in_threads(function: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """The results in order; those that nobody waits for any more are not computed."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_cores == 1:
        yield from map(function, items)
        return
    threads = ThreadPoolExecutor(n_cores)
    try:
        yield from threads.map(function, items)
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def packed_frames(rows: Iterable[Sequence[bytes]]) -> EncodedFrames:
    """Encoded images of each row, copied one after the other into few large blocks.

    Args:
        rows: the files of each row; they are let go of as soon as they are copied.
    """
    blocks: list[bytearray] = [bytearray()]
    index, starts, sizes, lengths = [], [], [], []
    for row in rows:
        for file in row:
            if len(blocks[-1]) >= BLOCK_BYTES:
                blocks.append(bytearray())
            index.append(len(blocks) - 1)
            starts.append(len(blocks[-1]))
            sizes.append(len(file))
            blocks[-1] += file
        lengths.append(len(row))
    buffers = tuple(np.frombuffer(block, np.uint8) for block in blocks)
    file_index, begins, n_bytes = (np.array(column, np.int64) for column in (index, starts, sizes))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return EncodedFrames(buffers, file_index, begins, n_bytes, offsets)


class FileInput(Input, Generic[Fact, Content]):
    """Files of one kind.

    A kind says what it learns from a quick look at every training file (`_look`, `_learn`), how one file is read
    (`_read`), and how what was read becomes rows (`_rows`). `_look` and `_read` raise InputError with the bare reason,
    or OSError, for a file that cannot be read; they run in several threads.
    """

    plural: ClassVar[str]
    """What messages call such files."""

    n_sampled: ClassVar[int] = 16
    """Training files that are read as a whole by `fit`, since a look does not tell every damage."""

    def fit(self, examples: Any) -> None:
        """Looks at every file, reads some.

        Args:
            examples: paths, str or Path.
        Raises:
            InputError: there are none, or too many are unreadable.
        """
        paths = paths_of(examples)
        skipped: dict[int, str] = {}
        facts = dict(self._each(self._look, paths, skipped))
        refuse_unreadable(skipped, paths, self.plural)
        self._learn([paths[place] for place in facts], list(facts.values()))
        places = list(facts)
        sampled = [places[k] for k in np.unique(np.linspace(0, len(places) - 1, self.n_sampled).astype(int))]
        damaged: dict[int, str] = {}
        chosen = [paths[place] for place in sampled]
        self._learn_contents([content for _, content in self._each(self._read, chosen, damaged)])
        refuse_unreadable(damaged, chosen, self.plural)

    def encode(self, examples: Any) -> Encoded:
        """Reads the files.

        Args:
            examples: paths, str or Path.
        Raises:
            InputError: they are no paths. A file that cannot be read is skipped instead.
        """
        paths = paths_of(examples)
        skipped: dict[int, str] = {}
        rows = self._rows(content for _, content in self._each(self._read, paths, skipped))
        if skipped:
            place, reason = min(skipped.items())
            logger.warning(
                "%d of %d %s cannot be read and are left out. The first: %s: %s.",
                len(skipped), len(paths), self.plural, paths[place], reason,
            )  # fmt: skip
        return Encoded(rows, skipped)

    @abstractmethod
    def _look(self, path: Path) -> Fact:
        """What the first bytes of a training file tell."""

    @abstractmethod
    def _learn(self, paths: list[Path], facts: list[Fact]) -> None:
        """Remembers what new files will need, from the training files that are readable at first sight."""

    def _learn_contents(self, contents: list[Content]) -> None:
        """Remembers what only whole files tell, from some of them."""

    @abstractmethod
    def _read(self, path: Path) -> Content:
        """The content of one file."""

    @abstractmethod
    def _rows(self, contents: Iterator[Content]) -> Rows:
        """The contents of all files as rows."""

    @staticmethod
    def _each(function: Callable[[Path], T], paths: Sequence[Path], skipped: dict[int, str]) -> Iterator[tuple[int, T]]:
        """(place, result) for each path that can be read; the others are added to `skipped`."""
        for place, (result, reason) in enumerate(in_threads(partial(_attempt, function), paths)):
            if reason is None:
                yield place, result
            else:
                skipped[place] = reason


def _attempt(function: Callable[[Path], T], path: Path) -> tuple[Any, str | None]:
    """(what the function says of the path, None), or (None, why it says nothing)."""
    try:
        return function(path), None
    except InputError as error:
        return None, str(error)
    except OSError as error:
        return None, brief(error)
    except ValueError as error:  # a path with a zero byte
        return None, str(error)
