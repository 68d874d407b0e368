"""The first stop signal asks for a drain, the second for the end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import pytest
import uvloop

from supervisor.signals import StopSignals


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_are_two_steps(runner: asyncio.Runner, first: signal.Signals, second: signal.Signals) -> None:
    async def main() -> None:
        async with StopSignals() as stop, asyncio.timeout(60):
            end = asyncio.ensure_future(stop.wait_end())
            os.kill(os.getpid(), first)
            assert await stop.wait_drain() == first.name
            await asyncio.sleep(0)
            assert not end.done()
            os.kill(os.getpid(), second)
            assert await end == second.name
            assert stop.received == (first.name, second.name)

    runner.run(main())


def test_more_signals_change_nothing(runner: asyncio.Runner) -> None:
    async def main() -> None:
        async with StopSignals() as stop, asyncio.timeout(60):
            for number in range(5):
                stop.request(f"request {number}")
            assert await stop.wait_drain() == "request 0"
            assert await stop.wait_end() == "request 1"
            assert await stop.wait_drain() == "request 0"

    runner.run(main())


def test_several_may_wait(runner: asyncio.Runner) -> None:
    async def main() -> None:
        async with StopSignals() as stop, asyncio.timeout(60):
            waiting = [asyncio.ensure_future(stop.wait_drain()) for _ in range(3)]
            await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.gather(*waiting) == ["SIGTERM"] * 3

    runner.run(main())


def test_leaving_gives_the_signals_back(runner: asyncio.Runner) -> None:
    async def main() -> None:
        async with StopSignals():
            pass
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    runner.run(main())


async def test_a_process_that_drains_exits_as_it_likes() -> None:
    """In a process of its own: a real signal, and the exit code is the program's, not the signal's."""
    program = (
        "import asyncio\nfrom supervisor.signals import StopSignals\n"
        "async def main():\n"
        "    async with StopSignals() as stop:\n"
        "        print('ready', flush=True)\n"
        "        print(await stop.wait_drain(), flush=True)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert await process.stdout.readline() == b"SIGTERM\n"
        assert await process.wait() == 0
