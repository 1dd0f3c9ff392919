"""The files around the code: Makefile, setup.cfg, Dockerfile, continuous integration, licence."""

from __future__ import annotations

import configparser
import itertools
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {"help", "demo", "setup", "test", "test-all", "check", "bench", "bench-smoke", "submission", "clean"}
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "CMD"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run_make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests hands its own flags down; they are not meant for this one.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    return subprocess.run(["make", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


# ------------------------------------------------------------------------------------------------ Makefile


def test_make_without_a_target_lists_every_target() -> None:
    listed = set(re.findall(r"^  make ([a-z-]+) ", run_make().stdout, re.MULTILINE))
    assert listed == TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS - {"help", "submission", "clean"}))
def test_a_target_sets_up_what_it_needs(target: str, tmp_path: Path) -> None:
    planned = run_make("--dry-run", target, f"VENV={tmp_path}/env", f"DATA={tmp_path}").stdout
    assert "-m venv" in planned
    assert "pip install" in planned


@pytest.mark.parametrize("target", sorted(TARGETS - {"help", "submission", "clean"}))
def test_a_second_run_installs_nothing(target: str, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    environment.mkdir()
    (environment / ".installed").touch()
    planned = run_make("--dry-run", target, f"VENV={environment}", f"DATA={tmp_path}").stdout
    assert "pip install" not in planned


def test_a_change_of_the_dependencies_installs_again(tmp_path: Path) -> None:
    stamp = tmp_path / ".installed"
    stamp.touch()
    older = (ROOT / "setup.cfg").stat().st_mtime - 1
    os.utime(stamp, (older, older))
    assert "pip install" in run_make("--dry-run", "setup", f"VENV={tmp_path}").stdout


def test_bench_says_which_data_it_lacks(tmp_path: Path) -> None:
    (tmp_path / ".installed").touch()
    newer = max((ROOT / name).stat().st_mtime for name in ("setup.cfg", "pyproject.toml")) + 1
    os.utime(tmp_path / ".installed", (newer, newer))
    refused = run_make("bench", f"VENV={tmp_path}", "DATA=nowhere")
    assert refused.returncode == 2
    assert 'DATA="nowhere" is no folder' in refused.stderr


def test_the_submission_holds_the_model_and_the_package_only(tmp_path: Path) -> None:
    for name in ("Makefile", "LICENSE", "model.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "autodl_solver", tmp_path / "autodl_solver", ignore=shutil.ignore_patterns("__pycache__"))
    stale = tmp_path / "autodl_solver" / "data" / "__pycache__"
    stale.mkdir()
    (stale / "info.cpython-310.pyc").touch()
    done = run_make("submission", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "submission.zip") as packed:
        files = {name for name in packed.namelist() if not name.endswith("/")}
    kept = [*(ROOT / "autodl_solver").rglob("*.py"), ROOT / "autodl_solver" / "anytime" / "priors.json"]
    package = {path.relative_to(ROOT).as_posix() for path in kept}
    assert files == {"model.py", "LICENSE", *package}


# ------------------------------------------------------------------------------------------------ setup.cfg


def requirement_lines() -> list[tuple[str, str]]:
    """(line before, line) of each requirement in setup.cfg."""
    lines = [line.strip() for line in read("setup.cfg").splitlines()]
    return [(before, line) for before, line in itertools.pairwise(lines) if re.match(r"[a-z0-9-]+[<>=]=", line)]


def test_every_dependency_states_its_reason() -> None:
    assert len(requirement_lines()) >= 12
    assert [line for before, line in requirement_lines() if not before.startswith("# ")] == []


def test_every_file_that_setup_cfg_names_exists() -> None:
    named = re.findall(r"[\w/]+\.py\b", read("setup.cfg"))
    assert {"ingestion/dataset.py", "autodl_solver/data/source.py", "scoring/plot.py"} <= set(named)
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_setup_cfg_promises_what_was_agreed() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["name"] == "autodl-solver"
    assert setup["options"]["python_requires"] == ">=3.10"
    assert set(setup["options.extras_require"]) == {"kit", "text", "dev", "bench"}
    assert setup["options.packages.find"]["include"] == "autodl_solver*"
    assert "tensorflow" not in setup["options"]["install_requires"]


# ------------------------------------------------------------------------------------------------ Dockerfile


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of each line of the Dockerfile; lines that go on are joined."""
    text = re.sub(r"\\\n\s*", "", read("Dockerfile"))
    lines = [line.strip() for line in text.splitlines()]
    parted = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in parted]


def test_the_dockerfile_uses_plain_instructions() -> None:
    assert {word for word, _ in instructions()} == INSTRUCTIONS
    assert instructions()[0][0] == "FROM"
    assert instructions()[-1][0] == "CMD"


def test_the_base_image_is_fixed() -> None:
    (image,) = [rest for word, rest in instructions() if word == "FROM"]
    assert re.fullmatch(r"python:3\.\d+-slim", image)


def test_the_container_does_not_run_as_root() -> None:
    words = [word for word, _ in instructions()]
    (user,) = [rest for word, rest in instructions() if word == "USER"]
    assert user not in {"root", "0"}
    assert any(
        word == "RUN" and rest.startswith("useradd") and rest.endswith(f" {user}") for word, rest in instructions()
    )
    assert words.index("USER") < words.index("CMD")
    assert "RUN" not in words[words.index("USER") :]


def copied() -> list[tuple[str, str]]:
    """(source, destination) of everything that the Dockerfile copies."""
    pairs = []
    for word, rest in instructions():
        if word == "COPY":
            *sources, destination = rest.split()
            pairs += [(source, destination) for source in sources]
    return pairs


def test_every_file_that_the_dockerfile_copies_exists() -> None:
    assert copied() != []
    for source, destination in copied():
        assert (ROOT / source).exists(), source
        assert destination in {"./", source}
        assert source.endswith("/") == (ROOT / source).is_dir(), source


def test_what_the_dockerfile_copies_is_let_through_by_dockerignore() -> None:
    lines = read(".dockerignore").split("\n")
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == {source.rstrip("/") for source, _ in copied()}


def test_the_container_runs_a_dataset_that_it_holds() -> None:
    command = dict(instructions())["CMD"]
    (dataset,) = re.findall(r"-dataset_dir=([\w/]+)", command)
    assert (ROOT / dataset).is_dir()
    assert {"run_local_test.py", "sample_data/"} <= {source for source, _ in copied()}
    assert "run_local_test.py" in command


def test_nothing_is_piped_from_the_network_into_a_shell() -> None:
    assert not any(re.search(r"curl|wget|\|\s*(ba)?sh|ADD ", rest) for _, rest in instructions())


# ------------------------------------------------------------------------------------------------ the rest


def test_continuous_integration_runs_the_commands_of_a_developer() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert re.findall(r"^make (\w+)", text, re.MULTILINE) == ["test", "check"]


def test_the_licence_is_apache_2() -> None:
    text = read("LICENSE")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "license = Apache-2.0" in read("setup.cfg")
