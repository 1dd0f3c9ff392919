"""Images -> small pixels. Fidelity: the side in pixels."""

from __future__ import annotations

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.made_up import made_up_frames
from autodl_solver.data.pixels import small_pixels
from autodl_solver.modalities.spec import Pipeline


class ImagePipeline(Pipeline):
    """The pixels of the image, resized to a small square."""

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, fidelity * fidelity * n_channels] float32."""
        pixels = small_pixels(x, self.info.specs[0].n_channels, fidelity)
        return pixels.reshape(len(pixels), -1)


def made_up_images(info: DatasetInfo) -> Rows:
    """Noise images of the dataset's kind."""
    return made_up_frames(info.specs[0], n_frames=1)
