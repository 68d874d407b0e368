"""The boot server under real init systems: started, killed, stopped, and dnsmasq with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.packages import BootParts, boot_parts
from tests.service.box import CHECKOUT, HERE, Box, box, wait_until
from tests.service.openrc_packages import packages
from tests.service.test_daemon import program
from tests.service.test_systemd import analyze, needs_tools

__all__ = ["boot_parts", "packages", "program"]

UNIT = CHECKOUT / "alpine/systemd/isolated-boot-server.service"
SERVICE = "isolated-boot-server"
SETTINGS = "/etc/isolated/boot-server.toml"
WORDS = """\
interface = "rack0"
range = "10.77.0.100-10.77.0.199"
loaders = "{loaders}"
dnsmasq = "{dnsmasq}"
"""


@needs_tools
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/isolated", "/bin/true"))
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.fixture
def systemd(program: str) -> Iterator[Box]:
    if not Path("/lib/systemd/systemd").exists():
        pytest.skip("systemd is not here")
    with box(HERE / "systemd.sh", program) as started:
        wait_until(lambda: "running" in started.run("systemctl", "is-system-running", check=False), "systemd")
        yield started


@pytest.fixture
def openrc(program: str, packages: str) -> Iterator[Box]:
    with box(HERE / "openrc.sh", program, packages) as started:
        wait_until(lambda: "yes" in started.shell("test -e /run/box-is-up && echo yes", check=False), "OpenRC")
        yield started


def wire(here: Box, parts: BootParts) -> None:
    """An interface for the rack, and settings that name it."""
    here.shell("ip link add rack0 type bridge && ip address add 10.77.0.1/24 dev rack0 && ip link set rack0 up")
    words = WORDS.format(loaders=parts.loaders, dnsmasq=parts.dnsmasq)
    here.shell(f"mkdir -p /etc/isolated && cat > {SETTINGS} <<'END'\n{words}END\n")


def engines(here: Box) -> list[str]:
    """Process ids of dnsmasq, as the user that it runs as."""
    return here.run("pgrep", "-u", "nobody", "-f", "keep-in-foreground", check=False).split()


def main_pid(here: Box) -> str:
    return here.run("systemctl", "show", SERVICE, "--property", "MainPID", "--value").strip()


def test_systemd_starts_it_again_and_stops_it_with_all_that_it_started(systemd: Box, boot_parts: BootParts) -> None:
    wire(systemd, boot_parts)
    systemd.run("systemctl", "start", SERVICE)
    wait_until(lambda: len(engines(systemd)) == 1, f"dnsmasq, but {systemd.run('systemctl', 'status', SERVICE)}")
    first, before = engines(systemd), main_pid(systemd)
    systemd.run("kill", "-KILL", before)
    wait_until(lambda: main_pid(systemd) not in (before, "0"), "another one")
    wait_until(lambda: len(engines(systemd)) == 1 and engines(systemd) != first, "its dnsmasq alone")
    systemd.run("systemctl", "stop", SERVICE)
    assert engines(systemd) == []
    assert systemd.run("systemctl", "show", SERVICE, "--property", "Result", "--value").strip() == "success"


def test_systemd_does_not_try_wrong_settings_again(systemd: Box, boot_parts: BootParts) -> None:
    wire(systemd, boot_parts)
    systemd.shell(f"echo 'interfaces = 1' >> {SETTINGS}")
    systemd.run("systemctl", "start", SERVICE, check=False)
    shows = [f"--property={name}" for name in ("ActiveState", "ExecMainStatus", "NRestarts")]
    wait_until(
        lambda: sorted(systemd.run("systemctl", "show", SERVICE, *shows, "--value").split()) == ["0", "2", "failed"],
        "the end of its tries",
    )


def test_openrc_starts_and_stops_it_with_all_that_it_started(openrc: Box, boot_parts: BootParts) -> None:
    wire(openrc, boot_parts)
    openrc.run("rc-service", SERVICE, "start")
    wait_until(lambda: len(engines(openrc)) == 1, "dnsmasq")
    assert "started" in openrc.run("rc-service", SERVICE, "status")
    openrc.run("rc-service", SERVICE, "stop")
    assert engines(openrc) == []
