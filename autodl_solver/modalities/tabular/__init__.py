"""Tables: rows of numbers and category codes, dense or sparse."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.tabular.pipeline import TabularPipeline, made_up_rows
from autodl_solver.modalities.tabular.schedule import make_schedule

SPEC = ModalitySpec(TabularPipeline, make_schedule, made_up_rows)
