"""The program end to end: small models, each run as a process, for every way in which a run can end."""

import ast
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ingestion_harness import N_CLASSES, N_TEST, N_TRAIN, ROOT, Outcome, write_dataset

Ingest = Callable[..., Outcome]

PROGRAM = ROOT / "ingestion" / "ingestion.py"

# `train` and `test` get their bodies from the tests; self.k counts the calls of test.
MODEL = """
import numpy as np

class Model:
    def __init__(self, metadata):
        self.metadata = metadata
        self.done_training = False
        self.k = 0

    def scores(self):
        return np.full((4, 3), self.k / 8, np.float32)

    def train(self, dataset, remaining_time_budget=None):
        {train}

    def test(self, dataset, remaining_time_budget=None):
        self.k += 1
        {test}
        return self.scores()
"""


def model(train: str = "pass", test: str = "self.done_training = self.k == 2") -> str:
    return MODEL.format(train=train.replace("\n", "\n        "), test=test.replace("\n", "\n        "))


def test_a_run_to_the_end_leaves_the_files_of_the_protocol(ingest: Ingest) -> None:
    outcome = ingest(model())
    assert outcome.exit_code == 0, outcome.log
    assert outcome.files() == ["end.txt", "start.txt", "tiny.predict_0", "tiny.predict_1"]
    assert (outcome.folder / "tiny.predict_1").read_text() == "0.25 0.25 0.25\n" * 4

    start, end = outcome.fields("start.txt"), outcome.fields("end.txt")
    assert list(start) == ["ingestion_pid", "task_name", "time_budget", "start_time", "0", "1"]
    assert (start["task_name"], start["time_budget"]) == ("tiny", "60.0")
    assert float(start["start_time"]) <= float(start["0"]) <= float(start["1"]) <= float(end["end_time"])
    assert list(end) == ["ingestion_duration", "ingestion_success", "end_time"]
    assert end["ingestion_success"] == "1"
    assert 0 <= float(end["ingestion_duration"]) < 60


@pytest.mark.parametrize(
    ("code", "n_predictions"),
    [
        (model(train="self.done_training = self.k == 1", test="pass"), 2),  # done in train: test still follows
        (model(test="return None"), 0),  # None ends the run, also at once
        # without done_training
        (model(test="if self.k == 3: return None").replace("self.done_training = False", "pass"), 2),
    ],
)
def test_the_model_decides_when_it_is_done(ingest: Ingest, code: str, n_predictions: int) -> None:
    outcome = ingest(code)
    assert outcome.exit_code == 0, outcome.log
    assert outcome.n_predictions() == n_predictions
    assert outcome.fields("end.txt")["ingestion_success"] == "1"


FAIL_AT_2 = "if self.k == 2:\n    {}"


@pytest.mark.parametrize(
    ("test", "cause"),
    [
        ("return np.zeros((4, 2))", "shape (test examples, classes) = (4, 3), however it returned (4, 2)"),
        ("return np.full((4, 3), np.nan)", "must return finite numbers, however 12 of 12 are not"),
        ("raise KeyError('lost')", "KeyError: 'lost'"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),  # leaving is no success
    ],
)
def test_after_a_failure_earlier_predictions_stand(ingest: Ingest, test: str, cause: str) -> None:
    outcome = ingest(model(test=FAIL_AT_2.format(test)))
    assert outcome.exit_code == 1, outcome.log
    assert outcome.n_predictions() == 1
    assert outcome.fields("end.txt")["ingestion_success"] == "0"
    assert cause in outcome.fields("end.txt")["ingestion_error"]
    assert cause in outcome.log
    assert "Traceback" in outcome.log


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("class Model:\n    def __init__(self, metadata):\n        raise OSError('no weights')", "OSError: no weights"),
        ("this is no Python", "SyntaxError"),
        ("Module = 1", "model.py must define a class Model"),
        (None, "--code_dir must hold model.py"),  # no file at all
        ("while True: pass", "must return within the time"),  # importing counts as initialisation
    ],
)
def test_a_model_that_cannot_be_made_fails_the_run_at_once(ingest: Ingest, code: str | None, cause: str) -> None:
    outcome = ingest(code, flags=["--init_time_budget=0.4"])
    assert outcome.exit_code == 1
    assert outcome.files() == ["end.txt", "start.txt"]  # start.txt as well: scoring waits for it
    assert outcome.fields("end.txt")["ingestion_success"] == "0"
    assert cause in outcome.fields("end.txt")["ingestion_error"]


BUSY = "while True: pass"
# As models do that have a timer of their own.
CANCELS_ALARM = "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass"
# Holds the lock of the interpreter in C with all signals blocked: nothing in this process can interrupt it.
STUCK_IN_C = """
import ctypes, signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
ctypes.PyDLL(None).sleep(60)
""".strip()


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (f"if self.k == 1:\n    {BUSY}", "pass"),  # in train
        ("pass", f"if self.k == 2:\n    {BUSY}"),  # in test
    ],
)
def test_the_end_of_the_budget_interrupts_the_model(ingest: Ingest, train: str, test: str) -> None:
    outcome = ingest(model(train, test), flags=["-time_budget=0.7"])
    assert outcome.exit_code == 1
    assert outcome.n_predictions() == 1
    assert "must return within the time it is told" in outcome.fields("end.txt")["ingestion_error"]
    assert 0.6 < float(outcome.fields("end.txt")["ingestion_duration"]) < 10
    assert "BudgetExceededError" in outcome.log


@pytest.mark.parametrize("body", [pytest.param(CANCELS_ALARM, marks=pytest.mark.slow), STUCK_IN_C])
def test_a_model_that_ignores_the_end_of_the_budget_is_killed(ingest: Ingest, body: str) -> None:
    body = body.replace("\n", "\n    ")
    outcome = ingest(model(train=f"if self.k == 1:\n    {body}"), flags=["-time_budget=0.7"])
    assert outcome.exit_code == -signal.SIGKILL
    assert outcome.n_predictions() == 1
    assert outcome.fields("end.txt")["ingestion_success"] == "0"
    assert "ignored the end of it; ingestion was killed" in outcome.fields("end.txt")["ingestion_error"]
    assert "ERROR" in outcome.log


def test_a_model_stuck_in_its_initialisation_is_killed(ingest: Ingest) -> None:
    body = STUCK_IN_C.replace("\n", "\n        ")
    code = f"class Model:\n    def __init__(self, metadata):\n        {body}"
    outcome = ingest(code, flags=["-init_time_budget=0.2"])
    assert outcome.exit_code == -signal.SIGKILL
    assert outcome.files() == ["end.txt", "start.txt"]
    assert "constructing Model" in outcome.fields("end.txt")["ingestion_error"]


def test_a_run_that_is_killed_is_closed_by_the_watchdog(ingest: Ingest) -> None:
    outcome = ingest(model(test=FAIL_AT_2.format("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")))
    assert outcome.exit_code == -signal.SIGKILL
    assert outcome.n_predictions() == 1
    assert outcome.fields("end.txt")["ingestion_success"] == "0"
    assert "ended without a word" in outcome.fields("end.txt")["ingestion_error"]


def test_threads_that_a_model_leaves_behind_do_not_keep_the_process(ingest: Ingest) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()"
    assert ingest(model(train=thread)).exit_code == 0


def test_the_model_gets_what_the_protocol_promises(ingest: Ingest) -> None:
    outcome = ingest(
        model(
            train="""
            import pathlib, sys
            heavy = {"tensorflow", "pandas", "matplotlib", "torch", "autodl_solver"} & set(sys.modules)
            assert not heavy, heavy
            assert not isinstance(dataset, dict) and not hasattr(dataset, "__array__") and repr(dataset)
            assert "tensorflow" not in sys.modules
            assert isinstance(dataset.folder, pathlib.Path) and dataset.folder.is_absolute()
            assert str(dataset.folder) == self.metadata.get_dataset_name()
            assert 0 < remaining_time_budget <= 60
            """.replace("\n            ", "\n"),
            test="assert dataset.folder.name == 'test'; self.done_training = True",
        )
    )
    assert outcome.exit_code == 0, outcome.log


def test_modules_of_the_submission_never_clash_with_ours(ingest: Ingest, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for name in ("dataset", "metadata", "errors", "log", "session", "loop"):
        (code / f"{name}.py").write_text("WHO = 'submission'")
    names = "dataset, errors, log, loop, metadata, session"
    check = f"import {names}\nassert all(m.WHO == 'submission' for m in ({names}))\nself.done_training = True"
    outcome = ingest(model(train=check))
    assert outcome.exit_code == 0, outcome.log


@pytest.mark.parametrize(
    ("command", "start_method"),
    [
        ([str(PROGRAM)], "spawn"),  # imports the program anew, by its path
        (["-m", "ingestion.ingestion"], "fork"),  # the child inherits the pipe to the watchdog
    ],
)
def test_a_model_may_start_processes(ingest: Ingest, command: list[str], start_method: str) -> None:
    work = (
        f"import multiprocessing\nwith multiprocessing.get_context('{start_method}').Pool(1) as pool:\n"
        "    assert pool.map(abs, [-3]) == [3]\nself.done_training = True"
    )
    outcome = ingest(model(train=work), command=command)
    assert outcome.exit_code == 0, outcome.log


@pytest.mark.parametrize("name", ["with space 'quoted\" <script> [a]*? $(x) 数据", "-x"])
def test_any_name_of_a_dataset_works(ingest: Ingest, tmp_path: Path, name: str) -> None:
    write_dataset(tmp_path / "other", name)
    outcome = ingest(model(), dataset_dir=tmp_path / "other")
    assert outcome.exit_code == 0, outcome.log
    assert outcome.fields("start.txt")["task_name"] == name
    assert outcome.n_predictions() == 2


def test_records_are_trusted_where_sample_count_differs(ingest: Ingest, dataset_dir: Path) -> None:
    for part, count in (("train", N_TRAIN), ("test", N_TEST)):
        path = dataset_dir / "tiny.data" / part / "metadata.textproto"
        path.write_text(path.read_text().replace(f"sample_count: {count}", "sample_count: 99"))
    outcome = ingest(model(train=f"assert self.metadata.size() == {N_TRAIN}"))
    assert outcome.exit_code == 0, outcome.log
    assert "WARNING" in outcome.log
    assert "sample_count: 99" in outcome.log


def test_what_an_earlier_run_left_is_removed_and_nothing_else(ingest: Ingest, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    for name in ("start.txt", "end.txt", "tiny.predict_0", "tiny.predict_17", ".partial.12", "notes.md"):
        (output / name).write_text("old")
    outcome = ingest(model(test="return None"))
    assert outcome.files() == ["end.txt", "notes.md", "start.txt"]
    assert outcome.n_predictions() == 0


def test_results_are_copied_to_score_dir(ingest: Ingest, tmp_path: Path) -> None:
    outcome = ingest(model(), flags=["-score_dir", str(tmp_path / "scores")])
    assert outcome.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "scores").iterdir()) == outcome.files()


def test_codalab_folders_stand_for_their_neighbours(tmp_path: Path) -> None:
    write_dataset(tmp_path / "run" / "input_data")
    (tmp_path / "run" / "submission").mkdir()
    (tmp_path / "run" / "submission" / "model.py").write_text(model())
    run = tmp_path / "run"
    flags = [f"-dataset_dir={run / 'input'}", f"--code_dir={run / 'program'}", f"-output_dir={run / 'out'}"]
    subprocess.run([sys.executable, str(PROGRAM), *flags], check=True, capture_output=True, timeout=60)
    assert (run / "out" / "tiny.predict_1").exists()


def test_model_py_may_lie_in_the_folder_of_the_official_kit(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "code" / "AutoDL_sample_code_submission"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(model())
    assert ingest(None).exit_code == 0


def test_scores_are_written_with_six_significant_digits(ingest: Ingest) -> None:
    test = "self.done_training = True\nreturn np.random.default_rng(0).random((4, 3), np.float32)"
    outcome = ingest(model(test=test))
    scores = np.random.default_rng(0).random((N_TEST, N_CLASSES), np.float32)
    expected = "".join(" ".join(f"{float(v):g}" for v in row) + "\n" for row in scores)
    assert (outcome.folder / "tiny.predict_0").read_text() == expected


def test_ingestion_stands_alone() -> None:
    for path in sorted((ROOT / "ingestion").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in modules if name.split(".")[0] in ("autodl_solver", "scoring")], path
