"""A folder of class folders with pictures, and new ones to name. Usage: python examples/image_folder.py [BUDGET]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from autodl_solver import AutoDLClassifier


def write_pictures(folder: Path) -> None:
    """Digits as PNG files: folder/NAME/NUMBER.png; here your own pictures would be, of any size and format."""
    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        (folder / str(digit)).mkdir(exist_ok=True)
        Image.fromarray((pixels * 15.9).astype("uint8")).save(folder / str(digit) / f"{number}.png")


def main(budget: str) -> None:
    """Learns three of four pictures, names the others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder)
        paths = sorted(folder.glob("*/*.png"))
        train, new = [path for k, path in enumerate(paths) if k % 4], paths[::4]
        model = AutoDLClassifier().fit(train, [path.parent.name for path in train], time_budget=budget)
        for path, named in list(zip(new, model.predict(new), strict=True))[::60]:
            print(path.relative_to(folder), "->", named)
        print(f"accuracy {model.score(new, [path.parent.name for path in new]):.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1m")
