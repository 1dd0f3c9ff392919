"""Tables: rows of numbers and category codes, dense or sparse."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.tabular.pipeline import TabularPipeline, made_up_rows
from autodl_solver.modalities.tabular.plan import make_plan

SPEC = ModalitySpec(TabularPipeline, make_plan, made_up_rows)
