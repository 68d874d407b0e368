"""`isolated serve`: from start to the end of a daemon's process, and to its successor."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

import uvloop

from supervisor.control.options import ControlOptions, PeerOptions, RemoteOptions
from supervisor.control.server import ControlServer
from supervisor.errors import IsolatedError, Refused
from supervisor.handover.environment import handovers, relays_signals
from supervisor.handover.relay import Relay
from supervisor.handover.successor import PredecessorLost, Successor
from supervisor.host.cluster.cluster import Cluster
from supervisor.host.cluster.identity import own_member
from supervisor.host.cluster.peer_door import PeerDoor
from supervisor.host.core import Core, CoreOptions
from supervisor.host.daemon import Daemon
from supervisor.host.renewal import Renewals
from supervisor.host.succession import Inheritance, Succession
from supervisor.host.tasks import Tasks
from supervisor.host.views import HostFacts
from supervisor.ingress.options import IngressOptions
from supervisor.limits.machine import read_machine
from supervisor.limits.shaping import ShapingOptions
from supervisor.pool.blocked import SavedBlock
from supervisor.pool.room import PoolLimits
from supervisor.pool.run import END_S
from supervisor.signals import StopSignals
from supervisor.spec.settings import HostSettings
from supervisor.state.bundles import Bundles
from supervisor.state.names import BundleLimits
from supervisor.state.store import Store
from supervisor.telemetry.journal import Journal
from supervisor.telemetry.logs import host_log
from supervisor.telemetry.looplag import LoopLag
from supervisor.telemetry.notify import Notifier, NotifyTarget, Watchdog
from supervisor.telemetry.sink import LineSink
from supervisor.telemetry.story import TaskStory
from supervisor.telemetry.tails import Tails

# Numbers of events rise across crashes as well: none of an earlier life is above the milliseconds since 1970.
EVENTS_PER_S = 1000
# Nobody waits for a process that was replaced, and clients that pause may have their next request on the way: a soak on
# a busy machine lost 1 of 570,000 requests to half a second.
IDLE_GRACE_S = 3.0
# Tasks that come back are waited for during so much of the time that a successor has: whose boot hangs keeps nobody up.
BOOTS_SHARE = 0.5
EXIT_LOST = 1  # a successor whose predecessor went away


def serve_host(settings: HostSettings, advice: tuple[str, ...], sink: LineSink) -> int:
    """What supervisor.host.serve() is."""
    for each in advice:
        host_log().warning("advice", text=each)
    with contextlib.suppress(OSError):  # the socket's error says what is wrong with it
        settings.socket.parent.mkdir(mode=0o755, exist_ok=True)
    return uvloop.run(_serve(settings, advice, sink))


async def _serve(settings: HostSettings, advice: tuple[str, ...], sink: LineSink) -> int:
    successor = Successor.from_environment()
    notifier = Notifier(NotifyTarget.from_environment(os.environ, os.getpid()))
    try:
        async with StopSignals() as stop:
            if successor is None:
                return await _live(settings, advice, sink, stop, notifier, None, Inheritance())
            inheritance = Inheritance.of(await successor.offer())
            return await _live(settings, advice, sink, stop, notifier, successor, inheritance)
    except PredecessorLost as error:
        host_log().error("this process was to take over, and does not", problem=str(error))
        return EXIT_LOST
    except IsolatedError as error:
        if successor is not None:
            await successor.give_up(str(error))
        raise
    finally:
        notifier.close()


@dataclass(frozen=True, slots=True)
class _Parts:
    core: Core
    tasks: Tasks
    store: Store
    journal: Journal
    tails: Tails
    daemon: Daemon
    control: ControlServer
    succession: Succession
    cluster: Cluster | None


async def _live(
    settings: HostSettings,
    advice: tuple[str, ...],
    sink: LineSink,
    stop: StopSignals,
    notifier: Notifier,
    successor: Successor | None,
    inheritance: Inheritance,
) -> int:
    async with _parts(settings, advice, sink, inheritance, paused=successor is not None) as parts:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR2, _upgrade, parts)
        loop.add_signal_handler(signal.SIGHUP, _reload, parts)
        blocks = await _blocks(parts.store, inheritance)
        parts.core.pool.load_blocks(blocks)
        within_s = BOOTS_SHARE * settings.handover_ready_s
        if successor is None:
            # Of a cluster's task only the cluster knows whether it is still here.
            alone = parts.cluster is None
            coming = parts.tasks.restore(inheritance.before, within_s=within_s) if alone else parts.tasks.hold()
            await _unless_stopped(coming, stop)
        else:
            await successor.boot(parts.tasks.restore(inheritance.before, within_s=within_s))
            await successor.ready({"pid": os.getpid()})
            last_words = await successor.committed()
            parts.core.pool.load_blocks(_saved(last_words))
            parts.tails.restore(last_words.get("tails", {}))
            parts.journal.follow(int(last_words.get("nextEvent", inheritance.next_event)) - 1)
            await parts.core.listeners.resume()
            await parts.control.resume()
            parts.tasks.begin()
        gc.collect()
        gc.freeze()  # what is alive now stays: the collector need not look at it again
        parts.daemon.begin(parts.succession)
        count = len(parts.tasks.known)
        parts.daemon.tell("ready", f"process {os.getpid()} serves {count} tasks")
        host_log().info("serving", tasks=count, control=" ".join(parts.control.addresses), pid=os.getpid())
        if parts.cluster is not None:
            parts.daemon.keep(parts.cluster.begin())
        notifier.ready(f"{count} tasks", main_pid=None if successor is None else os.getpid())
        with Watchdog(notifier, loop):
            why = await _first(stop.wait_drain(), parts.daemon.wait_asked(), parts.succession.over.wait())
            await parts.succession.call_off()
            handed = parts.succession.handed
            if handed is None:
                notifier.stopping("answering what is under way")
                await _leave_cluster(parts, stop, settings.drain_s)
                return await _stop(parts, stop, why, settings.drain_s)
            if parts.cluster is not None:
                await parts.cluster.end_part()  # the successor's part begins now
            relay = Relay(handed, stop.request)
            async with relay:
                # Asked for before the successor could be: systemd repeats its signals, nobody else does.
                if parts.daemon.is_asked_to_stop:
                    relay.tell(signal.SIGTERM)
                elif why is not None and relays_signals(os.environ):
                    relay.tell(signal.Signals[why])
                await _leave(parts, stop, settings.drain_s)
    return await relay.finish(sink.close)


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: StopSignals) -> None:
    """Until a signal asks to stop: it then is given up."""
    working, asked = asyncio.create_task(work), asyncio.create_task(stop.wait_drain())
    await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if working.done():
        working.result()
    working.cancel()
    await asyncio.gather(working, asked, return_exceptions=True)


async def _leave_cluster(parts: _Parts, stop: StopSignals, seconds: float) -> None:
    """Other hosts take over what this one has; a second signal ends the waiting for that."""
    if parts.cluster is None:
        return
    parts.daemon.state = "draining"
    parts.daemon.tell("leaving", "the host leaves its cluster: its tasks move to other hosts")
    host_log().info("leaving the cluster: tasks move, then others guard what this host guards", tasks_at_most_s=seconds)
    leaving = asyncio.create_task(parts.cluster.leave(seconds))
    urged = asyncio.create_task(stop.wait_end())
    await asyncio.wait((leaving, urged), return_when=asyncio.FIRST_COMPLETED)
    for each in (leaving, urged):
        each.cancel()
    await asyncio.gather(leaving, urged, return_exceptions=True)
    if not leaving.cancelled() and (defect := leaving.exception()) is not None:
        text = "the host left its cluster without having handed over all that it has: others start it in a while"
        host_log().error(text, problem=repr(defect))


async def _stop(parts: _Parts, stop: StopSignals, why: str | None, drain_s: float) -> int:
    parts.daemon.state = "draining"
    parts.tasks.give_up("the host stops")
    parts.daemon.tell("draining", "the host stops: it answers what is under way")
    host_log().info("stopping: answering what is under way", signal=why, at_most_s=drain_s)
    return await _drain(parts.core, stop, drain_s)


async def _leave(parts: _Parts, stop: StopSignals, drain_s: float) -> None:
    """Another process is the host: what is under way here is answered, then this one is gone."""
    parts.daemon.state = "draining"
    parts.core.listeners.release()
    parts.control.release()
    await _drain(parts.core, stop, drain_s, idle_grace_s=IDLE_GRACE_S)


def _upgrade(parts: _Parts) -> None:
    async def hand_over() -> None:
        try:
            await parts.daemon.upgrade(None)
        except Refused as error:
            host_log().warning("SIGUSR2: no hand-over", problem=str(error))
        except IsolatedError:
            pass  # told by events and the log

    parts.daemon.keep(hand_over())


def _reload(parts: _Parts) -> None:
    """Reads what may change under a running host: the files of the TLS control API, and the cluster's keys."""
    try:
        what = parts.control.reload()
        if parts.cluster is not None:
            what += parts.cluster.reload()
            parts.control.rekey()
    except IsolatedError as error:
        host_log().error("SIGHUP: what is in use stays in use", problem=str(error))
        return
    host_log().info("SIGHUP: read anew" if what else "SIGHUP: there is nothing to read anew", files=" ".join(what))


async def _drain(core: Core, stop: StopSignals, seconds: float, *, idle_grace_s: float | None = None) -> int:
    """Lets the host finish; a second signal ends it at once, with the exit code of that signal."""
    draining = asyncio.create_task(core.drain(seconds, idle_grace_s=idle_grace_s))
    urged = asyncio.create_task(stop.wait_end())
    await asyncio.wait((draining, urged), return_when=asyncio.FIRST_COMPLETED)
    if draining.done():
        urged.cancel()
        draining.result()
        host_log().info("stopped")
        return 0
    core.abort()
    await asyncio.wait((draining,), timeout=END_S)
    host_log().warning("ended at once", signal=urged.result())
    return 128 + signal.Signals[urged.result()]


@asynccontextmanager
async def _parts(
    settings: HostSettings, advice: tuple[str, ...], sink: LineSink, inheritance: Inheritance, *, paused: bool
) -> AsyncIterator[_Parts]:
    """All parts, in the order of who needs whom; ended in the reverse."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(await Store.open(settings.state_dir, inheritance.lock))
        limits = BundleLimits(
            size=settings.bundle_size, unpacked=settings.bundle_unpacked, entries=settings.bundle_entries
        )
        bundles = Bundles(settings.state_dir / "bundles", limits)
        journal = Journal(time.time, start=max(inheritance.next_event, int(time.time() * EVENTS_PER_S)))
        journal.follow(inheritance.next_event - 1)
        tails = Tails(time.time)
        story = TaskStory(loop, journal, tails, console_per_s=settings.console_lines)
        daemon = Daemon(story, journal, tails)
        stack.push_async_callback(daemon.close)
        core = await stack.enter_async_context(Core(_core_options(settings), daemon))
        cluster = await _cluster(settings, store, bundles, journal, stack)
        if paused:
            core.listeners.pause()
        tasks = Tasks(core, store, bundles, journal, settings.drain_s, on_unenforced=settings.unenforced)
        stack.push_async_callback(tasks.close)
        if cluster is not None:
            cluster.join(tasks, story.forget)
            stack.push_async_callback(cluster.end_part)
        lag = stack.enter_context(LoopLag(loop, time.monotonic))
        facts = HostFacts(settings, time.time(), handovers(os.environ), advice, sink)
        thresholds = settings.thresholds(read_machine().memory)
        renewals = Renewals.load(inheritance.renewals, loop.time())
        daemon.join(facts, core, tasks, store, bundles, lag, thresholds, renewals, cluster)
        control = await stack.enter_async_context(
            ControlServer(
                daemon,
                _control_options(settings, cluster),
                peer=None if cluster is None else PeerDoor(cluster),
                given=inheritance.control,
                paused=paused,
            )
        )
        succession = Succession(
            core, tasks, store, journal, tails, control, ready_s=settings.handover_ready_s, tell=sink.write
        )
        yield _Parts(core, tasks, store, journal, tails, daemon, control, succession, cluster)


async def _blocks(store: Store, inheritance: Inheritance) -> list[SavedBlock]:
    """Those of the store, unless a predecessor knows better."""
    if inheritance.blocks:
        return list(inheritance.blocks)
    now = time.time()
    stored = await store.blocks()
    over = [block.sources for block in stored if block.until <= now]
    if over:
        await store.remove_blocks(over)
    return [
        SavedBlock(block.sources, block.task, block.reason, max(0.0, now - block.since), block.until - now)
        for block in stored
        if block.until > now
    ]


def _saved(last_words: object) -> tuple[SavedBlock, ...]:
    blocks = last_words.get("blocks", ()) if isinstance(last_words, dict) else ()
    return tuple(SavedBlock(**block) for block in blocks)


def _core_options(settings: HostSettings) -> CoreOptions:
    return CoreOptions(
        warm=settings.warm,
        v8_flags=settings.v8_flags,
        seccomp=settings.seccomp,
        ingress=IngressOptions(
            connections=settings.connections,
            full_task=cast("Literal['answer', 'backlog']", settings.full_task),
        ),
        pool=PoolLimits(isolates=settings.isolates, memory=settings.memory, queue=settings.queue),
        block_for_s=settings.block_for_s,
        loop_cores=settings.loop_cores,
        shaping=ShapingOptions(interfaces=settings.shape_interfaces, take_qdiscs=settings.take_qdiscs),
    )


async def _cluster(
    settings: HostSettings, store: Store, bundles: Bundles, journal: Journal, stack: contextlib.AsyncExitStack
) -> Cluster | None:
    if settings.cluster_listen is None:
        return None
    own = await own_member(settings, store)
    return await stack.enter_async_context(Cluster(settings, own, store, bundles, journal))


def _control_options(settings: HostSettings, cluster: Cluster | None) -> ControlOptions:
    remote = None
    if settings.api_listen is not None:
        # The settings are checked as a whole: with an address the others are there.
        assert settings.api_cert is not None
        assert settings.api_key is not None
        assert settings.api_token_file is not None
        remote = RemoteOptions(settings.api_listen, settings.api_cert, settings.api_key, settings.api_token_file)
    peers = None
    if cluster is not None:
        assert settings.cluster_listen is not None
        peers = PeerOptions(settings.cluster_listen, cluster.tls)
    return ControlOptions(
        peers=peers,
        socket=settings.socket,
        uploads=settings.state_dir / "uploads",
        remote=remote,
        metrics=settings.metrics_listen,
        bundle_size=settings.bundle_size,
    )


async def _first(*waits: Coroutine[Any, Any, Any]) -> str | None:
    """Waits for the first of them; its result if that is a text."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    result = next(iter(done)).result()
    return result if isinstance(result, str) else None
