"""aeon's MiniRocket with its 10,000 kernels, and ridge regression.

Source: Dempster, Schmidt, Webb, MiniRocket, KDD 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aeon.transformations.collection.convolution_based import MiniRocket

from benchmarks.peers.convolved_series import ConvolvedSeries, n_cores


class Model(ConvolvedSeries):
    def transforms(self) -> Sequence[Any]:
        return [MiniRocket(random_state=self.seed, n_jobs=n_cores())]
