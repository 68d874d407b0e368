"""Archives for guests: what is in them is what was added, as an independent reader sees it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.machine.initramfs import MAGIC, TRAILER, Initramfs

NAMES = st.text("abc-_.é", min_size=1, max_size=9).filter(lambda name: name not in (".", ".."))


def read(archive: bytes) -> dict[str, tuple[int, bytes, tuple[int, int]]]:
    """Paths with mode, content and device, by the kernel's description of the form."""
    found: dict[str, tuple[int, bytes, tuple[int, int]]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == MAGIC.encode()
        assert at % 4 == 0
        head = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = head[6], head[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) & ~3
        if name == TRAILER:
            assert at == len(archive)
            return found
        assert name not in found
        found[name] = (head[1], archive[at : at + size], (head[9], head[10]))
        at += (size + 3) & ~3


@given(st.dictionaries(NAMES, st.binary(max_size=9)))
def test_files_come_back(files: dict[str, bytes]) -> None:
    made = Initramfs()
    for name, data in files.items():
        made.file(f"/a/{name}", data, mode=0o600)
    found = read(b"".join(made.pieces()))
    assert {name: data for name, (mode, data, _) in found.items() if stat.S_ISREG(mode)} == {
        f"a/{name}": data for name, data in files.items()
    }


def test_folders_links_and_devices() -> None:
    made = Initramfs()
    made.link("/bin/sh", "busybox")
    made.device("/dev/console", 5, 1)
    made.folder("/proc")
    found = read(b"".join(made.pieces()))
    assert found["bin/sh"] == (stat.S_IFLNK | 0o777, b"busybox", (0, 0))
    assert found["dev/console"] == (stat.S_IFCHR | 0o666, b"", (5, 1))
    assert all(stat.S_ISDIR(found[name][0]) for name in ("bin", "dev", "proc"))


def test_a_folder_comes_before_what_is_in_it() -> None:
    made = Initramfs()
    made.file("/a/b/c/d", b"")
    assert list(read(b"".join(made.pieces()))) == ["a", "a/b", "a/b/c", "a/b/c/d"]


def test_a_tree_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "program").write_bytes(b"#!")
    (tmp_path / "in" / "program").chmod(0o755)
    (tmp_path / "link").symlink_to("in")  # stays a link, though it leads to a folder
    (tmp_path / "not").mkdir()
    (tmp_path / "not" / "this").touch()
    made = Initramfs()
    made.tree(tmp_path, "/there", wanted=lambda path: path.name != "not")
    made.write(tmp_path / "archive")
    found = read((tmp_path / "archive").read_bytes())
    assert set(found) == {"there", "there/in", "there/in/program", "there/link"}
    assert found["there/in/program"][:2] == (stat.S_IFREG | 0o755, b"#!")
    assert found["there/link"][1] == os.fsencode("in")


def test_nothing_is_put_outside_of_the_guest() -> None:
    with pytest.raises(ValueError, match="below the root"):
        Initramfs().file("/a/../../b", b"")
