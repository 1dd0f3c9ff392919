"""How a run stands, as a page: from a server on this machine while it runs, or as a file that reloads itself."""

from autodl_solver.serve.live import LivePage
from autodl_solver.serve.page import write_static_page
from autodl_solver.serve.status_object import status_object

__all__ = ["LivePage", "status_object", "write_static_page"]
