"""Who may see the page of a run, who may stop it, and what is on it."""

from __future__ import annotations

import http.client
import json
import logging
import math
import re
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from autodl_solver.serve import LivePage, status_object, write_static_page
from autodl_solver.session import StageLine, Status

NAME = "</script><b>\u2028\ud800"
STATUS = Status(
    "running", 1.5, 60.0, NAME, math.nan, ((1.0, 0.5),), 1, math.nan, (StageLine(NAME, 0.0, 1.0, 0.5, 1.0, False),)
)


class Served:
    """A page of one status, and how often its run was asked to stop."""

    def __init__(self, status: Status) -> None:
        self.n_stops = 0
        self.page = LivePage(lambda: status, self.stop, title="my <run>")
        self.parts = urlsplit(self.page.url)

    def stop(self) -> None:
        self.n_stops += 1

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        assert self.parts.hostname is not None
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=10)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8")
        finally:
            connection.close()


@pytest.fixture(scope="module")
def page():  # type: ignore[no-untyped-def]
    """One for all tests: whatever one of them sends, the others are answered; to end it takes a tenth of a second."""
    served = Served(STATUS)
    with served.page:
        yield served


@pytest.fixture
def served(page: Served) -> Served:
    page.n_stops = 0
    return page


def test_the_address_is_of_this_machine_and_holds_a_new_token_each_time(served: Served) -> None:
    other = Served(STATUS)
    with other.page:
        assert served.parts.hostname == "127.0.0.1"
        assert re.fullmatch(r"/[\w-]{32}/", served.parts.path)
        assert other.parts.path != served.parts.path


def test_nobody_listens_on_other_addresses_of_this_machine(served: Served) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", served.parts.port), 5):
        pass


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/", "/status.json", "/stop", "/wrong/", "/wrong/stop", "/%00/", "//", "*"])
def test_without_the_token_nothing_is_known(served: Served, method: str, path: str) -> None:
    status, _, text = served.ask(method, path)
    assert (status, text, served.n_stops) == (404, "404 Not Found\n", 0)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"POST /\xc3\xa9/stop HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", b" 404 "),  # no ASCII
        (b"POST /TOKEN/stop HTTP/1.1\r\n\r\n", b" 403 "),  # no Host
        (b"POST /TOKEN/stop HTTP/1.1\r\nHost: \xff\r\n\r\n", b" 403 "),
        (b"POST http://127.0.0.1:PORT/TOKEN/stop HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", b" 404 "),  # as to a proxy
        (b"DELETE /TOKEN/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", b" 501 "),
        (b"\x16\x03\x01\x00\r\n\r\n", b"400"),  # https
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
    ],
)
def test_odd_requests_are_refused(served: Served, sent: bytes, answer: bytes) -> None:
    token = served.parts.path.strip("/").encode("ascii")
    sent = sent.replace(b"TOKEN", token).replace(b"PORT", str(served.parts.port).encode("ascii"))
    with socket.create_connection(("127.0.0.1", served.parts.port), 10) as connection:
        connection.sendall(sent)
        assert answer in connection.recv(4096)
    assert served.n_stops == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "stop"),  # a link must not stop a run
        ("POST", ""),
        ("POST", "status.json"),
        ("GET", "../../etc/passwd"),
    ],
)
def test_with_the_token_only_what_is_offered_is_known(served: Served, method: str, path: str) -> None:
    assert served.ask(method, served.parts.path + path)[0] == 404
    assert served.ask(method, served.parts.path.rstrip("/"))[0] == 404
    assert served.n_stops == 0


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "status.json"), ("POST", "stop")])
def test_another_host_name_is_refused_even_with_the_token(served: Served, method: str, path: str) -> None:
    status, _, _ = served.ask(method, served.parts.path + path, {"Host": f"evil.example:{served.parts.port}"})
    assert (status, served.n_stops) == (403, 0)


def test_a_page_of_another_site_cannot_stop_the_run(served: Served) -> None:
    path = served.parts.path + "stop"
    assert served.ask("POST", path, {"Origin": "http://evil.example"})[0] == 403
    assert served.ask("POST", path, {"Origin": "null"})[0] == 403
    assert served.n_stops == 0
    assert served.ask("POST", path, {"Origin": f"http://{served.parts.netloc}"})[0] == 202
    assert served.ask("POST", path, {"Host": f"localhost:{served.parts.port}"})[0] == 202
    assert served.n_stops == 2


def test_the_page_brings_a_policy_and_no_name_becomes_markup(served: Served) -> None:
    status, headers, text = served.ask("GET", served.parts.path)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert "<title>my &lt;run&gt;</title>" in text
    assert text.count("</script>") == 2
    assert "<b>\u2028" not in text
    (embedded,) = re.findall(r'<script type="application/json" id="status">(.*?)</script>', text)
    assert json.loads(embedded) == status_object(STATUS)
    assert not re.search(r"(src|href)=\"(?!data:)", text)  # nothing from elsewhere


def test_the_status_is_json_without_nan(served: Served) -> None:
    status, headers, text = served.ask("GET", served.parts.path + "status.json")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    fields = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert fields["score"] is None
    assert fields["curve"] == [[1.0, 0.5]]
    assert fields["stages"][0]["name"] == NAME
    assert fields.keys() == vars(STATUS).keys()


def test_the_page_ends_with_the_run() -> None:
    served = Served(STATUS)
    before = set(threading.enumerate())  # some may end meanwhile: what other tests have left behind
    with served.page:
        pass
    with pytest.raises(ConnectionRefusedError):
        served.ask("GET", served.parts.path)
    assert set(threading.enumerate()) <= before


def test_a_status_that_fails_costs_an_answer_and_not_the_server(caplog: pytest.LogCaptureFixture) -> None:
    def status() -> Status:
        raise ValueError("no status")

    page = LivePage(status, lambda: None)
    parts = urlsplit(page.url)
    with page, caplog.at_level(logging.WARNING):
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
            connection.request("GET", parts.path)
            with pytest.raises(http.client.RemoteDisconnected):
                connection.getresponse()
            connection.close()
    assert "could not answer" in caplog.text


def test_the_page_as_a_file_reloads_itself_until_the_run_is_over(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_static_page(path, STATUS, "a <title>")
    text = path.read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh"' in text
    assert "Content-Security-Policy" in text
    assert "<title>a &lt;title&gt;</title>" in text
    write_static_page(path, Status("done", 1.0, 60.0, "", 0.5, (), 0, math.nan, ()))
    assert '<meta http-equiv="refresh"' not in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_a_page_that_cannot_be_written_leaves_the_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()  # nothing can be renamed onto it
    with pytest.raises(OSError, match=r"page\.html"):
        write_static_page(tmp_path / "page.html", STATUS)
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
