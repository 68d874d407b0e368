"""`isolated boot-server` and `isolated boot-config` as a person types them, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.boot.journal import Stage
from supervisor.boot.story import Story
from supervisor.cli import cli, code_of
from tests.boot.http_rig import ONE, Said, make_image


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "boot-server.toml"
    file.write_text(f"interface = 'lo'\nimages = '{tmp_path}/images'\nstateDir = '{tmp_path}'\n")
    return file


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["boot-server", *words, "--config", str(config)])


def test_an_image_is_sealed_promoted_and_tried_by_a_share(config: Path) -> None:
    for version in ("v1", "v2"):
        make_image(config.parent / "images" / version)
    sealed = run(config, "seal", "v1")
    assert [line.split()[1] for line in sealed.stdout.splitlines()] == ["initramfs", "vmlinuz"]
    assert run(config, "promote", "v1").stdout == "promoted: v1\n"
    assert run(config, "promote", "v2", "--canary", "10%").stdout == "promoted: v1; v2 for 10% of the machines\n"
    assert run(config, "promote", "v2").stdout == "promoted: v2\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("promote", "../x"), "not the name of an image version"),
        (("promote", "v1", "--canary", "0"), "write for example '10%'"),
        (("promote", "v1", "--canary", "5%"), "promote a version for all first"),
        (("seal", "."), "not the name of an image version"),
    ],
)
def test_wrong_words_are_told(
    config: Path, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_image(config.parent / "images/v1")
    assert code_of(["boot-server", *words, "--config", str(config)]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_an_image_that_is_not_there_is_told_with_what_to_do(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["boot-server", "promote", "v9", "--config", str(config)]) == 1
    assert "isolated boot-server seal v9" in capsys.readouterr().err


def test_status_shows_how_far_machines_are(config: Path) -> None:
    story = Story(config.parent, Said())
    story.script(ONE, "one", "v1")
    story.passed(ONE, Stage.KERNEL)
    story.refused(ONE, "the image is broken")
    story.write()
    done = run(config, "status")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(ONE)]
    assert line.split()[1:3] == ["one", "v1"]
    assert "kernel" in line
    assert "the image is broken" in line
    (machine,) = json.loads(run(config, "status", "--json").stdout)["machines"]
    assert (machine["mac"], machine["image"], machine["boots"]) == (ONE, "v1", 1)


def test_status_without_a_server_that_ever_ran_is_an_empty_table(config: Path) -> None:
    done = run(config, "status")
    assert done.exit_code == 0
    assert "the boot server does not run" in done.stderr


def test_the_settings_are_printed_in_both_forms() -> None:
    for form, told in (("--toml", '#range = "proxy"'), ("--markdown", "| `range` |")):
        assert told in CliRunner().invoke(cli, ["boot-server", "settings", form]).stdout


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("quiet ip=dhcp\n", 0, ""),
        ("isolated.config=ftp://a/b", 1, "isolated.config is not a URL"),
        ("isolated.config=http://127.0.0.1:9/x", 1, "cannot be reached"),
    ],
)
def test_boot_config_reads_the_kernels_words(
    tmp_path: Path, line: str, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cmdline").write_text(line)
    words = ["--cmdline", str(tmp_path / "cmdline"), "--config", str(tmp_path / "x.toml"), "--give-up", "4"]
    assert code_of(["boot-config", *words, "--console", str(tmp_path / "console")]) == code
    assert told in capsys.readouterr().err
    assert not (tmp_path / "x.toml").exists()
    if code == 1 and "http:" in line:
        assert "; trying again in " in (tmp_path / "console").read_text()
