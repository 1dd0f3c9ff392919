"""The heart of the protocol: train and test until the model is done or its time is over."""

from collections.abc import Callable
from typing import Any

from ingestion.dataset import AutoDLDataset, LazyDataset
from ingestion.errors import BudgetExceededError
from ingestion.limits import BudgetClock, time_limit
from ingestion.log import logger
from ingestion.predictions import as_scores
from ingestion.run_files import RunFiles
from ingestion.watchdog import Watchdog

GRACE_S = 2.0  # between the alarm, which a model may ignore, and the watchdog, which it cannot


def train_and_test(
    model: Any, train: AutoDLDataset, test: AutoDLDataset, files: RunFiles, clock: BudgetClock, watchdog: Watchdog
) -> None:
    """Call train and test in turn and write each prediction.

    Returns when the model says `done_training`, when `test` returns None, or when the budget is over between two calls.

    Raises:
        BudgetExceededError: the budget was over within train or test; what test returns after that is not written.
        PredictionError: a prediction cannot be scored.
        Exception: whatever the model raises.
    """

    def call(name: str, method: Callable[..., Any], dataset: LazyDataset) -> Any:
        remaining_s = clock.remaining_s()
        late = f"Model.{name} must return within the time it is told ({remaining_s:.2f} s)"
        watchdog.set_deadline(
            remaining_s + GRACE_S, clock.start_time, f"{late}, however it ignored the end of it; ingestion was killed"
        )
        with time_limit(remaining_s, f"Model.{name}"):
            result = method(dataset, remaining_time_budget=remaining_s)
        watchdog.set_deadline(None, clock.start_time)
        if clock.remaining_s() <= 0:
            raise BudgetExceededError(f"{late}, however it came back {-clock.remaining_s():.2f} s late")
        return result

    shape = (test.get_metadata().size(), test.get_metadata().get_output_size())
    if not hasattr(model, "done_training"):
        logger.warning(
            "The model has no attribute done_training; it goes on until test returns None or the time is over"
        )
    n_predictions = 0
    while not getattr(model, "done_training", False) and clock.remaining_s() > 0:
        logger.info(f"Begin training the model. {clock.remaining_s():.2f} s are left")
        call("train", model.train, train.get_dataset())
        logger.info(f"Finished training the model. {clock.remaining_s():.2f} s are left")

        prediction = call("test", model.test, test.get_dataset())
        received_at = clock.timestamp()
        if prediction is None:
            logger.info("The model returned None: it makes no further prediction")
            return
        path = files.write_prediction(as_scores(prediction, shape), received_at)
        n_predictions += 1
        logger.info(
            f"[+] {n_predictions} predictions made, time spent so far {received_at - clock.start_time:.2f} s. "
            f"The latest is in {path.name}"
        )
    logger.info("The model has done its training" if clock.remaining_s() > 0 else "The time budget is over")
