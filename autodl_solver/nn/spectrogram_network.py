"""A small residual network for spectrograms: wherever in time, but not wherever in frequency.

Built from the parts of residual.py; maxima and means are taken over time only, so that the head knows the bands. Maps
are large and steps few: with pooled stages an answer takes three times as long, and fsdd falls behind. Clips
are augmented in their own way: moved in time, made louder, and hidden in parts.
Source of the masks: Park et al., SpecAugment, Interspeech 2019 (https://arxiv.org/abs/1904.08779).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.residual import PatchWhitening, ResidualStage

PATCH_PX, STRIDE_PX = 4, 2

LOGIT_SCALE = 1 / 9
"""Keeps the first steps of the head small."""


class SpectrogramNetwork(nn.Module):
    """Spectrograms -> logits.

    Args:
        n_frames, n_bands: of the spectrograms, at least 4 each.
        n_classes: logits.
        widths: channels of each stage; each stage halves the map.
    """

    def __init__(self, n_frames: int, n_bands: int, n_classes: int, widths: Sequence[int] = (64, 128)) -> None:
        super().__init__()
        self.arguments = {  # a saved network is built again from them
            "n_frames": n_frames,
            "n_bands": n_bands,
            "n_classes": n_classes,
            "widths": tuple(widths),
        }
        self.stem = PatchWhitening(1, PATCH_PX, STRIDE_PX)
        sizes = [2 * self.stem.n_kept, *widths]
        stages = (ResidualStage(a, b, 2, pooled=False) for a, b in zip(sizes[:-1], widths, strict=True))
        self.stages = nn.Sequential(*stages)
        with torch.no_grad():
            rows = self._pooled(torch.zeros(2, 1, n_frames, n_bands))
        self.head = nn.Linear(rows.shape[1], n_classes)

    def prepare(self, x: Tensor) -> None:
        """Fits the first layer to some of the rows, [n, 1, n_frames, n_bands]."""
        chosen = torch.linspace(0, len(x) - 1, min(len(x), 1000)).long()
        self.stem.fit(x[chosen].to(self.stem.filters.device).float())

    def forward(self, x: Tensor) -> Tensor:
        """[n, 1, n_frames, n_bands] float32 -> [n, n_classes]."""
        logits: Tensor = self.head(self._pooled(x)) * LOGIT_SCALE
        return logits

    def _pooled(self, x: Tensor) -> Tensor:
        """[n, channels * bands that are left]."""
        maps = self.stages(functional.relu(self.stem(x)))
        pooled: Tensor = maps.amax(dim=2) + maps.mean(dim=2)
        return pooled.flatten(1)


@dataclass(frozen=True)
class HideAndShift:
    """Moves spectrograms in time, turns them up or down, and hides some frames and some bands.

    Attributes:
        shift: most frames, as a share of all.
        gain: spread of the loudness that is added (bands have variance 1).
        masked: widest mask, as a share of all frames (and of all bands).
    """

    shift: float = 0.15
    gain: float = 0.2
    masked: float = 0.2

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """[n, 1, n_frames, n_bands] of any dtype -> the same."""
        n, _, n_frames, n_bands = x.shape

        def uniform() -> Tensor:
            return torch.rand(n, 1, device=x.device, generator=generator)

        offset = ((2 * uniform() - 1) * self.shift * n_frames).round().long()
        place = (torch.arange(n_frames, device=x.device) + offset).clamp(0, n_frames - 1)
        rows = torch.arange(n, device=x.device)[:, None]
        moved = x[rows, 0, place]  # [n, n_frames, n_bands]
        gain = self.gain * torch.randn(n, 1, 1, device=x.device, generator=generator)
        shown = [
            _outside(uniform() * size, uniform() * self.masked * size, size, x.device) for size in (n_frames, n_bands)
        ]
        return ((moved + gain.to(x.dtype)) * (shown[0][:, :, None] & shown[1][:, None, :])).to(x.dtype)[:, None]


def _outside(start: Tensor, width: Tensor, size: int, device: torch.device) -> Tensor:
    """[n, size] bool: not within [start, start + width)."""
    place = torch.arange(size, device=device)
    return (place < start) | (place >= start + width)
