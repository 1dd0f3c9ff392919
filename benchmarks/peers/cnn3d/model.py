"""A small 3D CNN, from scratch, with the textbook recipe of trained_network.py: 16 frames of 32 px.

Four blocks of a 3 x 3 x 3 convolution, batch norm, ReLU and pooling.
Source: Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015 (C3D), made small.
"""

from __future__ import annotations

from torch import nn

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.pixels import small_pixels
from benchmarks.peers.trained_network import TrainedNetwork, as_channels_first

N_FRAMES, SIZE_PX = 16, 32
WIDTHS = (32, 64, 128, 256)


class Model(TrainedNetwork):
    def frames(self, x: Rows) -> Array:
        pixels = small_pixels(x, self.info.specs[0].n_channels, SIZE_PX, N_FRAMES)
        return as_channels_first(pixels)

    def make_network(self, n_channels: int) -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in zip((n_channels, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [
                nn.Conv3d(n_in, n_out, 3, padding=1, bias=False),
                nn.BatchNorm3d(n_out),
                nn.ReLU(),
                nn.MaxPool3d(2),
            ]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], self.info.n_classes))
