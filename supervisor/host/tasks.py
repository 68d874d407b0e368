"""What an operator wants run on this host: applied, kept in the store, and brought back after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from supervisor.errors import IsolatedError, Problem, Refused, SettingsError, Unknown
from supervisor.host.core import Core
from supervisor.ingress.listeners import Given
from supervisor.pool.slot import Slot
from supervisor.pool.states import TaskState
from supervisor.printable import shown
from supervisor.spec.cores import Cores
from supervisor.spec.difference import changed_fields
from supervisor.spec.enforcement import unenforced
from supervisor.spec.events import EventKind
from supervisor.spec.files import task_of
from supervisor.spec.task import CORE_MAX, TaskSpec
from supervisor.spec.views import AppliedView, Change
from supervisor.state.bundles import Bundles
from supervisor.state.records import StoredTask
from supervisor.state.store import Store
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import host_log, task_log

# Boots at once while tasks come back: more do not get done sooner on few cores, and requests come in between.
BOOTS_AT_ONCE = 4
# An address that is taken when a task comes back is tried again so often: the other program may go.
LISTEN_AGAIN_S = 5.0
# Unused bundles are looked for so often; each stays for ten minutes at least.
SWEEP_EVERY_S = 600.0
ANY_CORES = Cores(online=frozenset(range(CORE_MAX + 1)), allowed=frozenset(range(CORE_MAX + 1)))
# What changes on open connections: a running isolate is not replaced for it.
LIVE = frozenset({"limits.net.egress", "limits.net.ingress", "limits.net.connections"})


@dataclass(slots=True, eq=False)
class Known:
    """A task of this host. `spec` None: its settings do not hold here any more, `problem` says why."""

    stored: StoredTask
    spec: TaskSpec | None = None
    problem: str | None = None
    listen: tuple[str, ...] = ()  # as bound
    again: asyncio.Task[None] | None = field(default=None, repr=False)  # brings it back later
    held: bool = False  # whether resume() is to bring it back


@dataclass(slots=True, eq=False)
class Turns:
    """Who changes a task, and how many that are with those who wait."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """How the tasks were in the process before this one."""

    awake: Collection[str] = ()  # tasks that had an isolate, or were about to have one
    finished: Collection[str] = ()  # tasks that no request wakes, whose program ended in good order
    sockets: Mapping[str, Given] = field(default_factory=dict)  # by task
    is_other_process: bool = False  # it still runs them; False: it is gone

    def sleeps(self, label: str) -> bool | None:
        """Whether the task sleeps; None: it does if it may."""
        return True if label in self.finished else False if label in self.awake else None


class Tasks:
    """Loop thread. Changes of one task come one after another; none comes while frozen()."""

    def __init__(
        self,
        core: Core,
        store: Store,
        bundles: Bundles,
        journal: Journal,
        drain_s: float,
        *,
        on_unenforced: str = "refuse",
    ) -> None:
        self.known: dict[str, Known] = {}
        self._core = core
        self._store = store
        self._bundles = bundles
        self._journal = journal
        self._drain_s = drain_s
        self._refuses = on_unenforced == "refuse"  # tasks with limits that this host cannot hold
        self._turns: dict[str, Turns] = {}
        self._frozen: str | None = None
        self._given_up: str | None = None
        self._changing = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._background: set[asyncio.Task[None]] = set()
        self._due: list[Slot] = []  # that begin() starts
        self.keeps_bundles: Callable[[], Collection[str]] = tuple  # digests that are needed besides those of tasks

    # -- what is asked ---------------------------------------------------------------------------------------------

    async def apply(self, settings: Mapping[str, Any], bundle: str | None, *, dry_run: bool) -> AppliedView:
        """Makes a task be as `settings` say, or tells what that would do."""
        spec = self._spec(settings, bundle)
        if dry_run:
            return self._plan(spec, bundle)
        async with self._change(spec.label):
            plan = self._plan(spec, bundle)
            if plan.change is Change.UNCHANGED:
                return replace_view(plan, dry_run=False, listen=self.known[spec.label].listen)
            stored = self._stored(spec, dict(settings), bundle)
            if plan.change is Change.CREATED:
                await self._create(spec, stored)
            elif plan.fields and LIVE.issuperset(plan.fields):
                await self._adjust(self.known[spec.label], spec, stored)
            else:
                await self._replace(self.known[spec.label], spec, stored)
            self._journal.record(
                EventKind.APPLIED, f"{plan.change.value}, revision {stored.revision}",
                task=spec.label, change=plan.change.value, revision=stored.revision, fields=list(plan.fields) or None,
            )  # fmt: skip
            return replace_view(plan, dry_run=False, listen=self.known[spec.label].listen, warnings=self._warn(spec))

    async def stop(self, label: str) -> None:
        """Stops a task until it is started. Unknown."""
        async with self._change(label):
            known = self.find(label)
            await self._store.set_wanted(label, False)  # noqa: FBT003  # a column's value
            known.stored = replace(known.stored, wanted=False)
            await self._end(known)

    async def start(self, label: str) -> None:
        """Starts a stopped task. Unknown, SettingsError, BootError, ListenError, Refused."""
        async with self._change(label):
            known = self.find(label)
            if known.stored.wanted and known.spec is not None:
                if not await self._is_there(known, known.spec):
                    await self._core.pool.slots[label].start()
                return
            if known.spec is None:
                known.spec = self._spec(known.stored.settings, known.stored.bundle)
                known.problem = None
                self._core.pool.add(known.spec)
            await self._boot(known, known.spec)
            await self._store.set_wanted(label, True)  # noqa: FBT003  # a column's value
            known.stored = replace(known.stored, wanted=True)

    async def remove(self, label: str) -> None:
        """Stops and forgets a task. Unknown."""
        async with self._change(label):
            known = self.find(label)
            await self._store.remove(label)
            await self._end(known)
            await self._core.network.free(label)
            if label in self._core.pool.slots:
                self._core.pool.remove(label)
            del self.known[label]
            self._core.listeners.forget(label)
            self._journal.record(EventKind.REMOVED, "removed", task=label)

    def find(self, label: str) -> Known:
        """Unknown."""
        known = self.known.get(label)
        if known is None:
            raise Unknown(f"there is no task {shown(label)} on this host", "`isolated ps` lists those that are")
        return known

    def slot(self, label: str) -> Slot | None:
        """Its slot, if its settings hold."""
        return self._core.pool.slots.get(label)

    async def keep_stopped(self, settings: Mapping[str, Any], bundle: str | None) -> None:
        """Makes a task be as `settings` say, and stopped. SettingsError, Unknown (the bundle), Refused."""
        spec = self._spec(settings, bundle)
        if spec.label in self.known:
            await self.stop(spec.label)
        async with self._change(spec.label):
            stored = replace(self._stored(spec, dict(settings), bundle), wanted=False)
            await self._store.put(stored)
            if spec.label in self._core.pool.slots:
                self._core.pool.remove(spec.label)
            self.known[spec.label] = Known(stored, spec)
            await self._core.pool.add(spec).stop(0.0)

    # -- coming back -----------------------------------------------------------------------------------------------

    async def hold(self) -> None:
        """Gets to know all stored tasks and brings none of them back: another host may have them by now."""
        for stored in await self._store.tasks():
            self.known[stored.label] = Known(stored, held=True, problem="it is not known yet whether it is here")

    async def resume(self, label: str) -> None:
        """Brings a task back that was held: asleep, with its ports open. Nothing for any other."""
        async with self._change(label):
            known = self.known.get(label)
            if known is not None and known.held:
                slot = await self._restore(known.stored, {}, sleeps=None)
                if slot is not None:
                    await self._boot_back(slot)

    async def restore(self, before: Before, *, within_s: float) -> None:
        """Brings back all stored tasks: with their ports open, those that were awake and that may not sleep booted.

        No error of one task keeps the others from coming back, and neither does a boot that takes longer than
        `within_s`: it goes on, and requests wait for it. Tasks without an address that a predecessor still runs are
        left for begin().
        """
        gate = asyncio.Semaphore(BOOTS_AT_ONCE)
        stored = await self._store.tasks()
        found = await asyncio.gather(
            *(
                self._restore(each, before.sockets.get(each.label, {}), sleeps=before.sleeps(each.label))
                for each in stored
            )
        )
        slots = [slot for slot in found if slot is not None]
        if before.is_other_process:
            self._due = [slot for slot in slots if not slot.spec.listen]
        boots = {self._later(self._boot_back(slot, gate)): slot for slot in slots if slot not in self._due}
        if boots:
            _, late = await asyncio.wait(boots, timeout=within_s)
            for boot in late:
                task_log(boots[boot].task_id).warning("it boots still; the host does not wait for it", after_s=within_s)

    def begin(self) -> None:
        """No other process runs tasks of this host any more: those that would harm each other start."""
        gate = asyncio.Semaphore(BOOTS_AT_ONCE)
        for slot in self._due:
            self._later(self._boot_back(slot, gate))
        self._due = []

    async def _boot_back(self, slot: Slot, gate: asyncio.Semaphore | None = None) -> None:
        try:
            async with gate or contextlib.nullcontext():
                await slot.start()
        except IsolatedError as error:
            task_log(slot.task_id).error("it did not boot; its next request tries again", problem=str(error))

    async def _restore(self, stored: StoredTask, given: Given, *, sleeps: bool | None) -> Slot | None:
        """Opens its ports; returns its slot if it is to boot. `sleeps` None: it does if it may."""
        known = self.known[stored.label] = Known(stored)
        try:
            known.spec = self._spec(stored.settings, stored.bundle)
        except IsolatedError as error:
            known.problem = str(error)
            task_log(stored.label).error("its settings do not hold here any more", problem=known.problem)
            for sock in (sock for sockets in given.values() for sock in sockets):
                sock.close()  # else clients would wait in line for nobody
            return None
        slot = self._core.pool.add(known.spec)
        if not stored.wanted:
            await slot.stop(0.0)
            return None
        may_sleep = bool(known.spec.listen) and known.spec.idle is not None
        is_asleep = may_sleep if sleeps is None else sleeps
        if is_asleep:
            slot.sleep()
        try:
            await self._open_again(known, slot, given)
        except IsolatedError as error:
            known.problem = str(error)
            task_log(stored.label).error("its address is not free", problem=str(error), again_s=LISTEN_AGAIN_S)
            known.again = self._later(self._listen_again(known, slot))
        return None if is_asleep else slot

    async def _listen_again(self, known: Known, slot: Slot) -> None:
        while True:
            await asyncio.sleep(LISTEN_AGAIN_S)
            try:
                await self._open_again(known, slot, {})
            except IsolatedError:
                continue
            known.problem = known.again = None
            return

    async def _is_there(self, known: Known, spec: TaskSpec) -> bool:
        """Whether a wanted task runs, or requests can wake it. ListenError: another program has its address still."""
        slot = self._core.pool.slots[spec.label]
        if known.again is not None:
            _cancel(known)
            try:
                await self._open_again(known, slot, {})
            except IsolatedError:
                known.again = self._later(self._listen_again(known, slot))
                raise
            known.problem = None
        return bool(spec.listen) or slot.state in (TaskState.PENDING, TaskState.RUNNING, TaskState.BACKOFF)

    def on_state(self, slot: Slot, before: TaskState, after: TaskState) -> None:
        """A task that nobody's request wakes starts again by itself: once its back-off is over, or it is released."""
        alone = not slot.spec.listen or slot.spec.idle is None
        waits = after is TaskState.BACKOFF or (before is TaskState.BLOCKED and after is TaskState.IDLE)
        if waits and alone and slot.task_id in self.known:
            self._later(self._start_again(slot, after))

    async def _start_again(self, slot: Slot, state: TaskState) -> None:
        await asyncio.sleep(slot.wait_s(asyncio.get_running_loop().time()) or 0.0)
        if slot.state is state and self.slot(slot.task_id) is slot:
            with contextlib.suppress(IsolatedError):  # its end is told, and brings us here again
                await slot.start()

    # -- changes ---------------------------------------------------------------------------------------------------

    async def _create(self, spec: TaskSpec, stored: StoredTask) -> None:
        slot = self._core.pool.add(spec)
        known = Known(stored, spec)
        try:
            await slot.start()
            await self._open(known, slot)
            await self._store.put(stored)
        except BaseException:
            self._core.listeners.close(slot)
            await slot.stop(0.0)
            await self._core.network.free(spec.label)
            self._core.pool.remove(spec.label)
            raise
        self.known[spec.label] = known

    async def _adjust(self, known: Known, spec: TaskSpec, stored: StoredTask) -> None:
        """Changes what can be changed while its isolate runs. SettingsError: all is as before."""
        assert known.spec is not None  # else there would be nothing to compare with
        try:
            if known.listen:
                await self._hold(spec)
            await self._store.put(stored)
        except BaseException:
            if known.listen:
                await self._core.network.hold(known.spec)
            raise
        known.stored, known.spec = stored, spec
        slot = self.slot(spec.label)
        if slot is not None:
            slot.spec = spec

    def _warn(self, spec: TaskSpec) -> tuple[str, ...]:
        problems = self.lacking(spec)
        for problem in problems:
            task_log(spec.label).warning(
                "a limit is not held", field=problem.field, value=problem.value, problem=problem.message
            )
        return tuple(f"{problem.field}: {problem.message}" for problem in problems)

    async def _replace(self, known: Known, spec: TaskSpec, stored: StoredTask) -> None:
        """The new isolate answers before the old one stops; if it does not start, the old one goes on."""
        pool = self._core.pool
        old = pool.slots.get(spec.label)
        if old is None or known.spec is None:  # its old settings did not hold
            await self._create(spec, stored)
            return
        new = pool.replacement(spec)
        try:
            if stored.wanted:
                await new.start()
            await self._store.put(stored)
            if stored.wanted:
                await self._move(old, new, known, spec)
        except BaseException:
            await new.stop(0.0)
            raise
        _cancel(known)
        pool.adopt(new)
        known.stored, known.spec, known.problem = stored, spec, None
        if stored.wanted:
            self._later(old.stop(self._drain_s))
        else:
            await asyncio.gather(old.stop(0.0), new.stop(0.0))

    async def _move(self, old: Slot, new: Slot, known: Known, spec: TaskSpec) -> None:
        """Gives the ports to the new slot. ListenError: all is as before, in the store too."""
        try:
            await self._hold(spec)
            bound = await self._core.listeners.move(old, new, spec.listen)
        except BaseException:
            await asyncio.shield(self._store.put(known.stored))
            await self._core.network.hold(old.spec)
            raise
        known.listen = tuple(map(str, bound))

    async def _boot(self, known: Known, spec: TaskSpec) -> None:
        slot = self._core.pool.slots[spec.label]
        _cancel(known)
        try:
            await slot.start()
            await self._open(known, slot)
        except BaseException:
            self._core.listeners.close(slot)
            await slot.stop(0.0)
            raise

    async def _open(self, known: Known, slot: Slot) -> None:
        await self._hold(slot.spec)
        await self._listen(known, slot, {})

    async def _open_again(self, known: Known, slot: Slot, given: Given) -> None:
        """Of a task that was here before: a limit that cannot be held any more is told, and the task goes on."""
        await self._core.network.hold(slot.spec)
        await self._listen(known, slot, given)

    async def _listen(self, known: Known, slot: Slot, given: Given) -> None:
        bound = await self._core.listeners.open(slot, slot.spec.listen, given)
        known.listen = tuple(map(str, bound))
        if bound:
            task_log(slot.task_id).info("ready", listen=" ".join(known.listen))

    async def _end(self, known: Known) -> None:
        _cancel(known)
        slot = self._core.pool.slots.get(known.stored.label)
        if slot is not None:
            self._core.listeners.close(slot)
            await slot.stop(self._drain_s)
        await self._core.network.free(known.stored.label)
        known.listen = ()

    # -- what keeps changes apart ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _change(self, label: str) -> AsyncIterator[None]:
        async with self._turn(label):
            if (why := self._given_up or self._frozen) is not None:
                raise Refused(why, "ask again in a moment")
            self._changing += 1
            self._calm.clear()
            try:
                yield
            finally:
                self._changing -= 1
                if self._changing == 0:
                    self._calm.set()

    @asynccontextmanager
    async def _turn(self, label: str) -> AsyncIterator[None]:
        """Entered by one at a time for each label, whether or not there is such a task; kept while anybody wants it."""
        turns = self._turns.setdefault(label, Turns())
        turns.users += 1
        try:
            async with turns.lock:
                yield
        finally:
            turns.users -= 1
            if turns.users == 0:
                del self._turns[label]

    @asynccontextmanager
    async def frozen(self, why: str) -> AsyncIterator[None]:
        """While entered no task changes: those changes that are under way are waited for, others Refused."""
        self._frozen = why
        try:
            await self._calm.wait()
            yield
        finally:
            self._frozen = None

    def give_up(self, why: str) -> None:
        """From now on all changes are Refused, and no bundle is removed: a successor has the tasks, or nobody."""
        self._given_up = why

    @property
    def is_frozen(self) -> bool:
        """Whether changes are refused now."""
        return self._frozen is not None

    # -- values ----------------------------------------------------------------------------------------------------

    def _spec(
        self, settings: Mapping[str, Any], bundle: str | None, cores: Cores | None = None, *, holds_all: bool = True
    ) -> TaskSpec:
        """SettingsError; Unknown: the bundle. `holds_all`: whether this host must be able to hold its limits."""
        fields = dict(settings)
        if bundle is not None:
            fields["pwd"] = str(self._bundles.path(bundle))
        elif not str(fields.get("pwd", "")).startswith("/"):
            problem = Problem(
                "the host cannot know which folder is meant",
                "name a folder of the host, or send the files along as a bundle: `isolated apply` does",
                allowed="an absolute path",
                field="pwd",
                value=shown(fields["pwd"]) if "pwd" in fields else None,
            )
            raise SettingsError([problem])
        spec = task_of(fields, "settings", cores or self.cores())
        if self._refuses and holds_all and (problems := unenforced(spec, self._core.enforcements())):
            raise SettingsError(problems)
        return spec

    def cores(self) -> Cores:
        """Those that a task may be pinned to here."""
        return self._core.processor.cores()

    def checked(self, settings: Mapping[str, Any], bundle: str | None) -> TaskSpec:
        """What `settings` say, for any host: its cores are looked at where it is to run. SettingsError, Unknown."""
        return self._spec(settings, bundle, ANY_CORES, holds_all=False)

    def lacking(self, spec: TaskSpec) -> list[Problem]:
        """The limits of a task that are not held here, and why; only where the operator allows such tasks."""
        problems = unenforced(spec, self._core.enforcements())
        told = {problem.field for problem in problems}
        return problems + [each for each in self._core.network.lacking(spec) if each.field not in told]

    async def _hold(self, spec: TaskSpec) -> None:
        """Holds its limits of traffic. SettingsError: they cannot be held on the interfaces that it listens on."""
        await self._core.network.hold(spec)
        if self._refuses and (problems := self._core.network.lacking(spec)):
            raise SettingsError(problems)

    def _stored(self, spec: TaskSpec, settings: dict[str, Any], bundle: str | None) -> StoredTask:
        known = self.known.get(spec.label)
        if known is None:
            return StoredTask(spec.label, settings, bundle, True, 1, time.time())  # noqa: FBT003
        wanted, revision, epoch = known.stored.wanted, known.stored.revision + 1, known.stored.epoch
        return StoredTask(spec.label, settings, bundle, wanted, revision, time.time(), epoch)

    def _plan(self, spec: TaskSpec, bundle: str | None) -> AppliedView:
        known = self.known.get(spec.label)
        fields: tuple[str, ...] = ()
        if known is None:
            change = Change.CREATED
        else:
            fields = () if known.spec is None else changed_fields(known.spec, spec)
            if bundle != known.stored.bundle:
                fields = (*(each for each in fields if each != "pwd"), "bundle")
            change = Change.CHANGED if fields or known.spec is None else Change.UNCHANGED
        slot = self.slot(spec.label)
        return AppliedView(
            task=spec.label,
            change=change,
            dry_run=True,
            fields=fields,
            restarts=change is Change.CHANGED
            and not (fields and LIVE.issuperset(fields))
            and slot is not None
            and slot.state is TaskState.RUNNING,
            listen=tuple(map(str, spec.listen)),
        )

    # -- the rest --------------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Removes bundles that no task uses, every now and then, for ever.

        Not as soon as one is not used any more: an isolate that drains may still import from it.
        """
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            if self._given_up is None:
                await self._sweep()

    async def _sweep(self) -> None:
        keep = {known.stored.bundle for known in self.known.values() if known.stored.bundle is not None}
        keep.update(self.keeps_bundles())
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._bundles.sweep, keep)
        except IsolatedError as error:
            host_log().warning("unused bundles cannot be removed", problem=str(error))

    async def close(self) -> None:
        """Nothing comes back any more."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def replace_view(plan: AppliedView, **fields: Any) -> AppliedView:
    """A plan that was carried out."""
    return plan.model_copy(update=fields)


def _cancel(known: Known) -> None:
    if known.again is not None:
        known.again.cancel()
        known.again = None
