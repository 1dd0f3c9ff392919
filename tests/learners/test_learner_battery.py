"""Every learner of every modality against the promises of learner_checks."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from learner_checks import (
    Factory,
    Maker,
    check_a_copy_goes_on_and_leaves_the_original_alone,
    check_keeps_an_expired_budget,
    check_leaves_its_rows_as_they_are,
    check_output,
    check_prediction_of_a_row_does_not_depend_on_its_neighbours,
    check_same_seed_same_output,
    check_second_fit_goes_on,
    check_snapshot_gives_earlier_predictions_back,
    check_wrong_shapes_are_refused,
    clip_features,
    dense_features,
    image_features,
    label_sets,
    series_features,
    sparse_features,
    spectrogram_features,
    token_features,
)

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.boosting import Boosting, BoostingLearner
from autodl_solver.learners.cross_fitted import CrossFittedLearner
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.learners.network import NetworkLearner
from autodl_solver.learners.network_series import SeriesNetworkLearner
from autodl_solver.learners.network_speech import SpectrogramLearner
from autodl_solver.learners.network_table import TableNetworkLearner, TableTraining
from autodl_solver.learners.network_text import TextNetworkLearner, TextTraining, TextTransformerLearner
from autodl_solver.learners.network_video import SpaceTimeLearner, VideoNetworkLearner
from autodl_solver.learners.patches import PatchLearner
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.tabular.forest import ForestLearner
from autodl_solver.modalities.tabular.learners import (
    make_dense_learner,
    make_kernel_learner,
    make_sparse_kernel_learner,
    make_sparse_learner,
)
from autodl_solver.modalities.text.learners import TermLearner, make_common_term_learner
from autodl_solver.nn.trainer import TrainingOptions

SMALL_NETWORK = TableTraining(n_members=2, hidden=(32,), n_bins=8, max_epochs=8)
SMALL_TEXT = TextTraining(max_members=1, max_epochs=5, patience=5)
QUICK_BOOSTING = Boosting(n_rounds=20, learning_rate=0.25)
SMALL_IMAGE_NETWORK = partial(NetworkLearner, widths=(16,), options=TrainingOptions(batch_size=32, max_epochs=5))
SMALL_VIDEO_NETWORK = partial(VideoNetworkLearner, widths=(16,), options=TrainingOptions(batch_size=32, max_epochs=5))
SMALL_SPACE_TIME = partial(SpaceTimeLearner, n_channels=1, widths=(8,), options=TrainingOptions(32, max_epochs=5))
SMALL_SPECTROGRAM_NETWORK = partial(
    SpectrogramLearner, widths=(16,), options=TrainingOptions(batch_size=32, max_epochs=5)
)
SMALL_SERIES_NETWORK = partial(
    SeriesNetworkLearner, widths=(16, 16), options=TrainingOptions(batch_size=32, max_epochs=5)
)


def space_time_learner(n_classes: int, seed: int, frames_share: float = 0.0) -> VideoNetworkLearner:
    return VideoNetworkLearner(n_classes, seed, network=SMALL_SPACE_TIME(n_classes, seed, frames_share=frames_share))


LEARNERS: list[tuple[str, Factory, Maker]] = [
    ("prior", PriorLearner, dense_features),
    ("linear", LinearLearner, dense_features),
    ("linear, sparse", LinearLearner, sparse_features),
    ("cross-fitted", partial(CrossFittedLearner, make_learner=LinearLearner), dense_features),
    ("speech and series", standardised_linear, dense_features),
    ("terms", TermLearner, sparse_features),
    ("terms, common ones", make_common_term_learner, sparse_features),
    ("network for text", partial(TextNetworkLearner, training=SMALL_TEXT), token_features),
    ("transformer for text", partial(TextTransformerLearner, training=SMALL_TEXT), token_features),
    ("tabular, dense", partial(make_dense_learner, n_bins=8), dense_features),
    ("tabular, sparse", make_sparse_learner, sparse_features),
    ("tabular, kernel", partial(make_kernel_learner, by_ranks=False), dense_features),
    ("tabular, kernel on ranks", partial(make_kernel_learner, by_ranks=True), dense_features),
    ("tabular, sparse kernel", make_sparse_kernel_learner, sparse_features),
    ("extra trees", partial(ForestLearner, n_trees=20, n_jobs=1), dense_features),
    ("exhaustive extra trees", partial(ForestLearner, n_trees=20, sees_all_columns=True, n_jobs=1), dense_features),
    ("random forest, sparse", partial(ForestLearner, kind="random", n_trees=20, n_jobs=1), sparse_features),
    ("network for tables", partial(TableNetworkLearner, training=SMALL_NETWORK), dense_features),
    ("patches of clips", partial(PatchLearner, n_filters=8, depth=3), clip_features),
    ("patches of images", partial(PatchLearner, n_filters=8, size_px=3), image_features),
    ("network for clips", SMALL_VIDEO_NETWORK, clip_features),
    ("(2+1)-D network for clips", space_time_learner, clip_features),
    ("(2+1)-D network, first on frames", partial(space_time_learner, frames_share=0.4), clip_features),
    ("network for images", SMALL_IMAGE_NETWORK, image_features),
    ("network for spectrograms", SMALL_SPECTROGRAM_NETWORK, spectrogram_features),
    ("network for series", SMALL_SERIES_NETWORK, series_features),
    ("boosting", partial(BoostingLearner, boosting=QUICK_BOOSTING), dense_features),
    ("boosting, sparse", partial(BoostingLearner, boosting=QUICK_BOOSTING), sparse_features),
]
each_learner = pytest.mark.parametrize(
    ("make", "features"), [case[1:] for case in LEARNERS], ids=[c[0] for c in LEARNERS]
)


@each_learner
@pytest.mark.parametrize("labels", label_sets())
def test_output_is_finite_and_within_bounds(make: Factory, features: Maker, labels: str) -> None:
    check_output(make, features, label_sets()[labels])


@each_learner
@pytest.mark.parametrize(
    "check",
    [
        check_prediction_of_a_row_does_not_depend_on_its_neighbours,
        check_same_seed_same_output,
        check_leaves_its_rows_as_they_are,
        check_second_fit_goes_on,
        check_a_copy_goes_on_and_leaves_the_original_alone,
        check_snapshot_gives_earlier_predictions_back,
        check_keeps_an_expired_budget,
        check_wrong_shapes_are_refused,
    ],
)
def test_promise(check, make: Factory, features: Maker) -> None:  # type: ignore[no-untyped-def]
    check(make, features)


@pytest.mark.parametrize(
    "make", [PriorLearner, LinearLearner, partial(make_dense_learner, n_bins=8)], ids=["prior", "linear", "tabular"]
)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x.__setitem__((slice(None), 0), 3.0),  # a constant column
        lambda x: x.__setitem__((slice(0, 20), 1), np.nan),  # missing values
        lambda x: x.__setitem__((slice(None), 2), np.nan),  # a column that is missing altogether
        lambda x: np.multiply(x, 1e6, out=x),  # large numbers
    ],
)
def test_features_of_any_kind_are_survived(make: Factory, spoil) -> None:  # type: ignore[no-untyped-def]
    y = label_sets()["two classes"]
    x = dense_features(y, np.random.default_rng(0))
    spoil(x)
    learner = make(2, 0)
    learner.fit(Examples(x, y), Budget(20))
    assert np.isfinite(learner.predict_proba(x)).all()
