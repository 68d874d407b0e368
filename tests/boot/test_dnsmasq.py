"""The real dnsmasq, in a network of its own: addresses, TFTP, who is refused, and its life as an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boot.fixtures import boot_parts, net, site
from tests.boot.rack_net import SERVER, Namespace, wait_until
from tests.boot.running import ENVIRONMENT, Site
from tests.machine.fetch import Parts
from tests.machine.fixtures import parts

__all__ = ["boot_parts", "net", "parts", "site"]

LISTED, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:99"
ONE = f"[machines.one]\nmac = '{LISTED}'\n"
IMAGE = {"vmlinuz": b"kernel" * 1000, "initramfs": b"initramfs" * 5000}


def address(client: Namespace, parts: Parts, asking: int = 20) -> str:
    """What busybox's DHCP client gets, which asks so often, once a second; '' if it gets nothing."""
    words = [
        str(parts.busybox),
        "udhcpc",
        "-i",
        "eth0",
        "-n",
        "-q",
        "-t",
        str(asking),
        "-T",
        "1",
        "-s",
        str(Path(__file__).with_name("lease.sh")),
    ]
    done = client.run(*words, check=False)
    found = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("got ")]
    return found[0] if found else ""


def test_a_listed_machine_gets_an_address_and_files_and_a_stranger_nothing(
    site: Site, parts: Parts, tmp_path: Path
) -> None:
    site.image("v1", IMAGE)
    site.configure(ONE + "address = '10.77.0.42'\n")
    one, stranger = site.net.client(LISTED), site.net.client(STRANGER)
    with site.running():
        assert address(one, parts) == "10.77.0.42"
        got = tmp_path / "got"
        for name, wanted in (("undionly.kpxe", None), ("images/v1/initramfs", IMAGE["initramfs"])):
            one.run(str(parts.busybox), "tftp", "-g", "-r", name, "-l", str(got), SERVER)
            assert got.read_bytes() == (wanted or (site.parts.loaders / name).read_bytes())
        assert address(stranger, parts, asking=4) == ""
        assert one.run(
            str(parts.busybox), "tftp", "-g", "-r", "../boot-server.toml", "-l", str(got), SERVER, check=False
        ).returncode
        site.wait_stage(LISTED, "initramfs")
        assert site.stages(LISTED) == ["dhcp", "dhcp", "tftp", "initramfs"]
        wait_until(lambda: any(e["event"] == "refused" and e["mac"] == STRANGER for e in site.events()), "the refusal")


@pytest.mark.slow
def test_strangers_get_addresses_where_the_settings_have_a_group_for_them(site: Site, parts: Parts) -> None:
    site.configure(unknown="default")
    with site.running():
        assert address(site.net.client(STRANGER), parts).startswith("10.77.0.1")


@pytest.mark.slow
def test_it_is_started_again_after_a_kill_and_ends_with_us(site: Site, parts: Parts) -> None:
    site.configure(ONE)
    with site.running() as process:
        first = pid_of_dnsmasq(site)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of_dnsmasq(site) not in (0, first), "another dnsmasq")
        second = pid_of_dnsmasq(site)
        assert any(each["event"] == "dnsmasq ended" for each in site.events())
        assert address(site.net.client(LISTED), parts)
    wait_until(lambda: not alive(second), "its end")
    assert process.returncode == 0


@pytest.mark.parametrize("user", [pytest.param("root", marks=pytest.mark.slow), "nobody"])
def test_it_dies_with_a_boot_server_that_is_killed(site: Site, user: str) -> None:
    site.configure(ONE, dnsmasqUser=user)
    if user == "nobody":
        make_readable(site.folder)
    with site.running() as process:
        pid = pid_of_dnsmasq(site)
        owner = Path(f"/proc/{pid}").stat().st_uid
        assert (owner == 0) == (user == "root")
        process.kill()
        process.wait()
        wait_until(lambda: not alive(pid), "the end of dnsmasq")


@pytest.mark.parametrize("before", [False, True], ids=["nothing is there", "closed folders are there"])
def test_dnsmasqs_user_reads_what_it_needs_whatever_the_umask_was(
    site: Site, parts: Parts, tmp_path: Path, before: bool
) -> None:
    site.configure(f"[machines.two]\nuuid = '{UUID}'\n", dnsmasqUser="nobody")
    site.image("v1", IMAGE)
    make_readable(site.folder)
    (tmp_path / "got").touch()
    if before:
        state = site.folder / "state"
        for folder in (state, state / "tftp", state / "tftp/images", state / "dnsmasq", state / "dnsmasq/heard"):
            folder.mkdir(0o700)
        (state / "dnsmasq/dnsmasq.conf").touch(0o600)
        (state / "dnsmasq/heard" / STRANGER.replace(":", "-")).touch(0o600)
        (state / "dnsmasq/heard" / STRANGER.replace(":", "-")).write_text(f"{STRANGER},set:listed\n")
    client = site.net.client(STRANGER)
    with site.running(umask=0o077):
        assert site.cli("promote", "v1").returncode == 0
        client.run("ip", "address", "add", "10.77.0.5/24", "dev", "eth0")
        for name in ("undionly.kpxe", "images/v1/initramfs"):
            client.run(str(parts.busybox), "tftp", "-g", "-r", name, "-l", str(tmp_path / "got"), SERVER)
        script = site.url(f"/machines/{STRANGER.replace(':', '-')}_{UUID}/boot.ipxe")
        client.run(str(parts.busybox), "wget", "-q", "-O", "-", script)
        client.run("ip", "address", "flush", "dev", "eth0")
        wait_until(lambda: address(client, parts, asking=4), "its address")


def make_readable(folder: Path) -> None:
    """Opens the folders of pytest, which are closed to other users, on the way to `folder`."""
    for each in (folder, *folder.parents):
        if each.name.startswith(("pytest-", folder.name)):
            each.chmod(0o755)


def pid_of_dnsmasq(site: Site) -> int:
    """Its process id; 0 while there is none."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if f"--conf-file={site.folder}/state/dnsmasq/dnsmasq.conf".encode() in words and b"setpriv" not in words[0]:
            return int(entry.name)
    return 0


def alive(pid: int) -> bool:
    """Whether it runs: one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.slow
def test_an_image_that_is_broken_later_vanishes_from_tftp(site: Site, parts: Parts, tmp_path: Path) -> None:
    folder = site.image("v1", IMAGE)
    site.configure(ONE)
    one = site.net.client(LISTED)
    with site.running():
        assert address(one, parts)
        (folder / "initramfs").write_bytes(b"broken")
        fetch = [str(parts.busybox), "tftp", "-g", "-r", "images/v1/vmlinuz", "-l", str(tmp_path / "got"), SERVER]
        wait_until(lambda: one.run(*fetch, check=False).returncode != 0, "TFTP's refusal")
        assert [each["why"] for each in site.events() if each["event"] == "image refused"] == [
            "image v1: initramfs is not the file that was sealed: its checksum differs"
        ]


UUID = "4c4c4544-0042-3510-8052-b4c04f4e3332"
BIOS, EFI_BYTE_CODE, EFI = "0", "7", "9"


def told_to_boot(site: Site, client: Namespace, kind: str, mac: str = LISTED, identity: str = "-") -> list[str]:
    """The file that firmware is told to fetch, and its address."""
    command = [sys.executable, "-m", "tests.boot.firmware", "eth0", mac, kind, identity]
    done = subprocess.run(
        client.command(*command), capture_output=True, text=True, timeout=60, check=True, env=ENVIRONMENT, cwd="/"
    )
    return done.stdout.split()


@pytest.mark.parametrize("span", ["10.77.0.100-10.77.0.199", pytest.param("proxy", marks=pytest.mark.slow)])
def test_each_firmware_is_told_its_way_to_ipxe_and_ipxe_its_script(site: Site, span: str) -> None:
    site.configure(ONE, range=span)
    client = site.net.client(LISTED)
    with site.running():
        told = {kind: told_to_boot(site, client, kind) for kind in (BIOS, EFI_BYTE_CODE, EFI, "ipxe")}
    assert told["ipxe"][0] == f"http://{SERVER}:8080/boot.ipxe"
    if span != "proxy":
        assert [told[kind][0] for kind in (BIOS, EFI_BYTE_CODE, EFI)] == ["undionly.kpxe", "ipxe.efi", "ipxe.efi"]
    assert {each[-1] == "0.0.0.0" for each in told.values()} == {span == "proxy"}


@pytest.mark.slow
def test_a_machine_is_known_by_its_uuid_and_then_by_the_card_that_it_used(site: Site, parts: Parts) -> None:
    site.image("v1", IMAGE)
    site.configure(f"[machines.two]\nuuid = '{UUID}'\n")
    client = site.net.client(STRANGER)
    with site.running():
        assert site.cli("promote", "v1").returncode == 0
        assert told_to_boot(site, client, BIOS, STRANGER) == ["nothing"]
        assert told_to_boot(site, client, BIOS, STRANGER, UUID)[0] == "undionly.kpxe"
        assert address(client, parts, asking=4) == ""  # systems do not send their UUID
        client.run("ip", "address", "add", "10.77.0.5/24", "dev", "eth0")
        machine = f"{STRANGER.replace(':', '-')}_{UUID}"
        script = client.run(str(parts.busybox), "wget", "-q", "-O", "-", site.url(f"/machines/{machine}/boot.ipxe"))
        assert f"machines/{machine}/isolated.toml" in script.stdout
        client.run("ip", "address", "flush", "dev", "eth0")
        wait_until(lambda: address(client, parts, asking=4), "its address")
