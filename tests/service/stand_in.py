#!/usr/bin/python3
"""Stands in for the daemon: says ready, pings, drains at SIGTERM, hands over at SIGUSR2, hangs if told to.

Runs on the standard library alone. Every line of its diary begins with its process id.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path("/run/isolated")
ENDS: list[str] = []


def tell(text: str) -> None:
    for folder in (HERE, Path("/var/lib/isolated")):
        with (folder / "diary").open("a") as diary:
            diary.write(f"{os.getpid()} {text}\n")


def notify(text: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)


def hand_over(*_: object) -> None:
    successor = subprocess.Popen([sys.executable, __file__, "serve", "successor"])
    while not (HERE / f"ready.{successor.pid}").exists():
        time.sleep(0.01)
    notify(f"MAINPID={successor.pid}")
    tell(f"handed over to {successor.pid}")
    if os.environ.get("NOTIFY_SOCKET"):
        time.sleep(0.3)  # what is under way is answered while systemd follows the fresh process already
        os._exit(0)
    for each in (signal.SIGTERM, signal.SIGUSR2):  # as the waiter does where only a child's end is understood
        signal.signal(each, lambda number, _: successor.send_signal(number))
    ENDS.append(f"exit {successor.wait()}")


def boot_config() -> None:
    """Says how it was called, and waits for the boot server while a test says that there is none."""
    HERE.mkdir(exist_ok=True)
    Path("/var/lib/isolated").mkdir(exist_ok=True)
    tell(" ".join(sys.argv[1:]))
    while Path("/run/no-boot-server").exists():
        time.sleep(0.02)
    tell("has settings" if "--joined" not in sys.argv else "told")


def main() -> None:
    if sys.argv[1:2] == ["boot-config"]:
        boot_config()
        return
    if Path("/run/wrong-settings").exists():
        sys.exit(2)
    signal.signal(signal.SIGTERM, lambda *_: ENDS.append("drained"))
    signal.signal(signal.SIGUSR2, hand_over)
    notify("READY=1")
    (HERE / f"ready.{os.getpid()}").touch()
    tell("ready " + " ".join(sys.argv[1:]))
    while not ENDS:
        if not (HERE / "hang").exists():
            notify("WATCHDOG=1")
        time.sleep(0.02)
    if (HERE / "slow").exists():
        time.sleep(1)
    tell(ENDS[0])


main()
