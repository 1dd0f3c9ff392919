"""Made-up videos (benchmarks/made_up_video.py): they are what they say, and both programs play them (slow)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.export import open_split
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.metrics import nauc
from benchmarks.made_up_video import DIRECTIONS, RECIPES, made_up_video, main
from benchmarks.packed import Rows

ROOT = Path(__file__).resolve().parents[2]
MEMORY_BYTES = 4e9


def small(name: str) -> dict[str, Rows]:
    return made_up_video(replace(RECIPES[name], n_train=30, n_test=10), seed=1).splits


def pixels(files: Sequence[bytes]) -> np.ndarray:
    """[time, row, col] float64."""
    return np.stack([np.asarray(Image.open(io.BytesIO(file)).convert("L"), float) for file in files])


def step_of(clip: np.ndarray) -> list[int]:
    """Pixels a frame (row, col): where successive frames agree best, all around the frame."""
    spectra = np.fft.fft2(clip - clip.mean())
    agreement = np.fft.ifft2((spectra[1:] * spectra[:-1].conj()).sum(axis=0)).real
    return [int(np.fft.fftfreq(n, 1 / n)[k]) for k, n in zip(divmod(agreement.argmax(), 32), (32, 32), strict=True)]


def test_the_class_of_motion_is_where_the_digit_goes() -> None:
    rows = small("motion")["train"]
    for bundle, (name,) in zip(rows.bundles, rows.labels, strict=True):
        assert tuple(np.sign(step_of(pixels(bundle["compressed"])))) == DIRECTIONS[name]


@pytest.mark.parametrize("name", ["motion", "appearance"])
def test_the_same_seed_is_the_same_clips_and_the_splits_share_none(name: str) -> None:
    once, again = small(name), small(name)
    assert once == again
    assert made_up_video(replace(RECIPES[name], n_train=40, n_test=0), 1).splits["train"].bundles[:30] == (
        once["train"].bundles
    )
    assert not any(bundle in once["train"].bundles for bundle in once["test"].bundles)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    assert main(["long", "--train", "3", "--test", "2", "--out", str(tmp_path)]) == 0
    data = tmp_path / "long" / "long.data"
    source, info = open_split(data / "train")
    assert source.count() == 3
    assert info.specs == (MatrixSpec(120, 160, 3, Format.COMPRESSED),)
    assert info.sequence_size == 64
    assert np.loadtxt(tmp_path / "long" / "long.solution").sum(axis=1).tolist() == [1, 1]


def play(name: str, folder: Path, budget_s: int) -> tuple[float, int]:
    """NAUC of the last answer; the most memory that any of the programs took, in bytes, mapped files counted."""
    main([name, "--out", str(folder)])
    command = [sys.executable, "run_local_test.py", f"-dataset_dir={folder / name}", "-code_dir=."]
    command += [f"-time_budget={budget_s}", f"-output_dir={folder / 'out'}"]
    with (folder / "log").open("w") as log:
        program = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(program.pid, 0)  # of the program and of those that it waited for
        program.returncode = os.waitstatus_to_exitcode(status)
    assert program.returncode == 0, (folder / "log").read_text(encoding="utf-8")
    answers = list((folder / "out" / "predictions").glob(f"{name}.predict_*"))
    last = max(answers, key=lambda path: int(path.name.rpartition("_")[2]))
    return nauc(np.loadtxt(folder / name / f"{name}.solution"), np.loadtxt(last)), usage.ru_maxrss * 1024


@pytest.mark.slow
@pytest.mark.parametrize("name", ["motion", "appearance"])
def test_what_only_one_of_motion_and_appearance_tells_is_learned(name: str, tmp_path: Path) -> None:
    score, _ = play(name, tmp_path, 60)
    assert score > 0.9


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted in other units")
def test_2000_long_clips_are_answered_within_4_gb(tmp_path: Path) -> None:
    score, n_bytes = play("long", tmp_path, 30)
    assert np.isfinite(score)  # there is an answer; how good it is by then depends on the machine
    assert n_bytes < MEMORY_BYTES
