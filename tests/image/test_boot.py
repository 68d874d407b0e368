"""The whole way: empty emulated machines boot over PXE from `isolated boot-server`, an image in place of Alpine's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.boot.fixtures import boot_parts, net, site
from tests.boot.http_rig import KEY
from tests.boot.rack_net import SERVER, wait_until
from tests.boot.running import ENVIRONMENT, Site
from tests.fakes.certificate import certificate
from tests.image.rig import BOOT_S, WORDS, binary, machine, small_image, stages, uefi
from tests.image.stand_in import pack, stand_in
from tests.machine.fetch import Parts
from tests.machine.fixtures import parts
from tools.runtime_tree.layout import here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
__all__ = ["binary", "boot_parts", "net", "parts", "site"]

ONE, TWO = "52:54:00:00:00:01", "52:54:00:00:00:02"
HOST = "10.77.0.42"
BOTH = f"[machines.one]\nmac = '{ONE}'\n[machines.two]\nmac = '{TWO}'\n"
TOKEN = "0123456789abcdef0123456789abcdef"
API = """\
apiListen = "0.0.0.0:7443"
apiTokenFile = "/etc/isolated/api.token"
apiCert = "/etc/isolated/api.crt"
apiKey = "/etc/isolated/api.key"
"""


def test_an_empty_machine_becomes_a_host_and_answers_for_a_task(site: Site, parts: Parts, binary: Path | None) -> None:
    tls, api = (
        certificate(site.folder, name, addresses=("127.0.0.1", at)) for name, at in (("boot", SERVER), ("api", HOST))
    )
    key, config, token = (site.folder / name for name in ("key", "web.toml", "token"))
    for file, text in ((key, KEY), (config, API), (token, TOKEN)):
        file.write_text(text)
        file.chmod(0o600)
    inside = {
        "/etc/isolated/boot-ca.pem": tls.certificate.read_bytes(),
        "/etc/isolated/api.crt": api.certificate.read_bytes(),
        "/etc/isolated/api.key": api.key.read_bytes(),
        "/etc/isolated/api.token": TOKEN.encode(),
    }
    pack(stand_in(parts, here(), inside, binary=binary), site.folder / "initramfs")
    image = {
        "vmlinuz": parts.kernel.read_bytes(),
        "initramfs": (site.folder / "initramfs").read_bytes(),
        "cmdline": WORDS,
    }
    site.image("v1", image)
    group = f"[groups.web]\nconfig = '{config}'\nkey = true\n"
    group += f"[machines.one]\nmac = '{ONE}'\ngroup = 'web'\naddress = '{HOST}'\n"
    secrets = {"ca": str(tls.certificate), "tlsCert": str(tls.certificate), "tlsKey": str(tls.key), "keyFile": str(key)}
    site.configure(group, **secrets)
    assert site.cli("promote", "v1").returncode == 0
    with site.running():
        on = time.monotonic()
        with machine(site, parts, ONE, memory_mib=2048) as host:
            host.wait_line(lambda line: line.startswith("stage joined"), BOOT_S)
            site.wait_stage(ONE, "joined")
            joined_s = time.monotonic() - on
            apply_task(site, api.certificate, token)
            answer = site.net.server.run(
                str(parts.busybox), "wget", "-q", "-O", "-", f"http://{HOST}:3000/", timeout=120
            )
            answered_s = time.monotonic() - on
        assert answer.stdout == "hello from a machine that had nothing\n"
    told = site.stages(ONE)
    assert list(dict.fromkeys(told)) == ["dhcp", "script", "kernel", "initramfs", "config", "secret", "joined"]
    assert KEY.strip() not in site.log.read_text()
    assert KEY.strip() not in host.text
    figures = {each.name: each.up for each in stages(host.lines)}
    figures |= {"power-on to joined": round(joined_s, 1), "power-on to answer": round(answered_s, 1)}
    sys.stderr.write(f"\n{'one file' if binary else 'tree'}: {json.dumps(figures)}\n{json.dumps(times(site))}\n")


def apply_task(site: Site, ca: Path, token: Path) -> None:
    """Brings a task to the host, from outside, as an operator does."""
    task = site.folder / "task"
    task.mkdir()
    (task / "app.js").write_text(
        "export default {fetch: () => new Response('hello from a machine that had nothing\\n')}\n"
    )
    (task / "task.json5").write_text("{taskId: 'hello', mainPath: './app.js', listen: ['0.0.0.0:3000']}\n")
    words = ["apply", str(task / "task.json5"), "--wait", "--host", f"https://{HOST}:7443", "--token-file", str(token)]
    command = site.net.server.command(sys.executable, "-m", "supervisor", *words, "--ca", str(ca))
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=ENVIRONMENT, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


def times(site: Site) -> dict[str, float]:
    """When the boot server saw each station, in seconds since the first."""
    seen = json.loads((site.folder / "state/status.json").read_text())["machines"][0]["stages"]
    first = min(seen.values())
    return {name: round(at - first, 1) for name, at in seen.items()}


def test_two_machines_boot_at_once_over_tftp_an_old_image_and_a_new_one(site: Site, parts: Parts) -> None:
    for version in ("v1", "v2"):
        small_image(site, parts, version)
    site.configure(f"{BOTH}image = 'v2'\n", transfer="tftp")
    assert site.cli("promote", "v1").returncode == 0
    with site.running(), machine(site, parts, ONE) as one, machine(site, parts, TWO) as two:
        one.wait_line(lambda line: line == "image v1 runs", BOOT_S)
        two.wait_line(lambda line: line == "image v2 runs", BOOT_S)
    for mac in (ONE, TWO):
        assert list(dict.fromkeys(site.stages(mac))) == ["dhcp", "script", "kernel", "initramfs"]
    sent = [each for each in site.events() if each.get("by") == "tftp" and each["event"] == "machine"]
    assert {(each["mac"], each["stage"]) for each in sent} == {
        (m, s) for m in (ONE, TWO) for s in ("kernel", "initramfs")
    }


def test_a_machine_that_loses_power_during_tftp_boots_the_next_time(site: Site, parts: Parts) -> None:
    small_image(site, parts, "v1", padding=40_000_000)
    site.configure(BOTH, transfer="tftp")
    assert site.cli("promote", "v1").returncode == 0
    with site.running():
        with machine(site, parts, ONE):
            site.wait_stage(ONE, "kernel", BOOT_S)
            time.sleep(0.5)  # some of the 40 MB are on their way
        assert "initramfs" not in site.stages(ONE)
        with machine(site, parts, ONE) as again:
            again.wait_line(lambda line: line == "image v1 runs", BOOT_S)
        status = json.loads(site.cli("status", "--json").stdout)["machines"]
    (one,) = [each for each in status if each["mac"] == ONE]
    assert one["boots"] == 2


def test_a_machine_waits_for_a_broken_image_to_be_mended(site: Site, parts: Parts) -> None:
    folder = small_image(site, parts, "v1")
    site.configure(BOTH)
    assert site.cli("promote", "v1").returncode == 0
    good = (folder / "initramfs").read_bytes()
    (folder / "initramfs").write_bytes(good[:-1] + b"x")
    with site.running(), machine(site, parts, ONE) as one:
        wait_until(
            lambda: any("checksum differs" in str(each.get("why")) for each in refusals(site)), "refusal", BOOT_S
        )
        assert "checksum differs" in site.cli("status").stdout
        (folder / "initramfs").write_bytes(good)
        one.wait_line(lambda line: line == "image v1 runs", BOOT_S)
    assert "script" in site.stages(ONE)


def refusals(site: Site) -> list[dict[str, object]]:
    """What was not given to machine one, and why."""
    return [each for each in site.events() if each["event"] == "refused" and each["mac"] == ONE]


def test_a_machine_that_nobody_knows_is_not_booted(site: Site, parts: Parts) -> None:
    small_image(site, parts, "v1")
    site.configure(f"[machines.two]\nmac = '{TWO}'\n")
    assert site.cli("promote", "v1").returncode == 0
    with site.running(), machine(site, parts, ONE):
        wait_until(lambda: refusals(site), "refusal", BOOT_S)
        assert site.stages(ONE) == []


def test_uefi_that_knows_no_ipxe_is_led_to_it_and_boots(site: Site, parts: Parts) -> None:
    small_image(site, parts, "v1")
    site.configure(BOTH)
    assert site.cli("promote", "v1").returncode == 0
    with site.running(), machine(site, parts, ONE, memory_mib=1024, firmware=uefi(site)) as one:
        one.wait_line(lambda line: "image v1 runs" in line, BOOT_S)
    assert list(dict.fromkeys(site.stages(ONE))) == ["dhcp", "tftp", "script", "kernel", "initramfs"]
