"""The runs on many machines, by Ray.

Each run asks Ray for its cores and its memory, so that a node takes as many as it can hold; on the node it gets those
cores for itself (cores.py). A run whose node is lost is made again elsewhere. Results come back to this process as
they are there, and it alone writes them: a run that was made twice has one result.

The repository, the datasets and the cache must lie at the same paths on all machines (a shared file system, or one
image).
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.jobs import Result
from benchmarks.progress import Progress
from benchmarks.systems import ROOT
from benchmarks.tasks import Task

N_RETRIES = 5  # of a run whose node was lost
ANSWER_S = 5.0


def run_on_cluster(tasks: list[Task], address: str, progress: Progress) -> Iterator[tuple[Task, Result]]:
    """Make the runs on a Ray cluster.

    Args:
        tasks: what to run; each must ask for at least one core.
        address: HOST:PORT of the head node, or "auto".
        progress: is told of each run that ended.
    Yields:
        Tasks and their results, as they come. One that cannot be made is passed over, and said so.
    Raises:
        BenchmarkError: Ray is not installed, or no cluster answers at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise BenchmarkError(
            '--ray needs Ray, however it is not installed: pip install "autodl-solver[bench]".'
        ) from error
    connects = not ray.is_initialized()
    if connects:
        _check_that_it_answers(address)
        try:
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.WARNING, runtime_env=_worker_environment()
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BenchmarkError(f"--ray must name a cluster that answers, however {address} fails: {error}") from error
    try:
        yield from _results(ray, tasks, progress)
    finally:
        if connects:
            ray.shutdown()


def _check_that_it_answers(address: str) -> None:
    """Ray itself would try for minutes and then end the process."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return  # "auto"
    try:
        socket.create_connection((host, int(port)), ANSWER_S).close()
    except OSError as error:
        raise BenchmarkError(f"--ray must name a cluster that answers, however {address} does not: {error}.") from error


def _worker_environment() -> dict[str, dict[str, str]]:
    """Workers import `benchmarks` from the repository."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"env_vars": {"PYTHONPATH": os.pathsep.join(path)}}


def _run(task: Task) -> Result:
    return task.run()


def _results(ray: Any, tasks: list[Task], progress: Progress) -> Iterator[tuple[Task, Result]]:
    waiting = {}
    n_cores = ray.cluster_resources().get("CPU", 1)
    progress.n_parallel = max(1, int(n_cores // max(task.limits.n_cores for task in tasks)))
    for task in tasks:
        remote = ray.remote(_run).options(
            num_cpus=task.limits.n_cores, memory=int(task.limits.memory_bytes), max_retries=N_RETRIES
        )
        waiting[remote.remote(task)] = task
    try:
        while waiting:
            (done, *_), _ = ray.wait(list(waiting), num_returns=1)
            task = waiting.pop(done)
            try:
                result = ray.get(done)
            except (
                ray.exceptions.RayError
            ) as error:  # of the run itself a failure is a result; this is one of the cluster
                progress.skip(task.job, str(error).strip().splitlines()[-1])
                continue
            yield task, result
            progress.end(task.job, result)
    finally:
        for reference in waiting:
            ray.cancel(reference, force=True)
