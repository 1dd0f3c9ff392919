"""Work in another thread: results, errors, and deadlines that hold."""

import re
import threading
import weakref
from functools import partial
from pathlib import Path

import pytest

import autodl_solver
from autodl_solver.anytime.worker import AbandonedError, Worker


def test_results_and_errors_come_back() -> None:
    worker = Worker()
    assert worker.run(lambda: 3, 10) == 3
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 // 0, float("inf"))
    assert worker.run(lambda: "still works", 10) == "still works"


def test_all_steps_run_in_one_thread_that_is_not_the_callers() -> None:
    worker = Worker()
    idents = {worker.run(threading.get_ident, 10) for _ in range(3)}
    assert len(idents) == 1
    assert threading.get_ident() not in idents


@pytest.mark.parametrize("seconds", [0.05, 0.0, -1.0])
def test_a_step_that_hangs_is_left_behind(seconds: float) -> None:
    worker, never = Worker(), threading.Event()
    with pytest.raises(AbandonedError, match="were not enough"):
        worker.run(never.wait, seconds)
    assert worker.run(lambda: "a fresh thread", 10) == "a fresh thread"
    never.set()


def test_the_thread_ends_with_the_worker() -> None:
    worker = Worker()
    thread = worker.run(threading.current_thread, 10)
    del worker
    thread.join(10)
    assert not thread.is_alive()


def test_the_data_of_a_step_that_has_ended_are_let_go_of() -> None:
    worker, released, data = Worker(), threading.Event(), {0}
    weakref.finalize(data, released.set)
    worker.run(partial(len, data), 10)
    del data
    assert released.wait(10)


def test_no_module_uses_scipy_linalg_which_keeps_the_interpreter() -> None:
    package = Path(autodl_solver.__file__).parent
    uses = re.compile(r"scipy\.linalg|from scipy import .*\blinalg\b")
    assert [path.name for path in package.rglob("*.py") if uses.search(_code(path))] == []


def _code(path: Path) -> str:
    """The import lines of a module."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.lstrip().startswith(("import ", "from ")))
