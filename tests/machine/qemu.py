"""An emulated machine: started, listened to on its serial console, ended. No KVM is needed, nor a right."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.machine.fetch import Parts

# What every guest's kernel is told: its console, no chatter, and an end by reboot, which -no-reboot makes QEMU's own
# end, if it panics. A clock that is checked against others gives up where all of them are emulated.
KERNEL_WORDS = ("console=ttyS0", "quiet", "panic=-1", "tsc=reliable", "mitigations=off", "nokaslr")
END_S = 60.0
# 8 ns for each instruction: about what emulation takes.
STEADY = ("-accel", "tcg,thread=single", "-icount", "shift=3,sleep=off", "-smp", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the machine has. Options are QEMU's own words, for disks and networks.

    `steady`: its clock counts instructions, so that it measures the same on a busy machine as on a quiet one; idle time
    passes at once. It has one processor then.
    """

    processors: int = 2
    memory_mib: int = 1024
    steady: bool = False
    options: tuple[str, ...] = ()


class Emulated:
    """A machine that runs while the block does; its lines as they come."""

    def __init__(
        self,
        parts: Parts,
        *,
        initramfs: Path | None = None,
        words: Iterable[str] = (),
        hardware: Hardware | None = None,
        inside: Iterable[str] = (),
    ) -> None:
        """`inside`: the beginning of a command line that runs it elsewhere, as in a network namespace."""
        has = hardware or Hardware()
        command = [
            *inside, *parts.qemu(), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35",
            *(STEADY if has.steady else ("-accel", "tcg,thread=multi", "-smp", str(has.processors))),
            "-cpu", "max", "-m", str(has.memory_mib), "-serial", "stdio", *has.options,
        ]  # fmt: skip
        if initramfs is not None:  # without one it boots from what the options name
            command += ["-kernel", str(parts.kernel), "-initrd", str(initramfs)]
            command += ["-append", " ".join((*KERNEL_WORDS, *words))]
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switches it off, as pulling the plug does, if it still runs."""
        self._process.kill()
        self._process.wait(END_S)
        self._reader.join(END_S)

    @property
    def text(self) -> str:
        """All that it wrote."""
        return "\n".join(self.lines)

    def wait_line(self, wanted: Callable[[str], bool], seconds: float) -> str:
        """The first line for which `wanted` says yes, once it is there. AssertionError after so long, or at the end."""
        deadline, at = time.monotonic() + seconds, 0
        with self._changed:
            while True:
                for line in self.lines[at:]:
                    if wanted(line):
                        return line
                at = len(self.lines)
                assert self._reader.is_alive(), f"the machine ended without it:\n{self.text}"
                left = deadline - time.monotonic()
                assert left > 0, f"not within {seconds:g} s:\n{self.text}"
                self._changed.wait(min(left, 1.0))

    def wait_end(self, seconds: float) -> None:
        """Returns when it has switched itself off. AssertionError after so long, or if QEMU failed."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the machine still runs after {seconds:g} s:\n{self.text}") from None
        self._reader.join(END_S)
        assert code == 0, f"QEMU ended with code {code}:\n{self.text}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            with self._changed:
                self.lines.append(raw.decode(errors="replace").rstrip("\r\n"))
                self._changed.notify_all()
        self._process.stdout.close()
        with self._changed:
            self._changed.notify_all()
