"""The OpenRC script: as the shell reads it, and as supervise-daemon runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.boot.identity import Identity
from supervisor.boot.ipxe import Served, command_line
from tests.service.box import CHECKOUT, HERE, STAND_IN, Box, box, wait_until
from tests.service.openrc_packages import packages

SCRIPT = CHECKOUT / "alpine/openrc/isolated"
SETTINGS = CHECKOUT / "alpine/openrc/isolated.confd"
NETBOOT = [CHECKOUT / f"alpine/openrc/isolated-{name}" for name in ("boot", "boot-server", "joined", "log", "network")]
OTHER_CARD = "52:54:00:ab:cd:ef"
SERVED = Served(http="http://10.0.0.1:8080", https="https://10.0.0.1:8443", transfer="http://10.0.0.1:8080")
__all__ = ["packages"]


@pytest.mark.parametrize("file", [SCRIPT, SETTINGS, *NETBOOT], ids=lambda each: each.name)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_shells_accept_it(file: Path, shell: str) -> None:
    subprocess.run([shell, "-n", str(file)], check=True)


@pytest.fixture
def openrc(packages: str) -> Iterator[Box]:
    with box(HERE / "openrc.sh", str(STAND_IN), packages) as started:
        wait_until(lambda: "yes" in started.shell("test -e /run/box-is-up && echo yes", check=False), "OpenRC")
        yield started


def service(here: Box, *words: str, check: bool = True) -> str:
    return here.run("rc-service", "isolated", *words, check=check)


def test_it_is_started_and_stopped_by_draining(openrc: Box) -> None:
    service(openrc, "start")
    pid = openrc.wait_for_diary("ready serve")
    assert "started" in service(openrc, "status")
    service(openrc, "stop")
    assert openrc.diary()[-1] == (pid, "drained")
    assert "stopped" in service(openrc, "status", check=False)


def test_its_folders_are_for_the_right_eyes(openrc: Box) -> None:
    service(openrc, "start")
    modes = openrc.run("stat", "--format", "%a", "/run/isolated", "/var/lib/isolated", "/var/log/isolated.log")
    assert modes.split() == ["755", "700", "640"]


def test_after_a_kill_it_is_started_again(openrc: Box) -> None:
    service(openrc, "start")
    pid = openrc.wait_for_diary("ready")
    openrc.run("kill", "-KILL", str(pid))
    assert openrc.wait_for_diary("ready", 2) != pid
    assert "started" in service(openrc, "status")


def test_a_reload_hands_over_and_a_stop_finds_the_fresh_process(openrc: Box) -> None:
    service(openrc, "start")
    old = openrc.wait_for_diary("ready")
    service(openrc, "reload")
    new = openrc.wait_for_diary("ready serve successor")
    openrc.wait_for_diary(f"handed over to {new}")
    assert "started" in service(openrc, "status")
    service(openrc, "reload")
    newer = openrc.wait_for_diary("ready serve successor", 2)
    openrc.wait_for_diary(f"handed over to {newer}")
    service(openrc, "stop")
    ends = {(newer, "drained"), (new, "exit 0"), (old, "exit 0")}
    assert ends <= set(openrc.diary())


def test_more_flags_and_a_plain_user_come_from_its_settings(openrc: Box) -> None:
    openrc.shell("echo 'isolated_args=\"--warm 8\"; isolated_user=nobody' >> /etc/conf.d/isolated")
    service(openrc, "start")
    pid = openrc.wait_for_diary("ready serve --warm 8")
    assert openrc.shell(f"stat --format %U /proc/{pid} /run/isolated /var/lib/isolated").split() == ["nobody"] * 3


def test_a_host_that_booted_over_the_network_waits_for_its_settings(openrc: Box) -> None:
    openrc.shell("touch /run/no-boot-server")
    openrc.shell("mkdir -p /etc/runlevels/default && for each in isolated-boot isolated isolated-joined; do "
                 "ln -s /etc/init.d/$each /etc/runlevels/default; done; openrc default >/run/said 2>&1 &")  # fmt: skip
    openrc.wait_for_diary("boot-config --console /dev/console")
    assert not [text for _, text in openrc.diary() if text.startswith("ready")]
    openrc.shell("rm /run/no-boot-server")
    openrc.wait_for_diary("ready serve")
    openrc.shell("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/run/isolated/control.sock\")'")
    openrc.wait_for_diary("told")
    texts = [text for _, text in openrc.diary()]
    assert texts.index("has settings") < next(n for n, text in enumerate(texts) if text.startswith("ready serve"))
    assert "boot-config --joined" in texts


CHATTY = """#!/bin/sh
i=0
while [ $i -lt 3000 ]; do i=$((i + 1)); echo "line $i of a task that talks"; done
touch /run/has-talked
until [ -e /run/more ]; do sleep 0.05; done
echo "one more"
exec sleep 3600
"""


def test_a_task_that_talks_does_not_fill_the_file_system(openrc: Box) -> None:
    openrc.shell(f"cat >/run/chatty <<'END'\n{CHATTY}END\nchmod 755 /run/chatty")
    openrc.shell("printf 'isolated_command=/run/chatty\nisolated_log_bytes=10000\nisolated_log_seconds=0.1\n' "
                 ">>/etc/conf.d/isolated")  # fmt: skip
    service(openrc, "start")

    def files() -> dict[str, str]:
        """What is there of the log, by the last part of the name."""
        return {name: openrc.shell(f"cat /var/log/isolated.{name}", check=False) for name in ("log", "log.1")}

    wait_until(lambda: "yes" in openrc.shell("test -e /run/has-talked && echo yes", check=False), "all that it says")
    wait_until(lambda: len(files()["log"]) <= 10_000, "a small log")
    assert 0 < len(files()["log.1"]) <= 10_000
    openrc.shell("touch /run/more")
    wait_until(lambda: files()["log"].endswith("one more\n"), "that it goes on")
    assert len(files()["log"]) <= 10_000
    assert "\0" not in "".join(files().values())
    assert openrc.shell("stat --format %a /var/log/isolated.log /var/log/isolated.log.1").split() == ["640", "640"]
    assert "started" in openrc.run("rc-service", "isolated-log", "status")


@pytest.mark.parametrize(
    ("line", "card"),
    [
        (command_line(Identity(OTHER_CARD), "v1", name="one", words="ip=dhcp", served=SERVED, key=True), "eth1"),
        (f"BOOTIF=01-{OTHER_CARD.upper().replace(':', '-')}", "eth1"),
        ("BOOTIF=01-52-54-00-00-00-99", "eth0"),
        ("quiet", "eth0"),
    ],
)
def test_the_card_that_a_machine_booted_through_keeps_its_lease(openrc: Box, line: str, card: str) -> None:
    """`networking` is a stand-in that keeps what it would read."""
    openrc.shell(f"""set -e
        mount -t sysfs sysfs /sys  # of this network
        ip link add eth0 type veth peer name eth1 address {OTHER_CARD}
        echo '{line}' >/run/cmdline && mount --bind /run/cmdline /proc/cmdline
        mkdir -p /etc/network /etc/runlevels/default
        cp '{CHECKOUT}/alpine/netboot/interfaces' /etc/network/interfaces
        printf '#!/sbin/openrc-run\\nstart() {{ cp /etc/network/interfaces /run/read; }}\\n' >/etc/init.d/networking
        chmod 755 /etc/init.d/networking
        ln -s /etc/init.d/networking /etc/init.d/isolated-network /etc/runlevels/default
        openrc default >/run/said 2>&1""")
    wait_until(lambda: "iface lo" in openrc.shell("cat /run/read", check=False), "networking")
    read = openrc.shell("cat /run/read").splitlines()
    assert [each for each in read if each.startswith("auto")] == ["auto lo", f"auto {card}"]
    assert read[-1] == f"iface {card} inet dhcp"
    openrc.run("rc-service", "isolated-network", "restart")
    assert openrc.shell("cat /etc/network/interfaces").splitlines() == read  # once is enough


def test_a_host_starts_with_what_it_has_if_the_words_are_wrong(openrc: Box) -> None:
    openrc.shell("echo 'isolated_command=/bin/false' >/etc/conf.d/isolated-boot")
    openrc.run("rc-service", "isolated-boot", "start", check=False)
    service(openrc, "start")
    openrc.wait_for_diary("ready serve")
