"""A daemon that is killed while something changes, and what has to be true of it afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from supervisor.state.archive import digest_of, found_in, pack
from supervisor.state.bundles import Bundles
from supervisor.state.names import BundleLimits
from tests.functional.running import PATIENCE_S, ask
from tools.benchmarks import procfs
from tools.benchmarks.control import Refusal
from tools.benchmarks.our_host import OurHost, free_ports

LABELS = ("one", "two", "three", "four")
# The values of env are not shown to those who look at a task; its names are.
ANSWERS_ENV = "export default { fetch: (request, env) => new Response(Object.keys(env)[0]) };"
ANSWERS_FILE = "export default {{ fetch: () => new Response('{}') }};"
# A moment is chosen between the beginning of a change and a bit after the end that the last one of its kind had.
BEYOND = 1.2


@dataclass(frozen=True)
class Task:
    """A task as it was applied. Its answer is its version."""

    version: str
    revision: int
    wanted: bool = True
    digest: str | None = None


@dataclass(frozen=True)
class Change:
    """What is under way when the host is killed: what a task was, and what it is to be; None: no such task."""

    kind: str
    label: str
    before: Task | None
    after: Task | None
    do: Callable[[], object]


class Crashing:
    """The host, what it has acknowledged, and what it must therefore have. Every choice comes from the seed."""

    def __init__(self, host: OurHost, folder: Path, seed: int) -> None:
        self.host = host
        self.known: dict[str, Task] = {}
        self.counts: dict[str, int] = {}
        self.restarts_s: list[float] = []  # from the start of a process to all tasks ready
        self._chance = random.Random(seed)
        self._folder = folder
        self._ports = dict(zip(LABELS, free_ports(len(LABELS)), strict=True))
        self._took_s = {"upgrade": 1.0}
        self._versions = 0
        folder.mkdir()
        (folder / "main.mjs").write_text(ANSWERS_ENV)

    def once(self) -> None:
        """Begins a change, kills the host somewhere in it, starts it again and looks."""
        change = self._change()
        acknowledged = self._kill_during(change)
        outcome = "done" if acknowledged else "cut"
        for name in (change.kind, outcome):
            self.counts[name] = self.counts.get(name, 0) + 1
        self._look_at_disk()
        began = time.monotonic()
        self.host.begin()
        self.host.wait_ready()
        self.restarts_s.append(time.monotonic() - began)
        assert procfs.session_processes(self.host.pid) == [self.host.pid]
        self._look(change, acknowledged=acknowledged)

    def finish(self) -> None:
        """What the ends left behind is given up, and nothing else."""
        state = self.host.folder / "state"
        self.host.kill()
        for upload in (state / "uploads").iterdir():
            os.utime(upload, (1, 1))  # a host leaves what its predecessor may be taking at this moment
        self.host.begin()
        self.host.wait_ready()
        assert list((state / "uploads").iterdir()) == []
        assert self.host.stop() == 0
        assert procfs.session_processes(self.host.pid) == []
        used = {each.digest for each in self.known.values() if each.digest is not None}
        Bundles(state / "bundles").sweep(used, grace_s=-1)  # as the host does, now and then
        assert set(os.listdir(state / "bundles")) == {".lock", *used}

    # -- a change --------------------------------------------------------------------------------------------------

    def _change(self) -> Change:
        label = self._chance.choice(LABELS)
        before = self.known.get(label)
        control = self.host.control
        if self._chance.random() < 0.2:
            return Change("upgrade", label, before, before, control.upgrade)
        if before is None or self._chance.random() < 0.5:
            task = self._next(label, before, bundled=self._chance.random() < 0.5)
            kind = "create" if before is None else "change"
            return Change(kind, label, before, task, lambda: self._apply(label, task))
        if self._chance.random() < 0.4:
            return Change("remove", label, before, None, lambda: control.remove(label))
        after = replace(before, wanted=not before.wanted)
        if before.wanted:
            return Change("stop", label, before, after, lambda: control.stop(label))
        return Change("start", label, before, after, lambda: control.start(label))

    def _next(self, label: str, before: Task | None, *, bundled: bool) -> Task:
        self._versions += 1
        version = f"{label}_{self._versions}"
        revision, wanted = (1, True) if before is None else (before.revision + 1, before.wanted)
        return Task(version, revision, wanted, self._pack(version)[0] if bundled else None)

    def _pack(self, version: str) -> tuple[str, bytes]:
        folder = self._folder / hashlib.sha256(version.encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        (folder / "main.mjs").write_text(ANSWERS_FILE.format(version))
        for number in range(20):  # so that storing it takes a moment
            (folder / f"{number}.txt").write_text(str(number) * 1000)
        with pack(folder) as packed:
            return packed.digest, packed.file.read()

    def _apply(self, label: str, task: Task) -> None:
        settings: dict[str, object] = {
            "taskId": label, "mainPath": "main.mjs", "listen": [f"127.0.0.1:{self._ports[label]}"],
            "env": {task.version: ""},
        }  # fmt: skip
        if task.digest is None:
            settings["pwd"] = str(self._folder)
        else:
            self.host.control.ask("PUT", f"bundles/{task.digest}", data=self._pack(task.version)[1])
        self.host.control.apply(settings, task.digest)

    # -- the end of a process --------------------------------------------------------------------------------------

    def _kill_during(self, change: Change) -> bool:
        """Whether the change was acknowledged before the end."""
        over: list[float] = []
        failed: list[Refusal] = []

        def act() -> None:
            began = time.monotonic()
            try:
                change.do()
                over.append(time.monotonic() - began)
            except Refusal as error:
                failed.append(error)
            except OSError, http.client.HTTPException:
                pass  # it was killed

        thread = threading.Thread(target=act)
        moment = self._chance.uniform(0, BEYOND * self._took_s.get(change.kind, 0.03))
        thread.start()
        time.sleep(moment)
        if change.kind == "upgrade" and self._chance.random() < 0.7:
            self._kill_one_of_two(change)
        self.host.kill()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        # When a successor was killed, the host says that the hand-over failed, as it must.
        assert change.kind == "upgrade" or not failed, failed
        if over:
            self._took_s[change.kind] = over[0]
        return bool(over)

    def _kill_one_of_two(self, change: Change) -> None:
        """Kills the old process or the new one; who is left is the host, or nobody is."""
        processes = procfs.session_processes(self.host.pid)
        victim = self._chance.choice(processes)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.host.reap()
        deadline = time.monotonic() + PATIENCE_S
        while procfs.session_processes(self.host.pid):
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.host.control.status()["state"] == "ready":
                    self._look(change, acknowledged=True)
                    return
            self.host.reap()
            assert time.monotonic() < deadline, "processes are left, and none of them is the host"
            time.sleep(0.01)

    # -- what has to be true ---------------------------------------------------------------------------------------

    def _look_at_disk(self) -> None:
        """On a copy, so that the host finds what was left for it."""
        state = self.host.folder / "state"
        copy = self._folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        databases = [file for file in state.iterdir() if file.is_file() and file.name != "lock"]
        for file in databases:
            shutil.copy(file, copy)
        (database,) = [copy / file.name for file in databases if file.suffix in {".db", ".sqlite", ".sqlite3"}]
        with contextlib.closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for bundle in (state / "bundles").iterdir():
            if not bundle.name.startswith("."):
                assert digest_of(found_in(bundle, frozenset(), BundleLimits())) == bundle.name, "not whole"

    def _look(self, change: Change, *, acknowledged: bool) -> None:
        """All tasks are as they were acknowledged; the one that was being changed is old or new, and nothing else."""
        found = {label: self._found(label, view) for label, view in self.host.control.tasks().items()}
        now = found.get(change.label)
        possible = [change.after] if acknowledged else [change.before, change.after]
        assert now in possible, f"{change.kind} of {change.label}, acknowledged: {acknowledged}: {now}, not {possible}"
        if now is None:
            self.known.pop(change.label, None)
        else:
            self.known[change.label] = now
        assert found == self.known
        for label, port in self._ports.items():
            self._look_at_port(self.known.get(label), port)

    def _found(self, label: str, view: dict[str, object]) -> Task:
        spec = self.host.control.task(label)["spec"]
        digest = view["bundle"]
        assert digest is None or isinstance(digest, str)
        (version,) = spec["env"]
        return Task(version, int(str(view["revision"])), bool(view["wanted"]), digest)

    def _look_at_port(self, task: Task | None, port: int) -> None:
        try:
            answer = ask(port).text
        except ConnectionRefusedError:
            answer = None
        assert answer == (task.version if task is not None and task.wanted else None)
