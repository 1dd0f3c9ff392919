"""One run of the ingestion program, in the order of the protocol.

dataset (checked before anything is written) -> output folder -> model -> start.txt -> train and test -> end.txt
"""

import importlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.dataset import AutoDLDataset, find_dataset, read_datasets
from ingestion.errors import IngestionError, SubmissionError
from ingestion.limits import BudgetClock, time_limit
from ingestion.log import logger, start_log
from ingestion.loop import GRACE_S, train_and_test
from ingestion.run_files import RunFiles, prepare_output_folder
from ingestion.watchdog import Watchdog

_SAMPLE_CODE = "AutoDL_sample_code_submission"  # the official program also looks for model.py there


@dataclass(frozen=True)
class Settings:
    """What the command line says; times in seconds."""

    dataset_dir: Path
    output_dir: Path
    code_dir: Path
    score_dir: Path | None
    time_budget: float
    init_time_budget: float


def run(settings: Settings) -> int:
    """Run a submission on a dataset.

    Returns:
        The exit code: 0 if everything went well, 1 if not (the log and end.txt say why).
    """
    start_log()
    try:
        folder = find_dataset(settings.dataset_dir)
        logger.info(f"Dataset {folder.name.removesuffix('.data')!r} in {settings.dataset_dir}")
        train, test = read_datasets(folder)
        prepare_output_folder(settings.output_dir, folder.name.removesuffix(".data"))
        error = _run_submission(settings, folder.name.removesuffix(".data"), train, test)
        _copy_results(settings)
    except (IngestionError, OSError) as failure:
        logger.error(f"Ingestion failed: {failure}")
        return 1
    if error is not None:
        logger.error(f"[-] Ingestion failed: {error}. Earlier predictions stand")
        return 1
    logger.info("[+] Ingestion finished successfully")
    return 0


def _run_submission(settings: Settings, task_name: str, train: AutoDLDataset, test: AutoDLDataset) -> str | None:
    """Build the model and let it work; what went wrong in one line, or None."""
    files = RunFiles(settings.output_dir, task_name, settings.time_budget, os.getpid())
    clock = BudgetClock(settings.init_time_budget)
    error: str | None = None
    with Watchdog(files) as watchdog:
        # The model is foreign code: whatever it raises, sys.exit and Ctrl-C included, must end in end.txt.
        # Its budget begins even if it could not be built, because scoring waits for start.txt.
        model = None
        try:
            model = _make_model(settings, train, clock, watchdog)
        except BaseException as failure:
            error = _report(failure, "The model could not be created")
        watchdog.set_deadline(None, clock.start_time)
        clock = BudgetClock(settings.time_budget)
        files.write_start(clock.start_time)
        if model is not None:
            logger.info(f"The time budget of {settings.time_budget} s begins")
            try:
                train_and_test(model, train, test, files, clock, watchdog)
            except BaseException as failure:
                error = _report(failure, "The model failed")
        files.write_end(clock.start_time, error)
    return error


def _make_model(settings: Settings, train: AutoDLDataset, clock: BudgetClock, watchdog: Watchdog) -> Any:
    """Import Model from the submission and construct it, within the budget of initialisation."""
    budget_s = settings.init_time_budget
    logger.info(f"Creating the model. This must not take more than {budget_s:g} s")
    error = (
        f"Importing and constructing Model must take at most {budget_s:g} s, however it went on; ingestion was killed"
    )
    watchdog.set_deadline(budget_s + GRACE_S, clock.start_time, error)
    with time_limit(budget_s, "Importing and constructing Model"):
        model = _import_model_class(settings.code_dir)(train.get_metadata())
    logger.info(f"Created the model in {budget_s - clock.remaining_s():.2f} s")
    return model


def _import_model_class(code_dir: Path) -> Any:
    folders = [code_dir, code_dir / _SAMPLE_CODE]
    if not any((folder / "model.py").is_file() or (folder / "model").is_dir() for folder in folders):
        raise SubmissionError(f"--code_dir must hold model.py, however {code_dir} does not")
    # First on the path, as Python does for the folder of a program: `import utils` means the submission's own file.
    sys.path[:0] = [str(folder) for folder in folders if folder.is_dir()]
    module = importlib.import_module("model")
    if not hasattr(module, "Model"):
        raise SubmissionError(f"model.py must define a class Model, however {module.__file__} does not")
    return module.Model


def _report(failure: BaseException, headline: str) -> str:
    logger.error(f"{headline}:", exc_info=failure)
    return f"{type(failure).__name__}: {failure}"


def _copy_results(settings: Settings) -> None:
    if settings.score_dir is None or settings.score_dir == settings.output_dir:
        return
    shutil.copytree(settings.output_dir, settings.score_dir, dirs_exist_ok=True)
    logger.info(f"Copied the predictions to {settings.score_dir}")
