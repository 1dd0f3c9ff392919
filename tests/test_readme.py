"""README.md tells the truth: its tree is the real tree, its code runs, its commands exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def tracked_files() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("needs a git checkout")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


def parse_tree(text: str) -> dict[str, set[str]]:
    """The entries of each folder that a tree drawn with `|-- ` and `` `-- `` shows; "" is the root.

    A line holds one name or several (`Dockerfile  README.md`), then at least two spaces and an annotation. A folder's
    name ends in a slash.
    """
    entries: dict[str, set[str]] = {}
    folders: list[str] = []
    for line in text.splitlines():
        drawn = re.match(r"\s*((?:\|   |    )*)(?:\|-- |`-- )(.+)", line)
        if not drawn:
            continue
        depth = len(drawn.group(1)) // 4
        fields = re.split(r"\s{2,}", drawn.group(2).strip())
        is_name = re.compile(r"[\w.-]+/|[\w-]*\.[\w.-]+|Makefile|Dockerfile|LICENSE")
        names = [fields[0], *(name for name in fields[1:] if is_name.fullmatch(name))]
        parent = "/".join(folders[:depth])
        entries.setdefault(parent, set()).update(name.rstrip("/") for name in names)
        folders[depth:] = [names[-1].rstrip("/")]
    return entries


def tracked_entries(folder: str) -> set[str]:
    """Names of the tracked entries of a folder; hidden ones and `__init__.py` need no line in a tree."""
    prefix = f"{folder}/" if folder else ""
    names = {name[len(prefix) :].split("/")[0] for name in tracked_files() if name.startswith(prefix)}
    return {name for name in names if not name.startswith(".") and name != "__init__.py"}


def test_a_drawn_tree_is_read_with_all_its_names() -> None:
    drawn = """
    .
    |-- model.py            Challenge entry: class Model
    |-- Dockerfile  README.md  LICENSE
    |-- package/
    |   |-- data/           From records to arrays
    |   |   `-- info.py     Facts
    |   `-- solver.py       The loop
    `-- tests/              Mirror
    """
    assert parse_tree(drawn) == {
        "": {"model.py", "Dockerfile", "README.md", "LICENSE", "package", "tests"},
        "package": {"data", "solver.py"},
        "package/data": {"info.py"},
    }


def test_the_tree_of_the_readme_is_the_real_tree() -> None:
    shown = parse_tree(readme())
    assert {"", "autodl_solver"} <= shown.keys()
    real = {folder: tracked_entries(folder) for folder in shown}
    assert shown == real  # a folder whose entries are shown shows all of them


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)


def write_own_data(folder: Path) -> None:
    """The files that the blocks of the README speak of."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"age": rng.integers(18, 80, 60), "job": rng.choice(["cook", "clerk"], 60)})
    people.to_csv(folder / "new_people.csv", index=False)
    people.assign(income=np.where(people["age"] > 50, "high", "low")).to_csv(folder / "people.csv", index=False)
    for k in range(40):
        name = ["cat", "dog"][k % 2]
        picture = rng.integers(0, 80, (12, 10)) + 100 * (k % 2)
        for path in (folder / "pictures" / name / f"{k}.png", folder / "new_pictures" / f"{k}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.astype(np.uint8)).save(path)


RUN_EACH = """
import os, runpy, sys
import lightgbm, torch  # the seconds of the budgets are for learning
for folder in sys.argv[1:]:
    os.chdir(folder)
    runpy.run_path("block.py", run_name="__main__")
    print("ran", folder)
"""


def test_each_python_block_of_the_readme_runs_by_itself(tmp_path: Path) -> None:
    """Each with names and a folder of its own, in one process: to import the libraries takes longer than to run."""
    folders = [tmp_path / str(place) for place in range(len(code_blocks("python")))]
    for folder, block in zip(folders, code_blocks("python"), strict=True):
        folder.mkdir()
        (folder / "sample_data").symlink_to(ROOT / "sample_data")
        write_own_data(folder)
        (folder / "block.py").write_text(block.replace('"5m"', '"2s"'), "utf-8")  # whoever tries it has more time
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN_EACH, *map(str, folders)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ran ") == len(folders) > 3


def test_every_make_command_of_the_readme_exists() -> None:
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`|^    .+$", readme(), re.DOTALL | re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert {"demo", "test"} <= named <= targets


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)[^):]*\)", readme())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(readme().splitlines()) < 240
