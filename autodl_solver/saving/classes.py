"""What a saved model may hold: every class and function that reading will ever import, by its dotted name.

A new learner whose class, or a part of it, is not listed here cannot be saved; tests/saving names it. List only classes
that do nothing with their attributes until they are asked to predict: no file, no process, no network.
"""

from __future__ import annotations

import importlib
from typing import Any

PLAIN = frozenset(
    {
        "autodl_solver.anytime.ensemble.Temperature",
        "autodl_solver.anytime.thresholds.BalancedThresholds",
        "autodl_solver.data.examples.Ragged",
        "autodl_solver.data.info.DatasetInfo",
        "autodl_solver.data.info.MatrixSpec",
        "autodl_solver.inputs.arrays.AudioArrays",
        "autodl_solver.inputs.arrays.ImageArrays",
        "autodl_solver.inputs.arrays.VideoArrays",
        "autodl_solver.inputs.audio.AudioFiles",
        "autodl_solver.inputs.cells.Column",
        "autodl_solver.inputs.image.ImageFiles",
        "autodl_solver.inputs.labels.Labels",
        "autodl_solver.inputs.series.SeriesInput",
        "autodl_solver.inputs.split.SplitInput",
        "autodl_solver.inputs.table.TableInput",
        "autodl_solver.inputs.text.TextInput",
        "autodl_solver.inputs.video.VideoFiles",
        "autodl_solver.learners.averaged.AveragedLearner",
        "autodl_solver.learners.boosting.Boosting",
        "autodl_solver.learners.boosting.BoostingLearner",
        "autodl_solver.learners.boosting.Target",
        "autodl_solver.learners.cross_fitted.CrossFittedLearner",
        "autodl_solver.learners.linear.LinearLearner",
        "autodl_solver.learners.linear._Calibration",
        "autodl_solver.learners.linear._Ridge",
        "autodl_solver.learners.network.NetworkLearner",
        "autodl_solver.learners.network_pretrained.PretrainedLearner",
        "autodl_solver.learners.network_scratch.TorchvisionLearner",
        "autodl_solver.learners.network_series.SeriesNetworkLearner",
        "autodl_solver.learners.network_speech.SpectrogramLearner",
        "autodl_solver.learners.network_table.TableNetworkLearner",
        "autodl_solver.learners.network_table.TableTraining",
        "autodl_solver.learners.network_text.TextNetworkLearner",
        "autodl_solver.learners.network_text.TextTraining",
        "autodl_solver.learners.network_text.TextTransformerLearner",
        "autodl_solver.learners.network_text._Member",
        "autodl_solver.learners.patches.PatchLearner",
        "autodl_solver.learners.network_video.SpaceTimeLearner",
        "autodl_solver.learners.network_video.StackLearner",
        "autodl_solver.learners.network_video.TorchvisionVideoLearner",
        "autodl_solver.learners.network_video.VideoNetworkLearner",
        "autodl_solver.learners.prior.PriorLearner",
        "autodl_solver.learners.scaled.ScaledLinearLearner",
        "autodl_solver.learners.sparse_linear.LogisticWeights",
        "autodl_solver.modalities.image.pipeline.ImagePipeline",
        "autodl_solver.modalities.series.pipeline.SeriesPipeline",
        "autodl_solver.modalities.speech.pipeline.SpeechPipeline",
        "autodl_solver.modalities.tabular.forest.ForestLearner",
        "autodl_solver.modalities.tabular.learners.Likeness",
        "autodl_solver.modalities.tabular.learners.NormalScores",
        "autodl_solver.modalities.tabular.learners.QuantileBins",
        "autodl_solver.modalities.tabular.pipeline.TabularPipeline",
        "autodl_solver.modalities.text.learners.TermLearner",
        "autodl_solver.modalities.text.learners.TermWeights",
        "autodl_solver.modalities.text.pipeline.TextPipeline",
        "autodl_solver.modalities.text.sentences.SentenceTable",
        "autodl_solver.modalities.text.spelling.SpellingTable",
        "autodl_solver.modalities.video.pipeline.VideoPipeline",
        "autodl_solver.nn.augment.ShiftAndFlip",
        "autodl_solver.nn.augment.TemporalJitter",
        "autodl_solver.nn.device.Compute",
        "autodl_solver.nn.pretrained_choice.FrozenFeatures",
        "autodl_solver.nn.pretrained_sound_choice.SoundFeatures",
        "autodl_solver.nn.rocket_features.RocketFeatures",
        "autodl_solver.nn.rocket_hydra.Hydra",
        "autodl_solver.nn.rocket_hydra.Kernels",
        "autodl_solver.nn.rocket_kernels.ChannelScale",
        "autodl_solver.nn.rocket_minirocket.FixedKernels",
        "autodl_solver.nn.rocket_minirocket.MiniRocket",
        "autodl_solver.nn.series_network.WarpAndScale",
        "autodl_solver.nn.spectrogram_network.HideAndShift",
        "autodl_solver.nn.tabular_encoding.Thermometer",
        "autodl_solver.nn.trainer.Trainer",
        "autodl_solver.nn.trainer.TrainingOptions",
        "autodl_solver.nn.patches.Patches",
        "autodl_solver.predictor.Part",
        "autodl_solver.predictor.Predictor",
        "sklearn.ensemble._forest.ExtraTreesRegressor",
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.impute._base.MissingIndicator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.pipeline.FeatureUnion",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.MaxAbsScaler",
        "sklearn.preprocessing._data.Normalizer",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._encoders.OneHotEncoder",
        "sklearn.tree._classes.DecisionTreeRegressor",
        "sklearn.tree._classes.ExtraTreeRegressor",
    }
)
"""Objects that are their attributes; a class is made by `__new__`, without its constructor."""

NETWORKS = frozenset(
    {
        "autodl_solver.nn.pretrained_network.PretrainedNetwork",
        "autodl_solver.nn.pretrained_sound_network.SoundNetwork",
        "autodl_solver.nn.residual.ResidualNetwork",
        "autodl_solver.nn.series_network.SeriesNetwork",
        "autodl_solver.nn.space_time.SpaceTimeNetwork",
        "autodl_solver.nn.spectrogram_network.SpectrogramNetwork",
        "autodl_solver.nn.tabular_network.TabularNetwork",
        "autodl_solver.nn.text_network.TextNetwork",
        "autodl_solver.nn.text_transformer.TextTransformer",
    }
)
"""Torch modules that remember the arguments of their constructor as `arguments`."""

ENUMS = frozenset({"autodl_solver.data.info.Format", "autodl_solver.modalities.infer.Modality"})

FUNCTIONS = frozenset(
    {
        "autodl_solver.modalities.tabular.learners._dense_transformer",
        "autodl_solver.modalities.tabular.learners._kernel_transformer",
        "autodl_solver.modalities.tabular.learners._sparse_kernel_transformer",
    }
)
"""Functions that objects hold, alone or in a `functools.partial`: they make transformers."""

FACTORIES = frozenset({"sklearn.preprocessing._data.MaxAbsScaler", "sklearn.preprocessing._data.StandardScaler"})
"""Classes that objects hold as a value, to call them without arguments."""

LIBRARIES = {"sklearn": "scikit-learn", "torch": "torch", "lightgbm": "lightgbm"}
"""Root of a dotted name -> the package whose version matters to such objects."""


def dotted_name(thing: Any) -> str:
    """Of a class or a function; not unique, which is why `known` compares."""
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"


def is_known(thing: Any, names: frozenset[str]) -> bool:
    """Whether it is the very class or function that reading would find under a listed name."""
    name = dotted_name(thing)
    return name in names and known(name, names) is thing


def known(name: Any, names: frozenset[str]) -> Any:
    """The class or function of a listed name.

    Raises:
        ValueError: the name is not listed; then nothing is imported.
    """
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"{name!r:.100} is not among the classes and functions that a saved model may hold")
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
