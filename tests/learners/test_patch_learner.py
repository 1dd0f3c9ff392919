"""Patches with a linear part: what the battery does not ask."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.learners.patches import PatchLearner
from autodl_solver.metrics import nauc


def test_patches_of_images_tell_more_than_pixels() -> None:
    digits = load_digits()
    x, y = digits.images[..., None].astype(np.float32), np.eye(10, dtype=np.float32)[digits.target]
    patches = PatchLearner(10, n_filters=64, size_px=3)
    pixels = LinearLearner(10)
    patches.fit(Examples(x[:300], y[:300]), Budget())
    pixels.fit(Examples(x[:300].reshape(300, -1), y[:300]), Budget())
    of_pixels = nauc(y[300:], pixels.predict_proba(x[300:].reshape(-1, 64)))
    assert nauc(y[300:], patches.predict_proba(x[300:])) > of_pixels


@pytest.mark.parametrize("shape", [(8, 5), (8, 4, 4), (8, 0, 4, 1)])
def test_rows_that_are_neither_images_nor_clips_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"however x\.shape"):
        PatchLearner(2).fit(
            Examples(np.zeros(shape, np.uint8), np.eye(2, dtype=np.float32)[np.arange(8) % 2]), Budget()
        )


def test_an_image_is_a_clip_of_one_frame() -> None:
    x = np.random.default_rng(0).integers(256, size=(40, 12, 12, 3)).astype(np.uint8)
    y = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    of_images, of_clips = PatchLearner(2, n_filters=16), PatchLearner(2, n_filters=16)
    of_images.fit(Examples(x, y), Budget())
    of_clips.fit(Examples(x[:, None], y), Budget())
    assert of_images.predict_proba(x) == pytest.approx(of_clips.predict_proba(x[:, None]))
