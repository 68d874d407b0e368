"""Keeps the file of known members up to date, without writing for every change of a tag."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from supervisor.cluster.serf import files, known
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.options import SerfOptions
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.view import View
from supervisor.cluster.values import HostState, Member

EVERY_S = 2.0
SUBJECT = "remembering members"


class Memory:
    """Loop thread; the file is written by another one."""

    def __init__(self, options: SerfOptions, reports: Reports) -> None:
        self._options = options
        self._reports = reports
        self._written = b""
        self._changed = asyncio.Event()

    def load(self, now: float) -> list[Member]:
        """Those that an earlier process knew, as failed since now."""
        return known.load(self._read(), now)

    def load_ended(self) -> list[str]:
        """Those that will not come back, as an operator said to an earlier process."""
        return known.load_ended(self._read())

    def changed(self) -> None:
        """Somebody came, went or changed."""
        self._changed.set()

    async def run(self, view: View) -> None:
        """Never returns."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            data = self._dump(view)
            if data != self._written:
                writing = asyncio.get_running_loop().run_in_executor(None, self._write, data)
                try:
                    await asyncio.shield(writing)
                finally:
                    await writing  # before close() writes: two at a time would get into each other's way
                await asyncio.sleep(EVERY_S)

    def close(self, view: View) -> None:
        """Writes what is not written."""
        data = self._dump(view)
        if data != self._written:
            self._write(data)

    def _dump(self, view: View) -> bytes:
        """State and room say nothing about a host that comes back."""
        others = [each for each in view.members if each.id != view.own.id]
        return known.dump((replace(each, state=HostState.UP, room=False) for each in others), view.ended)

    def _read(self) -> bytes:
        try:
            return self._options.known.read_bytes()
        except OSError:
            return b""

    def _write(self, data: bytes) -> None:
        try:
            files.make_folder(self._options.folder)
            files.write_secret(self._options.known, data)
            self._written = data
        except OSError as error:
            remedy = "this host takes fewer hosts for failed when it is started again"
            self._reports.wrong(
                SUBJECT, AgentError(f"{self._options.known} cannot be written: {error.strerror}", remedy)
            )
