"""Many machines: a cluster of two nodes on this one, which loses a node in the middle; no result is lost or doubled."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

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
SLOW = """
import pathlib, time
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        with open(pathlib.Path(__file__).with_name("made"), "a") as file:
            file.write("x")

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

    resources = {"num_cpus": 1, "memory": 2 * 10**9, "object_store_memory": 10**8, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=resources)
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


def test_the_loss_of_a_node_loses_and_doubles_no_result(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, memory=2 * 10**9, object_store_memory=10**8)
    cluster.wait_for_nodes()
    tasks, out = tasks_of(tmp_path), tmp_path / "out"
    written = []
    with Progress([task.job for task in tasks], []) as progress:
        for task, result in run_on_cluster(tasks, cluster.address, progress):
            written.append(write_result(result, task.job, out))
            if len(written) == 2:  # both nodes are at work
                cluster.remove_node(node, allow_graceful=False)
    assert written == [True] * N_JOBS
    assert jobs_to_do([task.job for task in tasks], out) == []
    results = [json.loads(path.read_text()) for path in (out / "smoke").iterdir()]
    assert sorted(result["seed"] for result in results) == list(range(N_JOBS))
    assert {result["status"] for result in results} == {"finished"}
    assert {result["machine"]["cores"] for result in results} == {1}
    n_made = len((tmp_path / "slow" / "made").read_text())
    assert n_made > N_JOBS, "the run of the lost node was made again"


def test_an_address_without_a_cluster_is_an_error(tmp_path: Path) -> None:
    tasks = tasks_of(tmp_path)
    with Progress([task.job for task in tasks], []) as progress, pytest.raises(BenchmarkError, match="--ray must name"):
        list(run_on_cluster(tasks, "127.0.0.1:1", progress))
