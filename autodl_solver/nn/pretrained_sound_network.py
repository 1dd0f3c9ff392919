"""A network of torchaudio up to its middle, frozen: waveforms -> features.

What the middle layers say of a sound, averaged over time, serves other tasks than words best, and half of the time is
saved: Shor et al., Universal paralinguistic speech representations using self-supervised conformers, ICASSP 2022
(https://arxiv.org/abs/2110.04621); Pasad et al., Layer-wise analysis of a self-supervised speech model, ASRU 2021.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from autodl_solver.nn.pretrained_files import not_fitting, sound_tensors
from autodl_solver.nn.pretrained_sound import MAKERS, SoundWeights, sound_bundles

DEPTH = 0.5
"""Of the layers, that are kept."""


class SoundNetwork(nn.Module):
    """The first layers of a network for sound.

    Args:
        model: torchaudio's name.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {"model": model}  # a saved network is built again from them
        self.stem = torchaudio_network(model, DEPTH)
        _make_plain(self.stem)
        self._normalised = bool(sound_bundles()[model]._normalize_waveform)
        layers: Any = self.stem.get_submodule("feature_extractor.conv_layers")
        self._steps = [(int(layer.kernel_size), int(layer.stride)) for layer in layers]
        norm: Any = self.stem.get_submodule("encoder.transformer.layer_norm")
        self.n_features = 2 * int(norm.normalized_shape[0])
        self.requires_grad_(False)

    @property
    def least_samples(self) -> int:
        """Samples of a frame: a shorter waveform has none."""
        n = 1
        for kernel, stride in reversed(self._steps):
            n = (n - 1) * stride + kernel
        return n

    def features(self, waves: Tensor, n_samples: Tensor) -> Tensor:
        """Mean and spread over time.

        Args:
            waves: [n, least_samples or more] float32.
            n_samples: [n] int64, of each wave, that count; frames of the rest are left out.
        Returns:
            [n, n_features] float32.
        """
        if self._normalised:
            waves = functional.layer_norm(waves, waves.shape[1:])
        stem: Any = self.stem
        heard, n_frames = stem.feature_extractor(waves, n_samples)
        frames: Tensor = stem.encoder.extract_features(heard)[-1].float()  # [n, n_frames, width]
        counted = torch.arange(frames.shape[1], device=frames.device) < n_frames.clamp_min(1)[:, None]
        share = (counted / counted.sum(dim=1, keepdim=True))[:, :, None]
        mean = (frames * share).sum(dim=1)
        spread = ((frames - mean[:, None]).square() * share).sum(dim=1).sqrt()
        return torch.cat([mean, spread], dim=1)


def sound_network(weights: SoundWeights) -> SoundNetwork:
    """With the weights of a file.

    Raises:
        DataError: the file is not sound, or of another network than its name says.
    """
    state = {name: value for name, value in sound_tensors(Path(weights.path)).items() if not name.startswith("aux.")}
    network = SoundNetwork(weights.model)
    whole: Any = torchaudio_network(weights.model)
    try:
        whole.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise not_fitting(weights.model, weights.path, error) from error
    layers = whole.encoder.transformer.layers
    whole.encoder.transformer.layers = layers[: _n_kept(len(layers), DEPTH)]
    _make_plain(whole)
    network.stem.load_state_dict(whole.state_dict())
    return network


def torchaudio_network(model: str, depth: float = 1.0) -> nn.Module:
    """With random weights, without the layer for words; nothing is ever downloaded.

    Args:
        model: torchaudio's name.
        depth: share of its layers.
    Raises:
        ValueError: torchaudio has no such network.
    """
    bundles = sound_bundles()
    if model not in bundles:
        raise ValueError(f"torchaudio has no network {model!r:.50} for features of sound")
    from torchaudio import models

    make = getattr(models, MAKERS[bundles[model]._model_type])
    settings = dict(bundles[model]._params)
    settings["encoder_num_layers"] = _n_kept(settings["encoder_num_layers"], depth)
    network: nn.Module = make(**{**settings, "aux_num_out": None}).eval()
    return network


def _n_kept(n_layers: int, depth: float) -> int:
    return max(1, round(depth * n_layers))


def _make_plain(network: nn.Module) -> None:
    """Weights that are computed anew in every pass, from others that are trained, become weights."""
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")
