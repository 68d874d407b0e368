"""Asking ports: right answers, wrong ones, none."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools.benchmarks.asking import answered, first_byte_ms
from tools.benchmarks.results import MeasurementFailed


@contextmanager
def taken() -> Iterator[tuple[socket.socket, int]]:
    """A socket at a port of its own that nobody listens at, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound, bound.getsockname()[1]


@contextmanager
def server(own: socket.socket, body: bytes = b"hello", status: int = 200) -> Iterator[None]:
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

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers, bind_and_activate=False) as listening:
        listening.socket.close()
        listening.socket = own
        listening.server_activate()
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def hanging_up() -> Iterator[int]:
    """The port of one that resets each connection, having read of the request."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

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
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


def test_the_first_byte_is_timed_and_the_whole_answer_checked() -> None:
    with taken() as (own, port), server(own):
        assert first_byte_ms(port) > 0


@pytest.mark.parametrize(("body", "status"), [(b"hullo", 200), (b"hello", 500)])
def test_a_wrong_answer_is_no_time(body: bytes, status: int) -> None:
    with taken() as (own, port), server(own, body, status):
        with pytest.raises(MeasurementFailed, match=f"a wrong answer on port {port}"):
            first_byte_ms(port)
        with pytest.raises(MeasurementFailed, match=f"a wrong answer on port {port}"):
            answered([port], 10)


def test_nobody_there_and_somebody_who_hangs_up() -> None:
    with taken() as (_, port), pytest.raises(MeasurementFailed, match="no answer on port"):
        first_byte_ms(port)
    with hanging_up() as port:
        with pytest.raises(MeasurementFailed, match=f"on port {port}"):
            first_byte_ms(port)
        with pytest.raises(MeasurementFailed, match=f"on port {port}"):
            answered([port], 10)


def test_ports_are_asked_until_they_answer() -> None:
    moments: list[float] = []
    with taken() as (one, first), taken() as (other, second):
        asking = threading.Thread(target=lambda: moments.extend(answered([first, second], 60)))
        began = time.monotonic()
        with server(one):
            asking.start()
            time.sleep(0.05)
            with server(other):
                asking.join()
    assert len(moments) == 2
    assert began < moments[0] <= moments[1]


def test_it_ends_when_a_port_stays_silent() -> None:
    with (
        taken() as (own, port),
        taken() as (_, silent),
        server(own),
        pytest.raises(MeasurementFailed, match="not all of 2 tasks answered within 0 s"),
    ):
        answered([port, silent], 0.3)
