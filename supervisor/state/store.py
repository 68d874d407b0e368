"""The store: what a host must not forget, for the loop; a thread of its own does the waiting for the disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from supervisor.state.database import Database
from supervisor.state.errors import from_os
from supervisor.state.lock import StateLock
from supervisor.state.records import StoredBlock, StoredRecord, StoredTask


class Store:
    """Tasks, blocks, records for the cluster and a few texts of a host. Loop thread.

    A change is on the disk when its call returns; it is there whole or not at all, whatever ends the process. Calls
    are carried out in the order in which they were made, also those that are cancelled. All raise StoreError, and
    then nothing has changed.
    """

    def __init__(self, lock: StateLock, database: Database, thread: ThreadPoolExecutor) -> None:
        self._lock = lock
        self._database = database
        self._thread: ThreadPoolExecutor | None = thread

    @classmethod
    async def open(cls, folder: Path, lock_fd: int | None = None) -> Store:
        """Opens the state in `folder`, made if need be. `lock_fd`: the predecessor's, in a hand-over; taken over.

        StoreError: another host uses the folder; the file is damaged, of a newer version or cannot be written.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        opening = thread.submit(_open, folder, lock_fd)
        try:
            lock, database = await asyncio.shield(asyncio.wrap_future(opening))
        except BaseException:
            thread.submit(_abandon, opening)
            thread.shutdown(wait=False)
            raise
        return cls(lock, database, thread)

    @property
    def lock_fd(self) -> int:
        """The descriptor that holds the folder's lock: a successor is to be given it."""
        return self._lock.fd

    async def close(self) -> None:
        """Waits for changes that are under way and lets go of the folder. May be called twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        closing = thread.submit(_close, self._lock, self._database)
        thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closing))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def tasks(self) -> list[StoredTask]:
        """All tasks, by label."""
        return await self._do(self._database.tasks)

    async def put(self, task: StoredTask) -> None:
        """Keeps `task` in place of what had its label."""
        await self._do(self._database.put, task)

    async def set_wanted(self, label: str, wanted: bool) -> None:
        """Whether the task is to run; nothing, if there is none."""
        await self._do(self._database.set_wanted, label, wanted)

    async def remove(self, label: str) -> None:
        """Forgets the task; nothing, if there is none."""
        await self._do(self._database.remove, label)

    async def records(self) -> list[StoredRecord]:
        """All that is kept of tasks for the cluster, by label; tombstones too."""
        return await self._do(self._database.records)

    async def put_record(self, record: StoredRecord) -> None:
        """Keeps a record and a promise in place of what had their label."""
        await self._do(self._database.put_record, record)

    async def remove_records(self, labels: Sequence[str]) -> None:
        """Forgets what is kept of all these labels, all or none."""
        await self._do(self._database.remove_records, list(labels))

    async def blocks(self) -> list[StoredBlock]:
        """All blocks, oldest first; those that have expired too, until they are removed."""
        return await self._do(self._database.blocks)

    async def put_block(self, block: StoredBlock) -> None:
        """Keeps `block` in place of what had its sources."""
        await self._do(self._database.put_block, block)

    async def remove_blocks(self, sources: Sequence[str]) -> None:
        """Forgets the blocks of all these hashes, all or none."""
        await self._do(self._database.remove_blocks, list(sources))

    async def get_meta(self, key: str) -> str | None:
        """The text that was put there last."""
        return await self._do(self._database.meta, key)

    async def put_meta(self, key: str, value: str) -> None:
        """Keeps a text of the host's own."""
        await self._do(self._database.put_meta, key, value)

    async def _do[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._thread is None:
            raise RuntimeError("the store is closed")
        work = self._thread.submit(call, *args, **kwargs)
        # Shielded: a future that is cancelled while it waits in line would never be carried out.
        return await asyncio.shield(asyncio.wrap_future(work))


def _open(folder: Path, lock_fd: int | None) -> tuple[StateLock, Database]:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise from_os(folder, error) from error
    lock = StateLock.take(folder) if lock_fd is None else StateLock.inherit(folder, lock_fd)
    try:
        return lock, Database(folder)
    except BaseException:
        lock.close()
        raise


def _abandon(opening: Future[tuple[StateLock, Database]]) -> None:
    """Lets go of what was opened for somebody who did not wait for it."""
    if opening.exception() is None:
        _close(*opening.result())


def _close(lock: StateLock, database: Database) -> None:
    try:
        database.close()
    finally:
        lock.close()
