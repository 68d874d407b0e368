"""Tenants in one workerd: services with a port each, spoken to by HTTP."""

from __future__ import annotations

import http.client
import queue
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.benchmarks import probe, program
from tools.benchmarks.children import Child, Launch, free_port, started
from tools.benchmarks.house import Event, House
from tools.benchmarks.peers import workerd_config as config
from tools.benchmarks.subject import HOST

NAMES = ("hostile", "neighbour", "fresh")
PATIENCE_SECONDS = 60.0  # longer than a script is watched: who gives up first is the benchmark
WORDS = {"go": ("hostile", "/go"), "ask": ("neighbour", "/"), "fresh": ("fresh", "/")}
EVENTS = {"ask": "answer", "fresh": "fresh"}


@contextmanager
def house(binary: Path, folder: Path, script: Path, limit_mib: int) -> Iterator[House]:
    """Holds the tenants for the length of the block, from when they answer. Raises MeasurementFailed."""
    ports = {name: free_port() for name in NAMES}
    tenant = (program.FOLDER / "workerd_tenant.mjs").read_text(encoding="utf-8")
    source = f"{tenant}\nfunction run() {{\n{script.read_text(encoding='utf-8')}\n}}\n"
    (folder / "tenant.mjs").write_text(source, encoding="utf-8")
    shutil.copy(program.FOLDER / "workerd_loader.mjs", folder)
    flags = [f"--max-old-space-size={limit_mib}"]
    text = config.tenants(ports, "tenant.mjs", "workerd_loader.mjs", flags)
    (folder / "config.capnp").write_text(text, encoding="utf-8")
    with started(Launch((str(binary), "serve", "config.capnp", "--experimental"), folder)) as child:
        for name in ("hostile", "neighbour"):
            probe.wait_until_ready(child, ports[name])
        yield Asked(child, ports)


class Asked:
    """Implements House. Each question is a thread, which ends with its answer or with the process."""

    def __init__(self, child: Child, ports: Mapping[str, int]) -> None:
        self.child = child
        self._ports = ports
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def tell(self, word: str) -> None:
        threading.Thread(target=self._ask, args=(word,), daemon=True).start()

    def next(self, seconds: float) -> Event | None:
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def _ask(self, word: str) -> None:
        name, path = WORDS[word]
        connection = http.client.HTTPConnection(HOST, self._ports[name], timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except OSError, http.client.HTTPException:
            return  # the process is over, or about to be: whoever watches it sees that
        finally:
            connection.close()
        if (event := event_of(word, response.status, body)) is not None:
            self._events.put(event)


def event_of(word: str, status: int, body: bytes) -> Event | None:
    """What an answer means; None for a wrong one, which is no answer."""
    now = time.monotonic()
    if word == "go":
        return Event("over", now, "returned") if status == 200 else Event("over", now, "exception", f"status {status}")
    return Event(EVENTS[word], now) if (status, body) == (200, probe.HELLO) else None
