"""The local test: which dataset, which folders, what the submission sees, and one run from records to a curve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import run_local_test
from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.tfrecord import write_records
from run_local_test import Dataset, LocalTestError, dataset_view, find_dataset, prepare_output

ROOT = Path(__file__).resolve().parents[1]
N_TRAIN, N_TEST, N_COLUMNS = 12, 10, 3
NEAREST_MEAN = f"""
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        assert metadata.get_output_size() == 2

    def train(self, dataset, remaining_time_budget=None):
        self.done_training = True

    def test(self, dataset, remaining_time_budget=None):
        return np.linspace([1, 0], [0, 1], {N_TEST})
"""
LOOKS_FOR_SOLUTION = """
import os, pathlib

class Model:
    done_training = False

    def __init__(self, metadata):
        folder = pathlib.Path(os.path.realpath(metadata.get_dataset_name()))
        files = [pathlib.Path(os.path.realpath(path)) for path in folder.rglob("*")]
        around = {parent for path in [folder, *files] for parent in list(path.parents)[:3]}
        found = [path for parent in around for path in parent.glob("*.solution")]
        raise ValueError(f"saw {len(files)} files and {len(found)} solutions")
"""
TELLS_ITS_RUN_DIR = f"""
import os, pathlib
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        (pathlib.Path(os.environ["AUTODL_RUN_DIR"]) / "stages.jsonl").write_text("seen")

    def train(self, dataset, remaining_time_budget=None):
        self.done_training = True

    def test(self, dataset, remaining_time_budget=None):
        return np.zeros(({N_TEST}, 2))
"""
WAITS = """
import signal

class Model:
    done_training = False

    def __init__(self, metadata):
        print("the model waits", flush=True)
        signal.pause()
"""


def make_dataset(folder: Path, name: str = "toy") -> Path:
    """A table of three columns; the first half of the test rows is class 0."""
    rng = np.random.default_rng(0)
    for part, n_rows in (("train", N_TRAIN), ("test", N_TEST)):
        data = folder / f"{name}.data" / part
        data.mkdir(parents=True)
        (data / "metadata.textproto").write_text(
            f"is_sequence: false\nsample_count: {n_rows}\nsequence_size: 1\noutput_dim: 2\n"
            f"matrix_spec {{ col_count: {N_COLUMNS} row_count: 1 format: DENSE num_channels: 1 }}\n"
        )
        rows = rng.normal(size=(n_rows, 1, N_COLUMNS)).astype(np.float32)
        labels = [[(k % 2, 1.0)] if part == "train" else [] for k in range(n_rows)]
        payloads = [encode_example(k, labels[k], dense=rows[k]) for k in range(n_rows)]
        write_records(data / f"sample-{name}-{part}.tfrecord", payloads)
    lines = ["1 0"] * (N_TEST // 2) + ["0 1"] * (N_TEST // 2)
    (folder / f"{name}.solution").write_text("\n".join(lines) + "\n")
    return folder


def make_submission(folder: Path, code: str) -> Path:
    folder.mkdir()
    (folder / "model.py").write_text(code)
    return folder


def local_test(*flags: object) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    command = [sys.executable, str(ROOT / "run_local_test.py"), *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_one_command_gives_a_learning_curve(tmp_path: Path) -> None:
    name = 'toy "it\'s" <script>'
    data = make_dataset(tmp_path / "data", name)
    code = make_submission(tmp_path / "code", NEAREST_MEAN)
    out = tmp_path / "out"
    done = local_test(f"-dataset_dir={data}", "-code_dir", code, "--time_budget=20", "-output_dir", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "final NAUC        1.0000" in done.stdout
    assert "predictions       1" in done.stdout
    assert str(out / "scores" / "detailed_results.html") in done.stdout
    assert {path.name for path in out.iterdir()} == {"predictions", "scores", "ingestion.log", "scoring.log"}
    assert (out / "predictions" / f"{name}.predict_0").is_file()
    assert (out / "scores" / "scores.txt").read_text().startswith("score: 0.")


def test_a_submission_does_not_find_the_solution_and_its_failure_is_told(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    code = make_submission(tmp_path / "code", LOOKS_FOR_SOLUTION)
    done = local_test("-dataset_dir", data, "-code_dir", code, "-time_budget", 20, "-output_dir", tmp_path / "out")
    assert done.returncode == 1
    assert "ingestion failed" in done.stderr
    assert "ValueError: saw 2 files and 0 solutions" in done.stderr
    assert "ALC               0.0000" in done.stdout


def test_a_submission_is_told_where_its_stage_log_goes(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    code = make_submission(tmp_path / "code", TELLS_ITS_RUN_DIR)
    out = tmp_path / "out"
    done = local_test("-dataset_dir", data, "-code_dir", code, "-time_budget", 20, "-output_dir", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "stages.jsonl").read_text() == "seen"


def test_ctrl_c_ends_both_programs(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    code = make_submission(tmp_path / "code", WAITS)
    out = tmp_path / "out"
    flags = [f"-dataset_dir={data}", f"-code_dir={code}", f"-output_dir={out}"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(ROOT / "run_local_test.py"), *flags]
    listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell has what runs behind it ignore Ctrl-C
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, env=environment, preexec_fn=listens) as process:
        assert process.stdout is not None
        process.stdout.readline()  # both programs have been started
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stdout.read() == b""  # it would block if a child held the pipe; they hold their logs
    assert list(tmp_path.glob("autodl-view-*")) == []  # the view is gone
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(out).encode() in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended meanwhile
        return b""


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, run_local_test\n"
        "try: run_local_test.main(['--help'])\n"
        "except SystemExit: print(sorted({'numpy', 'scipy', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "flags",
    [
        ["-dataset_dir=d", "-time_budget=7.5"],  # as in the official instructions
        ["--dataset_dir=d", "--time_budget=7.5"],
        ["-dataset_dir", "d", "-time_budget", "7.5"],
        ["--dataset_dir", "d", "--time_budget", "7.5"],
    ],
)
def test_flags_have_one_dash_or_two_and_equals_or_space(flags: list[str]) -> None:
    parsed = run_local_test.parse_flags(flags)
    assert (parsed.dataset_dir, parsed.time_budget, parsed.t0, parsed.open) == (Path("d"), 7.5, 60.0, False)


@pytest.mark.parametrize("flag", ["-time_budget=0", "-time_budget=nan", "-t0=-1", "-protocol=other", "-unknown=1"])
def test_bad_flags_are_refused(flag: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_local_test.parse_flags([flag])


@pytest.mark.parametrize("inner", ["", "toy"])  # the official layout; a parent with one dataset
def test_the_dataset_is_found_in_its_folder_or_below_the_given_one(tmp_path: Path, inner: str) -> None:
    make_dataset(tmp_path / inner)
    assert find_dataset(tmp_path) == Dataset("toy", tmp_path / inner)


@pytest.mark.parametrize(
    ("names", "fact"),
    [
        ([], r"0 \(none\)"),  # no dataset
        (["a.data", "b.data"], r"2 \(a, b\)"),  # two in the folder
        (["x/a.data", "y/b.data"], r"2 \(a, b\)"),  # two below it
        (["a.data"], r"needs a\.solution"),  # no solution
    ],
)
def test_a_folder_must_hold_exactly_one_dataset_with_its_solution(tmp_path: Path, names: list[str], fact: str) -> None:
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(LocalTestError, match=fact):
        find_dataset(tmp_path)


def test_bad_input_exits_with_one_and_the_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_local_test.main([f"-dataset_dir={tmp_path / 'absent'}"]) == 1
    assert "must be a folder" in capsys.readouterr().err


def test_the_view_has_the_data_and_no_way_back(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "real")
    sample = folder / "toy.data" / "train" / "sample-toy-train.tfrecord"
    elsewhere = tmp_path / "elsewhere.tfrecord"
    sample.rename(elsewhere)
    sample.symlink_to(elsewhere)  # datasets are often links into a store
    with dataset_view(Dataset("toy", folder)) as view:
        files = sorted(path for path in view.rglob("*") if path.is_file())
        assert [path.name for path in files] == [
            "metadata.textproto",
            "sample-toy-test.tfrecord",
            "metadata.textproto",
            "sample-toy-train.tfrecord",
        ]
        assert all(path.resolve().is_relative_to(view.resolve()) for path in files)
        assert files[-1].read_bytes() == elsewhere.read_bytes()
        assert os.path.samefile(files[0], folder / "toy.data" / "test" / "metadata.textproto")  # not a copy
    assert not view.exists()
    assert elsewhere.exists()


def test_an_output_folder_of_an_earlier_run_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "toy.predict_0").touch()
    (tmp_path / "scoring.log").touch()
    (tmp_path / "stages.jsonl").touch()
    prepare_output(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["predictions", "scores"]


def test_an_output_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "predictions").mkdir()
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(LocalTestError, match=r"holds thesis\.tex"):
        prepare_output(tmp_path)
    assert (tmp_path / "predictions").exists()
