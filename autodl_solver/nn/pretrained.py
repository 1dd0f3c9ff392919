"""Pretrained weights in torchvision's format: which there are on this disk, and are they sound?

Files are known by the names that torchvision gives them (resnet18-f37072fd.pth), in the folder that AUTODL_WEIGHTS
names and in torch's own cache; each name ends with the start of a checksum, which is verified. Weights of one's own are
welcome under such a name, with their own checksum. Nothing is fetched unless AUTODL_DOWNLOAD allows it, and then before
the budget runs only. Where no file has such a name, torch and torchvision are not imported (measured: 0.15 ms the first
time).
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodl_solver.errors import DataError

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "AUTODL_WEIGHTS"
DOWNLOAD_VARIABLE = "AUTODL_DOWNLOAD"
"""Unset, empty or 0: nothing is fetched. Names of torchvision's models, with commas; 1 stands for DOWNLOADED."""

DOWNLOADED = "resnet18"
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


@dataclass(frozen=True)
class Weights:
    """A file of weights that torchvision knows.

    Attributes:
        model: torchvision's name of the network.
        path: of the file.
        is_video: it takes clips, not images.
        size_px: side of what it was trained on.
        mean, std: of each channel, red, green, blue, of values from 0 to 1.
        accuracy: published, in per cent: what ranks those that are fast enough.
        n_values: published number of weights: what is measured first.
    """

    model: str
    path: str
    is_video: bool
    size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    accuracy: float
    n_values: float

    @property
    def name(self) -> str:
        """Of the file, which tells its content too."""
        return Path(self.path).stem


def found_weights() -> tuple[Weights, ...]:
    """What lies on this disk, by name; nothing is read yet."""
    folders = tuple(_folders())
    paths = tuple(str(path) for folder in folders for path in _named_like_weights(folder))
    return _recognised(paths) if paths else _none_in(folders)


def sound_weights(weights: Weights) -> dict[str, Any]:
    """The tensors in a file.

    Raises:
        DataError: it cannot be read, its checksum is not that of its name, or it does not hold tensors by name.
    """
    import torch

    path = Path(weights.path)
    fact = ""
    try:
        if not _is_whole(path):
            fact = "its content is not what the checksum in its name promises"
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            if isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values()):
                return {_as_torchvision_names_it(name): value for name, value in state.items()}
            fact = "it does not hold tensors by name"
    except READ_ERRORS as error:
        fact = f"it cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__:.200})"
    raise DataError(
        f"Weights must be a whole file of torchvision; however {path} is not: {fact}; fetch it again or delete it."
    )


def download_if_allowed() -> None:
    """Fetches the weights that AUTODL_DOWNLOAD names into torch's cache; to be called before the budget runs.

    Whatever goes wrong is one line of the log.
    """
    asked = os.environ.get(DOWNLOAD_VARIABLE, "").strip()
    if asked in ("", "0"):
        return
    deadline = time.monotonic() + DOWNLOAD_S
    have = {weights.model for weights in found_weights()}
    for model in (DOWNLOADED if asked == "1" else asked).split(","):
        if model.strip() and model.strip() not in have:
            try:
                url = torchvision_weights(model.strip())[0].url
                fetch(url, _cache(), deadline)
                logger.info("%s: fetched %s.", DOWNLOAD_VARIABLE, url)
            except (OSError, ValueError) as error:
                logger.warning("%s: no weights of %r (%s); going on without.", DOWNLOAD_VARIABLE, model.strip(), error)


def fetch(url: str, folder: Path, deadline: float) -> Path:
    """Downloads a file of weights; only a whole one gets its name.

    Args:
        url: ends with a name that has a checksum.
        folder: is made where it is missing.
        deadline: of time.monotonic.
    Raises:
        OSError: no network, too slow, or not what the checksum promises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = url.rpartition("/")[2]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place, name)
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer, path.open("wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not fetched within {DOWNLOAD_S:.0f} s")
        if not _is_whole(path):
            raise OSError("what came is not what the checksum in the name promises")
        return path.replace(folder / name)


def torchvision_weights(model: str) -> list[Any]:
    """All published weights of a model for images or clips, the default ones first.

    Raises:
        ValueError: torchvision has no such model.
    """
    if model not in model_names():
        raise ValueError("torchvision has no such model for images or clips")
    models = _torchvision_models()
    kinds = models.get_model_weights(model)
    return sorted(kinds, key=lambda one: one is not kinds.DEFAULT)


def model_names() -> tuple[str, ...]:
    """Of torchvision's networks for images, then for clips; not those for detection and such."""
    models = _torchvision_models()
    return (*models.list_models(module=models), *models.list_models(module=models.video))


def _torchvision_models() -> Any:
    """Imported safely: torchvision imports triton, which kills a process that has loaded TensorFlow."""
    from autodl_solver.nn.device import avoid_triton_beside_tensorflow

    avoid_triton_beside_tensorflow()
    import torchvision.models

    return torchvision.models


def _folders() -> list[Path]:
    own = os.environ.get(FOLDER_VARIABLE)
    return [Path(own), _cache()] if own else [_cache()]


def _cache() -> Path:
    """torch.hub.get_dir(), without importing torch for it, and its checkpoints."""
    if "torch.hub" in sys.modules:
        return Path(sys.modules["torch.hub"].get_dir(), "checkpoints")
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{home}/torch")).expanduser() / "hub" / "checkpoints"


def _named_like_weights(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    except OSError:  # there is none
        return []


@functools.lru_cache(maxsize=8)  # says it once
def _none_in(folders: tuple[Path, ...]) -> tuple[Weights, ...]:
    logger.info("No pretrained weights of torchvision's in %s; going on without.", " or ".join(map(str, folders)))
    return ()


@functools.lru_cache(maxsize=8)
def _recognised(paths: tuple[str, ...]) -> tuple[Weights, ...]:
    """Those files whose names are torchvision's; a line of the log says which."""
    try:
        models = _torchvision_models()
        published = _published()
    except (ImportError, OSError) as error:  # not installed, or built for another torch
        logger.warning("There are files of weights, but torchvision cannot be imported (%s); going on without.", error)
        return ()
    clips = set(models.list_models(module=models.video))
    found: dict[str, Weights] = {}
    for path in map(Path, paths):
        known = published.get(path.name) or published.get(path.name.rpartition("-")[0])
        if known is None:
            logger.info("%s is not named like weights of torchvision's for images or clips; skipped.", path)
        elif path.name not in found:
            found[path.name] = _facts_of(known[1], known[0], path, is_video=known[0] in clips)
    logger.info("Pretrained weights: %s", ", ".join(sorted(found)) or "none")
    return tuple(found.values())


def _published() -> dict[str, tuple[str, Any]]:
    """(model, facts of the weights) by file name, and by file name without checksum: those of the default ones."""
    by_name: dict[str, tuple[str, Any]] = {}
    for model in model_names():
        for kind in torchvision_weights(model):
            name = kind.url.rpartition("/")[2]
            by_name[name] = model, kind
            by_name.setdefault(name.rpartition("-")[0], (model, kind))
    return by_name


def _facts_of(kind: Any, model: str, path: Path, *, is_video: bool) -> Weights:
    shown = kind.transforms()
    accuracy = next(iter(kind.meta["_metrics"].values()))["acc@1"]
    return Weights(
        model=model,
        path=str(path),
        is_video=is_video,
        size_px=int(shown.crop_size[-1]),
        mean=tuple(shown.mean),
        std=tuple(shown.std),
        accuracy=float(accuracy),
        n_values=float(kind.meta["num_params"]),
    )


def _is_whole(path: Path) -> bool:
    """Whether the content has the checksum that the name promises."""
    promised = NAME.fullmatch(path.name)
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return promised is not None and digest.hexdigest().startswith(promised[2])


def _as_torchvision_names_it(name: str) -> str:
    """The files of dense networks are older than the names of their layers: norm.1 became norm1."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)
