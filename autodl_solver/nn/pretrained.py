"""Networks of torchvision with pretrained weights: which there are on this disk?

Files are known by the names that torchvision gives them (resnet18-f37072fd.pth); each name ends with the start of a
checksum. Weights of one's own are welcome under such a name, with their own checksum. See pretrained_files.py for the
folders. Where no file has such a name, torch and torchvision are not imported (measured: 0.15 ms the first time).
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodl_solver.nn.pretrained_files import NAME, download_all, download_asked, files_in_folders, sound_tensors

logger = logging.getLogger(__name__)

DOWNLOADED = "resnet18"
"""For who asks for no network by its name."""


@dataclass(frozen=True)
class Weights:
    """A file of weights that torchvision knows.

    Attributes:
        model: torchvision's name of the network.
        path: of the file.
        is_video: it takes clips, not images.
        size_px: side of what it was trained on.
        mean, std: of each channel, red, green, blue, of values from 0 to 1.
        rank: the accuracy that was published, in per cent: the best of those that are fast enough is taken.
        n_values: published number of weights: what is measured first.
    """

    model: str
    path: str
    is_video: bool
    size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    rank: float
    n_values: float

    @property
    def name(self) -> str:
        """Of the file, which tells its content too."""
        return Path(self.path).stem


def found_weights() -> tuple[Weights, ...]:
    """What lies on this disk, by name; nothing is read yet."""
    paths = files_in_folders(lambda name: NAME.fullmatch(name) is not None, "torchvision")
    return _recognised(tuple(map(str, paths))) if paths else ()


def sound_weights(weights: Weights) -> dict[str, Any]:
    """The tensors in a file.

    Raises:
        DataError: it cannot be read, its checksum is not that of its name, or it does not hold tensors by name.
    """
    return {_as_torchvision_names_it(name): value for name, value in sound_tensors(Path(weights.path)).items()}


def download_if_allowed() -> None:
    """Fetches the weights that AUTODL_DOWNLOAD names into torch's cache; to be called before the budget runs.

    Whatever goes wrong is one line of the log.
    """
    asked = download_asked(DOWNLOADED, lambda name: not name.isupper())  # capitals are networks of torchaudio's
    have = {weights.model for weights in found_weights()} if asked else set()
    download_all([model for model in asked if model not in have], lambda model: torchvision_weights(model)[0].url)


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
        rank=float(accuracy),
        n_values=float(kind.meta["num_params"]),
    )


def _as_torchvision_names_it(name: str) -> str:
    """The files of dense networks are older than the names of their layers: norm.1 became norm1."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)
