"""Tiny networks for sound in torchaudio's list, and random weights of them in torchaudio's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torchaudio import models, pipelines

TINY = {
    "extractor_mode": "group_norm",
    "extractor_conv_layer_config": [(8, 10, 5), (8, 3, 2), (8, 2, 2)],
    "extractor_conv_bias": False,
    "encoder_embed_dim": 16,
    "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 8,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 4,
    "encoder_num_heads": 2,
    "encoder_attention_dropout": 0.1,
    "encoder_ff_interm_features": 32,
    "encoder_ff_interm_dropout": 0.0,
    "encoder_dropout": 0.1,
    "encoder_layer_norm_first": False,
    "encoder_layer_drop": 0.05,
    "aux_num_out": None,
}
N_FEATURES = 32
LEAST_SAMPLES = 30  # of a frame: 10 + 5 * (3 - 1 + 2 * (2 - 1))


def tiny_networks() -> dict[str, Any]:
    """One of each kind: their descriptions by name."""
    return {
        "TINY": pipelines.Wav2Vec2Bundle("tiny.pth", TINY, 16_000, False, "Wav2Vec2"),
        "TINY_WORDS": pipelines.Wav2Vec2ASRBundle(
            "tiny_words.pt", {**TINY, "aux_num_out": 5}, 16_000, False, "Wav2Vec2", _labels=("a",)
        ),
        "TINY_WAVLM": pipelines.Wav2Vec2Bundle(
            "tiny_wavlm.pth",
            {
                **{name: value for name, value in TINY.items() if name != "aux_num_out"},
                "extractor_mode": "layer_norm",
                "encoder_num_buckets": 8,
                "encoder_max_distance": 20,
                "aux_num_out": None,
            },
            16_000,
            True,
            "WavLM",
        ),
    }


def make_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the tiny networks into torchaudio's list."""
    for name, bundle in tiny_networks().items():
        monkeypatch.setattr(pipelines, name, bundle, raising=False)


def write_sound_weights(folder: Path, name: str = "TINY") -> Path:
    """Random weights, the same every time, as torchaudio publishes them: with the names that torch once used."""
    bundle = tiny_networks()[name]
    torch.manual_seed(0)
    make = models.wavlm_model if bundle._model_type == "WavLM" else models.wav2vec2_model
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    state = {}
    for key, value in make(**bundle._params).state_dict().items():
        ending = next((one for one in old if key.endswith(one)), "")
        state[key.removesuffix(ending) + old.get(ending, "")] = value
    path = folder / str(bundle._path)
    torch.save(state, path)
    return path
