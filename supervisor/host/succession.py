"""One host after the other: what a process offers its successor, and what that makes of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from supervisor.control.server import ControlServer
from supervisor.errors import Refused
from supervisor.handover.environment import BINARY
from supervisor.handover.handed import Handed
from supervisor.handover.offer import Offer, Offered
from supervisor.handover.predecessor import Predecessor
from supervisor.host.core import Core
from supervisor.host.renewal import Renewals
from supervisor.host.tasks import Before, Tasks
from supervisor.pool.blocked import SavedBlock
from supervisor.pool.states import TaskState
from supervisor.spec.events import EventKind
from supervisor.spec.views import HandoverView
from supervisor.state.store import Store
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import host_log
from supervisor.telemetry.tails import Tails

LOCK = "lock"
# Between what names a task and what names its address; neither has one.
BETWEEN = "\n"


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a successor was offered, sorted by who takes it."""

    before: Before = field(default_factory=Before)  # the tasks
    blocks: tuple[SavedBlock, ...] = ()
    next_event: int = 1
    control: Mapping[str, int] = field(default_factory=dict)  # descriptors, by name
    lock: int | None = None
    renewals: Mapping[str, Any] = field(default_factory=dict)  # as Renewals.saved() has them

    @classmethod
    def of(cls, offered: Offered) -> Inheritance:
        """Sorts an offer."""
        sockets: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for key, sock in offered.sockets:
            task, _, address = key.partition(BETWEEN)
            sockets[task][address].append(sock)
        files = dict(offered.files)
        manifest = offered.manifest
        return cls(
            before=Before(
                awake=frozenset(manifest.get("awake", ())),
                finished=frozenset(manifest.get("finished", ())),
                sockets=sockets,
                is_other_process=True,
            ),
            blocks=tuple(SavedBlock(**block) for block in manifest.get("blocks", ())),
            next_event=int(manifest.get("nextEvent", 1)),
            control={name: handle for name, handle in files.items() if name != LOCK},
            lock=files.get(LOCK),
            renewals=manifest.get("renewals", {}),
        )


class Succession:
    """Hands this process's work over to a fresh one. Loop thread."""

    def __init__(
        self,
        core: Core,
        tasks: Tasks,
        store: Store,
        journal: Journal,
        tails: Tails,
        control: ControlServer,
        *,
        ready_s: float,
        tell: Callable[[bytes], object],
    ) -> None:
        """`tell` gets the lines that a successor logs before it is the host."""
        self._core = core
        self._tasks = tasks
        self._store = store
        self._journal = journal
        self._tails = tails
        self._control = control
        self._ready_s = ready_s
        self._predecessor = Predecessor(tell=tell, starting=core.processor.on_all_cores)
        self._handing: asyncio.Task[Handed] | None = None
        self._is_called_off = False
        self.over = asyncio.Event()  # a successor is the host

    @property
    def handed(self) -> Handed | None:
        """The successor, once it is the host."""
        return self._predecessor.handed

    @property
    def under_way(self) -> bool:
        """Whether a successor is being started now."""
        return self._tasks.is_frozen

    async def run(self, binary: str | None, reason: str, renewals: Renewals) -> HandoverView:
        """`renewals`: what the successor is to know of them.

        Returns when a successor is the host. HandoverFailed: this process goes on; Refused: one is under way, or the
        host stops."""
        self._check_open()
        if self.under_way or self.over.is_set():
            raise Refused("the host is being handed over already", "ask again when the new process answers")
        began = time.monotonic()
        host_log().info("handing over to a fresh process", reason=reason)
        self._tell("begun", f"hand-over: {reason}", reason=reason)
        try:
            async with self._tasks.frozen("the host is being handed over to a fresh process"):
                self._check_open()
                sockets = self._core.listeners.sockets()
                offer = Offer(
                    manifest=self._manifest(renewals),
                    sockets=tuple((f"{each.task_id}{BETWEEN}{each.asked}", each.sock) for each in sockets),
                    files=((LOCK, self._store.lock_fd), *self._control.handles().items()),
                )
                handed = await self._hand(binary, offer)
                self._tasks.give_up("another process is the host now")
                self.over.set()
        except BaseException as error:
            host_log().error("the hand-over failed; this process goes on", problem=str(error), reason=reason)
            self._tell("failed", f"the hand-over failed: {error}", reason=reason)
            raise
        took = time.monotonic() - began
        self._tell("done", f"process {handed.pid} is the host now", reason=reason, pid=handed.pid)
        host_log().info("handed over", successor=handed.pid, took_s=round(took, 3), reason=reason)
        return HandoverView(pid=handed.pid, tasks=len(self._tasks.known), sockets=len(sockets), took_s=took)

    async def call_off(self) -> None:
        """Ends a hand-over that is under way, unless the successor is the host in that moment: see `handed`.

        None begins any more: a process that ends would leave its successor without the sockets that it closes.
        """
        self._is_called_off = True
        if self._handing is not None:
            self._handing.cancel()
            await asyncio.wait((self._handing,))

    def _check_open(self) -> None:
        if self._is_called_off:
            raise Refused("the host stops", "start it again")

    async def _hand(self, binary: str | None, offer: Offer) -> Handed:
        """Goes on when whoever asked does not wait any more."""
        self._handing = asyncio.create_task(
            self._predecessor.run(command(binary), offer, self._ready_s, last_words=self._very_last_words)
        )
        try:
            return await asyncio.shield(self._handing)
        except asyncio.CancelledError:
            if self._handing.cancelled():
                raise Refused("the host stops, the hand-over was called off") from None
            raise

    def _manifest(self, renewals: Renewals) -> dict[str, Any]:
        slots = self._core.pool.slots.items()
        awake = [label for label, slot in slots if slot.state in (TaskState.RUNNING, TaskState.PENDING)]
        finished = [label for label, slot in slots if slot.state is TaskState.IDLE and not slot.spec.listen]
        now = asyncio.get_running_loop().time()
        return {"awake": awake, "finished": finished, "renewals": renewals.saved(now), **self._last_words()}

    def _last_words(self) -> dict[str, Any]:
        now = asyncio.get_running_loop().time()
        blocks = [
            SavedBlock(block.sources, block.task_id, block.reason, now - block.since, block.left_s(now))
            for block in self._core.pool.blocks()
        ]
        return {"blocks": [asdict(block) for block in blocks], "nextEvent": self._journal.next_number + 1}

    def _very_last_words(self) -> dict[str, Any]:
        return {**self._last_words(), "tails": self._tails.saved()}

    def _tell(self, phase: str, message: str, **details: Any) -> None:
        self._journal.record(EventKind.HANDOVER, message, phase=phase, **details)


def command(binary: str | None, environ: Mapping[str, str] | None = None) -> Sequence[str]:
    """How a successor is started: as this process was, by another program if one is named.

    A process that came out of the one file is started by that file again, which may be a newer one by now."""
    binary = binary or (os.environ if environ is None else environ).get(BINARY)
    if binary is not None:
        return [binary, *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]
