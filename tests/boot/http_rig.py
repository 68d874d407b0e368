"""The boot server's HTTP alone, on loopback, with a table in place of the kernel's of who has which address."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiohttp import web

from supervisor.boot.doors import Doors
from supervisor.boot.identity import Identity
from supervisor.boot.ipxe import Served
from supervisor.boot.keys import server_tls
from supervisor.boot.settings import BootSettings, GroupSettings, MachineSettings
from supervisor.boot.shelf import Shelf, seal
from supervisor.boot.story import Story
from tests.fakes.certificate import Certificate, certificate

ONE, TWO, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:99"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n"


@dataclass(slots=True)
class Said:
    """A log that keeps what it was told."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def debug(self, event: str, **more: object) -> None:
        self.lines.append(("debug", event, more))

    def info(self, event: str, **more: object) -> None:
        self.lines.append(("info", event, more))

    def warning(self, event: str, **more: object) -> None:
        self.lines.append(("warning", event, more))

    def error(self, event: str, **more: object) -> None:
        self.lines.append(("error", event, more))

    def refusals(self) -> list[str]:
        return [more["why"] for level, event, more in self.lines if (level, event) == ("warning", "refused")]


@dataclass(slots=True)
class Rig:
    """What a test may touch."""

    folder: Path
    settings: BootSettings
    shelf: Shelf
    story: Story
    log: Said
    tls: Certificate
    who: str | None = ONE  # whose address 127.0.0.1 is
    heard: list[Identity] = field(default_factory=list)
    http: str = ""
    https: str = ""

    def machine(self, mac: str = ONE) -> str:
        return f"{self.http}/machines/{mac.replace(':', '-')}"

    def key_url(self, mac: str = ONE) -> str:
        return f"{self.https}/machines/{mac.replace(':', '-')}/key"


def make_image(folder: Path, **files: bytes) -> None:
    """A sealed image."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in ({"vmlinuz": b"kernel", "initramfs": b"0123456789" * 100_000} | files).items():
        (folder / name).write_bytes(data)
    seal(folder)


@contextlib.asynccontextmanager
async def rig(folder: Path, **changes: Any) -> AsyncIterator[Rig]:
    """Two machines of a group with the key, one of them known by its UUID too; image v1 is promoted."""
    tls = certificate(folder)
    key = folder / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    config = folder / "web.toml"
    config.write_text("warm = 7\n")
    machines = {"one": MachineSettings(mac=ONE, group="web"), "two": MachineSettings(mac=TWO, group="web")}
    settings = replace(
        BootSettings(
            interface="lo", images=folder / "images", state_dir=folder, key_file=key, ca=tls.certificate,
            groups=MappingProxyType({"web": GroupSettings(config=config, key=True, words="nomodeset")}),
            machines=MappingProxyType(machines),
        ),
        **changes,
    )  # fmt: skip
    make_image(folder / "images/v1", cmdline=b"modloop={image}/modloop")
    shelf, log = Shelf(settings.images), Said()
    shelf.promote("v1", None)
    made = Rig(folder, settings, shelf, Story(folder, log), log, tls)
    served = Served(http="http://b", https="https://b", transfer="http://b")
    doors = Doors(settings, served, shelf, made.story, heard=made.heard.append, neighbour=lambda _: made.who)
    async with contextlib.AsyncExitStack() as stack:
        for application, context in ((doors.plain(), None), (doors.private(), server_tls(tls.certificate, tls.key))):
            runner = web.AppRunner(application, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            port = runner.addresses[0][1]
            if context is None:
                made.http = f"http://127.0.0.1:{port}"
            else:
                made.https = f"https://127.0.0.1:{port}"
        yield made
