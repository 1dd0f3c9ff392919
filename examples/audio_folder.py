"""A folder of sounds at differing rates. Usage: python examples/audio_folder.py [BUDGET]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from autodl_solver import AutoDLClassifier


def write_sounds(folder: Path, n_files: int = 120) -> None:
    """Rising and falling whistles in noise, one second and less; here your own recordings would be."""
    rng = np.random.default_rng(0)
    for number in range(n_files):
        name, rate_hz = ["rising", "falling"][number % 2], int(rng.choice([8000, 16000, 22050]))
        time_s = np.arange(0, rng.uniform(0.5, 1.0), 1 / rate_hz)
        sweep_hz = rng.uniform(300, 900) + 800 * (time_s if name == "rising" else time_s[::-1])
        sound = 0.3 * np.sin(2 * np.pi * np.cumsum(sweep_hz) / rate_hz) + 0.05 * rng.normal(size=len(time_s))
        (folder / name).mkdir(exist_ok=True)
        soundfile.write(folder / name / f"{number}.wav", sound, rate_hz)


def main(budget: str) -> None:
    """Learns most of the sounds, names the others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sounds(folder)
        paths = sorted(folder.glob("*/*.wav"))
        train, new = [path for k, path in enumerate(paths) if k % 4], paths[::4]
        model = AutoDLClassifier().fit(train, [path.parent.name for path in train], time_budget=budget)
        print(dict(zip([path.name for path in new[:4]], model.predict(new[:4]), strict=True)))
        print(f"accuracy {model.score(new, [path.parent.name for path in new]):.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1m")
