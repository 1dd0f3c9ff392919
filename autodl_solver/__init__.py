"""An any-time learning solver: raw data of any kind and a time budget in, better and better class scores out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodl_solver.classifier import AutoDLClassifier
    from autodl_solver.fitted_model import FittedModel

__version__ = "0.1.0"
__all__ = ["AutoDLClassifier", "FittedModel", "__version__"]


def __getattr__(name: str) -> Any:
    """Public names, imported when they are asked for: the package itself is there in milliseconds."""
    if name == "AutoDLClassifier":
        from autodl_solver.classifier import AutoDLClassifier

        return AutoDLClassifier
    if name == "FittedModel":
        from autodl_solver.fitted_model import FittedModel

        return FittedModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
