"""Many machines: a cluster of two nodes on this one, which loses a node in the middle; no result is lost or doubled."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from benchmark_harness import SMOKE, write_submission, write_toy

from benchmarks.cluster import run_on_cluster
from benchmarks.datasets import Dataset
from benchmarks.errors import BenchmarkError
from benchmarks.execute import Limits
from benchmarks.jobs import Job, jobs_to_do, write_result
from benchmarks.progress import Progress
from benchmarks.systems import System
from benchmarks.tasks import Task

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray")
pytestmark = [
    needs_ray,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own: deprecations, and sockets of the node that is lost
]

N_JOBS = 6
NODE = {"num_cpus": 1, "memory": 2 * 10**9, "object_store_memory": 10**8}
QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 4,
}
PATIENCE_S = 60.0
SLOW = """
import os, pathlib, time
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        with open(pathlib.Path(__file__).with_name("made"), "a") as file:
            file.write(f"{os.getpid()}\\n")

    def train(self, dataset, remaining_time_budget=None):
        time.sleep(2)
        self.done_training = True

    def test(self, dataset, remaining_time_budget=None):
        return np.eye(2)[np.arange(20) % 2]
"""


@pytest.fixture
def cluster() -> Any:
    """A head and one more node, a core each."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"include_dashboard": False, "_system_config": QUICK_TO_NOTICE, **NODE}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    ray.shutdown()
    made.shutdown()


def tasks_of(tmp_path: Path) -> list[Task]:
    system = System("slow", write_submission(tmp_path, "slow", SLOW))
    dataset = Dataset("toy", write_toy(tmp_path / "data"), "tabular")
    limits = Limits(1e9, n_cores=1)
    return [
        Task(Job("toy", "slow", seed, SMOKE), system, dataset, limits, tmp_path / "cache") for seed in range(N_JOBS)
    ]


def made_by(path: Path) -> list[int]:
    """Processes that have constructed a model."""
    return [int(line) for line in path.read_text().splitlines()] if path.is_file() else []


def wait_for_a_model_of(raylet: int, path: Path) -> int:
    """The process of a model that a node has constructed and that is still at work."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        below = {process.pid for process in psutil.Process(raylet).children(recursive=True)}
        if at_work := below & set(made_by(path)):
            return at_work.pop()
        time.sleep(0.05)
    raise TimeoutError("The node has constructed no model.")


def test_the_loss_of_a_node_loses_and_doubles_no_result(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    tasks, out = tasks_of(tmp_path), tmp_path / "out"
    written = []
    with Progress([task.job for task in tasks], []) as progress:
        for task, result in run_on_cluster(tasks, cluster.address, progress):
            written.append(write_result(result, task.job, out))
            if len(written) == 2:
                lost = wait_for_a_model_of(node.all_processes["raylet"][0].process.pid, tmp_path / "slow" / "made")
                cluster.remove_node(node, allow_graceful=False)
    assert written == [True] * N_JOBS
    assert jobs_to_do([task.job for task in tasks], out) == []
    results = [json.loads(path.read_text()) for path in (out / "smoke").iterdir()]
    assert sorted(result["seed"] for result in results) == list(range(N_JOBS))
    assert {result["status"] for result in results} == {"finished"}
    assert {result["machine"]["cores"] for result in results} == {1}
    made = made_by(tmp_path / "slow" / "made")
    assert len(made) > N_JOBS, "the run of the lost node was made again"
    assert lost in made
    assert not any(map(psutil.pid_exists, made)), "what the lost node had started has ended"


def test_an_address_without_a_cluster_is_an_error(tmp_path: Path) -> None:
    tasks = tasks_of(tmp_path)
    with Progress([task.job for task in tasks], []) as progress, pytest.raises(BenchmarkError, match="--ray must name"):
        list(run_on_cluster(tasks, "127.0.0.1:1", progress))
