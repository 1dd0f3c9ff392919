"""Time series: several channels, of one length or many."""

from autodl_solver.modalities.series.pipeline import SeriesPipeline, made_up_series
from autodl_solver.modalities.series.schedule import make_schedule
from autodl_solver.modalities.spec import ModalitySpec

SPEC = ModalitySpec(SeriesPipeline, make_schedule, made_up_series)
