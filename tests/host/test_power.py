"""A machine that was to be switched off, and is still on, is told of by who asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.values import Departure
from supervisor.host.cluster import power
from supervisor.spec.settings_load import load_settings


async def test_a_command_that_fails_or_does_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "STILL_ON_S", 0.05)
    for command, problem in (("false", "code 1"), ("true", r"ended well 0\.05 s ago")):
        settings = load_settings(
            None, {}, {"power_off": "true", "power_off_command": command, "reboot_command": command}
        )
        for departure in Departure:
            with pytest.raises(PowerOffFailed, match=problem):
                await power.Power(settings).off(departure)


async def test_who_goes_for_a_newer_image_starts_again_and_who_is_idle_stays_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(power, "STILL_ON_S", 0.0)
    commands = {"power_off_command": f"touch {tmp_path}/off", "reboot_command": f"touch {tmp_path}/again"}
    host = power.Power(load_settings(None, {}, {"power_off": "true", **commands}))
    with pytest.raises(PowerOffFailed):
        await host.off(Departure.UPDATE)
    assert [each.name for each in tmp_path.iterdir()] == ["again"]
    with pytest.raises(PowerOffFailed):
        await host.off(Departure.IDLE)
    assert {each.name for each in tmp_path.iterdir()} == {"again", "off"}


async def test_as_long_as_it_is_not_turned_on_neither_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(power, "STILL_ON_S", 0.0)
    commands = {"power_off_command": f"touch {tmp_path}/off", "reboot_command": f"touch {tmp_path}/again"}
    host = power.Power(load_settings(None, {}, commands))
    for departure in Departure:
        with pytest.raises(PowerOffFailed):
            await host.off(departure)
    assert list(tmp_path.iterdir()) == []
