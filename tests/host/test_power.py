"""A machine that was to be switched off, and is still on, is told of by who asked for it."""

from __future__ import annotations

import pytest

from supervisor.cluster.power.failures import PowerOffFailed
from supervisor.cluster.values import Departure
from supervisor.host.cluster import power
from supervisor.spec.settings_load import load_settings


async def test_a_command_that_fails_or_does_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "STILL_ON_S", 0.05)
    for command, problem in (("false", "code 1"), ("true", r"still on 0\.05 s later")):
        settings = load_settings(None, {}, {"power_off": "true", "power_off_command": command})
        with pytest.raises(PowerOffFailed, match=problem):
            await power.Power(settings).off(Departure.IDLE)
