"""Files of pretrained weights on this disk: where they are looked for, whether they are sound, and how they get here.

Shared by networks for images and clips (pretrained.py) and for sound (pretrained_sound.py). The folders are that which
AUTODL_WEIGHTS names and torch's own cache. A name may end with the start of a checksum, which is then verified. Nothing
is fetched unless AUTODL_DOWNLOAD allows it, and then before the budget runs only. torch is imported to read a file.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import pickle
import re
import struct
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from autodl_solver.errors import DataError

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "AUTODL_WEIGHTS"
DOWNLOAD_VARIABLE = "AUTODL_DOWNLOAD"
"""Unset, empty or 0: nothing is fetched. Names of networks, with commas; 1 stands for a small one of each kind."""

DOWNLOAD_S = 120.0
WAIT_S = 10.0
"""For an answer of the server."""

NAME = re.compile(r"([\w.]+)-([0-9a-f]{8,64})\.pth")
"""torchvision's file names: the network, then the first digits of the SHA-256 of the content."""

CHUNK_BYTES = 2**20

READ_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
    struct.error,
)
"""What torch.load raises for files that hold something else."""


def files_in_folders(is_wanted: Callable[[str], bool], publisher: str) -> tuple[Path, ...]:
    """Files whose names are wanted; one line of the log says that there are none, once a process.

    Args:
        is_wanted: of a file's name.
        publisher: for the log.
    """
    folders = tuple(_folders())
    found = tuple(path for folder in folders for path in _files(folder) if is_wanted(path.name))
    if not found:
        say_once(f"No pretrained weights of {publisher}'s in {' or '.join(map(str, folders))}; going on without.")
    return found


@functools.lru_cache(maxsize=32)
def say_once(line: str) -> None:
    """A line of the log."""
    logger.info("%s", line)


def sound_tensors(path: Path) -> dict[str, Any]:
    """The tensors in a file.

    Raises:
        DataError: it cannot be read, its checksum is not that of its name, or it does not hold tensors by name.
    """
    import torch

    fact = ""
    try:
        if not _is_whole(path):
            fact = "its content is not what the checksum in its name promises"
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            if isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values()):
                return state
            fact = "it does not hold tensors by name"
    except READ_ERRORS as error:
        fact = f"it cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__:.200})"
    raise DataError(
        f"Weights must be a whole file as published; however {path} is not: {fact}; fetch it again or delete it."
    )


def not_fitting(model: str, path: str, error: RuntimeError) -> DataError:
    """What to raise where torch says that weights are of another network."""
    return DataError(
        f"Weights must fit {model}; however those in {path} do not "
        f"({' '.join(str(error).split())[:200]}); fetch the file again or delete it."
    )


def download_asked(default: str, is_known_here: Callable[[str], bool]) -> list[str]:
    """Networks that AUTODL_DOWNLOAD names.

    Args:
        default: what "1" stands for.
        is_known_here: whether a name is one of this kind of networks; the others are left to other kinds.
    """
    asked = os.environ.get(DOWNLOAD_VARIABLE, "").strip()
    if asked in ("", "0"):
        return []
    names = [name.strip() for name in (default if asked == "1" else asked).split(",")]
    return [name for name in names if name and is_known_here(name)]


def download_all(models: Sequence[str], url_of: Callable[[str], str]) -> None:
    """Fetches weights into torch's cache, all of them within DOWNLOAD_S. What goes wrong is one line of the log.

    Args:
        models: names of networks.
        url_of: where the weights of a network are; a ValueError where there is no such network.
    """
    deadline = time.monotonic() + DOWNLOAD_S
    for model in models:
        try:
            url = url_of(model)
            fetch(url, _cache(), deadline)
            logger.info("%s: fetched %s.", DOWNLOAD_VARIABLE, url)
        except (OSError, ValueError, HTTPException) as error:
            logger.warning("%s: no weights of %r (%s); going on without.", DOWNLOAD_VARIABLE, model, error)


def fetch(url: str, folder: Path, deadline: float) -> Path:
    """Downloads a file of weights; only a whole one gets its name.

    Args:
        url: ends with the name of the file, which may hold a checksum.
        folder: is made where it is missing.
        deadline: of time.monotonic.
    Raises:
        OSError: no network, too slow, not what the checksum promises, or not as long as the server said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = url.rpartition("/")[2]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place, name)
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer, path.open("wb") as file:
            promised_bytes = answer.headers.get("Content-Length")
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not fetched within {DOWNLOAD_S:.0f} s")
        if promised_bytes is not None and path.stat().st_size != int(promised_bytes):
            raise OSError("what came is not as long as the server said")
        if not _is_whole(path):
            raise OSError("what came is not what the checksum in the name promises")
        return path.replace(folder / name)


def _folders() -> list[Path]:
    own = os.environ.get(FOLDER_VARIABLE)
    return [Path(own), _cache()] if own else [_cache()]


def _cache() -> Path:
    """torch.hub.get_dir(), without importing torch for it, and its checkpoints."""
    if "torch.hub" in sys.modules:
        return Path(sys.modules["torch.hub"].get_dir(), "checkpoints")
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{home}/torch")).expanduser() / "hub" / "checkpoints"


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # there is none
        return []


def _is_whole(path: Path) -> bool:
    """Whether the content has the checksum that the name promises; a name need not promise any."""
    promised = NAME.fullmatch(path.name)
    if promised is None:
        return True
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest().startswith(promised[2])
