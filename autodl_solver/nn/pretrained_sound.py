"""Networks of torchaudio with pretrained weights (wav2vec 2.0, HuBERT, WavLM): which there are on this disk?

torchaudio's own list tells their names, their files (wavlm_base_plus.pth), sizes and what they expect of a waveform; so
does it here. Its files have no checksum in their names; one may be added (wavlm_base_plus-<SHA-256 from its start>.pth)
and is then verified. See pretrained_files.py for the folders. Where no file ends like them, torchaudio is not imported.

The list says how to load a network, which would fetch it, but what it is made of only in private fields; where another
torchaudio has them no more, there are no such networks, and the log says so.
"""

from __future__ import annotations

import functools
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodl_solver.nn.pretrained_files import NAME, download_all, download_asked, files_in_folders

logger = logging.getLogger(__name__)

DOWNLOADED = "WAVLM_BASE_PLUS"
"""For who asks for no network by its name: 378 MB, the best small one for all but the words (S. Chen et al., WavLM,
IEEE JSTSP 2022, table of SUPERB)."""

PUBLISHED_AT = "https://download.pytorch.org/torchaudio/models/"
"""Where torchaudio's files are whose place is a bare name."""

MAKERS = {"Wav2Vec2": "wav2vec2_model", "WavLM": "wavlm_model"}
"""Functions of torchaudio.models that build networks, by the kind of network."""

MAX_VALUES = 5e8
"""Larger networks are left alone: to read one of 1e9 weights takes 10 GB."""

ENDINGS = (".pth", ".pt")
VALUE_BYTES = 4
SIZES_PER_DOUBLING = 4
"""Networks within a fifth of each other's size count as equally large."""


@dataclass(frozen=True)
class SoundWeights:
    """A file of weights that torchaudio knows.

    Attributes:
        model: torchaudio's name of the network.
        path: of the file.
        n_values: number of weights, from the size of the file.
        rank: of those that are fast enough, the highest is taken. Networks that were trained on to write down words
            have unlearned the rest, and come last; the larger ones are better, and of equal ones the younger.
    """

    model: str
    path: str
    n_values: float
    rank: tuple[bool, int, int]

    @property
    def name(self) -> str:
        """Of the file, without its ending."""
        return Path(self.path).stem


def found_sound_weights() -> tuple[SoundWeights, ...]:
    """What lies on this disk, by name; nothing is read yet."""
    paths = files_in_folders(lambda name: name.endswith(ENDINGS), "torchaudio")
    return _recognised(paths) if paths else ()


def sound_bundles() -> dict[str, Any]:
    """torchaudio's descriptions of networks that turn a waveform into features, by name, in its order."""
    from autodl_solver.nn.device import avoid_triton_beside_tensorflow

    avoid_triton_beside_tensorflow()
    from torchaudio import pipelines

    names = dict.fromkeys((*pipelines.__all__, *vars(pipelines)))  # the public ones are listed by age
    known = {name: getattr(pipelines, name) for name in names}
    return {name: one for name, one in known.items() if _gives_features(one)}


def _gives_features(thing: Any) -> bool:
    """Not those that align words: their file is called model.pt, as anybody's may be."""
    from torchaudio.pipelines import Wav2Vec2Bundle, Wav2Vec2FABundle

    is_known = isinstance(thing, Wav2Vec2Bundle) and not isinstance(thing, Wav2Vec2FABundle)
    return is_known and thing._model_type in MAKERS


def published_url(model: str) -> str:
    """Where the weights of a network are.

    Raises:
        ValueError: torchaudio has no such network.
    """
    bundles = sound_bundles()
    if model not in bundles:
        raise ValueError("torchaudio has no such network")
    place = str(bundles[model]._path)
    return place if place.startswith("https:") else PUBLISHED_AT + place


def download_sound_if_allowed() -> None:
    """Fetches the weights that AUTODL_DOWNLOAD names into torch's cache; to be called before the budget runs.

    Whatever goes wrong is one line of the log.
    """
    asked = download_asked(DOWNLOADED, str.isupper)  # as torchaudio writes them
    have = {weights.model for weights in found_sound_weights()} if asked else set()
    download_all([model for model in asked if model not in have], published_url)


@functools.lru_cache(maxsize=8)
def _recognised(paths: tuple[Path, ...]) -> tuple[SoundWeights, ...]:
    """Those files whose names are torchaudio's; a line of the log says which."""
    try:
        bundles = sound_bundles()
        by_file = {published_url(model).rpartition("/")[2]: model for model in bundles}
        known = [(by_file[file], path) for path in paths if (file := _published(path)) in by_file]
        facts = [_facts_of(model, path) for model, path in known]
    except (ImportError, OSError, AttributeError) as error:  # not installed, or for another torch
        logger.warning("Files of weights are there, but not torchaudio's list of them (%s); going on without.", error)
        return ()
    found = {one.name: one for one in reversed(facts) if one.n_values <= MAX_VALUES}  # the first folder's
    logger.info("Pretrained weights for sound: %s", ", ".join(sorted(found)) or "none")
    return tuple(found.values())


def _published(path: Path) -> str:
    """The file's name without a checksum."""
    promised = NAME.fullmatch(path.name)
    return f"{promised[1]}.pth" if promised else path.name


def _facts_of(model: str, path: Path) -> SoundWeights:
    from torchaudio.pipelines import Wav2Vec2ASRBundle

    bundles = sound_bundles()
    n_values = path.stat().st_size / VALUE_BYTES
    size = round(SIZES_PER_DOUBLING * math.log2(max(n_values, 1.0)))
    is_for_words = isinstance(bundles[model], Wav2Vec2ASRBundle)
    return SoundWeights(model, str(path), n_values, rank=(not is_for_words, size, list(bundles).index(model)))
