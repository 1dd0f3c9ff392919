"""The systems that the benchmark compares: ours, and peers written as submissions of the challenge.

A system is a folder with model.py. Ours runs in the environment of the benchmark; a peer brings requirements.txt and
runs in an environment of its own (venvs.py). A peer says which modalities its library is for, and is not asked about
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks" / "peers"
MODALITIES = ("image", "video", "speech", "series", "text", "tabular")
OURS = "autodl_solver"


@dataclass(frozen=True)
class System:
    """One system.

    Attributes:
        name: on the command line, in results and tables.
        code_dir: the submission, a folder with model.py.
        modalities: what it is asked about.
        requirements: what its own environment holds; None: it runs in the environment of the benchmark.
    """

    name: str
    code_dir: Path
    modalities: tuple[str, ...] = MODALITIES
    requirements: Path | None = None


def _peer(name: str, *modalities: str) -> System:
    return System(name, PEERS / name, modalities or MODALITIES, PEERS / name / "requirements.txt")


SYSTEMS = {
    system.name: system
    for system in (
        System(OURS, ROOT),
        _peer("prior"),
        _peer("sklearn_tfidf_logistic", "text"),
        _peer("sklearn_hist_boosting", "tabular"),
        _peer("sklearn_extra_trees", "tabular"),
        _peer("lightgbm_default", "tabular"),
        _peer("autogluon_tabular", "tabular"),
        _peer("autogluon_best", "tabular"),
        _peer("flaml", "tabular"),
        _peer("aeon_minirocket", "series"),
        _peer("aeon_multirocket_hydra", "series"),
        _peer("resnet18", "image"),
        _peer("cnn3d", "video"),
    )
}


def find_system(name: str) -> System:
    """The system of that name, or the submission in the folder of that name (for which requirements.txt is optional).

    Raises:
        BenchmarkError: there is neither.
    """
    if name in SYSTEMS:
        return SYSTEMS[name]
    folder = Path(name)
    if (folder / "model.py").is_file():
        requirements = folder / "requirements.txt"
        return System(
            folder.resolve().name, folder.resolve(), requirements=requirements if requirements.is_file() else None
        )
    raise BenchmarkError(
        f"A system must be one of {', '.join(SYSTEMS)}, or a folder with model.py, however {name!r} is neither."
    )
