"""A machine boots from nothing, is the newest host of a cluster, works, has nothing to do, and switches itself off."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.cluster.keys import make_key
from tests.boot.fixtures import boot_parts, net, site
from tests.boot.rack_net import SERVER, Namespace, wait_until
from tests.boot.running import CHECKOUT, ENVIRONMENT, Site
from tests.fakes.certificate import certificate
from tests.image.rig import BOOT_S, WORDS, binary, machine, stages
from tests.image.stand_in import pack, stand_in
from tests.machine.fetch import Parts
from tests.machine.fixtures import parts
from tools.benchmarks.control import Control, Refusal
from tools.runtime_tree.layout import here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
__all__ = ["binary", "boot_parts", "net", "parts", "site"]

ONE = "52:54:00:00:00:01"
GUEST = "10.77.0.42"
CLUSTER_PORT = 7443
# A tenth of all times: it is idle for six seconds before it goes.
COMMON = {"clusterPace": 0.1, "clusterFloor": 1, "clusterIdle": "60s", "clusterAge": "10s", "drain": "5s"}
PATIENCE_S = 240.0


class Outside:
    """A daemon on the bridge's machine: one of the cluster."""

    def __init__(self, site: Site, at: Namespace, name: str, address: str, key: Path, booted: float) -> None:
        self.folder = site.folder / name
        self.folder.mkdir()
        self.control = Control(self.folder / "control.sock", seconds=120)
        self._at = at
        settings = {
            "stateDir": str(self.folder / "state"), "socket": str(self.folder / "control.sock"), "hostId": name,
            "clusterListen": f"{address}:{CLUSTER_PORT}", "gossipListen": f"{address}:7946", "clusterKeyFile": str(key),
            "clusterJoin": [f"{SERVER}:7946"], "bootTime": f"{booted:.0f}s", **COMMON,
        }  # fmt: skip
        self.config = self.folder / "isolated.toml"
        self.config.write_text("".join(f"{each} = {json.dumps(value)}\n" for each, value in settings.items()))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Until the block is left."""
        command = self._at.command(sys.executable, "-m", "supervisor", "serve", "--config", str(self.config))
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT, cwd=CHECKOUT
            )
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def sees(self, host: str) -> dict[str, Any]:
        """That host as this one sees it; empty: not at all."""
        try:
            return next((each for each in self.control.ask("GET", "hosts") if each["host"] == host), {})
        except OSError, Refusal:
            return {}


def test_it_joins_works_as_the_newest_host_and_goes_home(site: Site, parts: Parts, binary: Path | None) -> None:
    tls = certificate(site.folder, "boot", addresses=("127.0.0.1", SERVER))
    key, config = site.folder / "cluster.key", site.folder / "host.toml"
    key.touch(0o600)
    key.write_text(make_key() + "\n")
    guest = {
        "clusterListen": f"{GUEST}:{CLUSTER_PORT}", "gossipListen": f"{GUEST}:7946", "clusterJoin": [f"{SERVER}:7946"],
        "clusterKeyFile": "/etc/isolated/cluster.key", "powerOff": True, "powerOffCommand": "/bin/poweroff -f",
        **COMMON,
    }  # fmt: skip
    config.write_text("".join(f"{each} = {json.dumps(value)}\n" for each, value in guest.items()))
    files = {"/etc/isolated/boot-ca.pem": tls.certificate.read_bytes()}
    pack(stand_in(parts, here(), files, binary=binary), site.folder / "initramfs")
    image = {
        "vmlinuz": parts.kernel.read_bytes(),
        "initramfs": (site.folder / "initramfs").read_bytes(),
        "cmdline": WORDS,
    }
    site.image("v1", image)
    group = f"[groups.web]\nconfig = '{config}'\nkey = true\n"
    group += f"[machines.one]\nmac = '{ONE}'\ngroup = 'web'\naddress = '{GUEST}'\n"
    secrets = {"ca": str(tls.certificate), "tlsCert": str(tls.certificate), "tlsKey": str(tls.key), "keyFile": str(key)}
    site.configure(group, **secrets)
    assert site.cli("promote", "v1").returncode == 0
    at = site.net.server
    at.run("ip", "address", "add", "10.77.0.2/24", "dev", "br0")
    old = Outside(site, at, "outside", SERVER, key, booted=1_000_000_000)
    newer = Outside(site, at, "newer", "10.77.0.2", key, booted=time.time() + 86_400)
    moments: dict[str, float] = {}
    with site.running(), old.running():
        on = time.monotonic()
        with machine(site, parts, ONE, memory_mib=2048) as booting:
            wait_until(
                lambda: old.sees("one").get("state") == "up", f"the new host: {booting.text[-3000:]}", BOOT_S * 2
            )
            moments["joined"] = time.monotonic() - on
            seen = old.sees("one")
            assert (seen["image"], seen["api"]) == ("v1", f"{GUEST}:{CLUSTER_PORT}")
            wait_until(lambda: old.sees("one")["room"], "its room")
            give_work(site, old)
            answer = at.run(str(parts.busybox), "wget", "-q", "-O", "-", f"http://{GUEST}:3000/", timeout=120)
            moments["answered"] = time.monotonic() - on
            assert answer.stdout == "hello from the newest host\n"
            # The newest is never switched off: there has to be a newer one before it may go.
            with newer.running():
                wait_until(lambda: newer.sees("one").get("state") == "up", "that the newer host sees it", 60)
                wait_until(lambda: old.sees("one").get("alive") == "left", "that it left", PATIENCE_S)
                booting.wait_end(PATIENCE_S)
                moments["off"] = time.monotonic() - on
                assert old.control.ask("GET", "tasks?everywhere=true")[0]["host"] == "newer"
        told = {each.name: each.up for each in stages(booting.lines)}
    rounded = {name: round(value, 1) for name, value in moments.items()}
    sys.stderr.write(f"\n{'one file' if binary else 'tree'}: {json.dumps(told)}\n{json.dumps(rounded)}\n")


def give_work(site: Site, host: Outside) -> None:
    """A task with its files, brought to the old host; the newest gets it."""
    task = site.folder / "task"
    task.mkdir()
    (task / "app.js").write_text("export default {fetch: () => new Response('hello from the newest host\\n')}\n")
    (task / "task.json5").write_text("{taskId: 'hello', mainPath: './app.js', listen: ['0.0.0.0:3000'], idle: '1s'}\n")
    command = site.net.server.command(sys.executable, "-m", "supervisor", "apply", str(task))
    environment = {**ENVIRONMENT, "ISOLATED_HOST": str(host.folder / "control.sock")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=180, check=False, env=environment, cwd=CHECKOUT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on host one" in done.stdout
