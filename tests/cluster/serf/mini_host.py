"""A host's process that does nothing but take part in a cluster.

`python -m tests.cluster.serf.mini_host FOLDER NUMBER JOIN...` prints the ids of its switch and its agent when they run.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from tests.cluster.serf.agents import host, options, until


async def main(folder: str, number: str, *join: str) -> None:
    """Until it is killed."""
    async with host(options(Path(folder), int(number), *map(int, join), patience_s=3.0)) as found:
        await until(lambda: found.membership.is_current)
        print(found.membership.agent_pid, found.agent, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
