"""A root directory with busybox and musl's C library and nothing else, and a network of its own around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.functional.running import Log
from tests.limits.namespaces import namespace
from tools.runtime_tree.apt import Apt, unpack
from tools.runtime_tree.layout import here
from tools.runtime_tree.lock import held
from tools.runtime_tree.mirror import choose
from tools.runtime_tree.packages import SUITE
from tools.runtime_tree.progress import Progress
from tools.runtime_tree.tree import merge_folders

PACKAGES = ("busybox-static", "musl")
PATIENCE_S = 120
PYTHON = "usr/bin/isolated"


def packages() -> list[Path]:
    """The two packages, from the cache of the checkout or else from the mirror."""
    layout = here()
    folder = layout.cache / "minimal"
    with held(folder / "lock", Progress()):
        if not list((folder / "packages").glob("*.deb")):
            apt = Apt(folder / "apt", mirror=choose(os.environ), suite=SUITE, architecture=layout.debian_architecture)
            apt.update()
            apt.download([each for each in apt.closure(PACKAGES) if each.name in PACKAGES], folder / "packages")
        return sorted((folder / "packages").glob("*.deb"))


def make_root(root: Path, binary: Path) -> None:
    """Fills the empty folder `root`."""
    merge_folders(root)
    for archive in packages():
        unpack(archive, root)
    for name in ("proc", "dev", "etc", "root", "run", "var/lib", "var/cache", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    root.chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nguest:x:1234:1234::/tmp:/bin/sh\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 hosts.test\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    shutil.copy(binary, root / "usr/bin/isolated")
    subprocess.run(["chroot", root, "/usr/bin/busybox", "--install", "-s", "/usr/bin"], check=True)


@dataclass
class Minimal:
    """The root, and processes in it. Its programs are busybox's and the binary."""

    root: Path
    network: str
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *words: str, user: int = 0) -> list[str]:
        """How a program is started in it: it keeps its process id."""
        script = (
            'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && '
            f'exec chroot --userspec={user}:{user} "$0" "$@"'
        )
        enter = ["ip", "netns", "exec", self.network, "unshare", "--mount", "sh", "-c", script, str(self.root)]
        return [*enter, *words]

    @staticmethod
    def environment(**more: str) -> dict[str, str]:
        return {"PATH": f"/usr/bin:/bin:{os.environ['PATH']}", "HOME": "/root", **more}

    def run(self, *words: str, user: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end."""
        return subprocess.run(
            self.command(*words, user=user), env=self.environment(**variables), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def said(self, *words: str) -> str:
        """What a program says that has to succeed."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *words: str, user: int = 0) -> tuple[subprocess.Popen[bytes], Log]:
        """Starts a host that logs in JSON."""
        process = subprocess.Popen(
            self.command(*words, "--log-format=json", user=user), env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        self._started.append(process)
        return process, Log(process.stderr)

    def get(self, port: int, path: str = "/") -> str:
        """The body of an answer."""
        return self.said("wget", "-qO-", f"http://127.0.0.1:{port}{path}")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Returns when `condition` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not yet: {what}"
            time.sleep(0.1)

    def write(self, name: str, text: str) -> str:
        """Writes a file that everybody may read; returns its path in the root."""
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def end(self) -> None:
        """Ends what still runs in the root: what was started here, and its successors."""
        for process in self._started:
            process.kill()
            process.wait()
        for link in Path("/proc").glob("[0-9]*/root"):
            try:
                inside = link.readlink() == self.root
            except OSError:
                continue
            if inside:
                os.kill(int(link.parent.name), 9)


@contextmanager
def minimal(root: Path, binary: Path) -> Iterator[Minimal]:
    """A root in the folder `root`, which is made."""
    root.mkdir(parents=True)
    make_root(root, binary)
    with namespace() as network:
        made = Minimal(root, network)
        try:
            yield made
        finally:
            made.end()
