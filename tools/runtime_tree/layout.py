"""Where everything lies. Paths only; nothing here touches the disk but to look."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# machine name -> (Debian's architecture, folder of libraries, ELF interpreter)
ARCHITECTURES = {
    "x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


@dataclass(frozen=True)
class Layout:
    """The paths of one checkout. `.runtime/tree` and `.runtime/venv` are links to the versions in use."""

    checkout: Path
    machine: str

    @property
    def runtime(self) -> Path:
        return self.checkout / ".runtime"

    @property
    def cache(self) -> Path:
        """What is kept between runs so that an interrupted one continues: safe to delete."""
        return self.runtime / "cache"

    @property
    def trees(self) -> Path:
        return self.runtime / "trees"

    @property
    def venvs(self) -> Path:
        return self.runtime / "venvs"

    @property
    def tree(self) -> Path:
        return self.runtime / "tree"

    @property
    def usr(self) -> Path:
        return self.runtime / "usr"

    @property
    def venv(self) -> Path:
        return self.runtime / "venv"

    @property
    def build(self) -> Path:
        return self.runtime / "build"

    @property
    def versions(self) -> Path:
        return self.runtime / "versions.json"

    @property
    def runtime_js(self) -> Path:
        return self.checkout / "supervisor" / "engine" / "runtime.js"

    @property
    def debian_architecture(self) -> str:
        return ARCHITECTURES[self.machine][0]

    @property
    def multiarch(self) -> str:
        return ARCHITECTURES[self.machine][1]

    @property
    def loader_name(self) -> str:
        return ARCHITECTURES[self.machine][2]

    def libraries(self, usr: Path | None = None) -> Path:
        """The folder of shared libraries of a tree's usr, by default of the one in use."""
        return (usr or self.usr) / "lib" / self.multiarch

    def through_loader(self, program: Path, usr: Path) -> list[str]:
        """The command that starts a program of a tree with that tree's own C library, patched or not."""
        libraries = self.libraries(usr)
        return [str(libraries / self.loader_name), "--library-path", str(libraries), str(program)]


def here() -> Layout:
    """Returns the layout of the checkout that this file is in."""
    return Layout(CHECKOUT, platform.machine())
