"""One isolate as the loop's thread sees it: an id, the exchanges it has to answer, and calls that post messages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from supervisor.engine.exchange import Answered
from supervisor.engine.library import ffi, lib
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec

_OK: int = lib.ISOLATED_OK
_request = lib.isolated_request


class End(IntEnum):
    """Why an isolate is asked to end; its Exit names it. DRAINED and IDLE let it finish what it has."""

    DRAINED = lib.ISOLATED_END_DRAINED
    IDLE = lib.ISOLATED_END_IDLE
    KILLED = lib.ISOLATED_END_KILLED
    WALL_LIMIT = lib.ISOLATED_END_WALL_LIMIT
    STARTUP_LIMIT = lib.ISOLATED_END_STARTUP_LIMIT


class IsolateListener(Protocol):
    """Who is told what becomes of an isolate. Called on the loop's thread."""

    def on_warm(self, microseconds: int) -> None:
        """It can take a boot; it took so long to be made."""

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        """Boot is done, in so much time; without a handler it cannot answer requests."""

    def on_log(self, level: int, text: bytes) -> None:
        """The program wrote a console line: 0 debug, 1 info, 2 warning, 3 error; UTF-8."""

    def on_failed(self, number: int, exchange: Answered, message: bytes) -> None:
        """The program could not answer an exchange (any more); `message` is for the log."""

    def on_exit(self, end: Exit) -> None:
        """It is over; nothing comes after this. Exchanges that it left are still in `Isolate.exchanges`."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of an isolate: bytes, seconds, counts. Heap figures are at most 50 ms old while it works."""

    heap_used: int
    heap_total: int
    external_used: int
    cpu_s: float
    cpu_left_s: float | None  # CPU time left in the account; None = unlimited
    busy_since_s: float | None  # time.monotonic() when the present entry into JavaScript began
    exchanges: int
    timers: int
    thread_id: int


class Isolate:
    """Calls that reach one isolate. Every call on an isolate that is over does nothing; only request() says so."""

    __slots__ = ("exchanges", "id", "listener", "streaming")

    def __init__(self, number: int, listener: IsolateListener) -> None:
        self.id = number
        self.listener = listener
        self.exchanges: dict[int, Answered] = {}  # by number, in the order they came
        self.streaming: set[int] = set()  # those of them whose response has begun

    def boot(self, spec: TaskSpec, *, blocked: Iterable[str] = ()) -> None:
        """Boots a task; on_ready or on_exit follows. Sources with one of the hashes `blocked` are not run."""
        parameters = {
            "taskId": spec.task_id,
            "env": dict(spec.env),
            "args": list(spec.args),
            "pwd": spec.pwd,
            "mainPath": spec.main_path,
        }
        hashes = "".join(f"{sources}\n" for sources in blocked)
        words = (spec.pwd, spec.main_path, json.dumps(parameters), hashes)
        texts = [ffi.new("char[]", text.encode()) for text in words]
        no_eval = 0 if spec.allow.eval else lib.ISOLATED_BOOT_NO_EVAL
        no_wasm = 0 if spec.allow.wasm else lib.ISOLATED_BOOT_NO_WASM
        options = ffi.new(
            "struct isolated_boot_options *",
            {
                "pwd": texts[0],
                "main_path": texts[1],
                "parameters": texts[2],
                "heap_limit": spec.limits.mem.heap or 0,
                "external_limit": spec.limits.mem.external or 0,
                "cpu_startup_ms": spec.limits.cpu.startup_ms or 0,
                "cpu_request_ms": spec.limits.cpu.request_ms or 0,
                "flags": no_eval | no_wasm,
                "blocked": texts[3],
            },
        )
        lib.isolated_boot(self.id, options)

    def request(
        self, number: int, exchange: Answered, flags: int, method: bytes, target: bytes, headers: bytes, body: bytes
    ) -> bool:
        """Hands a request over; `number` is unique in the process. False if the isolate is over."""
        if _request(
            self.id, number, flags, method, len(method), target, len(target), headers, len(headers), body, len(body)
        ):
            return False
        self.exchanges[number] = exchange
        return True

    def body(self, number: int, data: bytes) -> None:
        """More of a streamed request body."""
        lib.isolated_body(self.id, number, lib.ISOLATED_BODY_CHUNK, data, len(data))

    def body_end(self, number: int) -> None:
        """The request body is complete."""
        lib.isolated_body(self.id, number, lib.ISOLATED_BODY_END, b"", 0)

    def body_failed(self, number: int) -> None:
        """The request body will never be complete."""
        lib.isolated_body(self.id, number, lib.ISOLATED_BODY_FAILED, b"", 0)

    def abort(self, number: int) -> None:
        """Nobody waits for this answer any more; the exchange is forgotten."""
        if number in self.exchanges:
            self.forget(number)
            lib.isolated_abort(self.id, number)

    def credit(self, number: int, size: int) -> None:
        """The client took `size` bytes of a streamed response."""
        if number in self.exchanges:
            lib.isolated_credit(self.id, number, size)

    def forget(self, number: int) -> None:
        """The exchange is over."""
        self.exchanges.pop(number, None)
        self.streaming.discard(number)

    def end(self, reason: End) -> None:
        """Asks it to end; on_exit follows."""
        lib.isolated_end(self.id, reason)

    def statistics(self) -> Statistics | None:
        """Returns its figures; None if it is over."""
        out = ffi.new("struct isolated_statistics *")
        if lib.isolated_get_statistics(self.id, out) != _OK:
            return None
        return Statistics(
            heap_used=out.heap_used,
            heap_total=out.heap_total,
            external_used=out.external_used,
            cpu_s=out.cpu_ns / 1e9,
            cpu_left_s=out.cpu_left_ns / 1e9 if out.cpu_left_ns >= 0 else None,
            busy_since_s=out.busy_since_ns / 1e9 if out.busy_since_ns else None,
            exchanges=out.exchanges,
            timers=out.timers,
            thread_id=out.thread_id,
        )
