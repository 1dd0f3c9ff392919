"""A fitted model as a folder of plain files, without pickle: nothing in it can be executed.

    model.json             format and package versions, checksums, facts, and the objects as a tree of known kinds
    tensors.safetensors    every array and tensor
    booster-N.txt          boosted trees in LightGBM's own text

Reading makes objects of the classes listed in classes.py only, checks what libraries written in C would trust, and ends
in a ModelFileError for whatever is damaged, foreign or malicious.
"""

from autodl_solver.saving.folder import holds_model, read_model, write_model

__all__ = ["holds_model", "read_model", "write_model"]
