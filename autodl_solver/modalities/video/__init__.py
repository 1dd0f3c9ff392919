"""Video: clips of frames, encoded or dense, of one length or many."""

from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.modalities.video.pipeline import VideoPipeline, made_up_clips
from autodl_solver.modalities.video.plan import make_plan
from autodl_solver.nn.pretrained import download_if_allowed

SPEC = ModalitySpec(VideoPipeline, make_plan, made_up_clips, prepare=download_if_allowed)
