"""An engine whose records are looked at before they are delivered: whole, of a known kind, and in order."""

from __future__ import annotations

from supervisor.engine.engine import Engine
from supervisor.engine.library import ffi, lib
from supervisor.engine.records import records

# What the contents of a file outside a program's folder begin with, and /etc/passwd does.
SECRET = b"root:x:0"
_HEAD, _BODY, _END = lib.ISOLATED_RESPONSE_HEAD, lib.ISOLATED_RESPONSE_BODY, lib.ISOLATED_RESPONSE_END
_WHOLE, _FAILED, _EXIT = lib.ISOLATED_RESPONSE, lib.ISOLATED_RESPONSE_FAILED, lib.ISOLATED_EXIT
_LAST_KIND = _EXIT
_LAST = {_WHOLE, _END, _FAILED}


class CheckedEngine(Engine):
    """Notes what is wrong in `wrong`. `twice`: exchanges whose number was given away twice, on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.twice: set[int] = set()
        self._phases: dict[int, dict[int, int]] = {}  # by isolate, by exchange: the kind that came last

    def take_wrong(self) -> list[str]:
        """Returns what was wrong since the last time."""
        wrong, self.wrong = self.wrong, []
        return wrong

    def faults(self) -> int:
        """Threads lost by a wrong access to memory."""
        out = ffi.new("struct isolated_counts *")
        lib.isolated_get_counts(out)
        return int(getattr(out, "faults", 0))

    def _deliver(self, run: bytes) -> None:
        self._look_over(run)
        super()._deliver(run)

    def _look_over(self, run: bytes) -> None:
        try:
            for record in records(run):
                self._look(record.kind, record.isolate, record.exchange, record.payload)
        except ValueError as error:
            self.wrong.append(f"records: {error}")

    def _look(self, kind: int, isolate: int, exchange: int, payload: bytes) -> None:
        if not 1 <= kind <= _LAST_KIND:
            self.wrong.append(f"a record of kind {kind}")
        if SECRET in payload:
            self.wrong.append(f"a file from outside was read: {payload[:200]!r}")
        if isolate not in self._isolates:
            self.wrong.append(f"a record of kind {kind} of an isolate that is over")
        if kind == _EXIT:
            self._phases.pop(isolate, None)
        elif _WHOLE <= kind <= _FAILED and exchange not in self.twice:
            self._step(kind, self._phases.setdefault(isolate, {}), exchange)

    def _step(self, kind: int, phases: dict[int, int], exchange: int) -> None:
        before = phases.get(exchange)
        begins = kind in {_WHOLE, _HEAD}
        goes_on = before in {_HEAD, _BODY} and kind in {_BODY, _END, _FAILED}
        if not (before is None and (begins or kind == _FAILED)) and not goes_on:
            self.wrong.append(f"a record of kind {kind} after {before} in one exchange")
        phases[exchange] = kind
