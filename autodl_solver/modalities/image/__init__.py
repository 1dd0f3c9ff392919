"""Images: gray, RGB or any number of channels, of one size or many."""

from autodl_solver.modalities.image.pipeline import ImagePipeline, made_up_images
from autodl_solver.modalities.image.plan import make_plan
from autodl_solver.modalities.spec import ModalitySpec
from autodl_solver.nn.pretrained import download_if_allowed

SPEC = ModalitySpec(ImagePipeline, make_plan, made_up_images, prepare=download_if_allowed)
