"""Wrong answers are found before anything is measured."""

import sys
from pathlib import Path

import pytest

from tools.benchmarks.children import Launch, free_port, started
from tools.benchmarks.load import Workload
from tools.benchmarks.probe import check_answer, wait_until_ready
from tools.benchmarks.results import MeasurementFailed

HELLO = Workload("hello", "/", None)
ECHO = Workload("echo", "/echo", 5000)

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.answer({status}, {hello})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(200, {echo})
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def launch(port: int, folder: Path, *, status: int = 200, hello: bytes = b"hello", echo: str = "body") -> Launch:
    source = SERVER.replace("{status}", str(status)).replace("{hello}", repr(hello)).replace("{echo}", echo)
    return Launch((sys.executable, "-c", source, str(port)), folder)


def test_right_answers_pass(tmp_path: Path) -> None:
    port = free_port()
    with started(launch(port, tmp_path)) as child:
        wait_until_ready(child, port)
        check_answer(port, HELLO)
        check_answer(port, ECHO)


def test_a_wrong_body_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with started(launch(port, tmp_path, hello=b"hullo", echo="body[251:] + body[:251]")) as child:
        wait_until_ready(child, port)
        with pytest.raises(MeasurementFailed, match="hello: the body is not"):
            check_answer(port, HELLO)
        with pytest.raises(MeasurementFailed, match=r"echo: the body is not the expected one \(5000 bytes\)"):
            check_answer(port, ECHO)


def test_a_wrong_status_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with started(launch(port, tmp_path, status=500)) as child:
        wait_until_ready(child, port)
        with pytest.raises(MeasurementFailed, match="status 500 instead of 200"):
            check_answer(port, HELLO)


def test_a_server_that_dies_is_not_waited_for(tmp_path: Path) -> None:
    dead = Launch((sys.executable, "-c", "raise SystemExit('port in use')"), tmp_path)
    with (
        started(dead) as child,
        pytest.raises(MeasurementFailed, match="ended with code 1: port in use"),
    ):
        wait_until_ready(child, free_port())


def test_a_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.benchmarks.probe.READY_SECONDS", 0.1)
    port = free_port()
    with (
        started(Launch((sys.executable, "-c", "import time; time.sleep(60)"), tmp_path)) as child,
        pytest.raises(MeasurementFailed, match=f"no answer on port {port}"),
    ):
        wait_until_ready(child, port)
