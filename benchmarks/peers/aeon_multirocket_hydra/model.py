"""aeon's Hydra and MultiRocket with their defaults, and ridge regression.

Source: Dempster, Schmidt, Webb, Hydra, Data Mining and Knowledge Discovery 2023; Tan et al., MultiRocket, 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aeon.transformations.collection.convolution_based import HydraTransformer, MultiRocket

from benchmarks.peers.convolved_series import ConvolvedSeries, n_cores


class Model(ConvolvedSeries):
    def transforms(self) -> Sequence[Any]:
        return [
            HydraTransformer(random_state=self.seed, n_jobs=n_cores()),
            MultiRocket(random_state=self.seed, n_jobs=n_cores()),
        ]
