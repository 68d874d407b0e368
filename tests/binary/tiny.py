"""Small binaries: the real launcher, and behind it a program of a few lines instead of the runtime tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.binary import archive, contents

PATIENCE_S = 60
LOADER = "usr/lib/loader"
PLACEHOLDER = "#" * 200


@dataclass(frozen=True)
class Parts:
    """What binaries are made of."""

    launcher: bytes
    probe: bytes  # static


def fill(folder: Path, parts: Parts, files: Mapping[str, bytes] | None = None) -> Path:
    """A folder to pack: the probe in the place of Python, and `files`."""
    (folder / contents.PROGRAM).parent.mkdir(parents=True)
    (folder / contents.PROGRAM).write_bytes(parts.probe)
    (folder / contents.PROGRAM).chmod(0o755)
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def build(target: Path, folder: Path, launcher: bytes, *, unpacked: int | None = None) -> str:
    """Writes a binary to `target`; returns its content's id. `unpacked`: what it says that it takes on disk."""
    packed = archive.pack(folder)
    room = archive.room(folder) if unpacked is None else unpacked
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive.assemble(launcher, packed, archive.compress(packed, 1), room))
    target.chmod(0o755)
    return archive.content_id(packed)


@dataclass(frozen=True)
class Binary:
    """One binary, and the folder that its runtimes go to."""

    path: Path
    identity: str
    base: Path

    @property
    def runtime(self) -> Path:
        """Where it unpacks to."""
        return self.base / self.identity

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
        return {**kept, "ISOLATED_RUNTIME_DIR": str(self.base)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts it, with pipes."""
        return subprocess.Popen(
            [str(self.path), *arguments], env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        return subprocess.run(
            [str(self.path), *arguments], env=self.environment, text=True, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def told(self, *arguments: str) -> list[str]:
        """What the probe tells of how it was started; it has to have been."""
        done = self.run("tell", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout.splitlines()
