"""Text: documents as token ids, of any language."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.text.pipeline import TextPipeline, made_up_documents
from autodl_solver.modalities.text.plan import make_plan

SPEC = ModalitySpec(TextPipeline, make_plan, made_up_documents)
