"""A network of torchvision, without its own classes: frozen features, or to be trained further.

Any number of channels becomes three: one is repeated, three are as they are, of four the last (alpha) is left out, any
other number is averaged in three groups of neighbours; so the first layer keeps what it has learned. Small images are
enlarged on the way in, so that they are kept small.
Sources: Kornblith et al., Do better ImageNet models transfer better?, CVPR 2019 (features, then fine-tuning, from any
network); Z. Liu et al., AutoDL challenge winners 2019-2020, TPAMI 2021 (AdamW, the early third to half frozen).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.pretrained import Weights, model_names, sound_weights
from autodl_solver.nn.pretrained_files import not_fitting

logger = logging.getLogger(__name__)

FROZEN_SHARE = 0.4
"""Of the layers, the early ones: 30 to 50 % were best in 2019."""

CHUNK_VALUES = {"cpu": 2.5e6, "cuda": 1e8}
"""Input values that a pass without training takes at a time: 16 images of 224 px, whose maps take 200 MB."""

NORM_MOMENTUM = 0.2
"""Of the normalisations that go on: theirs (.01 in some networks) is too slow for contracts of few steps."""

PREPARE_ROWS = 48
RANGE_PERCENTILES = (0.5, 99.5)
OLDER_HEADS = {
    "googlenet": {"aux_logits": True, "transform_input": True, "init_weights": False},
    "inception_v3": {"aux_logits": True, "transform_input": True, "init_weights": False},
}
"""Networks with side branches that were trained on pixels of another range."""


class PretrainedNetwork(nn.Module):
    """Images, or clips whose frames lie one behind the other in the channels -> logits, or features.

    Args:
        model: torchvision's name.
        size_px: side of what its weights were trained on.
        mean, std: of the three channels, of values from 0 to 1.
        n_classes: logits; 0 for none: then there are features only.
        is_video: the network takes clips; else the mean over the features of the frames of a clip is taken.
        n_frames: of a row.
        side_px: smaller images are enlarged to it.
        frozen_share: of the layers, the early ones, that stay as they are, normalisations included.
    """

    def __init__(
        self,
        model: str,
        size_px: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        *,
        n_classes: int = 0,
        is_video: bool = False,
        n_frames: int = 1,
        side_px: int = 1,
        frozen_share: float = FROZEN_SHARE,
    ) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {  # a saved network is built again from them
            "model": model,
            "size_px": size_px,
            "mean": tuple(mean),
            "std": tuple(std),
            "n_classes": n_classes,
            "is_video": is_video,
            "n_frames": n_frames,
            "side_px": side_px,
            "frozen_share": frozen_share,
        }
        self.stem = torchvision_network(model, size_px)  # a name that the trainer knows: AdamW for all of it
        self.n_features = _drop_classes(self.stem)
        self.head = nn.Linear(self.n_features, n_classes) if n_classes else nn.Identity()
        self._is_video, self._n_frames, self._side_px = is_video, n_frames, side_px
        self.mean, self.std, self.low, self.high, self.centre, self.spread = (
            nn.Buffer(values)
            for values in (
                torch.tensor(mean)[:, None, None],
                torch.tensor(std)[:, None, None],
                torch.tensor(0.0),  # low and high: the range of the values of a row
                torch.tensor(255.0),
                torch.zeros(self.n_features),  # centre and spread: of the features of some rows
                torch.ones(self.n_features),
            )
        )
        layers = [layer for layer in self.stem.modules() if next(layer.parameters(recurse=False), None) is not None]
        self._frozen = layers[: round(frozen_share * len(layers))]
        for layer in layers[len(self._frozen) :]:
            if isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d)):
                layer.momentum = NORM_MOMENTUM
        for weight in (weight for layer in self._frozen for weight in layer.parameters(recurse=False)):
            weight.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> PretrainedNetwork:
        """Frozen normalisations keep their statistics."""
        super().train(mode)
        for layer in self._frozen:
            layer.training = False  # not eval(), which would go on to the layers within
        return self

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Learns the range of the values, and scales the features of some rows; the head begins with nothing.

        Args:
            x: [n, n_frames * C, H, W]; bytes range from 0 to 255.
        """
        chosen = torch.linspace(0, len(x) - 1, min(len(x), PREPARE_ROWS)).long()
        rows = x[chosen].to(self.centre.device)
        if rows.dtype is not torch.uint8:
            low, high = np.percentile(rows.cpu().numpy(), RANGE_PERCENTILES)
            self.low.fill_(float(low))
            self.high.fill_(max(float(high), float(low) + 1e-6))
        was_training = self.training
        self.eval()
        features = self._in_chunks(rows.float())
        self.train(was_training)
        self.centre.copy_(features.mean(dim=0))
        self.spread.copy_(features.std(dim=0, correction=0).clamp_min(0.1 * float(features.std(correction=0)) + 1e-6))
        if isinstance(self.head, nn.Linear):
            nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[n, n_frames * C, H, W] float32 -> [n, n_classes], or [n, n_features]."""
        features = self._seen(x) if self.training else self._in_chunks(x)
        logits: Tensor = self.head((features - self.centre) / self.spread)
        return logits

    def features(self, x: Tensor, value_range: tuple[Any, Any], n_frames: int, side_px: int) -> Tensor:
        """What comes before the classes.

        Args:
            x: [n, n_frames * C, H, W] float32.
            value_range: what is black and what is white.
            n_frames: of a row.
            side_px: smaller images are enlarged to it.
        Returns:
            [n, n_features] float32.
        """
        low, high = value_range
        n_rows, size = len(x), x.shape[2:]
        frames = _in_colour(((x - low) / (high - low)).reshape(n_rows * n_frames, -1, *size))
        if max(frames.shape[2:]) < side_px:
            frames = functional.interpolate(frames, (side_px, side_px), mode="bilinear", align_corners=False)
        frames = (frames - self.mean) / self.std  # [n * n_frames, 3, H, W]
        if self._is_video:
            clips = frames.reshape(n_rows, n_frames, *frames.shape[1:]).transpose(1, 2)  # [n, 3, n_frames, H, W]
            with self._exact_where_half_precision_fails():
                of_clips: Tensor = self.stem(clips).flatten(1).float()
            return of_clips
        of_frames: Tensor = self.stem(frames.contiguous(memory_format=torch.channels_last)).flatten(1).float()
        return of_frames.reshape(n_rows, n_frames, -1).mean(dim=1)

    def rows_at_once(self, n_frames: int, side_px: int) -> int:
        """Rows of a pass without training, so that the maps of all layers fit into memory."""
        values = CHUNK_VALUES[self.mean.device.type]
        return max(1, int(values / (3 * n_frames * side_px**2)))

    def _exact_where_half_precision_fails(self) -> AbstractContextManager[None]:
        """On a CPU, gradients of Conv3d in bfloat16 are NaN where maps are small (torch 2.14, oneDNN, AVX512-BF16)."""
        if self.training and self.mean.device.type == "cpu":
            return torch.autocast("cpu", enabled=False)
        return nullcontext()

    def _seen(self, x: Tensor) -> Tensor:
        return self.features(x, (self.low, self.high), self._n_frames, self._side_px)

    def _in_chunks(self, x: Tensor) -> Tensor:
        n_rows = self.rows_at_once(self._n_frames, max(self._side_px, *x.shape[2:]))
        return torch.cat([self._seen(x[k : k + n_rows]) for k in range(0, len(x), n_rows)])


def pretrained_network(weights: Weights, **settings: Any) -> PretrainedNetwork:
    """With the weights of a file.

    Args:
        weights: of the file.
        settings: see PretrainedNetwork.
    Raises:
        DataError: the file is not sound, or of another network than its name says.
    """
    state = sound_weights(weights)
    network = untrained_network(weights, **settings)
    whole = torchvision_network(weights.model, weights.size_px)
    try:
        whole.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise not_fitting(weights.model, weights.path, error) from error
    _drop_classes(whole)
    network.stem.load_state_dict(whole.state_dict())
    return network


def untrained_network(weights: Weights, **settings: Any) -> PretrainedNetwork:
    """The same network with random weights: no file is read. What it costs can be told from it."""
    about = (weights.model, weights.size_px, weights.mean, weights.std)
    return PretrainedNetwork(*about, is_video=weights.is_video, **settings)


def torchvision_network(model: str, size_px: int) -> nn.Module:
    """With random weights and the classes it was made for; nothing is ever downloaded.

    Raises:
        ValueError: torchvision has no such network for images or clips (others would fetch a part of themselves).
    """
    if model not in model_names():
        raise ValueError(f"torchvision has no network {model!r:.50} for images or clips")
    from torchvision.models import get_model

    settings: Mapping[str, Any] = OLDER_HEADS.get(model, {})
    if model.startswith("vit_"):
        settings = {"image_size": size_px}
    network: nn.Module = get_model(model, weights=None, **settings)
    return network


def _drop_classes(network: nn.Module) -> int:
    """Takes the last layer out, and side branches; how many values came into it."""
    for name in ("aux1", "aux2", "AuxLogits"):
        if getattr(network, name, None) is not None:
            setattr(network, name, None)
            network.aux_logits = False  # type: ignore[assignment]
    last = [name for name, layer in network.named_modules() if isinstance(layer, (nn.Linear, nn.Conv2d, nn.Conv3d))][-1]
    parent, _, name = last.rpartition(".")
    layer: Any = network.get_submodule(last)
    setattr(network.get_submodule(parent), name, nn.Identity())
    return int(layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels)


def _in_colour(x: Tensor) -> Tensor:
    """[n, C, H, W] -> [n, 3, H, W]; see the head of this file."""
    n_channels = x.shape[1]
    if n_channels in (3, 4):
        return x[:, :3]
    if n_channels < 3:
        return x.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    return torch.stack([x[:, group].mean(dim=1) for group in map(list, np.array_split(range(n_channels), 3))], dim=1)
