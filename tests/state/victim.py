"""A program that changes a host's state without end, to be killed. One process each time it is told "go SEED".

Before each change it writes what will be true afterwards, and after it that it is so: `FOLDER/said`, one line each.
Not a test: `test_kills.py` runs it with the state's folder and a folder of archives.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

from supervisor.state.bundles import Bundles
from supervisor.state.records import StoredBlock, StoredRecord, StoredTask
from supervisor.state.store import Store

LABELS = ["one", "two", "three"]
AIMED = 0.2  # of all changes
FILL = "x" * 20_000  # settings of several pages of the database


async def known(store: Store) -> dict[str, object]:
    """What the store holds, as `said` has it."""
    tasks = {
        task.label: [task.bundle, task.wanted, task.revision, task.settings["env"]] for task in await store.tasks()
    }
    records = {each.label: [each.record, each.promised, each.claimant] for each in await store.records()}
    return {"tasks": tasks, "blocks": sorted(block.sources for block in await store.blocks()), "records": records}


class Victim:
    """Random changes, each announced."""

    def __init__(self, folder: Path, archives: Path, seed: str) -> None:
        self._state = folder / "state"
        self._archives = sorted(archives.iterdir())
        self._said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._bundles = Bundles(self._state / "bundles")
        self._chance = random.Random(seed)
        self._took_s = 1e-3  # the last change

    async def run(self) -> None:
        """Goes on until it is killed."""
        self._store = await Store.open(self._state)
        self._tasks = {task.label: task for task in await self._store.tasks()}
        self._blocks = [block.sources for block in await self._store.blocks()]
        self._records = {each.label: each for each in await self._store.records()}
        self._bundles.sweep(self._kept(), grace_s=-1)
        steps = [
            self._apply, self._apply, self._remove, self._switch, self._block, self._release, self._upgrade,
            self._guard, self._guard, self._forget,
        ]  # fmt: skip
        while True:
            await self._chance.choice(steps)()

    async def _apply(self) -> None:
        label = self._chance.choice(LABELS)
        digest = self._bundles.add(self._chance.choice(self._archives))
        before = self._tasks.get(label)
        revision = 1 if before is None else before.revision + 1
        settings = {"env": {str(revision): FILL[self._chance.randrange(len(FILL)) :]}}
        task = self._tasks[label] = StoredTask(label, settings, digest, True, revision, 1.0)
        await self._do(self._store.put(task))
        self._bundles.sweep(self._kept(), grace_s=-1)

    async def _remove(self) -> None:
        label = self._chance.choice(LABELS)
        self._tasks.pop(label, None)
        await self._do(self._store.remove(label))
        self._bundles.sweep(self._kept(), grace_s=-1)

    async def _switch(self) -> None:
        label = self._chance.choice(LABELS)
        wanted = self._chance.random() < 0.5
        if label in self._tasks:
            task = self._tasks[label]
            self._tasks[label] = StoredTask(label, task.settings, task.bundle, wanted, task.revision, task.applied)
        await self._do(self._store.set_wanted(label, wanted))

    async def _block(self) -> None:
        sources = self._chance.randbytes(16).hex()
        self._blocks.append(sources)
        await self._do(self._store.put_block(StoredBlock(sources, "one", "aborted", float(len(self._blocks)), 2.0)))

    async def _release(self) -> None:
        gone, self._blocks = self._blocks[:2], self._blocks[2:]
        await self._do(self._store.remove_blocks(gone))

    async def _guard(self) -> None:
        """A record and a promise go together."""
        label, epoch = self._chance.choice(LABELS), self._chance.randrange(2**53)
        record = {"epoch": epoch, "settings": FILL[self._chance.randrange(len(FILL)) :]}
        kept = self._records[label] = StoredRecord(label, record, epoch, str(epoch), 1.0)
        await self._do(self._store.put_record(kept))

    async def _forget(self) -> None:
        gone = self._chance.sample(LABELS, 2)
        self._records = {label: kept for label, kept in self._records.items() if label not in gone}
        await self._do(self._store.remove_records(gone))

    async def _upgrade(self) -> None:
        """As a successor does: a second one over the same lock, and then the first goes."""
        successor = await Store.open(self._state, os.dup(self._store.lock_fd))
        await self._store.close()
        self._store = successor

    def _kept(self) -> set[str]:
        return {task.bundle for task in self._tasks.values() if task.bundle}

    async def _do(self, change: Awaitable[None]) -> None:
        tasks = {
            each.label: [each.bundle, each.wanted, each.revision, each.settings["env"]] for each in self._tasks.values()
        }
        records = {each.label: [each.record, each.promised, each.claimant] for each in self._records.values()}
        self._say(json.dumps({"tasks": tasks, "blocks": sorted(self._blocks), "records": records}))
        # However fast the disk is, some ends come in the middle of a change: nobody handles the alarm.
        if self._chance.random() < AIMED:
            signal.setitimer(signal.ITIMER_REAL, self._chance.uniform(1e-6, 2 * self._took_s))
        begun = time.monotonic()
        await change
        self._took_s = time.monotonic() - begun
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._say("done")

    def _say(self, line: str) -> None:
        os.write(self._said, f"{line}\n".encode())


def main() -> None:
    """Forks a victim for each line read, tells its id, and waits for its end."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(Victim(Path(sys.argv[1]), Path(sys.argv[2]), line).run())
        print(pid, flush=True)  # noqa: T201
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
