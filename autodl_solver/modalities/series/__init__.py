"""Time series: several channels, of one length or many."""

from autodl_solver.modalities.series.pipeline import SeriesPipeline, made_up_series
from autodl_solver.modalities.series.plan import make_plan
from autodl_solver.modalities.spec import ModalitySpec

SPEC = ModalitySpec(SeriesPipeline, make_plan, made_up_series)
