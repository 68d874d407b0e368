"""The boot server as a whole: its folders, dnsmasq, its two HTTP servers, and their end."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import ssl
import stat
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from supervisor.boot.dnsmasq_conf import BIOS_LOADER, UEFI_LOADER, Folders, dnsmasq_conf
from supervisor.boot.doors import Doors
from supervisor.boot.engine import Engine, dnsmasq_command
from supervisor.boot.identity import Identity
from supervisor.boot.ipxe import Served
from supervisor.boot.keys import read_keys, server_tls
from supervisor.boot.log import Log
from supervisor.boot.network import Site, site_of
from supervisor.boot.settings import BootSettings
from supervisor.boot.shelf import ImageRefused, Shelf
from supervisor.boot.story import Story
from supervisor.errors import IsolatedError, ListenError, SettingsError

WRITE_S = 0.5  # between two writes of the machines' progress
LOOK_S = 5.0  # between two looks at which images TFTP may serve
FILE_MODE, FOLDER_MODE = 0o644, 0o755  # dnsmasq's user reads what we write


class BootSite:
    """Async context: inside it machines boot. Loop thread; entered once.

    Entering raises NetworkError, EngineFailed, KeyRefused, ListenError, or IsolatedError for its folders.
    """

    def __init__(self, settings: BootSettings, log: Log) -> None:
        assert settings.interface is not None, "checked when they were loaded"
        self._settings = settings
        self._log = log
        self.network: Site = site_of(settings.interface)
        self._shelf = Shelf(settings.images)
        self._run = settings.state_dir / "dnsmasq"
        self._tftp = settings.state_dir / "tftp"
        self._refused: dict[str, str] = {}  # versions that were found broken, and why
        self._stack = AsyncExitStack()
        self._engine: Engine | None = None

    @property
    def served(self) -> Served:
        """Where machines find us."""
        settings, address = self._settings, self.network.address.ip
        http = f"http://{address}:{settings.http_port}"
        transfer = f"tftp://{address}" if settings.transfer == "tftp" else http
        return Served(http=http, https=f"https://{address}:{settings.tls_port}", transfer=transfer)

    @property
    def engine(self) -> Engine:
        """The running dnsmasq."""
        assert self._engine is not None
        return self._engine

    async def __aenter__(self) -> Self:
        tls = self._tls()
        self._make_folders()
        story = Story(self._settings.state_dir, self._log)
        doors = Doors(self._settings, self.served, self._shelf, story, heard=self._heard)
        async with self._stack as stack:
            await self._serve(stack, doors.plain(), self._settings.http_port, None)
            if tls is not None:
                await self._serve(stack, doors.private(), self._settings.tls_port, tls)
            await asyncio.to_thread(self._show_images)
            self._engine = await stack.enter_async_context(Engine(self._command(), story.line, self._log))
            for work in (self._write_often(story), self._look_often()):
                stack.push_async_callback(_cancelled, asyncio.create_task(work))
            self._stack = stack.pop_all()
        self._log.info("boot server ready", interface=self.network.interface, at=self.served.http)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if settings.key_file is None or settings.tls_cert is None or settings.tls_key is None:
            return None
        read_keys(settings.key_file)
        return server_tls(settings.tls_cert, settings.tls_key)

    async def _serve(
        self, stack: AsyncExitStack, application: web.Application, port: int, tls: ssl.SSLContext | None
    ) -> None:
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        address = str(self.network.address.ip)
        try:
            await web.TCPSite(runner, address, port, ssl_context=tls).start()
        except OSError as error:
            raise ListenError.from_os_error(f"{address}:{port}", error) from None

    def _command(self) -> list[str]:
        folders = Folders(self._tftp, self._run / "leases", self._run / "heard", self._run / "pid")
        configuration = self._run / "dnsmasq.conf"
        _write(configuration, dnsmasq_conf(self._settings, self.network, folders))
        return dnsmasq_command(self._settings.dnsmasq, configuration, self._settings.dnsmasq_user)

    def _make_folders(self) -> None:
        """Folders for dnsmasq alone are its user's; those that it reads are ours.

        Its user may read them whatever our umask is, also those that were made under another one.
        """
        heard, shown = self._run / "heard", self._tftp / "images"
        try:
            for folder in (self._settings.images, self._settings.state_dir, self._run, heard, self._tftp, shown):
                _make_folder(folder)
            for path in (self._settings.state_dir, self._run, heard, *heard.iterdir(), self._tftp, shown):
                _let_read(path)
            if os.geteuid() == 0:
                owner = pwd.getpwnam(self._settings.dnsmasq_user)
                os.chown(self._run, owner.pw_uid, owner.pw_gid)
        except KeyError:
            user = self._settings.dnsmasq_user
            raise IsolatedError(f"there is no user {user}", "correct `dnsmasqUser`, or add the user") from None
        except OSError as error:
            raise IsolatedError(f"{error.filename}: {error.strerror}", "check `stateDir` and `images`") from None

    def _heard(self, identity: Identity) -> None:
        """Lets a machine that is known by its UUID have an address by its MAC: systems do not send UUIDs in DHCP."""
        listed = [each for each in self._settings.machines.values() if each.uuid == identity.uuid and each.mac is None]
        file = self._run / "heard" / identity.mac.replace(":", "-")
        if listed and not file.exists():
            _write(file, f"{identity.mac},set:listed\n")

    def _show_images(self) -> None:
        """Makes what TFTP serves: the loaders, and images whose checksums are right; others vanish from there."""
        for name in (BIOS_LOADER, UEFI_LOADER):
            try:
                _copy(self._settings.loaders / name, self._tftp / name)
            except OSError as error:
                self._log.warning("loader missing", file=str(self._settings.loaders / name), why=error.strerror)
        shown = self._tftp / "images"
        good = {version for version in self._shelf.versions() if self._is_good(version)}
        for version in good:
            _link(shown / version, self._settings.images / version)
        for link in shown.iterdir():
            if link.name not in good:
                link.unlink()

    def _is_good(self, version: str) -> bool:
        try:
            self._shelf.check_bootable(version)
        except ImageRefused as refused:
            if self._refused.get(version) != refused.message:
                self._log.warning("image refused", image=version, why=refused.message)
            self._refused[version] = refused.message
            return False
        self._refused.pop(version, None)
        return True

    async def _look_often(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await asyncio.to_thread(self._show_images)
            except (OSError, SettingsError) as error:
                self._log.error("images cannot be looked at", why=str(error))

    async def _write_often(self, story: Story) -> None:
        try:
            while True:
                try:
                    story.write()
                except OSError as error:
                    self._log.error("progress cannot be written", why=error.strerror)
                await asyncio.sleep(WRITE_S)
        finally:
            story.write()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _copy(source: Path, target: Path) -> None:
    """Copies a loader if it has changed, readable for dnsmasq's user."""
    if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
        shutil.copy2(source, target)
        target.chmod(FILE_MODE)


def _make_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing, for everybody to read."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _let_read(each)


def _let_read(path: Path) -> None:
    """Adds the rights that dnsmasq's user needs, if they are not there."""
    has = stat.S_IMODE(path.stat().st_mode)
    needs = FOLDER_MODE if path.is_dir() else FILE_MODE
    if has & needs != needs:
        path.chmod(has | needs)


def _write(file: Path, text: str) -> None:
    """Writes a file that dnsmasq may read from the moment on when it is whole."""
    with file.open("w") as stream:
        os.fchmod(stream.fileno(), FILE_MODE)
        stream.write(text)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(target)
