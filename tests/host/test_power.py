"""A machine that was to be switched off, and is still on, is told of by who asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

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


def warnings(**settings: str) -> list[tuple[str, str, str]]:
    with capture_logs() as log:
        power.Power(load_settings(None, {}, settings)).check()
    assert {line["log_level"] for line in log} <= {"warning"}
    return [(line["field"], line["value"], line["problem"]) for line in log]


def test_commands_that_cannot_be_started_are_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    told = warnings(
        power_off="true",
        power_off_command="isolated-no-such-program -f",
        reboot_command=f"{tmp_path}/plain now",
        spares=f"h0=command:/nonexistent/prog;h4=command:/bin/sh -c :;h5=command:{tmp_path}",
    )
    assert told == [
        (
            "powerOffCommand",
            "isolated-no-such-program -f",
            "isolated-no-such-program is not found in PATH, or cannot be executed",
        ),
        ("rebootCommand", f"{tmp_path}/plain now", f"{tmp_path}/plain does not exist, or cannot be executed"),
        ("spares", "h0=command:/nonexistent/prog", "/nonexistent/prog does not exist, or cannot be executed"),
        ("spares", f"h5=command:{tmp_path}", f"{tmp_path} does not exist, or cannot be executed"),
    ]


def test_commands_that_can_be_started_or_never_run_are_not_told_of() -> None:
    nowhere = {"power_off_command": "/nonexistent/off", "reboot_command": "/nonexistent/again"}
    assert warnings(**nowhere) == []
    assert warnings(power_off="true", power_off_command="sh", reboot_command="/bin/sh") == []


def test_a_command_is_looked_for_as_it_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "off").write_text("#!/bin/sh\n")
    (tmp_path / "off").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert warnings(power_off="true", power_off_command="off", reboot_command=f"{tmp_path}/off"[1:]) == []
    assert [told[0] for told in warnings(power_off="true", power_off_command="./off", reboot_command="sh")] == [
        "powerOffCommand",
        "rebootCommand",
    ]
