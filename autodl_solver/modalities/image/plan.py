"""Ridge on a few pixels, patches a moment later; then a small network that goes on, and a finer one for who can wait.

On a GPU one of torchvision's networks learns from scratch as well: the first that gets through the images in time.
Where weights of torchvision lie on this disk, a pretrained network as well: its features first, then it is trained on.
docs/experiments.md: what each gains, at which side of the images.
"""

from __future__ import annotations

from functools import partial

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.pixels import sizes_up_to_native
from autodl_solver.learners.base import Learner
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.image.pipeline import FEATURES, FLAT, SQUARES
from autodl_solver.nn.pretrained import Weights
from autodl_solver.nn.pretrained_choice import affordable_backbone, shown_side, sides_for
from autodl_solver.nn.scratch_choice import BATCH_IMAGES, first_affordable_from_scratch

RIDGE_PX = (8, 16)
PATCHES_PX = (16, 24)
PATCH_PX = 4
"""Side of a filter. For photographs 4 px are better than 6 by .01 to .03, at 16 and at 24 px."""

LARGE_PATCH_PX = 6
"""For signs 6 px are better by .02, so that both are offered."""

MANY_FILTERS = 256
NETWORK_PX = 32
"""Side for the first network. Within ten seconds 32 px are better than 64 or 96 on flowers5 and miml_scene."""

FINE_PX = 64
"""Side for the one that learns slowly."""

FIRST_ROWS = 1000
"""And the last ones for ridge: patches of as many rows tell more than pixels of all."""

PATCHES_ROWS = 20_000
"""Fixed filters have shown what they can by then."""

FIRST_S = 2.0
"""Seconds of a first contract: on cifar10 it takes NAUC from .61 to .83."""

FINE_FIRST_S = 60.0
FINE_WIDTHS = (64, 128, 256)
"""It learns from 1.6 times as many images as (64, 256, 256): .873 of cifar10 right after 480 s of a core, not .861."""

LOOKS = 3
"""A network looks at images as they are, and moved twice; docs/experiments.md tells what that gains."""

SCRATCH_MODELS = ("efficientnet_v2_s", "resnet50", "resnet18")
"""Of torchvision, for a GPU, the best first: on ImageNet 84.2, 80.9 and 69.8 % were right, as published."""

MANY_IMAGES_MODELS = ("convnext_tiny", "vit_b_16")
MANY_IMAGES = 200_000
"""Such networks need more to learn from; from so many images on (a guess) they come before the others."""

SCRATCH_PX = 128
"""Side at which they look at images: a multiple of the 16 px of vit_b_16's patches."""

SCRATCH_EPOCHS = 30
"""Passes over the images that they need: a guess, twice those of clips."""

SCRATCH_FIRST_S = 60.0

PRETRAINED_PX = (112, 224)
"""Sides at which a pretrained network looks at images."""

FEATURES_ROWS = 100
"""First ones: what a network costs is known from them."""

FINE_TUNING_FIRST_S = 30.0


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    spec = info.specs[0]
    native_px = max(spec.n_rows, spec.n_cols)
    ridge_px, patches_px = (tuple(sizes_up_to_native(spec, sizes)) for sizes in (RIDGE_PX, PATCHES_PX))
    small_patches = partial(_make_patches, size_px=PATCH_PX)
    large_patches = partial(_make_patches, size_px=LARGE_PATCH_PX, n_filters=MANY_FILTERS)
    return [
        Family("ridge", LinearLearner, ridge_px, FLAT, FIRST_ROWS, max_n=FIRST_ROWS),
        Family("patches", small_patches, patches_px, SQUARES, FIRST_ROWS, PATCHES_ROWS, kind="patches"),
        Family("large patches", large_patches, patches_px[-1:], SQUARES, PATCHES_ROWS, PATCHES_ROWS, kind="patches"),
        Family("network", _make_network, (side_for(native_px, NETWORK_PX),), SQUARES, first_s=FIRST_S, looks=LOOKS),
        Family(
            "fine network",
            _make_fine_network,
            (side_for(native_px, FINE_PX),),
            SQUARES,
            first_s=FINE_FIRST_S,
            looks=LOOKS,
        ),
        *_from_scratch(info),
        *_pretrained(info),
    ]


def _from_scratch(info: DatasetInfo) -> list[Family]:
    """The best of torchvision's networks for images that a GPU trains in time; none where there is no GPU."""
    spec = info.specs[0]
    # Images under 32 px are too small to be enlarged so far; the fine network sees all of their pixels, and costs less.
    if sides_for(spec, (SCRATCH_PX,)) != (SCRATCH_PX,):
        return []
    models = (*MANY_IMAGES_MODELS, *SCRATCH_MODELS) if info.n_examples >= MANY_IMAGES else SCRATCH_MODELS
    model = first_affordable_from_scratch(
        models, SCRATCH_PX, info.n_examples, epochs=SCRATCH_EPOCHS, n_rows=BATCH_IMAGES
    )
    if model is None:
        return []
    make = partial(_make_from_scratch, model=model, side_px=SCRATCH_PX)
    return [Family(model, make, (shown_side(spec, SCRATCH_PX),), SQUARES, first_s=SCRATCH_FIRST_S)]


def _pretrained(info: DatasetInfo) -> list[Family]:
    """None without weights on this disk, or where none of the networks is fast enough for this machine."""
    spec = info.specs[0]
    backbone = affordable_backbone(sides_for(spec, PRETRAINED_PX), info.n_examples)
    if backbone is None:
        return []
    sizes_px, weights = backbone.sizes, backbone.weights
    view = FEATURES + weights.name
    tuned = partial(_make_pretrained, weights=weights, side_px=sizes_px[0])
    side_px = shown_side(spec, sizes_px[0])
    return [
        Family("pretrained features", standardised_linear, sizes_px, view, FEATURES_ROWS),
        Family("fine-tuned network", tuned, (side_px,), SQUARES, first_s=FINE_TUNING_FIRST_S),
    ]


def _make_patches(n_classes: int, seed: int, **settings: int) -> Learner:
    from autodl_solver.learners.patches import PatchLearner  # torch takes seconds to import

    return PatchLearner(n_classes, seed, **settings)


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network import NetworkLearner  # torch takes seconds to import

    return NetworkLearner(n_classes, seed)


def _make_fine_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network import NetworkLearner

    return NetworkLearner(n_classes, seed, widths=FINE_WIDTHS, fine=True)


def _make_from_scratch(n_classes: int, seed: int, *, model: str, side_px: int) -> Learner:
    from autodl_solver.learners.network_scratch import TorchvisionLearner

    return TorchvisionLearner(n_classes, seed, model=model, side_px=side_px)


def _make_pretrained(n_classes: int, seed: int, *, weights: Weights, side_px: int) -> Learner:
    from autodl_solver.learners.network_pretrained import PretrainedLearner

    return PretrainedLearner(n_classes, seed, weights=weights, side_px=side_px)


def side_for(native_px: int, wanted_px: int) -> int:
    """The side at which to look at images of a native side, -1 where that varies or is unknown.

    Images are not enlarged, nor resized where that would gain little.
    """
    return native_px if 1 <= native_px <= wanted_px + wanted_px // 2 else wanted_px
