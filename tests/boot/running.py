"""A real boot server in a network of its own, with its folders and its log."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.boot.shelf import seal
from tests.boot.packages import BootParts
from tests.boot.rack_net import BRIDGE, PATIENCE_S, PREFIX, SERVER, Namespace, RackNet, wait_until

CHECKOUT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}


@dataclass(slots=True)
class Site:
    """Folders of one boot server, and how to talk about it on the command line."""

    folder: Path
    net: RackNet
    parts: BootParts
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "boot-server.toml"

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def configure(self, text: str = "", **changes: object) -> None:
        """Writes the settings; `text`: tables of groups and machines."""
        values: dict[str, object] = {
            "interface": BRIDGE,
            "range": "10.77.0.100-10.77.0.199",
            "prefix": PREFIX,
            "images": str(self.images),
            "stateDir": str(self.folder / "state"),
            "loaders": str(self.parts.loaders),
            "dnsmasq": str(self.parts.dnsmasq),
            "dnsmasqUser": "root",  # the folders of tests are closed to others
            "logFormat": "json",
            "logLevel": "debug",
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in (values | changes).items()]
        self.config.write_text("\n".join(lines) + "\n" + text)

    def image(self, version: str, files: Mapping[str, bytes]) -> Path:
        """Puts an image there and seals it."""
        folder = self.images / version
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        seal(folder)
        return folder

    def cli(self, *words: str, at: Namespace | None = None) -> subprocess.CompletedProcess[str]:
        """`isolated boot-server …` in the network."""
        command = (at or self.net.server).command(sys.executable, "-m", "supervisor", "boot-server", *words)
        return subprocess.run(
            [*command, "--config", str(self.config)],
            capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT, cwd="/",
        )  # fmt: skip

    @contextlib.contextmanager
    def running(self, umask: int = -1) -> Iterator[subprocess.Popen[bytes]]:
        """The server, from ready to ended; fails if it does not end well. `umask`: -1 is ours."""
        at = self.log.stat().st_size if self.log.exists() else 0
        command = self.net.server.command(
            sys.executable, "-m", "supervisor", "boot-server", "run", "--config", str(self.config)
        )
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT, cwd="/", umask=umask
            )
        self.process = process
        try:
            wait_until(lambda: self._ready(process, at), "the boot server")
            yield process
            if process.returncode is None:  # else the test has killed it, and waited
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0, self.log.read_text()
        finally:
            process.kill()
            process.wait()

    def _ready(self, process: subprocess.Popen[bytes], at: int) -> bool:
        text = self.log.read_text()[at:]
        assert process.poll() is None, f"the boot server ended: {text}"
        return "boot server ready" in text and "started, version" in text

    def events(self) -> list[dict[str, Any]]:
        """The log so far; a line that is being written is none yet."""
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def stages(self, mac: str) -> list[str]:
        """The stations that a machine has passed, as the log tells them."""
        return [each["stage"] for each in self.events() if each.get("event") == "machine" and each.get("mac") == mac]

    def wait_stage(self, mac: str, stage: str, seconds: float = PATIENCE_S) -> None:
        """Waits until a machine is there."""
        wait_until(lambda: stage in self.stages(mac), f"{mac} at {stage}: {self.stages(mac)}", seconds)

    def url(self, path: str) -> str:
        return f"http://{SERVER}:8080{path}"
