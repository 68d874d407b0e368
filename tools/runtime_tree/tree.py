"""Steps `packages` and `tree`: from Debian's mirror to a folder that programs run from."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import apt, elf, mirror, packages
from .faults import Cause, Fault
from .layout import Layout
from .process import run
from .progress import Progress
from .stamps import link_atomically, write_atomically

ROOM = 900_000_000  # bytes: packages 70 MB, tree 250 MB, environment 250 MB, build 200 MB, and some to spare
USED_PLACES = ("usr", "launchers", "headers", "headers-python", "headers-openssl")
STARTS = (
    # program, argument: each is started once before a tree is taken into use
    (f"bin/python{packages.PYTHON}", "-c", "import bz2, ctypes, decimal, lzma, readline, sqlite3, ssl, uuid, zlib"),
    ("bin/serf", "--version"),
    ("bin/esbuild", "--version"),
)


def taken(layout: Layout) -> Path:
    """The note of which packages were downloaded last: the tree is made of these."""
    return layout.cache / "packages.json"


def fetch(layout: Layout, progress: Progress) -> None:
    """Resolves and downloads the packages. What an earlier run got is kept."""
    uri = mirror.choose(os.environ)
    apt.make_room(layout.runtime, ROOM)
    progress.say(f"packages: reading Debian {packages.SUITE} from {uri}")
    source = apt.Apt(layout.cache / "apt", mirror=uri, suite=packages.SUITE, architecture=layout.debian_architecture)
    source.update()
    chosen = [package for package in source.closure(packages.WANTED) if packages.is_wanted(package.name)]
    folder = layout.cache / "packages"
    progress.say(f"packages: downloading {len(chosen)}")
    source.download(chosen, folder)
    files = {package.name: {"version": package.version, "file": file_of(package, folder)} for package in chosen}
    drop_others(folder, {entry["file"] for entry in files.values()})
    size = sum(path.stat().st_size for path in folder.iterdir())
    write_atomically(taken(layout), json.dumps({"suite": packages.SUITE, "packages": files}, indent=1))
    progress.say(f"packages: {len(files)}, {size / 1e6:.0f} MB")


def file_of(package: apt.Package, folder: Path) -> str:
    """The name that apt gave a package's file: `:` of an epoch is written as %3a."""
    version = package.version.replace(":", "%3a")
    found = [path.name for path in folder.glob("*.deb") if path.name.startswith(f"{package.name}_{version}_")]
    if len(found) != 1:
        raise Fault(Cause.PACKAGE, f"{package.name} {package.version} was not downloaded")
    return found[0]


def drop_others(folder: Path, wanted: set[str]) -> None:
    """Deletes the files of versions that are no longer used."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()


def build(layout: Layout, progress: Progress, key: str) -> None:
    """Unpacks the downloaded packages beside the tree in use, tries the result, and only then takes it into use."""
    target = unused(layout.trees, key)
    partial = target.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    progress.say("tree: unpacking")
    unpack_all(layout, partial)
    prune(partial / "usr")
    progress.say("tree: pointing programs at their own C library")
    tool = elf.fetch_patchelf(layout, partial / "usr")
    elf.patch(layout, tool, partial / "usr", installed=target / "usr")
    link_headers(layout, partial)
    write_launchers(layout, partial, target)
    try_programs(layout, partial / "usr")
    partial.rename(target)
    take_into_use(layout, target)
    count = len(json.loads(taken(layout).read_text())["packages"])
    progress.say(f"tree: {count} packages in {target.relative_to(layout.checkout)}")


def unused(folder: Path, key: str) -> Path:
    """A name for a new version that no version in use has: with --force the same key is built again."""
    name, number = key, 1
    while (folder / name).exists():
        number += 1
        name = f"{key}-{number}"
    return folder / name


def unpack_all(layout: Layout, target: Path) -> None:
    """Unpacks all packages into one folder, two at a time."""
    entries = json.loads(taken(layout).read_text())["packages"].values()
    archives = [layout.cache / "packages" / entry["file"] for entry in entries]
    merge_folders(target)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda archive: apt.unpack(archive, target), archives))


def merge_folders(target: Path) -> None:
    """Debian's merged /usr: a package that still ships /lib unpacks into usr/lib."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (target / "usr" / name).mkdir(parents=True)
        (target / name).symlink_to(f"usr/{name}")


def prune(usr: Path) -> None:
    """Removes what nothing reads, and set-user-id bits: nothing here runs for another user."""
    for name in packages.PRUNED_FOLDERS:
        shutil.rmtree(usr / name, ignore_errors=True)
    for pattern in packages.PRUNED_FILES:
        for path in usr.glob(pattern):
            path.unlink()
    prune_documentation(usr / "share" / "doc")
    for path in (usr / "bin").iterdir():
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o0777)


def prune_documentation(folder: Path) -> None:
    """Removes all but the packages' licences, and the links from one package's folder to another's."""
    for package in folder.iterdir() if folder.is_dir() else ():
        for path in package.iterdir() if package.is_dir() and not package.is_symlink() else ():
            if path.name == packages.LICENCE:
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def link_headers(layout: Layout, root: Path) -> None:
    """Makes the include folders of the shim: just what it uses, so that the compiler never sees a second C library."""
    include = root / "usr" / "include"
    general = root / "headers"
    general.mkdir()
    for name in packages.HEADERS:
        (general / name).symlink_to(f"../usr/include/{name}")
    # Some headers include <python3.14/pyconfig.h> or <openssl/configuration.h> from the architecture's folder.
    special = root / "headers-python" / layout.multiarch
    special.mkdir(parents=True)
    python = f"python{packages.PYTHON}"
    (special / python).symlink_to(f"../../usr/include/{layout.multiarch}/{python}")
    openssl = root / "headers-openssl"
    openssl.mkdir()
    (openssl / "openssl").symlink_to(f"../usr/include/{layout.multiarch}/openssl")
    if not (include / "node" / "v8.h").is_file():
        raise Fault(Cause.PACKAGE, "libnode-dev no longer ships node/v8.h")


def write_launchers(layout: Layout, root: Path, target: Path) -> None:
    """Writes launchers/serf and launchers/esbuild, which start through the tree's loader.

    Both are Go, whose linker lays files out in a way that patchelf does not promise to keep."""
    folder = root / "launchers"
    folder.mkdir()
    for name in ("serf", "esbuild"):
        command = layout.through_loader(target / "usr" / "bin" / name, target / "usr")
        quoted = " ".join(f"'{part}'" for part in command)
        (folder / name).write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
        (folder / name).chmod(0o755)


def try_programs(layout: Layout, usr: Path) -> None:
    """Starts each program of the tree once. Raises Fault(PACKAGE) with what it said."""
    for name, *arguments in STARTS:
        command = [*layout.through_loader(usr / name, usr), *arguments]
        run(command, Cause.PACKAGE, f"trying {name} of the new tree")


def take_into_use(layout: Layout, target: Path) -> None:
    """Points `.runtime/tree` at a tree; the names that everything else uses go through it."""
    link_atomically(layout.tree, target)
    for name in USED_PLACES:
        link_atomically(layout.runtime / name, layout.tree / name)


def drop_old(folder: Path, used: Path) -> None:
    """Deletes all versions but the one in use and the one before it, which a running process may still read."""
    others = [path for path in folder.iterdir() if path != used.resolve()]
    versions = sorted(others, key=lambda path: path.stat().st_mtime)
    for path in versions[:-1]:
        shutil.rmtree(path, ignore_errors=True)
