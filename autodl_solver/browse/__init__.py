"""Browse: what a dataset in AutoDL format holds, as a page and as text."""

from autodl_solver.browse.page import browse_page
from autodl_solver.browse.text import browse_text

__all__ = ["browse_page", "browse_text"]
