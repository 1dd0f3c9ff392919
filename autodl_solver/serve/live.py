"""The page of a run while it runs, from a server on this machine, with a button that stops the run.

Who may see it, and stop the run: only this machine can connect (127.0.0.1), and only who knows the address: its path
begins with a random token, without which every path is unknown. A page of another site that guesses the port does not
know the token either; one whose name was made to lead to this machine (DNS rebinding) sends its own name as Host, which
is refused, as is a POST that a browser says comes from elsewhere (Origin).
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Any

from autodl_solver.serve.page import header_policy, page_html
from autodl_solver.serve.status_object import status_object

if TYPE_CHECKING:
    from autodl_solver.session import Status

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
TOKEN_BYTES = 24
CONNECTION_S = 10.0  # a client that sends nothing for so long is left
WATCHED_S = 3.0  # a page that asked for the status within this time is still open
LAST_LOOK_S = 2.5  # what an open page gets to learn that the run is over; it asks each second


class LivePage:
    """Serves the page of a run, as a context manager: from entering to leaving.

    Args:
        status: how the run stands; called from other threads.
        stop: asks the run to stop; called from another thread, perhaps several times.
        title: what the run is called.
        port: 0 takes any free one.

    Attributes:
        url: the address of the page, token included; whoever has it can stop the run.
    """

    def __init__(
        self, status: Callable[[], Status], stop: Callable[[], None], *, title: str = "autodl-solver", port: int = 0
    ) -> None:
        self._server = _Server((HOST, port), _Handler)
        self._server.status, self._server.stop, self._server.title = status, stop, title
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="live page", daemon=True)
        self.url = f"http://{HOST}:{self._server.server_address[1]}/{self._server.token}/"

    def __enter__(self) -> LivePage:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the server; before that an open page learns that the run is over."""
        is_open = time.monotonic() - self._server.asked < WATCHED_S
        if kind is None and is_open and self._server.status().state == "done":
            self._server.told_the_end.wait(LAST_LOOK_S)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, TCPServer):
    """A thread for each request. (HTTPServer would ask the resolver for the name of this machine, which can hang.)"""

    daemon_threads = True
    block_on_close = False
    status: Callable[[], Status]
    stop: Callable[[], None]
    title: str

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.asked = float("-inf")  # when the status was asked for last
        self.told_the_end = threading.Event()
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers leave in the middle of an answer; whatever else happens is worth a line, not the run."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            logger.warning("The live page could not answer a request.", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = CONNECTION_S
    server_version = "autodl-solver"
    sys_version = ""

    def do_GET(self) -> None:
        """The page, or the status as JSON."""
        path = self._path_behind_token()
        if path == "":
            page = page_html(self.server.status(), self.server.title, is_live=True)
            self._send(HTTPStatus.OK, page, "text/html", {"Content-Security-Policy": header_policy()})
        elif path == "status.json":
            status = self.server.status()
            self.server.asked = time.monotonic()
            self._send(HTTPStatus.OK, json.dumps(status_object(status), allow_nan=False), "application/json")
            if status.state == "done":
                self.server.told_the_end.set()
        elif path is not None:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Stops the run."""
        path = self._path_behind_token()
        if path == "stop":
            if self.headers.get("Origin") not in (None, *(f"http://{host}" for host in self._hosts())):
                self._refuse(HTTPStatus.FORBIDDEN)
                return
            self.server.stop()
            self._send(HTTPStatus.ACCEPTED, "{}", "application/json")
        elif path is not None:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _path_behind_token(self) -> str | None:
        """The path behind the token; None, and the request is answered, where Host or token are not ours."""
        if self.headers.get("Host") not in self._hosts():
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        _, token, path = (*self.path.split("/", 2), "", "")[:3]
        known = hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode("ascii"))
        if not known or self.path.count("/") < 2:
            self._refuse(HTTPStatus.NOT_FOUND)
            return None
        return path

    def _hosts(self) -> tuple[str, ...]:
        port = self.server.server_address[1]
        return (f"{HOST}:{port}", f"localhost:{port}")

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(status, f"{status.value} {status.phrase}\n", "text/plain")

    def _send(self, status: HTTPStatus, text: str, kind: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode("utf-8")
        self.send_response(status)
        always = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # the address holds the token
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in {**always, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: standard error belongs to the run, and the address holds the token."""
