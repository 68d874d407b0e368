"""One request at a time, or one to each of many ports: when they are answered, and that rightly."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import HOST

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
EXPECTED = (b"HTTP/1.1 200 ", b"hello")
ANSWER_SECONDS = 30.0
AGAIN_SECONDS = 0.005  # after a connection that was refused
AT_ONCE = 64  # requests to different ports under way, once the first port was answered


def first_byte_ms(port: int) -> float:
    """Milliseconds from connect() to the first byte of the answer, which is checked. Raises MeasurementFailed."""
    with socket.socket() as sock:
        sock.settimeout(ANSWER_SECONDS)
        began = time.perf_counter()
        try:
            sock.connect((HOST, port))
            sock.sendall(REQUEST)
            answer = sock.recv(65_536)
            took = time.perf_counter() - began
            while more := sock.recv(65_536):
                answer += more
        except OSError as error:
            raise MeasurementFailed(f"no answer on port {port}: {error}") from error
    _check(port, answer)
    return took * 1e3


def answered(ports: Sequence[int], seconds: float) -> list[float]:
    """Asks each port until it answers, many at once; returns when each did, on the monotonic clock, in that order.

    The first port is asked alone until it answers: whoever asks them all the while keeps the host from starting. A
    refused connection is tried again, a wrong answer is not. Raises MeasurementFailed; so it does after `seconds`.
    """

    async def all_of_them() -> list[float]:
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.timeout(seconds):
                first = await _answered(ports[0], gate)
                return sorted([first, *await asyncio.gather(*(_answered(port, gate) for port in ports[1:]))])
        except TimeoutError:
            raise MeasurementFailed(f"not all of {len(ports)} tasks answered within {seconds:.0f} s") from None

    return asyncio.run(all_of_them())


async def _answered(port: int, gate: asyncio.Semaphore) -> float:
    async with gate:
        while True:
            try:
                answer = await _ask(port)
            except ConnectionRefusedError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except ConnectionError as error:
                raise MeasurementFailed(f"no answer on port {port}: {error}") from error
            _check(port, answer)
            return time.monotonic()


async def _ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(REQUEST)
        return await reader.read()
    finally:
        writer.close()


def _check(port: int, answer: bytes) -> None:
    start, end = EXPECTED
    if not answer.startswith(start) or not answer.endswith(end):
        raise MeasurementFailed(f"a wrong answer on port {port}: {answer[:200]!r}")
