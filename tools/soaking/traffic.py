"""Clients of the tasks that behave: every answer is checked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tools.soaking.programs import Program
from tools.soaking.wire import Client, WrongAnswer

REST_S = 0.02  # between two requests of a client: the load is light, so that a soak leaves room for the host
LISTED = 50  # failures that are kept in words


class Counts:
    """requests: of tasks that behave, answered rightly. failures: the rest."""

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.hostile = 0
        self.short_lived = 0
        self.unanswered: dict[str, int] = {}  # hostile scripts, and how many requests to each got no answer in time
        self.told: list[str] = []

    def failed(self, text: str) -> None:
        """One more failure."""
        self.failures += 1
        if len(self.told) < LISTED:
            self.told.append(text)

    @contextmanager
    def checking(self, what: str) -> Iterator[None]:
        """A WrongAnswer within it is a failure."""
        try:
            yield
        except WrongAnswer as error:
            self.failed(f"{what}: {error}")


async def ask_all_the_while(program: Program, port: int, counts: Counts, *, close: bool) -> None:
    """Asks until cancelled: on one connection as long as it lasts, or on one for each request."""
    client = Client(port)
    try:
        while True:
            with counts.checking(f"{program.name}, {'close' if close else 'keep-alive'}"):
                await ask_once(client, program, counts, close=close)
            await asyncio.sleep(program.rest_s or REST_S)
    finally:
        client.close()


async def ask_once(client: Client, program: Program, counts: Counts, *, close: bool) -> None:
    """Raises WrongAnswer."""
    status, body = await client.ask(program.body, close=close)
    if status != 200 or body != program.answer:
        raise WrongAnswer(f"{status}: {body[:300]!r}")
    counts.requests += 1
