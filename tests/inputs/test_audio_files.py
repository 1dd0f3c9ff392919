"""Sound files as rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from autodl_solver.data.examples import Array, Examples, Ragged
from autodl_solver.errors import InputError
from autodl_solver.inputs.audio import MAX_HZ, AudioFiles, resampled_clip
from autodl_solver.inputs.base import Encoded
from autodl_solver.modalities import SPECS, Modality
from tests.inputs.media_files import write_clip, write_tone


def clips_of(encoded: Encoded) -> list[Array]:
    assert isinstance(encoded.rows, Ragged)
    assert encoded.rows.values.dtype == np.float32
    assert encoded.rows.values.shape[1:] == (1, 1, 1)
    return [encoded.rows[i].ravel() for i in range(len(encoded.rows))]


def fitted_on(*paths: Path) -> AudioFiles:
    fitted = AudioFiles()
    fitted.fit(paths)
    return fitted


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff", "a.au", "a.caf", "Ä und 中文.WAV"])
def test_every_format_is_read_to_its_samples(name: str, tmp_path: Path) -> None:
    path = write_tone(tmp_path / name, 440, 16_000, 0.5)
    clip = clips_of(fitted_on(path).encode([path]))[0]
    assert len(clip) == pytest.approx(8000, abs=1200)  # some formats hold whole blocks only
    assert np.abs(clip).max() == pytest.approx(0.5 * 32768, rel=0.1)


def test_what_libsndfile_does_not_know_is_read_by_ffmpeg(tmp_path: Path) -> None:
    path = write_compressed(tmp_path / "clip.m4a")
    fitted = fitted_on(path)
    clip = clips_of(fitted.encode([path]))[0]
    assert fitted.sample_hz == 16_000
    assert len(clip) == pytest.approx(16_000, rel=0.2)
    assert np.abs(clip[4000:12_000]).max() == pytest.approx(0.5 * 32768, rel=0.2)


def write_compressed(path: Path) -> Path:
    """One second of a tone as AAC."""
    import av

    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for start in range(0, 16_000 - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("rates", "expected"),
    [([8000, 8000, 44_100], 8000), ([44_100, 44_100, 8000], MAX_HZ), ([11_025], 11_025), ([48_000], MAX_HZ)],
)
def test_the_rate_is_that_of_most_clips_but_bounded(rates: list[int], expected: int, tmp_path: Path) -> None:
    fitted = fitted_on(*(write_tone(tmp_path / f"{i}.wav", rate=rate) for i, rate in enumerate(rates)))
    assert fitted.sample_hz == expected


@pytest.mark.parametrize("rate", [4000, 8000, 11_025, 22_050, 44_100, 48_000, 11_127])
def test_a_tone_keeps_its_pitch_and_length_at_any_rate(rate: int, tmp_path: Path) -> None:
    fitted = fitted_on(write_tone(tmp_path / "training.wav", rate=8000))
    path = write_tone(tmp_path / "new.wav", 500, rate, 1.0, channels=2)
    clip = clips_of(fitted.encode([path]))[0]
    assert len(clip) == pytest.approx(8000, rel=0.01)
    spectrum = np.abs(np.fft.rfft(clip * np.hanning(len(clip))))
    assert np.argmax(spectrum) * 8000 / len(clip) == pytest.approx(500, rel=0.01)
    assert np.abs(clip[1000:7000]).max() == pytest.approx(0.5 * 32768, rel=0.02)


def test_what_lies_above_the_new_rate_is_filtered_out() -> None:
    tone = np.sin(2 * np.pi * 7000 * np.arange(16_000) / 16_000).astype(np.float32)
    assert np.abs(resampled_clip(tone, 16_000, 8000)[500:-500]).max() < 0.02


def test_channels_are_averaged_and_nan_is_silence(tmp_path: Path) -> None:
    samples = np.array([[1.0, 0.0], [0.5, 0.5], [np.nan, 0.2]], np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    path = tmp_path / "a.wav"
    assert clips_of(fitted_on(path).encode([path]))[0].tolist() == [16384, 16384, 0]


def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path) -> None:
    whole = write_tone(tmp_path / "whole.wav")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is no sound")
    soundfile.write(tmp_path / "silent.wav", np.zeros(0), 8000)
    write_clip(tmp_path / "mute.mp4", [(9, 9, 9)] * 3)
    names = ["empty.wav", "text.wav", "silent.wav", "mute.mp4", "missing.wav"]
    encoded = fitted_on(whole).encode([whole, *(tmp_path / name for name in names)])
    reasons = [encoded.skipped[place] for place in range(1, 6)]
    assert (reasons[0], reasons[2]) == ("it is empty", "it holds no samples")
    assert reasons[3:] == ["it holds no sound", "there is no such file"]
    assert "cannot be decoded as sound" in reasons[1]
    assert encoded.places.tolist() == [0]


def test_many_unreadable_clips_are_an_error(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.wav").write_text("no sound")
    with pytest.raises(InputError, match="sound files may be unreadable; however 3 of 4"):
        fitted_on(write_tone(tmp_path / "whole.wav"), *(tmp_path / f"{i}.wav" for i in range(3)))


def test_clips_go_through_the_pipeline(tmp_path: Path) -> None:
    paths = [write_tone(tmp_path / f"{i}.wav", 200 * (i + 1), (8000, 44_100)[i % 2], 0.2 + 0.1 * i) for i in range(4)]
    fitted = fitted_on(*paths)
    rows = fitted.encode(paths).rows
    pipeline = SPECS[Modality.SPEECH].make_pipeline(fitted.info("tones", 4, ("low", "high")))
    pipeline.fit(Examples(rows))
    view = pipeline.transform(rows, "", 16)
    assert isinstance(view, np.ndarray)
    assert len(view) == 4
    assert np.isfinite(view).all()


def test_no_clips_are_no_rows(tmp_path: Path) -> None:
    assert clips_of(fitted_on(write_tone(tmp_path / "a.wav")).encode([])) == []
