"""Speech and other sound: clips of samples at an unknown rate."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.speech.pipeline import SpeechPipeline, made_up_clips
from autodl_solver.modalities.speech.schedule import make_schedule

SPEC = ModalitySpec(SpeechPipeline, make_schedule, made_up_clips)
