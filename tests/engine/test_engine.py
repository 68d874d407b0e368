"""V8 starts once, or says why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.engine.engine import Engine
from supervisor.engine.library import v8_version
from supervisor.errors import EngineError

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_its_runtime_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot read the runtime") as caught:
        await Engine(runtime_js=tmp_path / "missing.js").__aenter__()
    assert "tools/bootstrap" in str(caught.value)


async def test_a_second_start_is_refused(engine: Engine) -> None:
    before = engine.counts()
    with pytest.raises(EngineError, match="cannot start V8"):
        await Engine().__aenter__()
    assert engine.counts() == before


async def test_the_version_is_v8s() -> None:
    assert v8_version().split(".")[0].isdigit()


IN_A_PROCESS = """
import asyncio, sys
from pathlib import Path
from supervisor.engine.engine import Engine
from supervisor.errors import EngineError
from tests.fakes.listener import FakeListener

async def main():
    {body}

try:
    asyncio.run(main())
except EngineError as error:
    print(error)
"""


def in_a_process(body: str) -> str:
    """What a fresh process prints."""
    root = Path(__file__).parent.parent.parent
    program = IN_A_PROCESS.format(body=body.replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_runtime_that_throws_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "runtime.js"
    for source in ("throw new Error('broken runtime');", "let = = 1;", "", "ops.setHooks({});"):
        broken.write_text(source)
        text = in_a_process(f"async with Engine(runtime_js=Path({str(broken)!r})): pass")
        assert text.startswith("cannot start V8"), source


async def test_leaving_ends_what_still_runs() -> None:
    text = in_a_process(
        "listeners = [FakeListener() for _ in range(5)]\n"
        "async with Engine() as engine:\n"
        "    for listener in listeners: engine.create(listener)\n"
        "    await listeners[-1].wait_until(lambda heard: heard.warm_us is not None)\n"
        "print('left')"
    )
    assert text == "left\n"
