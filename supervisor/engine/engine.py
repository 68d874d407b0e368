"""V8 in this process: started once, makes isolates, and brings their records to whom they concern."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from supervisor.engine.isolate import Isolate, IsolateListener
from supervisor.engine.library import ffi, lib, native_error
from supervisor.engine.records import ALIGNMENT, HEADER
from supervisor.errors import EngineError
from supervisor.spec.exits import exit_of

RUNTIME_JS = Path(__file__).with_name("runtime.js")

_WARM: int = lib.ISOLATED_WARM
_READY: int = lib.ISOLATED_READY
_RESPONSE: int = lib.ISOLATED_RESPONSE
_RESPONSE_HEAD: int = lib.ISOLATED_RESPONSE_HEAD
_RESPONSE_BODY: int = lib.ISOLATED_RESPONSE_BODY
_RESPONSE_END: int = lib.ISOLATED_RESPONSE_END
_RESPONSE_FAILED: int = lib.ISOLATED_RESPONSE_FAILED
_BODY_CREDIT: int = lib.ISOLATED_BODY_CREDIT
_BODY_CANCEL: int = lib.ISOLATED_BODY_CANCEL
_LOG: int = lib.ISOLATED_LOG
_EXIT: int = lib.ISOLATED_EXIT
_CLOSE: int = lib.ISOLATED_RECORD_CLOSE


@dataclass(frozen=True, slots=True)
class Counts:
    """What is alive in the library."""

    isolates: int
    threads: int
    parked: int  # threads that stay for ever
    faults: int  # of those, by a wrong access to memory
    created: int
    records: int


class Engine:
    """Entered once per process, on the loop's thread, which all calls stay on. V8 cannot start a second time."""

    def __init__(
        self, *, v8_flags: str = "", platform_threads: int = 0, seccomp: bool = True, runtime_js: Path = RUNTIME_JS
    ) -> None:
        """`seccomp`: whether isolate threads are confined to the system calls they need; without it for debugging."""
        self._flags: int = 0 if seccomp else lib.ISOLATED_ENGINE_NO_SECCOMP
        self._v8_flags = v8_flags
        self._platform_threads = platform_threads
        self._runtime_js = runtime_js
        self._isolates: dict[int, Isolate] = {}
        self._run = ffi.new("const uint8_t **")
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        """Starts V8 and makes its startup snapshot: about 30 ms, in which the loop stands still."""
        self._start()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(lib.isolated_doorbell(), self.drain)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all isolates at once and stops V8; waits for their threads, at most 5 s."""
        assert self._loop is not None
        self._loop.remove_reader(lib.isolated_doorbell())
        lib.isolated_stop()

    def _start(self) -> None:
        try:
            source = self._runtime_js.read_bytes()
        except OSError as error:
            raise EngineError(f"cannot read the runtime: {error}", "run tools/bootstrap") from error
        js, flags = ffi.from_buffer(source), ffi.new("char[]", self._v8_flags.encode())
        options = ffi.new(
            "struct isolated_engine_options *",
            {
                "runtime_js": ffi.cast("const char *", js),
                "runtime_js_length": len(source),
                "v8_flags": flags,
                "platform_threads": self._platform_threads,
                "flags": self._flags,
            },
        )
        if lib.isolated_start(options) != lib.ISOLATED_OK:
            raise native_error("cannot start V8")

    @property
    def starter_thread(self) -> int:
        """Linux tid of the thread that starts those of isolates: they are born in its cgroup and on its cores."""
        return int(lib.isolated_starter_thread())

    def create(self, listener: IsolateListener) -> Isolate:
        """Makes an isolate on a thread of its own; its listener hears on_warm next, or on_exit without a thread."""
        number = lib.isolated_create()
        if number == 0:
            raise native_error("cannot make an isolate")
        isolate = self._isolates[number] = Isolate(number, listener)
        return isolate

    @property
    def alive(self) -> int:
        """Isolates whose end was not heard of yet."""
        return len(self._isolates)

    def counts(self) -> Counts:
        """Returns what is alive in the library."""
        out = ffi.new("struct isolated_counts *")
        lib.isolated_get_counts(out)
        return Counts(out.isolates, out.threads, out.parked, out.faults, out.created, out.records)

    def accounted(self) -> int:
        """Bytes that living isolates hold, inside and outside of their heaps: some microseconds for each of them."""
        figures = (isolate.statistics() for isolate in self._isolates.values())
        return sum(each.heap_total + each.external_used for each in figures if each is not None)

    def drain(self) -> None:
        """Brings all waiting records to whom they concern."""
        while size := lib.isolated_drain(self._run):
            self._deliver(ffi.unpack(ffi.cast("char *", self._run[0]), size))

    def _deliver(self, run: bytes) -> None:
        # The hot path of every response: records() of records.py in place, and the commonest kind first.
        isolates, unpack, header = self._isolates, HEADER.unpack_from, HEADER.size
        at, size = 0, len(run)
        while at < size:
            length, kind, flags, number, isolate_id, aux = unpack(run, at)
            begin = at + header
            end = begin + length
            at = (end + ALIGNMENT - 1) & -ALIGNMENT
            isolate = isolates.get(isolate_id)
            if isolate is None:
                continue
            if kind == _RESPONSE:
                exchange = isolate.exchanges.pop(number, None)
                if exchange is not None:
                    exchange.response(run[begin:end], bool(flags & _CLOSE))
            else:
                self._deliver_other(isolate, kind, flags, number, aux, run[begin:end])

    def _deliver_other(self, isolate: Isolate, kind: int, flags: int, number: int, aux: int, payload: bytes) -> None:
        if _RESPONSE_HEAD <= kind <= _BODY_CANCEL:
            self._deliver_to_exchange(isolate, kind, flags, number, aux, payload)
        elif kind == _LOG:
            isolate.listener.on_log(aux, payload)
        elif kind == _WARM:
            isolate.listener.on_warm(aux)
        elif kind == _READY:
            isolate.listener.on_ready(number, has_handler=bool(aux))
        elif kind == _EXIT:
            del self._isolates[isolate.id]
            isolate.listener.on_exit(exit_of(payload.decode(errors="replace")))  # source lines may be no UTF-8

    def _deliver_to_exchange(
        self, isolate: Isolate, kind: int, flags: int, number: int, aux: int, payload: bytes
    ) -> None:
        exchange = isolate.exchanges.get(number)
        if exchange is None:
            return
        if kind == _RESPONSE_BODY:
            exchange.response_body(payload, aux)
        elif kind == _BODY_CREDIT:
            exchange.body_credit(aux)
        elif kind == _BODY_CANCEL:
            exchange.body_cancel()
        elif kind == _RESPONSE_HEAD:
            isolate.streaming.add(number)
            exchange.response_head(payload, bool(flags & _CLOSE))
        elif kind == _RESPONSE_END:
            isolate.forget(number)
            exchange.response_end(payload)
        elif kind == _RESPONSE_FAILED:
            isolate.forget(number)
            isolate.listener.on_failed(number, exchange, payload)
