"""Linear on log-mel statistics, then on the features of kernels on the bands; a network for those who can wait.

4-fold cross-validation NAUC of esc10 and of 600 rows of fsdd: statistics .928 and .989; hydra with 16 groups .980 and
.986, with 64 groups .990 and .996, with 256 groups .994 and .999.
Where weights of torchaudio lie on this disk, the features of a pretrained network as well.
"""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.base import Learner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.speech.pipeline import FEATURES
from autodl_solver.nn.pretrained_sound_choice import affordable_sound_backbone

MAX_FRAMES = (64, 512)
FIRST_ROWS = 100

KERNEL_GROUPS = (16, 64, 256)
MAX_ROWS = 20_000
"""With 256 groups, features of that many clips take 1.6 GB."""

NETWORK_FRAMES = 128
NETWORK_FIRST_S = 5.0

PRETRAINED_SAMPLES = (8_000, 32_000, 128_000)
"""Of a clip, that a pretrained network looks at, at most: 20, 70 and 280 ms a clip for one of 95e6 weights."""


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    return [
        Family("ridge", standardised_linear, MAX_FRAMES, first_n=FIRST_ROWS),
        Family("hydra", standardised_linear, KERNEL_GROUPS, view="hydra", first_n=4 * FIRST_ROWS, max_n=MAX_ROWS),
        Family("network", _make_network, (NETWORK_FRAMES,), view="log_mel", first_s=NETWORK_FIRST_S),
        *_pretrained(info),
    ]


def _pretrained(info: DatasetInfo) -> list[Family]:
    """None without weights on this disk, or where none of the networks is fast enough for this machine."""
    backbone = affordable_sound_backbone(PRETRAINED_SAMPLES, info.n_examples)
    if backbone is None:
        return []
    view = FEATURES + backbone.weights.name
    return [Family("pretrained features", standardised_linear, backbone.sizes, view, FIRST_ROWS)]


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_speech import SpectrogramLearner  # torch takes seconds to import

    return SpectrogramLearner(n_classes, seed)
