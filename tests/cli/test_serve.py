"""serve and settings: flags made from declarations; the host itself is a stand-in."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.cli import EXIT_DEFECT, code_of
from supervisor.spec.settings import SETTINGS, HostSettings
from supervisor.telemetry.sink import LineSink

type Served = list[HostSettings]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """The settings that the host was started with."""
    seen: Served = []

    def serve(settings: HostSettings) -> int:
        seen.append(settings)
        return 0

    put_host(monkeypatch, serve)
    return seen


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the process before the host began; not to this one, which has tests to run afterwards."""
    done: list[str] = []

    def prepare(_: HostSettings) -> tuple[str, ...]:
        done.append("prepared")
        return ("mend this",)

    monkeypatch.setattr("supervisor.limits.startup.prepare", prepare)
    monkeypatch.setattr("supervisor.limits.capabilities.drop_capabilities", lambda _kept: done.append("dropped"))
    return done


def put_host(monkeypatch: pytest.MonkeyPatch, serve: Callable[[HostSettings], int]) -> None:
    def with_advice(settings: HostSettings, advice: tuple[str, ...], sink: LineSink) -> int:
        assert advice == ("mend this",)
        sink.write(b"")
        return serve(settings)

    module = types.ModuleType("supervisor.host")
    module.serve = with_advice  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "supervisor.host", module)


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "isolated.toml"
    file.write_text("warm = 7\nisolates = 50\n")
    return str(file)


def test_flags_win_over_the_environment_and_that_over_the_file(
    served: Served, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOLATED_ISOLATES", "60")
    monkeypatch.setenv("ISOLATED_QUEUE", "5")
    assert code_of(["serve", "--config", config, "--queue", "6", "--drain", "10s"]) == 0
    (settings,) = served
    assert (settings.warm, settings.isolates, settings.queue, settings.drain_s) == (7, 60, 6, 10.0)


def test_rights_are_given_up_before_the_host_begins(
    config: str, prepared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(_: HostSettings) -> int:
        assert prepared == ["prepared", "dropped"]
        return 0

    put_host(monkeypatch, serve)
    assert code_of(["serve", "--config", config]) == 0


def test_variables_of_the_other_commands_are_no_settings(
    served: Served, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ISOLATED_HOST", "ISOLATED_TOKEN_FILE", "ISOLATED_CA_FILE"):
        monkeypatch.setenv(name, "/x")
    assert code_of(["serve", "--config", config]) == 0


def test_help_tells_of_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["serve", "--help"]) == 0
    text = capsys.readouterr().out
    for setting in SETTINGS:
        assert (f"{setting.flag} " in text) is not setting.declared.hidden


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--warm", "many"], "--warm"),
        (["--wram", "1"], "--warm"),
        (["--config", "/nope.toml"], "/nope.toml"),
        (["extra"], "extra"),
    ],
)
def test_wrong_settings_are_code_2(
    served: Served, prepared: list[str], arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(["serve", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert served == []
    assert prepared == []


def test_the_hosts_code_is_the_exit_code(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_host(monkeypatch, lambda _: 1)
    assert code_of(["serve", "--config", config]) == 1


def test_a_broken_connection_inside_the_host_is_a_defect(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(_: HostSettings) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    put_host(monkeypatch, serve)
    assert code_of(["serve", "--config", config]) == EXIT_DEFECT


def test_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["settings"]) == 0
    table = capsys.readouterr().out
    assert code_of(["settings", "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert code_of(["settings", "--markdown"]) == 0
    markdown = capsys.readouterr().out
    for setting in SETTINGS:
        if not setting.declared.hidden:
            assert f"\n{setting.name} " in table
            assert f"\n| `{setting.name}` |" in markdown
            assert setting.flag in [each["flag"] for each in documents]


def test_the_example_file_is_one(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code_of(["settings", "--toml"])
    text = capsys.readouterr().out.replace("\n#", "\n").replace("\n ", "\n# ").removeprefix("#")
    (tmp_path / "all.toml").write_text(
        "\n".join(line for line in text.split("\n") if " = " in line and '"none"' not in line)
    )
    assert code_of(["serve", "--config", str(tmp_path / "all.toml")]) == 0
    assert served == [HostSettings()]
