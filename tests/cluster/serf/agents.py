"""Hosts with real agents for tests: all on one loopback, that of a namespace."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from supervisor.cluster.membership import Burst
from supervisor.cluster.serf import AgentError, SerfMembership, SerfOptions
from supervisor.cluster.serf.program import find_serf
from supervisor.cluster.values import Member, MemberState
from tests.cluster.serf.samples import member

DEADLINE_S = 60.0
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def why_no_agent() -> str | None:
    """Why no agent can be started here."""
    try:
        find_serf()
    except AgentError as error:
        return str(error)
    return None


def address(number: int) -> str:
    """Of a host's agent."""
    return f"127.0.0.{number}:7946"


def options(
    folder: Path, number: int, *join: int, keys: tuple[bytes, ...] = (KEY,), patience_s: float = 30.0
) -> SerfOptions:
    """Of host `number`, which looks for the cluster at others.

    `patience_s`: so long the loop of the tests may stand still, for the machine is busy, until its agents are killed.
    """
    return SerfOptions(
        folder=folder / f"h{number}", keys=keys, bind=address(number), advertise=address(number),
        join=tuple(map(address, join)), patience_s=patience_s,
    )  # fmt: skip


class Host:
    """A membership, everything that it said, and what it logged."""

    def __init__(self, options: SerfOptions, own: Member) -> None:
        self.options = options
        self.lines: list[tuple[str, str]] = []
        self.bursts: list[Burst] = []
        self.membership = SerfMembership(own, options, self._tell, chance=Random(own.id))

    def _tell(self, level: str, event: str, details: Mapping[str, Any]) -> None:
        self.lines.append((level, f"{event} {dict(details)}"))

    async def follow(self) -> None:
        """Collects bursts."""
        async for burst in self.membership.changes():
            self.bursts.append(burst)

    def of(self, name: str) -> Member | None:
        """A member as this host knows it."""
        return next((each for each in self.membership.members if each.id == name), None)

    def state(self, name: str) -> MemberState | None:
        """What this host thinks of it."""
        found = self.of(name)
        return None if found is None else found.alive

    def story(self, name: str) -> list[MemberState]:
        """What its bursts said about a member."""
        return [each.alive for burst in self.bursts for each in burst.changed if each.id == name]

    @property
    def agent(self) -> int:
        """The id of the agent itself."""
        pid = self.membership.agent_pid
        assert pid is not None
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def serf(self, *words: str) -> str:
        """The output of Serf's own command line, as an operator would use it."""
        variables = dict(line.split("=", 1) for line in self.options.rpc.read_text().splitlines())
        command = [str(find_serf()), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@asynccontextmanager
async def host(options: SerfOptions, **changes: Any) -> AsyncIterator[Host]:
    """A host that takes part until left, which looks like a crash to the others."""
    name = options.folder.name
    found = Host(options, member(name, **{"api": f"10.0.0.{name[1:]}:7000", **changes}))
    async with found.membership:
        following = asyncio.create_task(found.follow())
        try:
            yield found
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def until(holds: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    """Waits for it; fails with `what` after DEADLINE_S."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not holds():
        assert loop.time() < deadline, what()
        await asyncio.sleep(0.05)


async def met(*hosts: Host) -> None:
    """Waits until all know all."""
    names = {each.membership.own.id for each in hosts}
    await until(
        lambda: (
            all(each.membership.agent_pid for each in hosts)
            and all(each.state(name) is MemberState.ALIVE for each in hosts for name in names)
        ),
        lambda: [(each.membership.members, each.membership.problem, each.lines[-5:]) for each in hosts],
    )
