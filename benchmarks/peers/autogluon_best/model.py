"""AutoGluon with the preset that it calls best quality: models in bags, stacked in layers."""

from __future__ import annotations

from benchmarks.peers.autogluon_tables import AutoGluonTables


class Model(AutoGluonTables):
    preset = "best_quality"
