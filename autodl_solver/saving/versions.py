"""Which versions a saved model needs: checked before anything else is believed."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import autodl_solver
from autodl_solver.errors import ModelFileError

FORMAT = 7
"""Of the folder. Counts up whenever an older reader would misunderstand it."""

SOLVER = "autodl_solver"
PACKAGES = ("numpy", "scikit-learn", "lightgbm", "torch")

PARTS = {SOLVER: 2, "scikit-learn": 2, "torch": 1, "lightgbm": 1}
"""How many parts of a version must agree: the attributes of objects change with them."""


def current_versions() -> dict[str, str]:
    """Of all that matters here, without importing any of it; "" where it is not installed."""
    found = {"python": platform.python_version(), SOLVER: autodl_solver.__version__}
    return found | {name: _installed(name) for name in PACKAGES}


def check_versions(document: Mapping[str, Any], path: Path) -> None:
    """Compares the format and the packages that the objects depend on.

    Raises:
        ModelFileError: this installation cannot read the model, and what to do about it.
    """
    if document["format"] != FORMAT:
        raise ModelFileError(
            f"This version of autodl_solver ({autodl_solver.__version__}) reads models of format {FORMAT}; however "
            f"{path} is of format {document['format']!r:.20}; install the version that saved it, or fit "
            "the model again."
        )
    saved, current = document.get("versions"), current_versions()
    needed = document.get("depends_on")
    if not isinstance(saved, dict) or not isinstance(needed, list):
        raise ModelFileError(
            f"A saved model must say what it was made with; however {path} does not; save the model again."
        )
    for name in [SOLVER, *(one for one in PARTS if one in needed)]:
        if _parts(saved.get(name), PARTS[name]) != _parts(current[name], PARTS[name]):
            wanted = str(saved.get(name))[:40]
            raise ModelFileError(
                f"A model needs the {name} that it was saved with; however {path} was saved with {wanted}, and "
                f"{current[name] or 'none'} is installed; install {name} {_series(wanted, PARTS[name])}, or fit the "
                "model again."
            )


@functools.cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _parts(number: Any, n: int) -> list[str]:
    return str(number).split("+")[0].split(".")[:n]


def _series(number: str, n: int) -> str:
    return ".".join([*_parts(number, n), "*"])
