"""Weights of torchaudio on disk: found, refused, and turned into features of clips."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from autodl_solver.data.examples import Array, Ragged
from autodl_solver.errors import DataError
from autodl_solver.nn.pretrained_sound import download_sound_if_allowed, found_sound_weights, published_url
from autodl_solver.nn.pretrained_sound_choice import WINDOW, SoundFeatures, Windows, affordable_sound_backbone
from autodl_solver.nn.pretrained_sound_network import SoundNetwork, sound_network, torchaudio_network
from tests.nn.sound_weights import LEAST_SAMPLES, N_FEATURES, make_known, tiny_networks, write_sound_weights

SIZES = (1000, 4000)


@pytest.fixture
def folder(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one in which weights are looked for; torchaudio knows the tiny networks."""
    make_known(monkeypatch)
    return weights_folder


def clips(lengths: list[int], seed: int = 0) -> Ragged:
    values = np.random.default_rng(seed).normal(0, 0.2, sum(lengths)).astype(np.float32)
    return Ragged(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def seen(rows: Ragged, name: str = "tiny", n_samples: int = 1000) -> Array:
    return SoundFeatures().of(rows, name, n_samples)


def test_files_are_known_by_the_names_that_torchaudio_gives_them(folder: Path) -> None:
    for name in (
        "wav2vec2_fairseq_base_ls960_asr_ls960.pth",
        "hubert_fairseq_base_ls960.pth",
        "wavlm_base_plus-00000000.pth",  # somebody added a checksum
        "wav2vec2_voxpopuli_base_10k_asr_de.pt",
        "resnet18-f37072fd.pth",
        "model.pt",  # anything
        "pytorch_model.bin",
    ):
        (folder / name).touch()
    assert {one.name: one.model for one in found_sound_weights()} == {
        "wav2vec2_fairseq_base_ls960_asr_ls960": "WAV2VEC2_ASR_BASE_960H",
        "hubert_fairseq_base_ls960": "HUBERT_BASE",
        "wavlm_base_plus-00000000": "WAVLM_BASE_PLUS",
        "wav2vec2_voxpopuli_base_10k_asr_de": "VOXPOPULI_ASR_BASE_10K_DE",
    }


def test_of_equally_large_networks_the_youngest_that_knows_not_only_words_is_first(folder: Path) -> None:
    for name in ("hubert_fairseq_base_ls960", "wav2vec2_fairseq_base_ls960_asr_ls960", "wavlm_base_plus", "wavlm_base"):
        (folder / f"{name}.pth").touch()
    (folder / "wav2vec2_fairseq_large_lv60k.pth").write_bytes(b"larger")
    ranked = sorted(found_sound_weights(), key=lambda one: one.rank, reverse=True)
    assert [one.model for one in ranked] == [
        "WAV2VEC2_LARGE_LV60K",
        "WAVLM_BASE_PLUS",
        "WAVLM_BASE",
        "HUBERT_BASE",
        "WAV2VEC2_ASR_BASE_960H",
    ]


def test_networks_too_large_to_be_read_are_left_alone(folder: Path) -> None:
    with (folder / "wav2vec2_xlsr_1b.pth").open("wb") as file:
        file.truncate(4_000_000_000)  # takes no room
    assert found_sound_weights() == ()


def test_that_there_are_none_is_said_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert found_sound_weights() == found_sound_weights() == ()
    (line,) = caplog.messages
    assert "torchaudio" in line
    assert str(folder) in line


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def of_another_network(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)


def no_tensors(path: Path) -> None:
    torch.save({"epoch": 3}, path)


def with_a_wrong_checksum(path: Path) -> None:
    path.rename(path.with_name("tiny-00000000.pth"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut_short, "cannot be read"),
        (of_another_network, "must fit TINY"),
        (no_tensors, "tensors by name"),
        (with_a_wrong_checksum, "checksum"),
    ],
)
def test_a_damaged_or_foreign_file_is_one_line_of_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], None], message: str
) -> None:
    change(write_sound_weights(folder))
    with pytest.raises(DataError, match=message):
        sound_network(found_sound_weights()[0])
    assert affordable_sound_backbone(SIZES, 100) is None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_a_checksum_in_the_name_is_verified(folder: Path) -> None:
    path = write_sound_weights(folder)
    path.rename(folder / f"tiny-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")
    backbone = affordable_sound_backbone(SIZES, 100)
    assert backbone is not None
    assert (backbone.weights.model, backbone.sizes) == ("TINY", SIZES)


def test_a_network_that_is_too_slow_for_so_many_rows_is_left_alone(folder: Path) -> None:
    write_sound_weights(folder)
    assert affordable_sound_backbone(SIZES, 10**9) is None
    assert affordable_sound_backbone(SIZES, -1) is not None


@pytest.mark.parametrize("name", ["TINY", "TINY_WORDS", "TINY_WAVLM"])
def test_features_are_those_of_the_middle_layer_of_the_file(folder: Path, name: str) -> None:
    path = write_sound_weights(folder, name)
    bundle = tiny_networks()[name]
    whole = torchaudio_network(name)
    state = torch.load(path, weights_only=True)
    whole.load_state_dict({key: value for key, value in state.items() if not key.startswith("aux.")})
    rows = clips([1000, 1000])
    waves = torch.from_numpy(rows.values).view(2, 1000)
    if bundle._normalize_waveform:
        waves = (waves - waves.mean(dim=1, keepdim=True)) / waves.std(dim=1, keepdim=True, correction=0)
    with torch.inference_mode():
        (*_, frames), _ = whole.extract_features(waves, num_layers=2)  # type: ignore[operator]
    expected = torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1).numpy()
    found = seen(rows, path.stem)
    assert found.shape == (2, N_FEATURES)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=0.05)  # half precision


@pytest.mark.parametrize("name", ["TINY", "TINY_WAVLM"])
def test_a_clip_of_any_length_has_features_that_depend_on_itself_only(folder: Path, name: str) -> None:
    stem = write_sound_weights(folder, name).stem
    lengths = [0, 1, 2, 7, LEAST_SAMPLES, 40, 300, 990, 1001, 2500, 50_000]
    rows = clips(lengths)
    together = seen(rows, stem, 2000)
    assert np.isfinite(together).all()
    alone = [
        seen(Ragged(rows.values[a:b], np.array([0, b - a])), stem, 2000)[0]
        for a, b in zip(rows.offsets[:-1], rows.offsets[1:], strict=True)
    ]
    assert together == pytest.approx(np.stack(alone), abs=0.03)  # half precision
    assert np.ptp(together[3:], axis=0).max() > 0.05, "different clips sound different"
    assert seen(clips([]), stem).shape == (0, N_FEATURES)


def test_silence_has_finite_features(folder: Path) -> None:
    for name in ("TINY", "TINY_WAVLM"):
        stem = write_sound_weights(folder, name).stem
        silent = Ragged(np.zeros(4000, np.float32), np.array([0, 1500, 4000]))
        assert np.isfinite(seen(silent, stem)).all()


def test_what_fills_a_clip_up_does_not_count(folder: Path) -> None:
    write_sound_weights(folder)
    network = sound_network(found_sound_weights()[0])
    wave = torch.randn(1, 400, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        (*_, frames), _ = network.stem.extract_features(wave)  # type: ignore[operator]
        features = network.features(wave, torch.tensor([200]))[0]
    n_frames = 1 + (200 - LEAST_SAMPLES) // (5 * 2 * 2)
    expected = torch.cat([frames[0, :n_frames].mean(dim=0), frames[0, :n_frames].std(dim=0, correction=0)])
    assert torch.allclose(features, expected, atol=1e-5)
    assert network.least_samples == LEAST_SAMPLES


@pytest.mark.parametrize(
    ("n_samples", "n_windows", "starts"),
    [
        (WINDOW // 4, [1, 1, 1], [0, 100, 100 + WINDOW + 36_000]),
        (WINDOW, [1, 1, 1], [0, 100, 100 + WINDOW + 24_000]),
        (2 * WINDOW, [1, 1, 2], [0, 100, 100 + WINDOW, 100 + WINDOW + 48_000]),
        (4 * WINDOW, [1, 1, 3], [0, 100, 100 + WINDOW, 100 + WINDOW + 24_000, 100 + WINDOW + 48_000]),
    ],
)
def test_long_clips_are_seen_in_windows_from_all_over(n_samples: int, n_windows: list[int], starts: list[int]) -> None:
    rows = clips([100, WINDOW, 80_000])
    windows = Windows.spread(rows, n_samples, 400)
    assert np.bincount(windows.clips).tolist() == n_windows
    first = starts if n_samples >= WINDOW else [0, 100 + (WINDOW - n_samples) // 2, starts[2]]
    assert windows.starts.tolist() == first
    assert windows.lengths[0] == 100
    assert windows.filled[0] == max(400, min(n_samples, WINDOW) // 8)
    assert (windows.filled >= windows.lengths).all()
    assert sorted(np.concatenate(windows.batches(64_000))) == list(range(len(windows.clips)))


def test_features_without_weights_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="AUTODL_WEIGHTS"):
        seen(clips([1000]))


def test_networks_that_torchaudio_does_not_list_are_not_built(folder: Path) -> None:
    for name in ("HDEMUCS_HIGH_MUSDB", "MMS_FA", "no such network"):
        with pytest.raises(ValueError, match="torchaudio has no"):
            SoundNetwork(name)
        with pytest.raises(ValueError, match="torchaudio has no"):
            published_url(name)


def test_nothing_is_fetched_unless_it_is_allowed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for value in ("", "0", "resnet18"):
        monkeypatch.setenv("AUTODL_DOWNLOAD", value)
        download_sound_if_allowed()
    assert caplog.records == []
    monkeypatch.setenv("AUTODL_DOWNLOAD", "NO_SUCH_NETWORK,resnet18")
    download_sound_if_allowed()
    assert len([record for record in caplog.records if "going on without" in record.message]) == 1


def test_weights_that_are_allowed_are_fetched_into_torch_s_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autodl_solver.nn import pretrained_sound

    published = tmp_path / "published"
    published.mkdir()
    write_sound_weights(published)
    monkeypatch.setattr(pretrained_sound, "PUBLISHED_AT", published.as_uri() + "/")
    monkeypatch.setenv("AUTODL_DOWNLOAD", "TINY")
    download_sound_if_allowed()
    assert [one.path for one in found_sound_weights()] == [str(tmp_path / "cache" / "checkpoints" / "tiny.pth")]
