"""`isolated boot-server check` finds each usual mistake, in a network of its own, and says what to do."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.checks.dhcp_packet import Offer, discover, read_offer, read_options
from supervisor.boot.checks.files import check_readable, handshake
from supervisor.boot.keys import client_tls, server_tls
from tests.boot.fixtures import boot_parts, net, site
from tests.boot.http_rig import KEY
from tests.boot.rack_net import BRIDGE, SERVER, Namespace, wait_until
from tests.boot.running import Site
from tests.fakes.certificate import certificate

__all__ = ["boot_parts", "net", "site"]
ONE = "[machines.one]\nmac = '52:54:00:00:00:01'\n"
IMAGE = {"vmlinuz": b"kernel", "initramfs": b"initramfs"}


def ready(site: Site, text: str = ONE, **changes: object) -> Site:
    """A boot server with nothing wrong."""
    site.image("v1", IMAGE)
    site.configure(text, **changes)
    assert site.cli("promote", "v1").returncode == 0
    return site


def check(site: Site, dhcp_wait_s: float = 0.1) -> subprocess.CompletedProcess[str]:
    """Runs the check; only some tests are about DHCP and wait for it."""
    return site.cli("check", "--dhcp-wait", str(dhcp_wait_s))


@contextlib.contextmanager
def other_dhcp(at: Namespace, site: Site, span: str = "10.77.0.50,10.77.0.59") -> Iterator[None]:
    """Another server in the same network."""
    at.run("ip", "address", "add", "10.77.0.9/24", "dev", "eth0")
    folder = site.folder / "other"
    folder.mkdir()
    fixed = (
        "--keep-in-foreground",
        "--port=0",
        "--interface=eth0",
        "--user=root",
        "--conf-file=/dev/null",
        "--pid-file",
        "--no-ping",  # or it would look for 3 s whether somebody has the address already
    )
    words = [*fixed, f"--dhcp-range={span}", f"--dhcp-leasefile={folder}/leases", "--log-facility=-"]
    process = at.start(str(site.parts.dnsmasq), *words, log=folder / "log")
    try:
        wait_until(lambda: "started" in (folder / "log").read_text(), "the other server")
        yield
    finally:
        process.kill()
        process.wait()


def test_nothing_is_found_where_nothing_is_wrong(site: Site) -> None:
    ready(site)
    done = check(site)
    assert (done.returncode, done.stdout) == (0, "nothing found\n"), done.stderr
    with site.running():
        done = check(site)
        assert (done.returncode, done.stdout) == (0, "nothing found\n"), done.stderr


def test_another_dhcp_server_is_found_with_its_address(site: Site) -> None:
    ready(site)
    with other_dhcp(site.net.client("52:54:00:00:00:09"), site):
        done = check(site, 6)
    assert done.returncode == 1
    assert f"another DHCP server answers on {BRIDGE}: 10.77.0.9 offers 10.77.0.5" in done.stdout
    assert "switch it off" in done.stdout


@pytest.mark.slow
def test_a_proxy_wants_another_server(site: Site) -> None:
    ready(site, range="proxy")
    done = check(site, 6)
    assert done.returncode == 1
    assert "no DHCP server gives out addresses" in done.stdout
    with other_dhcp(site.net.client("52:54:00:00:00:09"), site):
        assert check(site, 6).returncode == 0


def break_image(site: Site) -> None:
    (site.images / "v1/initramfs").write_bytes(b"something else")


def take_kernel_away(site: Site) -> None:
    (site.images / "v1/vmlinuz").unlink()


def promote_nothing(site: Site) -> None:
    (site.images / "promoted.json").unlink()


def promote_what_is_gone(site: Site) -> None:
    (site.images / "promoted.json").write_text('{"stable": "v0"}')


MISTAKES = [
    (break_image, {}, "checksum differs", "copy it again"),
    (take_kernel_away, {}, "vmlinuz cannot be read", "put it back"),
    (promote_nothing, {}, "no image is promoted", "promote VERSION"),
    (promote_what_is_gone, {}, "promoted.json wants image v0", "put it there"),
    (None, {"loaders": "/nonexistent"}, "undionly.kpxe is missing", "install ipxe"),
    (None, {"range": "10.99.0.1-10.99.0.9"}, "range is 10.99.0.1, which is not in the network", "choose one within"),
    (None, {"range": "10.77.0.1-10.77.0.9"}, "which is our own address", "choose a range without it"),
    (None, {"prefix": "fd99::/64"}, "has no address in fd99::/64", "ip -6 address add fd99::1/64"),
    (None, {"interface": "br9"}, "interface br9: No such device", "ip link"),
    (None, {"dnsmasq": "/nonexistent"}, "/nonexistent is not a program", "install dnsmasq"),
]


# Each makes a network and starts a program: some seconds in all.
@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "changes", "told", "remedy"), MISTAKES)
def test_a_mistake_is_found_with_its_remedy(
    site: Site, mistake: object, changes: dict[str, object], told: str, remedy: str
) -> None:
    ready(site)
    if callable(mistake):
        mistake(site)
    site.configure(ONE, **changes)
    done = check(site)
    assert told in done.stdout, done.stdout + done.stderr
    assert remedy in done.stdout
    assert done.returncode == int("error:" in done.stdout)


@pytest.mark.slow
def test_settings_that_hosts_could_not_start_with_are_found(site: Site) -> None:
    config = site.folder / "web.toml"
    config.write_text("wram = 3\n")
    ready(site, f"[groups.default]\nconfig = '{config}'\n{ONE}")
    done = check(site)
    assert done.returncode == 1
    assert "did you mean warm?" in done.stdout


@pytest.mark.slow
def test_a_port_that_somebody_has_is_found(site: Site) -> None:
    ready(site)
    busy = f"import socket,time\ns=socket.create_server(('{SERVER}',8080))\nprint('here',flush=True)\ntime.sleep(600)"
    process = site.net.server.start("python3", "-c", busy, log=site.folder / "busy")
    try:
        wait_until(lambda: "here" in (site.folder / "busy").read_text(), "the port")
        done = check(site)
    finally:
        process.kill()
        process.wait()
    assert done.returncode == 1
    assert "TCP port 8080: Address already in use" in done.stdout
    assert "ss -lnpt" in done.stdout


@pytest.mark.slow
def test_tftp_that_a_firewall_blocks_is_found(site: Site) -> None:
    ready(site)
    with site.running():
        site.net.server.run("ip", "link", "set", "lo", "down")  # nothing of ours reaches our own address
        done = check(site)
    assert done.returncode == 1
    assert "does not come by TFTP" in done.stdout or "TFTP cannot be tried" in done.stdout


def test_a_certificate_that_hosts_would_not_trust_is_found(site: Site) -> None:
    tls = certificate(site.folder)  # for 127.0.0.1 only
    key = site.folder / "key"
    key.write_text(KEY)
    key.chmod(0o640)
    secrets = {"ca": str(tls.certificate), "tlsCert": str(tls.certificate), "tlsKey": str(tls.key), "keyFile": str(key)}
    ready(site, **secrets)
    assert f"chmod 600 {key}" in check(site).stdout
    key.chmod(0o600)
    done = check(site)
    assert done.returncode == 1
    assert f"hosts would not trust {tls.certificate}: IP address mismatch" in done.stdout


def test_a_handshake_says_whom_the_client_trusts(tmp_path: Path) -> None:
    one = certificate(tmp_path, "one", addresses=("127.0.0.1", SERVER))
    other = certificate(tmp_path, "other")
    server = server_tls(one.certificate, one.key)
    assert handshake(server, client_tls(one.certificate), SERVER) is None
    assert "mismatch" in str(handshake(server, client_tls(one.certificate), "10.0.0.2"))
    assert "self-signed" in str(handshake(server, client_tls(other.certificate), SERVER))


def test_a_folder_that_is_closed_to_dnsmasqs_user_is_found(tmp_path: Path) -> None:
    file = tmp_path / "closed/deep/file"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_mode & 0o001 == 0 and each.name.startswith(("pytest-", tmp_path.name)):
            each.chmod(0o755)
    assert list(check_readable(file, "nobody")) == []
    (tmp_path / "closed").chmod(0o700)
    (found,) = check_readable(file, "nobody")
    assert found.remedy == f"chmod o+x {tmp_path}/closed"
    (tmp_path / "closed").chmod(0o755)
    file.chmod(0o600)
    (found,) = check_readable(file, "nobody")
    assert found.remedy == f"chmod o+r {file}"
    assert list(check_readable(file, "root")) == []


@given(st.binary(max_size=700), st.integers(0, 2**32 - 1))
def test_anything_but_an_offer_is_none(data: bytes, number: int) -> None:
    assert read_offer(data, number) is None
    read_options(data)


@given(st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
def test_an_offer_is_read_from_an_answer(number: int, server: bytes, yours: bytes) -> None:
    asked = discover(number, "52:54:00:00:00:01")
    options = b"\x35\x01\x02\x00\x36\x04" + server + b"\xff"
    answer = b"\x02" + asked[1:16] + yours + asked[20:240] + options
    offered = IPv4Address(yours)
    assert read_offer(answer, number) == Offer(IPv4Address(server), None if offered == IPv4Address(0) else offered)
    assert read_offer(answer, number ^ 1) is None
    assert read_offer(b"\x01" + answer[1:], number) is None  # a request


def test_a_request_is_one_of_300_bytes_that_asks_for_a_broadcast() -> None:
    asked = discover(7, "52:54:00:00:00:01")
    assert (len(asked), asked[:4], asked[4:8], asked[10:12]) == (300, b"\1\1\6\0", b"\0\0\0\7", b"\x80\0")
    assert asked[28:34] == bytes.fromhex("525400000001")
    assert socket.inet_ntoa(asked[12:16]) == "0.0.0.0"
