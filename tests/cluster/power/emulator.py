"""A Redfish service that others wrote: sushy-tools' emulator with its fake machines, from PyPI."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.certificate import Certificate

ROOT = Path(__file__).parents[3]
PINS = Path(__file__).with_name("emulator.txt")
FETCH_S = 300
START_S = 120
USER, PASSWORD = "operator", "pass:word"
UUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
SETTINGS = """
SUSHY_EMULATOR_AUTH_FILE = {auth!r}
SUSHY_EMULATOR_STATE_DIR = {state!r}
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {{"uuid": {uuid!r}, "name": "fake", "power_state": "Off", "external_notifier": False, "nics": []}}
]
"""
HASHED = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4)).decode())"


def installed() -> Path:
    """The folder with the emulator's packages, fetched if it is the first time; skips the test if that fails."""
    digest = hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".runtime" / "cache" / f"redfish-emulator-{digest}"
    if folder.is_dir():
        return folder
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-compile"]
    command = [*_pip(), "install", *options, "--target", str(fresh), "--requirement", str(PINS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        pytest.skip(f"the emulator cannot be fetched: {done.stderr.strip()[-200:]}")
    fresh.rename(folder)
    return folder


def _pip() -> list[str]:
    wheels = sorted((ROOT / ".runtime" / "usr" / "share" / "python-wheels").glob("pip-*.whl"))
    if not wheels:
        pytest.skip("there is no pip in the runtime tree")
    return [sys.executable, str(wheels[-1] / "pip")]


@asynccontextmanager
async def emulated(folder: Path, identity: Certificate) -> AsyncIterator[str]:
    """Runs it on loopback with TLS and a password, its files in `folder`; its origin."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = _start(folder, identity, port)
    try:
        await _listens(process, port, folder / "log")
        yield f"https://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _start(folder: Path, identity: Certificate, port: int) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed()), "HOME": str(folder)}
    hashed = subprocess.run(
        [sys.executable, "-c", HASHED, PASSWORD], env=environment, capture_output=True, text=True, check=True
    ).stdout
    (folder / "htpasswd").write_text(f"{USER}:{hashed}")
    settings = folder / "emulator.conf"
    settings.write_text(SETTINGS.format(auth=str(folder / "htpasswd"), state=str(folder), uuid=UUID))
    command = [
        sys.executable, "-m", "sushy_tools.emulator.main", "--fake", "--config", str(settings),
        "--interface", "127.0.0.1", "--port", str(port),
        "--ssl-certificate", str(identity.certificate), "--ssl-key", str(identity.key),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)


async def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            assert process.poll() is None, log.read_text()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
