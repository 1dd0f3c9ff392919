"""A plain ResNet-18, from scratch, with the textbook recipe of trained_network.py, on images of at most 64 px.

Up to 32 px it begins as for CIFAR (3 x 3, stride 1, no pooling), beyond as for ImageNet (7 x 7, stride 2, pooling).
Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016.
"""

from __future__ import annotations

from torch import Tensor, nn

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.pixels import small_pixels
from benchmarks.peers.trained_network import TrainedNetwork, as_channels_first

LARGEST_PX = 64
CIFAR_PX = 32


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: [B, n_in, H, W] -> [B, n_out, H / stride, W / stride]."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.body(x) + self.shortcut(x))


class Model(TrainedNetwork):
    def frames(self, x: Rows) -> Array:
        spec = self.info.specs[0]
        size_px = min(max(spec.n_rows, spec.n_cols), LARGEST_PX)
        self._size_px = size_px if size_px > 0 else LARGEST_PX
        return as_channels_first(small_pixels(x, spec.n_channels, self._size_px))[:, :, 0]

    def make_network(self, n_channels: int) -> nn.Module:
        stem: list[nn.Module] = [nn.Conv2d(n_channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        if self._size_px > CIFAR_PX:
            stem.append(nn.MaxPool2d(3, 2, 1))
        else:
            stem[0] = nn.Conv2d(n_channels, 64, 3, 1, 1, bias=False)
        widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
        blocks = [Block(*width) for width in [*widths, (512, 512, 1)]]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, self.info.n_classes)]
        return nn.Sequential(*stem, *blocks, *head)
