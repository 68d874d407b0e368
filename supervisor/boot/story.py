"""What happens to machines, told twice: into the log as events, and into the journal, which is kept in a file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from supervisor.boot.dnsmasq_log import DhcpSeen, FileNotSent, FileSent, LogReader
from supervisor.boot.journal import Journal, Progress, Stage, from_document, to_document
from supervisor.boot.log import Log

STATUS = "status.json"
_STAGES = {"vmlinuz": Stage.KERNEL, "initramfs": Stage.INITRAMFS, "modloop": Stage.MODLOOP}


class Story:
    """The journal and its file. Loop thread. `clock`: seconds since 1970."""

    def __init__(self, folder: Path, log: Log, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / STATUS
        self._log = log
        self._clock = clock
        self._reader = LogReader()
        self._started = clock()
        self._changed = True
        self.journal = read_story(self._file)[1]

    def line(self, line: str) -> None:
        """A line of dnsmasq's log."""
        seen = self._reader.read(line)
        match seen:
            case DhcpSeen():
                self._dhcp(seen)
            case FileSent(path, address):
                self._sent(path, address)
            case FileNotSent(path, address, why):
                self._not_sent(path, address, why)
            case None:
                self._log.debug("dnsmasq", line=line)

    def passed(self, mac: str, stage: Stage, **more: object) -> None:
        """A machine came to a station."""
        first = self.journal.passed(mac, stage, self._clock())
        self._tell("info" if first else "debug", "machine", self.journal.of(mac), stage=stage.value, **more)

    def key_given(self, mac: str, taker: str) -> None:
        """A machine was answered with the key."""
        first = self.journal.key_given(mac, taker, self._clock())
        self._tell("info", "machine", self.journal.of(mac), stage=Stage.SECRET.value, again=not first)

    def script(self, mac: str, name: str, image: str) -> None:
        """A machine fetched its script."""
        progress = self.journal.script(mac, self._clock())
        progress.name, progress.image = name, image
        self._tell("info", "machine", progress, stage=Stage.SCRIPT.value, image=image)

    def refused(self, mac: str, why: str, **more: object) -> None:
        """Something was not given to a machine."""
        progress = self.journal.of(mac)
        progress.problem = why
        self._tell("warning", "refused", progress, why=why, **more)

    def file(self, mac: str | None, version: str, name: str) -> None:
        """A file of an image went out whole, to a machine if it is known which."""
        stage = _STAGES.get(name)
        if mac is not None and stage is not None:
            self.passed(mac, stage, image=version)
        else:
            self._log.debug("file", image=version, file=name, mac=mac)

    def write(self) -> None:
        """Writes the file, if anything has changed since the last time."""
        if self._changed:
            self._changed = False
            document = {"pid": os.getpid(), "since": self._started, "machines": to_document(self.journal)}
            new = self._file.with_name(STATUS + ".new")
            new.write_text(json.dumps(document))
            new.rename(self._file)

    def _dhcp(self, seen: DhcpSeen) -> None:
        if seen.refused:
            if self.journal.of(seen.mac).problem is None:
                self.refused(seen.mac, "no table of the settings has it", by="dhcp")
            return
        given = seen.address if seen.kind == "ACK" else None
        progress = self.journal.of(seen.mac)
        before = (progress.boots, progress.address, Stage.DHCP in progress.stages)
        progress = self.journal.dhcp(seen.mac, self._clock(), address=given, firmware=seen.firmware)
        if (progress.boots, progress.address, Stage.DHCP in progress.stages) != before:
            self._tell("info", "machine", progress, stage=Stage.DHCP.value, address=progress.address)

    def _sent(self, path: str, address: str) -> None:
        progress = self.journal.at(address)
        if progress is None:
            return
        pure = PurePosixPath(path)
        self.passed(progress.mac, _STAGES.get(pure.name, Stage.TFTP), file=pure.name, by="tftp")

    def _not_sent(self, path: str | None, address: str | None, why: str) -> None:
        progress = None if address is None else self.journal.at(address)
        name = None if path is None else PurePosixPath(path).name
        # Firmware asks for a file's size first and breaks that off, which is no failure.
        if progress is None or path is None:
            self._log.debug("tftp", address=address, file=name, why=why)
        else:
            self.refused(progress.mac, f"{name} by TFTP: {why}", by="tftp")

    def _tell(self, level: str, event: str, progress: Progress, **more: object) -> None:
        self._changed = True
        getattr(self._log, level)(event, mac=progress.mac, name=progress.name or None, **more)


def read_story(file: Path) -> tuple[dict[str, object], Journal]:
    """What `Story.write` wrote: process and time, and the journal; nothing from anything else."""
    try:
        document = json.loads(file.read_text())
        head = {name: document[name] for name in ("pid", "since")}
        return head, from_document(document["machines"])
    except OSError, ValueError, TypeError, KeyError:
        return {}, Journal()
