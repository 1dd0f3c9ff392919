"""Speech and other sound: clips of samples at an unknown rate."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.speech.pipeline import SpeechPipeline, made_up_clips
from autodl_solver.modalities.speech.plan import make_plan
from autodl_solver.nn.pretrained_sound import download_sound_if_allowed

SPEC = ModalitySpec(SpeechPipeline, make_plan, made_up_clips, prepare=download_sound_if_allowed)
