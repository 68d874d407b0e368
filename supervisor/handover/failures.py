"""Why a hand-over failed, in words for the operator."""

from __future__ import annotations

import signal

from supervisor.errors import HandoverFailed
from supervisor.handover.offering import GaveUp
from supervisor.handover.protocol import Phase
from supervisor.printable import printable

REMEDY = "this process goes on as before; mend the cause and upgrade again"

_DOING = {
    Phase.STARTING: "it had not said hello",
    Phase.GREETED: "it was being told of the tasks",
    Phase.OFFERED: "it was taking the sockets",
    Phase.SENDING: "it was taking the sockets",
    Phase.BOOTING: "it was booting the tasks",
    Phase.READY: "it was ready",
    Phase.COMMITTING: "it was to take over",
    Phase.COMMITTED: "it was taking over",
    Phase.FAILED: "it had given up",
}


def failure(error: Exception, phase: Phase, ready_s: float, code: int | None, lines: list[str]) -> HandoverFailed:
    """`error` is what ended the conversation in `phase`; `code` and `lines` are the dead successor's."""
    match error:
        case GaveUp():
            why = f"the successor gave up: {printable(str(error))}"
        case TimeoutError() if phase is Phase.COMMITTING:
            why = "the successor was ready, and did not take over when told to"
        case TimeoutError():
            why = f"the successor was not ready within {ready_s:g} s: {_DOING[phase]}"
        case _ if str(error):  # a ProtocolError
            why = f"the successor does not fit: {printable(str(error))}"
        case _:
            why = f"the successor {_ended(code)} while {_DOING[phase]}"
    if lines:
        why += "; its last lines:\n" + "\n".join(f"  {line}" for line in lines)
    return HandoverFailed(why, REMEDY)


def _ended(code: int | None) -> str:
    if code is None:
        return "went away"
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
