"""Sends the messages of a program to an isolate, past the pool: the lowest layer there is."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

from supervisor.engine.isolate import End, Isolate
from supervisor.engine.library import ffi, lib
from supervisor.spec.exits import Exit
from supervisor.spec.task import TaskSpec
from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.client import Client, faults_of
from tools.fuzzing.program import Post, Program

# Numbers of exchanges: far from the pool's, a block for each program.
_blocks = count(2**40, 1000)
MOST_OWN = 1000


class Bare:
    """Implements IsolateListener: an isolate without pool, its exchanges and its end."""

    def __init__(self, engine: CheckedEngine, spec: TaskSpec) -> None:
        self.over: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.clients: list[Client] = []
        self.wrong: list[str] = []
        self._engine = engine
        self._spec = spec
        self._base = next(_blocks)
        self._isolate: Isolate = engine.create(self)

    def on_warm(self, microseconds: int) -> None:
        pass

    def on_ready(self, microseconds: int, *, has_handler: bool) -> None:
        pass

    def on_log(self, level: int, text: bytes) -> None:
        pass

    def on_failed(self, number: int, exchange: object, message: bytes) -> None:
        pass

    def on_exit(self, end: Exit) -> None:
        self.over.set_result(end)

    async def post_all(self, program: Program) -> None:
        """Makes the program's calls, one after another."""
        for post in program.posts:
            if post[0] == "pause":
                await asyncio.sleep(post[1] / 1000)
            else:
                self.post(post)

    def post(self, post: Post) -> None:
        """Makes one call."""
        name, *arguments = post
        getattr(self, f"_{name}")(*arguments)

    def kill(self) -> None:
        """Asks the isolate to end at once."""
        self._isolate.end(End.KILLED)

    def faults(self) -> list[str]:
        """What is wrong with the answers."""
        return self.wrong + [fault for client in self.clients if client.head for fault in faults_of(client.head)]

    def _number(self, number: int) -> int:
        return self._base + number if number < MOST_OWN else number

    def _boot(self) -> None:
        self._isolate.boot(self._spec)

    def _request(self, number: int, flags: int, *parts: str) -> None:
        own, client = self._number(number), Client()
        if own in self._isolate.exchanges or any(each.number == own for each in self.clients):
            self._engine.twice.add(own)
        client.number = own
        method, target, headers, body = (part.encode("latin-1") for part in parts)
        self._isolate.request(own, client, flags, method, target, headers, body)
        self.clients.append(client)

    def _body(self, number: int, part: int, data: str) -> None:
        raw = data.encode("latin-1")
        code = lib.isolated_body(self._isolate.id, self._number(number), part, raw, len(raw))
        self._expect(code, valid=0 <= part <= 2)

    def _abort(self, number: int) -> None:
        lib.isolated_abort(self._isolate.id, self._number(number))

    def _credit(self, number: int, size: int) -> None:
        lib.isolated_credit(self._isolate.id, self._number(number), size)

    def _end(self, reason: int) -> None:
        self._expect(lib.isolated_end(self._isolate.id, reason), valid=1 <= reason <= 5)

    def _statistics(self) -> None:
        self._isolate.statistics()

    def _counts(self) -> None:
        self._engine.counts()

    def _stale(self, isolate: int) -> None:
        """Every call on an isolate that is not there."""
        isolate |= 2**31  # no process makes so many
        nothing = b""
        codes = [
            lib.isolated_request(isolate, 1, 0, nothing, 0, nothing, 0, nothing, 0, nothing, 0),
            lib.isolated_body(isolate, 1, 0, nothing, 0),
            lib.isolated_abort(isolate, 1),
            lib.isolated_credit(isolate, 1, 1),
            lib.isolated_end(isolate, 1),
            lib.isolated_get_statistics(isolate, ffi.new("struct isolated_statistics *")),
        ]
        if any(code != lib.ISOLATED_GONE for code in codes):
            self.wrong.append(f"calls on isolate {isolate}, which there never was, returned {codes}")

    def _expect(self, code: int, *, valid: bool) -> None:
        allowed = {lib.ISOLATED_OK, lib.ISOLATED_GONE} if valid else {lib.ISOLATED_INVALID}
        if code not in allowed:
            self.wrong.append(f"a call returned {code} instead of one of {sorted(allowed)}")


def write_files(program: Program, folder: Path) -> None:
    """Writes a program's files, and links that lead out of its folder and in circles."""
    for name, data in program.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "link.js").symlink_to("/etc/passwd")
    (folder / "loop.js").symlink_to("loop.js")
