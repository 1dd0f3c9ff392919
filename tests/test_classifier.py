"""AutoDLClassifier as people use it: any kind of data in, labels out, more time added, saved, loaded, resumed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from autodl_solver.classifier import AutoDLClassifier
from autodl_solver.errors import InputError, ModelFileError
from autodl_solver.fitted_model import FittedModel
from autodl_solver.run_folder import RunFolder
from autodl_solver.session import Status

BUDGET_S = 10


def status_of(model: AutoDLClassifier) -> Status:
    """How its fit ended."""
    status = model.status()
    assert status is not None
    return status


@pytest.fixture
def quick(quick_plans: None) -> AutoDLClassifier:
    """Ends by itself after the first family."""
    return AutoDLClassifier(time_budget=BUDGET_S)


def wine() -> tuple[pd.DataFrame, pd.Series]:
    x, y = load_wine(return_X_y=True, as_frame=True)
    return x, y.map({0: "barolo", 1: "grignolino", 2: "barbera"})


def series(n_rows: int = 90) -> tuple[list[np.ndarray], np.ndarray]:
    """Slow or fast waves of unequal length."""
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 2
    return [np.sin(np.arange(rng.integers(30, 60)) * (0.3 + 0.6 * k)) + rng.normal(0, 0.1) for k in y], y


def texts(n_rows: int = 120) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    words = {"sea": ["boat", "wave", "fish", "salt"], "hill": ["rock", "goat", "snow", "path"]}
    names = [["sea", "hill"][k % 2] for k in range(n_rows)]
    return [" ".join(rng.choice([*words[name], "the", "a", "of"], 12)) for name in names], names


def images(n_rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(n_class=3, return_X_y=True)
    return x[:n_rows].reshape(-1, 8, 8, 1), y[:n_rows]


def sparse_table() -> tuple[sparse.csr_matrix, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    return sparse.csr_matrix((rng.random((200, 50)) < 0.05 + 0.1 * y[:, None]).astype(float)), y


@pytest.mark.parametrize("make", [wine, series, texts, images, sparse_table])
def test_each_kind_is_learned_and_answered_in_the_users_own_labels(quick: AutoDLClassifier, make: Any) -> None:
    X, y = make()
    quick.fit(X, y)
    predicted, proba = quick.predict(X), quick.predict_proba(X)
    assert sorted(quick.classes_) == sorted(set(y))
    assert np.asarray(predicted).dtype.kind == np.asarray(y).dtype.kind or isinstance(y, list | pd.Series)
    assert set(predicted) <= set(y)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert quick.score(X, y) > 0.9
    assert list(quick.classes_[proba.argmax(axis=1)]) == list(predicted)


def test_several_labels_a_row_come_back_as_they_were_given(quick: AutoDLClassifier) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = [{name for name, value in zip(["up", "right", "near"], row, strict=True) if value > 0} for row in X]
    predicted = quick.fit(X, y).predict(X)
    assert all(isinstance(labels, set) for labels in predicted)
    assert np.mean([a == b for a, b in zip(predicted, y, strict=True)]) > 0.7
    matrix = np.array([[value > 0 for value in row] for row in X]).astype(int)
    assert (AutoDLClassifier(time_budget=BUDGET_S).fit(X, matrix).predict(X) == matrix).mean() > 0.85


def test_improvements_come_one_by_one_and_leaving_keeps_the_best(quick: AutoDLClassifier) -> None:
    X, y = wine()
    for model in quick.improvements(X, y, "1h"):
        assert isinstance(model, FittedModel)
        break
    assert quick.score(X, y) > 0.9
    assert status_of(quick).state == "done"


def test_a_callback_sees_each_model(quick: AutoDLClassifier) -> None:
    X, y = wine()
    seen: list[float] = []
    quick.fit(X, y, on_improvement=lambda model: seen.append(model.facts["score"]))
    assert seen
    assert quick.score_ == pytest.approx(seen[-1])


def test_ctrl_c_keeps_the_best_so_far(quick: AutoDLClassifier) -> None:
    X, y = wine()

    def interrupt(model: FittedModel) -> None:
        raise KeyboardInterrupt

    assert quick.fit(X, y, "1h", on_improvement=interrupt) is quick
    assert quick.score(X, y) > 0.9


def test_ctrl_c_before_there_is_anything_is_an_interrupt(quick: AutoDLClassifier) -> None:
    class Slow(list):  # type: ignore[type-arg]
        def __getitem__(self, index: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick.fit(Slow(["a", "b"]), ["x", "y"])


def test_another_thread_may_stop_a_fit() -> None:
    X, y = images()
    model = AutoDLClassifier(time_budget="1h")
    begun = threading.Event()
    thread = threading.Thread(target=lambda: model.fit(X, y, on_improvement=lambda _: begun.set()))
    thread.start()
    assert begun.wait(60)
    model.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert model.score(X, y) > 0.5


def test_time_is_added_to_an_earlier_fit(quick: AutoDLClassifier) -> None:
    X, y = wine()
    quick.fit(X, y)
    before, spent_s = quick.leaderboard(), status_of(quick).elapsed_s
    quick.fit(X, y, 5, resume=True)
    assert status_of(quick).budget_s == pytest.approx(spent_s + 5, abs=0.5)
    assert set(before["name"]) <= set(quick.leaderboard()["name"])
    with pytest.raises(InputError, match="differ"):
        quick.fit(X, y.iloc[::-1].to_numpy(), resume=True)


def test_a_run_folder_is_gone_on_with_by_another_process(quick: AutoDLClassifier, tmp_path: Path) -> None:
    X, y = wine()
    quick.set_params(run_dir=tmp_path / "run").fit(X, y)
    run = RunFolder(tmp_path / "run")
    assert run.state == "done"
    with pytest.raises(InputError, match="holds one"):
        clone(quick).fit(X, y)
    (run.path / "run.json").write_text(json.dumps({"version": 1, "state": "running"}))  # as if it was killed
    other = clone(quick).fit(X, y, resume=True)
    assert status_of(other).budget_s == pytest.approx(BUDGET_S, abs=0.1)
    assert other.curve_[0, 0] == quick.curve_[0, 0]
    assert run.state == "done"
    for folder in (run.model, run.path):
        np.testing.assert_allclose(FittedModel.load(folder).predict_proba(X), other.predict_proba(X), atol=1e-6)


def test_a_damaged_run_folder_is_refused(quick: AutoDLClassifier, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ModelFileError, match=r"run\.json"):
        quick.set_params(run_dir=tmp_path).fit(*wine())


@pytest.mark.parametrize("make", [wine, series, texts, images])
def test_a_saved_model_predicts_the_same_elsewhere(quick: AutoDLClassifier, make: Any, tmp_path: Path) -> None:
    X, y = make()
    quick.fit(X, y).save(tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / "moved")
    loaded = AutoDLClassifier.load(tmp_path / "moved")
    np.testing.assert_allclose(loaded.predict_proba(X), quick.predict_proba(X), atol=1e-6)
    assert list(loaded.predict(X)) == list(quick.predict(X))
    assert loaded.score_ == quick.score_
    assert list(loaded.leaderboard()["name"]) == list(quick.leaderboard()["name"])


def test_what_was_never_fitted_says_so(tmp_path: Path) -> None:
    model = AutoDLClassifier()
    with pytest.raises(NotFittedError):
        model.predict([[1]])
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "model")
    with pytest.raises(NotFittedError):
        model.leaderboard()
    assert model.status() is None


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        ([[1.0]] * 3, ["a", "b"], "inconsistent numbers"),
        ([[1.0]] * 30, ["same"] * 30, "class"),
        ([[float(k)] for k in range(30)], list(range(30)), "unique|id"),
        ([[1.0], [2.0]], ["a", None], "NaN or None"),
        ([], [], "0 sample|empty|hold"),
        ([[1.0]] * 30, np.linspace(0, 1.5, 30), "continuous"),
    ],
)
def test_what_cannot_be_learned_is_refused(quick: AutoDLClassifier, X: Any, y: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        quick.fit(X, y)


@pytest.mark.parametrize("budget", [0, -1, "soon", float("nan"), "0s"])
def test_a_budget_must_be_time(quick: AutoDLClassifier, budget: Any) -> None:
    with pytest.raises(InputError, match="budget"):
        quick.fit(*wine(), time_budget=budget)


def test_new_rows_must_have_the_columns_of_the_old(quick: AutoDLClassifier) -> None:
    X, y = wine()
    quick.fit(X, y)
    with pytest.raises(InputError, match="alcohol"):
        quick.predict(X.drop(columns="alcohol"))
    shuffled = X[X.columns[::-1]].assign(more=1)
    np.testing.assert_array_equal(quick.predict(shuffled), quick.predict(X))


def test_curve_can_be_drawn(quick: AutoDLClassifier) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    X, y = wine()
    ax = quick.fit(X, y).plot_curve()
    assert ax.get_ylabel() == "hold-out NAUC"
    assert len(ax.lines[0].get_xdata()) == len(quick.curve_)


@parametrize_with_checks([AutoDLClassifier(time_budget=BUDGET_S)])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("quick_plans")
def test_it_keeps_the_contract_of_scikit_learn(estimator: AutoDLClassifier, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_cross_validation_of_scikit_learn_works(quick: AutoDLClassifier) -> None:
    X, y = wine()
    assert cross_val_score(quick, X, y, cv=3).mean() > 0.9
