"""Modalities: which there are, and which a dataset is of.

`infer` decides; each folder holds one modality's pipeline and plan. A folder never imports another one.
"""

from autodl_solver.modalities.image import SPEC as IMAGE
from autodl_solver.modalities.infer import Modality, infer_modality
from autodl_solver.modalities.series import SPEC as SERIES
from autodl_solver.modalities.spec import ModalitySpec, Pipeline
from autodl_solver.modalities.speech import SPEC as SPEECH
from autodl_solver.modalities.tabular import SPEC as TABULAR
from autodl_solver.modalities.text import SPEC as TEXT
from autodl_solver.modalities.video import SPEC as VIDEO

SPECS: dict[Modality, ModalitySpec] = {
    Modality.IMAGE: IMAGE,
    Modality.VIDEO: VIDEO,
    Modality.SPEECH: SPEECH,
    Modality.SERIES: SERIES,
    Modality.TEXT: TEXT,
    Modality.TABULAR: TABULAR,
}

__all__ = ["SPECS", "Modality", "ModalitySpec", "Pipeline", "infer_modality"]
