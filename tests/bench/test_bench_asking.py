"""Asking ports: right answers, wrong ones, none."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools.benchmarks.asking import answered, first_byte_ms
from tools.benchmarks.children import free_port
from tools.benchmarks.results import MeasurementFailed


@contextmanager
def server(port: int, body: bytes = b"hello", status: int = 200) -> Iterator[None]:
    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def hanging_up(port: int) -> Iterator[None]:
    """Resets each connection, having read of the request."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listening:

        def reset() -> None:
            while not over.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                connection.recv(1)
                connection.close()  # with bytes unread

        listening.settimeout(0.05)
        thread = threading.Thread(target=reset)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def test_the_first_byte_is_timed_and_the_whole_answer_checked() -> None:
    port = free_port()
    with server(port):
        assert first_byte_ms(port) > 0


@pytest.mark.parametrize(("body", "status"), [(b"hullo", 200), (b"hello", 500)])
def test_a_wrong_answer_is_no_time(body: bytes, status: int) -> None:
    port = free_port()
    with server(port, body, status):
        with pytest.raises(MeasurementFailed, match=f"a wrong answer on port {port}"):
            first_byte_ms(port)
        with pytest.raises(MeasurementFailed, match=f"a wrong answer on port {port}"):
            answered([port], 10)


def test_nobody_there_and_somebody_who_hangs_up() -> None:
    port = free_port()
    with pytest.raises(MeasurementFailed, match="no answer on port"):
        first_byte_ms(port)
    with hanging_up(port):
        with pytest.raises(MeasurementFailed, match=f"on port {port}"):
            first_byte_ms(port)
        with pytest.raises(MeasurementFailed, match=f"on port {port}"):
            answered([port], 10)


def test_ports_are_asked_until_they_answer() -> None:
    first, second = free_port(), free_port()
    moments: list[float] = []
    asking = threading.Thread(target=lambda: moments.extend(answered([first, second], 30)))
    began = time.monotonic()
    with server(first):
        asking.start()
        time.sleep(0.05)
        with server(second):
            asking.join()
    assert len(moments) == 2
    assert began < moments[0] <= moments[1]


def test_it_ends_when_a_port_stays_silent() -> None:
    port = free_port()
    with server(port), pytest.raises(MeasurementFailed, match="not all of 2 tasks answered within 0 s"):
        answered([port, free_port()], 0.3)
