"""Text: documents as token ids, of any language."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.text.pipeline import TextPipeline, made_up_documents
from autodl_solver.modalities.text.schedule import make_schedule

SPEC = ModalitySpec(TextPipeline, make_schedule, made_up_documents)
