"""The settings of a host: one declaration each, four places, the last one wins."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.errors import Problem, SettingsError
from supervisor.spec.setting import Setting
from supervisor.spec.settings import SETTINGS, HostSettings
from supervisor.spec.settings_load import load_settings

GIB = 2**30
BY_NAME = {setting.name: setting for setting in SETTINGS}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "isolated.toml"


def problems(file: Path, text: str = "", env: dict[str, str] | None = None, **flags: str) -> tuple[Problem, ...]:
    """What is wrong with settings; fails if nothing is."""
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(str(file), env, flags)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_the_defaults_are_what_the_kinds_themselves_accept() -> None:
    for setting in SETTINGS:
        told = setting.tell(setting.default)
        assert setting.parse_text(told) == setting.default, setting.name


def test_every_setting_has_names_of_its_own_everywhere() -> None:
    for names in zip(*((each.attribute, each.name, each.env, each.flag) for each in SETTINGS), strict=True):
        assert len(set(names)) == len(SETTINGS)
    drain = BY_NAME["drain"]
    assert (drain.attribute, drain.env, drain.flag) == ("drain_s", "ISOLATED_DRAIN", "--drain")
    token = BY_NAME["apiTokenFile"]
    assert (token.attribute, token.env, token.flag) == ("api_token_file", "ISOLATED_API_TOKEN_FILE", "--api-token-file")


def test_flags_win_over_the_environment_that_over_the_file_that_over_defaults(file: Path) -> None:
    file.write_text("warm = 1\nisolates = 11\nqueue = 111\n")
    settings = load_settings(str(file), {"ISOLATED_WARM": "2", "ISOLATED_ISOLATES": "22"}, {"warm": "3"})
    assert (settings.warm, settings.isolates, settings.queue) == (3, 22, 111)
    assert settings.connections == HostSettings().connections


def test_values_are_held_in_plain_units(file: Path) -> None:
    file.write_text(
        'drain = "1.5s"\nbundleSize = "1MiB"\nmemory = 1073741824\nhandoverReady = 2000\nstateDir = "/a//b/"'
    )
    settings = load_settings(str(file))
    assert (settings.drain_s, settings.bundle_size, settings.memory) == (1.5, 2**20, GIB)
    assert (settings.handover_ready_s, settings.state_dir) == (2.0, Path("/a/b"))


def test_texts_of_the_environment_say_what_a_file_says(file: Path) -> None:
    environment = {
        "ISOLATED_MEMORY": "1073741824",
        "ISOLATED_DRAIN": " 2s ",
        "ISOLATED_HANDOVER_MAPPINGS": "0.5",
        "ISOLATED_SECCOMP": "false",
        "ISOLATED_METRICS_LISTEN": "unix:/run/metrics.sock",
        "ISOLATED_LOG_FORMAT": "json",
    }
    file.write_text("")
    settings = load_settings(str(file), environment)
    assert (settings.memory, settings.drain_s, settings.handover_mappings) == (GIB, 2.0, 0.5)
    assert (settings.seccomp, str(settings.metrics_listen)) == (False, "unix:/run/metrics.sock")
    assert settings.log_format == "json"


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.nullable], ids=lambda each: each.name)
def test_the_word_for_nothing_takes_a_setting_back(setting: Setting, file: Path) -> None:
    word = setting.declared.nothing
    file.write_text(f'{setting.name} = "{word}"')
    assert getattr(load_settings(str(file)), setting.attribute) is None
    file.write_text("")
    assert getattr(load_settings(str(file), {setting.env: f"{word}"}), setting.attribute) is None
    assert setting.tell(None) == word


def test_a_file_that_is_named_must_exist_the_usual_one_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.spec.settings_load.SETTINGS_FILE", str(tmp_path / "none.toml"))
    assert load_settings() == HostSettings()
    named = str(tmp_path / "named.toml")
    for file, environment in ((named, {}), (None, {"ISOLATED_CONFIG": named})):
        with pytest.raises(SettingsError, match=r"named\.toml: there is no such file"):
            load_settings(file, environment)


def test_the_environment_may_name_the_file(file: Path) -> None:
    file.write_text("warm = 9")
    assert load_settings(None, {"ISOLATED_CONFIG": str(file)}).warm == 9


@pytest.mark.parametrize(
    ("name", "value", "shown", "allowed", "remedy"),
    [
        ("warm", "-1", "-1", "0 to 1000", "in that range"),
        ("warm", "true", "true", "0 to 1000", "in that range"),
        ("isolates", "0", "0", "1 to 1000000, or 'unlimited'", "in that range"),
        ("drain", "30", "30", "1 s to 1 h", "alone counts milliseconds"),
        ("drain", '"30"', '"30"', "1 s to 1 h", "'1.5s'"),
        ("drain", '"unlimited"', '"unlimited"', "1 s to 1 h", "'1.5s'"),
        ("memory", '"1"', '"1"', "or 'unlimited'", "64MiB"),
        ("memory", '"1MiB"', '"1MiB"', "16 MiB to", "alone counts bytes"),
        ("handoverMappings", "1.5", "1.5", "0.1 to 1", "write for example"),
        ("handoverMappings", "nan", "NaN", "0.1 to 1", "write for example"),
        ("stateDir", '"state"', '"state"', "absolute", "begin the path"),
        ("stateDir", "4", "4", "absolute", "/apps/app1"),
        ("socket", '"/run/"', '"/run/"', "107 bytes", "name of the socket"),
        ("socket", f'"/{"x" * 120}"', "xxx", "107 bytes", "shorter path"),
        ("apiListen", '"unix:/run/x"', "unix:", "'host:port' or '[IPv6]:port'", "`socket`"),
        ("apiListen", "8443", "8443", "host:port", "127.0.0.1:8443"),
        ("clusterListen", '"10.0.0.1"', '"10.0.0.1"', "host:port", "write for example '10.0.0.1:7443'"),
        ("clusterAdvertise", "7443", "7443", "host:port", "127.0.0.1:7443"),
        ("clusterJoin", '["10.0.0.1"]', '["10.0.0.1"]', "host:port", "write for example '10.0.0.1:7946'"),
        ("clusterJoin", '["[::x]:7946"]', '["[::x]:7946"]', "host:port", "[::1]:7946"),
        ("clusterJoin", "7946", "7946", "host:port", "10.0.0.1:7946,10.0.0.2:7946"),
        ("gossipListen", '"10.0.0.1"', '"10.0.0.1"', "host:port", "write for example '10.0.0.1:7946'"),
        ("gossipAdvertise", '"10.0.0.1"', '"10.0.0.1"', "host:port", "write for example '10.0.0.1:7946'"),
        ("logLevel", '"verbose"', '"verbose"', "debug, info", "write for example 'debug'"),
        ("logFormat", '"text"', '"text"', "console, json, or 'auto'", "'console'"),
        ("seccomp", '"no"', '"no"', "true or false", "without quotes"),
        ("v8Flags", '"a\\nb"', "", "one line", "in quotes"),
        ("warm", "1979-05-27", "1979-05-27", "0 to 1000", "in that range"),
        ("warm", "[1]", "[1]", "0 to 1000", "in that range"),
    ],
)
def test_one_wrong_value(name: str, value: str, shown: str, allowed: str, remedy: str, file: Path) -> None:
    (problem,) = problems(file, f"{name} = {value}")
    assert (problem.field, problem.file) == (name, str(file))
    assert shown in (problem.value or "")
    assert allowed in (problem.allowed or "")
    assert remedy in problem.remedy


def test_all_problems_of_all_places_are_told_at_once_each_with_its_place(file: Path) -> None:
    told = problems(file, "warm = -1\nqeue = 3\n", {"ISOLATED_ISOLATES": "many"}, drain="soon")
    places = {(each.file, each.field) for each in told}
    assert places == {(str(file), "warm"), (str(file), "qeue"), (None, "ISOLATED_ISOLATES"), (None, "--drain")}


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("Warm", "warm"), ("state_dir", "stateDir"), ("bundlesize", "bundleSize"), ("consoleLine", "consoleLines")],
)
def test_an_unknown_name_in_the_file_is_told_with_the_nearest(wrong: str, meant: str, file: Path) -> None:
    (problem,) = problems(file, f"{wrong} = 1")
    assert problem.remedy == f"did you mean {meant}?"
    assert "handoverParked" in (problem.allowed or "")
    assert "v8Flags" not in (problem.allowed or "")


def test_an_unknown_name_that_resembles_none_leads_to_the_list(file: Path) -> None:
    (problem,) = problems(file, "[zzz]\na = 1")
    assert "isolated settings" in problem.remedy


def test_a_misspelt_variable_is_refused_and_those_of_others_are_not_ours(file: Path) -> None:
    (problem,) = problems(file, "", {"ISOLATED_CONNECTION": "3"})
    assert problem.field == "ISOLATED_CONNECTION"
    assert problem.remedy == "did you mean ISOLATED_CONNECTIONS?"
    foreign = {"ISOLATED_SERVICE_HOST": "10.0.0.1", "ISOLATED_HOST": "x", "ISOLATED_HANDOVER_FD": "3", "PATH": "/bin"}
    file.write_text("")
    assert load_settings(str(file), {**foreign, "ISOLATED_HANDOVERS": "2"}) == HostSettings()


def test_a_flag_that_is_not_one(file: Path) -> None:
    (problem,) = problems(file, wram="3")
    assert problem.remedy == "did you mean warm?"


def test_flags_may_be_named_as_attributes(file: Path) -> None:
    file.write_text("")
    settings = load_settings(str(file), None, {"state_dir": "/s", "drain_s": "3s"})
    assert (settings.state_dir, settings.drain_s) == (Path("/s"), 3.0)


def test_the_api_is_not_served_on_the_network_without_tls_and_token(file: Path) -> None:
    (problem,) = problems(file, 'apiListen = "127.0.0.1:8443"\napiCert = "/c.pem"')
    assert problem.field == "apiListen"
    assert problem.remedy == "set apiTokenFile, apiKey"
    file.write_text('apiListen = "127.0.0.1:8443"\napiCert = "/c"\napiKey = "/k"\napiTokenFile = "/t"')
    assert load_settings(str(file)).api_key == Path("/k")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clusterJoin", "10.0.0.1:7946"),
        ("clusterKeyFile", "/etc/isolated/cluster.key"),
        ("clusterAdvertise", "10.0.0.1:7443"),
        ("gossipListen", "10.0.0.1:7946"),
        ("gossipAdvertise", "10.0.0.1:7946"),
    ],
)
def test_a_host_that_was_meant_to_be_one_of_a_cluster_does_not_serve_alone(name: str, value: str, file: Path) -> None:
    (problem,) = problems(file, "", None, **{name: value})
    assert (problem.field, problem.value) == (name, value)
    assert problem.message == "it is set, but clusterListen is not: this host would be one of no cluster"
    assert "set clusterListen" in problem.remedy
    assert f"take {name} out" in problem.remedy


def test_what_is_harmless_without_a_cluster_may_be_set(file: Path) -> None:
    harmless = {"hostId": "h7", "imageId": "2026", "clusterGrace": "9s", "powerOff": "true", "spares": "a=command:/on"}
    file.write_text("")
    assert load_settings(str(file), None, harmless).host_id == "h7"


def test_a_bundle_that_could_be_uploaded_can_be_unpacked(file: Path) -> None:
    (problem,) = problems(file, 'bundleSize = "1GiB"')
    assert (problem.field, problem.value) == ("bundleUnpacked", "256 MiB")


def test_control_characters_of_a_file_do_not_reach_the_terminal(file: Path) -> None:
    told = problems(file, '"\\u001b[2J" = 1\nlogLevel = "\\u001b[31m"', {"ISOLATED_WAR\x1bM": "1"})
    assert "\x1b" not in "\n".join(map(str, told))


def test_settings_are_values(file: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        HostSettings().warm = 3  # type: ignore[misc]
    assert HostSettings() == HostSettings()


def test_the_declarations_need_no_models() -> None:
    program = "import sys, supervisor.spec.settings_doc; assert 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
