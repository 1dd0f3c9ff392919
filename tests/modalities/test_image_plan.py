"""The plan of images."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.image.pipeline import ImagePipeline, made_up_images
from autodl_solver.modalities.image.plan import make_plan, side_for


def facts(n_rows: int, n_cols: int, n_channels: int = 3, form: Format = Format.COMPRESSED) -> DatasetInfo:
    return DatasetInfo("made", None, 100, 1, 2, (MatrixSpec(n_rows, n_cols, n_channels, form),))


@pytest.mark.parametrize(
    ("native_px", "side"),
    [(1, 1), (8, 8), (28, 28), (32, 32), (48, 48), (64, 32), (4000, 32), (-1, 32)],
)
def test_small_images_are_seen_whole_and_large_ones_shrunk(native_px: int, side: int) -> None:
    assert side_for(native_px, 32) == side


@pytest.mark.parametrize(
    "info",
    [
        facts(32, 32),
        facts(-1, -1),
        facts(1, 1, 1, Format.DENSE),
        facts(20, 9, 7, Format.DENSE),
    ],
)
def test_every_family_learns_what_the_pipeline_makes(info: DatasetInfo) -> None:
    rows = made_up_images(info)
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    y = np.eye(2, dtype=np.float32)[np.arange(32) % 2]
    plan = make_plan(info)
    assert plan[0].name == "ridge"
    assert len({family.name for family in plan}) == len(plan)
    for family in plan:
        x = pipeline.transform(rows, family.view, family.fidelities[0])
        learner = family.make_learner(2, 0)
        learner.fit(Examples(x, y), Budget(0.2))
        assert learner.predict_proba(x).shape == (32, 2)
