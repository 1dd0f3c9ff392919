"""Ridge on a few tiny frames answers first, patches soon after; networks go on from there.

Patches of one frame see what there is, those of three how it moves; each errs where the other does not. The first
network sees all frames of a clip at once; a (2+1)-D one, which learns more from a clip, is ahead after some seconds.
It may begin as a network for images or with clips: both are offered, and the hold-out tells which goes on and counts.
Where weights of torchvision lie on this disk, a pretrained network as well, one for clips if there is any.
docs/experiments.md: what each gains, on motion and on appearance.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.anytime.stage import LearnerFactory
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.pixels import sizes_up_to_native
from autodl_solver.learners.base import Learner
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.video.pipeline import CLIP, FEATURES, MOMENTS, N_SHOWN, STATISTICS, STILLS, frames_at
from autodl_solver.nn.pretrained import Weights
from autodl_solver.nn.pretrained_choice import affordable_backbone, shown_side, sides_for
from autodl_solver.nn.scratch_choice import first_affordable_from_scratch
from autodl_solver.nn.space_time_choice import EPOCHS, PROBE_CLIPS, affordable_side

RIDGE_PX = (8, 16)
PATCHES_PX = (16, 24)
PATCH_PX = 6
"""Side of a filter: of 3 to 6 px the best on all of three datasets, at 16 and at 24 px."""

NETWORK_PX = (16,)
LARGE_PX = (32, 64, 112)
"""Sides for the large (2+1)-D network: the largest of them at which this machine is fast enough."""

LARGE_WIDTHS = (64, 128, 256)

FIRST_ROWS = 200
PATCHES_ROWS = 20_000
"""Fixed filters have shown what they can by then."""

MANY_FILTERS = 512

FIRST_S = 3.0
"""Seconds of the network's first contract; frames of 16 pixels are ahead of those of 32 for the first 15 seconds."""

SPACE_TIME_FIRST_S = 5.0
"""From 6 s of one core on it is ahead of the first network, alone and in a blend with patches."""

FRAMES_SHARE = 1 / 3
"""Of the first contract of a network that begins with single frames.

Blended, at 16 px, that is ahead of clips from the start by .002 to .003 NAUC after 15 s of one core (means of three
datasets and seeds), and behind after first contracts of 5 s in whole runs: so it comes second, when contracts are
longer. At 32 px one dataset of two gains .004 and the other loses .013.
"""

LARGE_FIRST_S = 60.0

SCRATCH_MODELS = ("r2plus1d_18", "mc3_18", "r3d_18")
"""Of torchvision, for a GPU, the best first: from scratch on Kinetics-400 they were right in 67.5, 64.0 and 63.2 %."""

MANY_CLIPS_MODELS = ("swin3d_t",)
MANY_CLIPS = 50_000
"""Transformers need more to learn from; from so many clips on (a guess) this one comes before the others."""

SCRATCH_PX = 112

PRETRAINED_PX = (112,)
"""Side at which a pretrained network looks at frames: that which those for clips were trained on."""

FEATURES_ROWS = 50
"""First ones: what a network costs is known from them."""

FINE_TUNING_FIRST_S = 30.0


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    ridge_px, patches_px, network_px, large_px = (
        tuple(sizes_up_to_native(info.specs[0], sizes)) for sizes in (RIDGE_PX, PATCHES_PX, NETWORK_PX, LARGE_PX)
    )
    space_time = partial(_make_space_time, n_channels=info.specs[0].n_channels)
    from_frames = partial(space_time, frames_share=FRAMES_SHARE)
    still, moving = (partial(_make_patches, size_px=PATCH_PX, depth=depth) for depth in (1, 3))
    plan = [
        Family("ridge", LinearLearner, ridge_px, view=STATISTICS, first_n=FIRST_ROWS),
        _patches("moving patches", moving, patches_px),
        _patches("still patches", still, patches_px),
        Family("network", _make_network, network_px, CLIP, first_s=FIRST_S),
        _space_time("space-time network", space_time, network_px, SPACE_TIME_FIRST_S),
        _space_time("space-time network from frames", from_frames, network_px, SPACE_TIME_FIRST_S),
        _patches("many moving patches", partial(moving, n_filters=MANY_FILTERS), patches_px[:1], PATCHES_ROWS),
        _patches("many still patches", partial(still, n_filters=MANY_FILTERS), patches_px[:1], PATCHES_ROWS),
    ]
    if large_px != network_px:
        sizes = [(side_px, frames_at(side_px)) for side_px in large_px]
        side_px = affordable_side(sizes, info.specs[0].n_channels, info.n_examples, LARGE_WIDTHS)
        for name, make in (("", space_time), (" from frames", from_frames)):
            large = partial(make, widths=LARGE_WIDTHS)
            plan.append(_space_time(f"large space-time network{name}", large, (side_px,), LARGE_FIRST_S))
    return [*plan, *_from_scratch(info), *_pretrained(info)]


def _from_scratch(info: DatasetInfo) -> list[Family]:
    """The best of torchvision's networks for clips that a GPU trains in time; none where there is no GPU."""
    spec = info.specs[0]
    models = (*MANY_CLIPS_MODELS, *SCRATCH_MODELS) if info.n_examples >= MANY_CLIPS else SCRATCH_MODELS
    model = first_affordable_from_scratch(
        models, SCRATCH_PX, info.n_examples, epochs=EPOCHS, n_rows=PROBE_CLIPS, n_frames=N_SHOWN[MOMENTS]
    )
    if model is None:
        return []
    make = partial(_make_from_scratch, model=model, side_px=SCRATCH_PX, n_channels=spec.n_channels)
    return [Family(model, make, (shown_side(spec, SCRATCH_PX),), MOMENTS, first_s=LARGE_FIRST_S)]


def _pretrained(info: DatasetInfo) -> list[Family]:
    """None without weights on this disk, or where none of the networks is fast enough for this machine."""
    spec = info.specs[0]
    wanted_px = sides_for(spec, PRETRAINED_PX)
    for shown, is_video in ((MOMENTS, True), (STILLS, False)):
        backbone = affordable_backbone(wanted_px, info.n_examples, is_video=is_video, n_frames=N_SHOWN[shown])
        if backbone is not None:
            (side_px, *_), weights = backbone.sizes, backbone.weights
            view = FEATURES.format(weights.name, shown)
            tuned = partial(_make_pretrained, weights=weights, side_px=side_px, n_channels=spec.n_channels)
            kept_px = (shown_side(spec, side_px),)
            return [
                Family("pretrained features", standardised_linear, (side_px,), view, FEATURES_ROWS),
                Family("fine-tuned network", tuned, kept_px, shown, first_s=FINE_TUNING_FIRST_S),
            ]
    return []


def _make_patches(n_classes: int, seed: int, **settings: int) -> Learner:
    from autodl_solver.learners.patches import PatchLearner  # torch takes seconds to import

    return PatchLearner(n_classes, seed, **settings)


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_video import VideoNetworkLearner  # torch takes seconds to import

    return VideoNetworkLearner(n_classes, seed)


def _make_space_time(n_classes: int, seed: int, **settings: Any) -> Learner:
    from autodl_solver.learners.network_video import SpaceTimeLearner, VideoNetworkLearner

    return VideoNetworkLearner(n_classes, seed, network=SpaceTimeLearner(n_classes, seed, **settings))


def _make_from_scratch(n_classes: int, seed: int, **settings: Any) -> Learner:
    from autodl_solver.learners.network_video import TorchvisionVideoLearner, VideoNetworkLearner

    return VideoNetworkLearner(n_classes, seed, network=TorchvisionVideoLearner(n_classes, seed, **settings))


def _make_pretrained(n_classes: int, seed: int, *, weights: Weights, side_px: int, n_channels: int) -> Learner:
    from autodl_solver.learners.network_pretrained import PretrainedLearner
    from autodl_solver.learners.network_video import VideoNetworkLearner

    network = PretrainedLearner(n_classes, seed, weights=weights, side_px=side_px, n_channels=n_channels)
    return VideoNetworkLearner(n_classes, seed, network=network)


def _patches(name: str, make_learner: LearnerFactory, sizes_px: tuple[int, ...], first_n: int = FIRST_ROWS) -> Family:
    return Family(name, make_learner, sizes_px, CLIP, first_n, PATCHES_ROWS, kind="patches")


def _space_time(name: str, make_learner: LearnerFactory, sizes_px: tuple[int, ...], first_s: float) -> Family:
    return Family(name, make_learner, sizes_px, CLIP, first_s=first_s, kind="space-time network")
