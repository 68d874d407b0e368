"""The host is switched off by a command, or only says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.power.power_off import DEFAULT, PowerOff, PowerOffByCommand, PowerOffDryRun
from tests.cluster.power.machines import script


async def test_the_command_runs_and_knows_why(tmp_path: Path) -> None:
    program = script(tmp_path, f'echo "$1 $ISOLATED_DEPARTURE" > {tmp_path}/did')
    off: PowerOff = PowerOffByCommand((program, "now"))
    await off.power_off("idle")
    assert (tmp_path / "did").read_text() == "now idle\n"


async def test_a_failure_is_told(tmp_path: Path) -> None:
    off = PowerOffByCommand((script(tmp_path, "echo no right to do that; exit 4"),))
    with pytest.raises(PowerOffFailed, match=r"cannot be switched off: .* code 4: no right to do that") as caught:
        await off.power_off("idle")
    assert "by hand" in (caught.value.remedy or "")


async def test_a_command_that_hangs_ends_at_its_limit(tmp_path: Path) -> None:
    off = PowerOffByCommand((script(tmp_path, "sleep 600; true"),), limit_s=0.3)
    with pytest.raises(PowerOffFailed, match=r"took longer than 0\.3 s"):
        await off.power_off("update")


async def test_a_dry_run_says_what_would_happen_and_does_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    program = script(tmp_path, f"echo > {tmp_path}/did")
    off: PowerOff = PowerOffDryRun((program, "a b"), told.append)
    await off.power_off("idle")
    assert told == [f"dry run: this host (idle) would run `{program} 'a b'`"]
    assert not (tmp_path / "did").exists()
    assert DEFAULT == ("poweroff",)
