"""Made-up videos: does the solver see motion, does it see appearance, and what do long clips cost?

    python benchmarks/made_up_video.py [motion appearance long] --out FOLDER [--train N] [--test N] [--seed 0]

writes FOLDER/NAME/NAME.data and NAME.solution, to be played by run_local_test.py. In all of them a digit of
scikit-learn moves straight ahead around a noisy frame, from a random place; test clips show other digits than those to
learn from.

    motion      8 to 16 PNG frames of 32 px; the class is one of eight directions, the digit says nothing
    appearance  the same; the class is the digit, the direction says nothing
    long        64 JPEG frames of 160x120 in colour; the class is the digit

Cost: 4 s of CPU for the 1,400 clips of motion, 60 s and 2.5 GB of memory for the 2,500 of long (858 MB on disk).
"""

from __future__ import annotations

import argparse
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from autodl_solver.data.examples import Array
from benchmarks.packed import Contents, Rows, image_contents, write_dataset

DIRECTIONS = {  # pixels a frame: (row, col)
    "n": (-1, 0), "ne": (-1, 1), "e": (0, 1), "se": (1, 1), "s": (1, 0), "sw": (1, -1), "w": (0, -1), "nw": (-1, -1),
}  # fmt: skip
SPEEDS = (1, 2)  # pixels a frame
NOISE_SD = 20.0  # gray levels
GRAY_STEP = 13.0  # the digits have 17 levels
TEST_PARTS = 3  # one of so many digits is shown in test clips only


@dataclass(frozen=True)
class Recipe:
    """A made-up dataset.

    Attributes:
        is_motion: the class is the direction; else the digit.
        n_train, n_test: clips.
        n_rows, n_cols, n_channels: of a frame.
        lengths: fewest and most frames of a clip.
        form: of the files.
        zoom: pixels a side for each of the 8 x 8 of a digit.
    """

    is_motion: bool
    n_train: int = 1000
    n_test: int = 400
    n_rows: int = 32
    n_cols: int = 32
    n_channels: int = 1
    lengths: tuple[int, int] = (8, 16)
    form: str = "PNG"
    zoom: int = 2

    @property
    def classes(self) -> list[str]:
        """Names."""
        return list(DIRECTIONS) if self.is_motion else [str(digit) for digit in range(10)]


RECIPES = {
    "motion": Recipe(is_motion=True),
    "appearance": Recipe(is_motion=False),
    "long": Recipe(False, 2000, 500, 120, 160, 3, (64, 64), "JPEG", 6),
}


def made_up_video(recipe: Recipe, seed: int = 0) -> Contents:
    """The clips of both splits; a clip depends on the seed, its split and its place alone."""
    images, digits = load_digits(return_X_y=True)
    is_test = np.arange(len(digits)) % TEST_PARTS == 0
    splits = {}
    for split, (n_clips, sources) in enumerate([(recipe.n_train, ~is_test), (recipe.n_test, is_test)]):
        shown = images[sources].reshape(-1, 8, 8), digits[sources]
        with ThreadPoolExecutor(2) as threads:  # Pillow lets go of the interpreter while it encodes
            made = list(threads.map(lambda k, s=split, d=shown: _clip(recipe, (seed, s, k), *d), range(n_clips)))
        splits[("train", "test")[split]] = Rows([{"compressed": files} for files, _ in made], [[c] for _, c in made])
    return image_contents(splits, recipe.classes)


def _clip(recipe: Recipe, seed: tuple[int, ...], images: Array, digits: Array) -> tuple[list[bytes], str]:
    """The files of a clip and the name of its class."""
    random = np.random.default_rng(seed)
    place, direction = random.integers(len(images)), random.choice(list(DIRECTIONS))
    length = random.integers(recipe.lengths[0], recipe.lengths[1] + 1)
    step = np.array(DIRECTIONS[direction]) * random.choice(SPEEDS)
    start = random.integers((recipe.n_rows, recipe.n_cols))
    shape = (recipe.n_rows, recipe.n_cols, recipe.n_channels)
    drawn = np.zeros(shape, np.float32)
    digit = np.kron(images[place], np.ones((recipe.zoom, recipe.zoom))) * GRAY_STEP
    drawn[: len(digit), : len(digit)] = digit[..., None] * random.uniform(0.6, 1.0, recipe.n_channels)
    noise = random.normal(3 * NOISE_SD / 2, NOISE_SD, shape).astype(np.float32)
    files = []
    for t in range(length):
        noise = np.roll(noise, random.integers(shape[:2]), (0, 1))  # as good as new noise, and ten times as quick
        frame = np.roll(drawn, start + t * step, (0, 1)) + noise
        files.append(_encoded(np.clip(frame, 0, 255).astype(np.uint8), recipe.form))
    return files, direction if recipe.is_motion else str(digits[place])


def _encoded(frame: Array, form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame).save(file, form)
    return file.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Writes the datasets that are named; returns 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}; all by default")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, help="clips; of each recipe its own number by default")
    parser.add_argument("--test", type=int)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args(arguments)
    unknown = sorted(set(flags.names) - set(RECIPES))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(RECIPES)}; however {', '.join(unknown)} is not.")
    for name in flags.names or RECIPES:
        recipe = RECIPES[name]
        recipe = replace(recipe, n_train=flags.train or recipe.n_train, n_test=flags.test or recipe.n_test)
        write_dataset(name, made_up_video(recipe, flags.seed), flags.out / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
