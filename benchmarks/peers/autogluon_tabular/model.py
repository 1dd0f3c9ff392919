"""AutoGluon with its default preset, medium quality: one model of each kind, and a weighted ensemble of them."""

from __future__ import annotations

from benchmarks.peers.autogluon_tables import AutoGluonTables


class Model(AutoGluonTables):
    preset = "medium_quality"
