"""Is the server there, and does it answer rightly? Asked once before each measurement."""

from __future__ import annotations

import http.client
import time

from tools.benchmarks.children import Child
from tools.benchmarks.load import Workload
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import HOST

READY_SECONDS = 60.0  # from a server's start to its first answer, on a busy machine
ANSWER_SECONDS = 10.0
HELLO = b"hello"


def wait_until_ready(child: Child, port: int) -> None:
    """Returns once something accepts connections on the port. Raises MeasurementFailed."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        child.check()
        try:
            request(port, "GET", "/")
            return
        except OSError, http.client.HTTPException:
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"no answer on port {port} within {READY_SECONDS:.0f} s") from None
            time.sleep(0.02)


def check_answer(port: int, workload: Workload) -> None:
    """Raises MeasurementFailed unless the answer is the right one, status and every byte of the body."""
    if workload.body_bytes is None:
        status, body = request(port, "GET", workload.path)
        expected = HELLO
    else:
        # 251 is prime: the pattern's period divides no buffer size, so a block in the wrong place shows
        expected = bytes(index % 251 for index in range(workload.body_bytes))
        status, body = request(port, "POST", workload.path, expected)
    if status != 200:
        raise MeasurementFailed(f"{workload.name}: status {status} instead of 200")
    if body != expected:
        raise MeasurementFailed(f"{workload.name}: the body is not the expected one ({len(body)} bytes)")


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Sends one request on a connection of its own and returns status and body. Raises OSError, HTTPException."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
