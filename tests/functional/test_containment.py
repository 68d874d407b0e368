"""A program that breaks a limit is ended; its clients hear why, and nobody else notices."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from tests.functional.running import Running, handler, write_task

GROW = "const a = []; for (;;) a.push('hello');"
# CPU time is no limit here: on a busy machine filling a heap takes more than the default's 50 ms.
HEAP = {"mem": {"heap": "10MiB"}, "cpu": {"request": None, "wall": "20s"}}
FINE = handler("return new Response('fine');")


class Neighbour:
    """Asks another task again and again, and keeps how long each answer took."""

    def __init__(self, running: Running) -> None:
        self.seconds: list[float] = []
        self.wrong: list[str] = []
        self._running = running
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._running.port("fine")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self.wrong, self.wrong[:3]
        assert self.seconds

    def _ask(self) -> None:
        while not self._over.is_set():
            begun = time.perf_counter()
            try:
                answer = self._running.get(task="fine")
            except OSError as error:
                self.wrong.append(repr(error))
                continue
            self.seconds.append(time.perf_counter() - begun)
            if answer.text != "fine":
                self.wrong.append(answer.text)
            self._over.wait(0.002)


def test_a_heap_limit_fails_what_is_in_flight_and_the_next_request_gets_a_fresh_isolate(tmp_path: Path) -> None:
    source = handler(
        "const path = new URL(request.url).pathname;"
        f"if (path === '/grow') {{ {GROW} }}"
        "if (path === '/wait') { console.log('waits'); return new Promise(() => {}); }"
        "return new Response(String(globalThis.n = (globalThis.n ?? 0) + 1));"
    )
    with Running(write_task(tmp_path, source, limits=HEAP)) as running, ThreadPoolExecutor() as pool:
        assert [running.get().text, running.get().text] == ["1", "2"]
        waiting = pool.submit(running.get, "/wait")
        running.log.wait_event("waits")
        growing = pool.submit(running.get, "/grow")
        for answer in (growing.result(), waiting.result()):
            assert answer.status == 503
            assert answer.problem["reason"] == "heap-limit"
        line = running.log.wait_event("heap-limit", task="task", reason="heap-limit")
        assert line["limit"] == 10 * 2**20
        assert line["measured"] > 0
        assert line["level"] == "error"
        assert running.get().text == "1"


def test_a_task_that_keeps_failing_is_told_to_clients_with_when_to_come_again(tmp_path: Path) -> None:
    with Running(write_task(tmp_path, handler(GROW), limits=HEAP)) as running:
        reasons: list[str] = []
        while "backoff" not in reasons:
            answer = running.get()
            assert answer.status == 503
            reasons.append(answer.problem["reason"])
        assert int(answer.headers["retry-after"]) >= 1
        assert set(reasons) == {"heap-limit", "backoff"}


def test_a_spinning_handler_is_ended_and_does_not_hurt_another_task(tmp_path: Path) -> None:
    spin = handler("if (request.url.endsWith('/spin')) for (;;); return new Response('ok');")
    files = [
        write_task(tmp_path, spin, name="spin", main="spin.mjs", limits={"cpu": {"request": None, "wall": "2s"}}),
        write_task(tmp_path, FINE, name="fine", main="fine.mjs"),
    ]
    with Running(*files) as running, Neighbour(running) as neighbour:
        assert running.get(task="spin").text == "ok"
        answer = running.get("/spin", task="spin")
        assert answer.status == 503
        assert answer.problem["reason"] == "wall-limit"
        line = running.log.wait_event("wall-limit", task="spin", reason="wall-limit")
        assert line["limit"] == 2000
        assert running.get(task="spin").text == "ok"
    assert sorted(neighbour.seconds)[len(neighbour.seconds) // 2] < 0.5, "much less than the other spins"


def test_a_spinning_handler_ends_when_its_cpu_time_is_used_up(tmp_path: Path) -> None:
    spin = handler("if (request.url.endsWith('/spin')) for (;;); return new Response('ok');")
    with Running(write_task(tmp_path, spin)) as running:
        assert running.get().text == "ok"
        answer = running.get("/spin")
        assert answer.status == 503
        assert answer.problem["reason"] == "cpu-limit"
        assert answer.problem["measured"] >= answer.problem["limit"]
        line = running.log.wait_event("cpu-limit", task="task", reason="cpu-limit")
        assert "main.mjs" in line["stack"]
        assert running.get().text == "ok"


def test_a_spinning_boot_is_ended_and_told(tmp_path: Path) -> None:
    file = write_task(tmp_path, "for (;;);", limits={"cpu": {"startup": "300ms"}})
    with Running(file) as running:
        assert running.wait() == 1
        assert "startup-limit" in running.log.text
        assert "limit 300 ms" in running.log.text


def test_a_flood_of_console_lines_hurts_nobody(tmp_path: Path) -> None:
    flood = handler("for (let i = 0; i < 1e5; i++) console.log('x'.repeat(500)); return new Response('done');")
    files = [
        write_task(tmp_path, flood, name="flood", main="flood.mjs", limits={"cpu": {"request": None}}),
        write_task(tmp_path, FINE, name="fine", main="fine.mjs"),
    ]
    with Running(*files) as running, Neighbour(running):
        before_mib = running.rss_mib()
        for _ in range(3):
            assert running.get(task="flood").text == "done"
        assert running.rss_mib() - before_mib < 60


def test_many_tasks_outgrow_their_heaps_at_once(tmp_path: Path) -> None:
    names = [f"grow{n}" for n in range(5)]
    files = [write_task(tmp_path, handler(GROW), name=name, main=f"{name}.mjs", limits=HEAP) for name in names]
    files.append(write_task(tmp_path, FINE, name="fine", main="fine.mjs"))
    with Running(*files) as running, Neighbour(running), ThreadPoolExecutor() as pool:
        for answer in pool.map(lambda name: running.get(task=name), names):
            assert answer.problem["reason"] == "heap-limit"


def test_a_program_that_cannot_be_stopped_is_parked_blocked_and_what_that_costs_is_told(tmp_path: Path) -> None:
    deaf = handler(
        "if (request.url.endsWith('/deaf')) Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);"
        "return new Response('ok');"
    )
    files = [
        write_task(tmp_path, deaf, name="deaf", main="deaf.mjs"),
        write_task(tmp_path, FINE, name="fine", main="fine.mjs"),
    ]
    with Running(*files) as running, Neighbour(running):
        assert running.get(task="deaf").text == "ok"
        first = running.get("/deaf", task="deaf")
        assert (first.status, first.problem["reason"]) == (503, "unresponsive")
        second = running.get(task="deaf")
        assert (second.status, second.problem["reason"]) == (503, "blocked")
        blocked = running.log.wait_event("blocked", task="deaf")
        assert blocked["reason"] == "unresponsive"
        assert len(blocked["sources"]) == 64
        lost = running.log.wait_event("a thread is lost")
        assert lost["parked"] == 1
        assert lost["faults"] == 0
        assert 0 < lost["mappings"] < lost["mappings_limit"]
        assert 0 < lost["of_living_isolates_mib"] < lost["rss_mib"]
