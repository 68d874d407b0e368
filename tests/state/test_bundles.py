"""The store of bundles: whole or not there, once for the same files, swept when nobody needs them."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from supervisor.errors import BundleRefused, Unknown
from supervisor.state.archive import BundleFile, pack
from supervisor.state.bundles import Bundles
from supervisor.state.errors import StoreError
from tests.state.archives import contents, member, saved, tar, tree
from tests.state.test_refusals import ROOT, in_mount

NOW = -1.0  # seconds of grace: none at all


def archive(folder: Path, number: int = 1, files: int = 3) -> tuple[Path, str]:
    """An archive and its digest."""
    app = tree(folder / f"app{number}", {f"{file}.js": f"{number}" * 100 for file in range(files)})
    file = folder / f"{number}.tar.zst"
    with pack(app) as packed:
        file.write_bytes(packed.file.read())
        return file, packed.digest


def stored(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name != ".lock")


def test_a_bundle_is_found_by_its_digest(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "a" / "store")
    file, digest = archive(tmp_path)
    assert not bundles.has(digest)
    assert bundles.add(file) == digest
    assert bundles.has(digest)
    assert bundles.path(digest).is_absolute()
    assert contents(bundles.path(digest)) == contents(tmp_path / "app1")
    assert file.exists()
    assert Bundles(tmp_path / "a" / "store").has(digest)


def test_the_folder_is_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        bundles = Bundles(tmp_path / "store")
        folder = bundles.path(bundles.add(saved(tmp_path, tar([member("d/a")]))))
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "store", folder)] == [0o700, 0o700]


@pytest.mark.parametrize(
    "digest", ["", ".", "..", "../store", "a" * 63, "A" * 64, "a" * 64 + "/", "a" * 64 + "\n", "\0" * 64]
)
def test_only_digests_name_bundles(tmp_path: Path, digest: str) -> None:
    bundles = Bundles(tmp_path)
    assert not bundles.has(digest)
    with pytest.raises(Unknown) as caught:
        bundles.path(digest)
    assert caught.value.remedy
    assert caught.value.message.isprintable()


def test_adding_again_changes_nothing(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    file, digest = archive(tmp_path)
    bundles.add(file)
    inode = bundles.path(digest).stat().st_ino
    assert bundles.add(file) == digest
    assert bundles.path(digest).stat().st_ino == inode
    assert stored(tmp_path / "store") == [digest]


def test_several_at_once(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    archives = [archive(tmp_path, number, files=20) for number in range(4)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(bundles.add, [file for file, _ in archives] * 4))
    assert found == [digest for _, digest in archives] * 4
    assert stored(tmp_path / "store") == sorted(digest for _, digest in archives)
    for number, (_, digest) in enumerate(archives):
        assert contents(bundles.path(digest)) == contents(tmp_path / f"app{number}")


def test_another_was_quicker_with_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.state import bundles as module

    first, second = Bundles(tmp_path / "store"), Bundles(tmp_path / "store")
    file, digest = archive(tmp_path)
    wait = module._sync_all

    def meanwhile(folder: Path, files: list[BundleFile]) -> None:
        monkeypatch.setattr(module, "_sync_all", wait)
        assert second.add(file) == digest

    monkeypatch.setattr(module, "_sync_all", meanwhile)
    assert first.add(file) == digest
    assert stored(tmp_path / "store") == [digest]


def test_a_bundle_is_on_the_disk_itself_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = Bundles(tmp_path / "store")
    synced: list[tuple[int, bool]] = []
    sync = os.fsync

    def seen(fd: int) -> None:
        synced.append((os.fstat(fd).st_ino, any(len(name) == 64 for name in stored(tmp_path / "store"))))
        sync(fd)

    monkeypatch.setattr(os, "fsync", seen)
    folder = bundles.path(bundles.add(saved(tmp_path, tar([member("a/b/c.js"), member("d.js")]))))
    within = [folder, *folder.rglob("*")]
    assert {inode for inode, named in synced if not named} == {path.stat().st_ino for path in within}
    assert [inode for inode, named in synced if named] == [(tmp_path / "store").stat().st_ino]


def test_sweeping_removes_what_nobody_keeps(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    digests = [bundles.add(archive(tmp_path, number)[0]) for number in range(3)]
    assert bundles.sweep({digests[1], "unknown"}, grace_s=NOW) == sorted([digests[0], digests[2]])
    assert stored(tmp_path / "store") == [digests[1]]
    assert bundles.sweep({digests[1]}, grace_s=NOW) == []


def test_what_is_about_to_be_used_is_not_swept(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    file, digest = archive(tmp_path)
    folder = bundles.path(bundles.add(file))
    assert bundles.sweep(set()) == []
    for use in (lambda: bundles.has(digest), lambda: bundles.add(file)):
        os.utime(folder, (1, 1))
        assert use()
        assert bundles.sweep(set()) == []
    os.utime(folder, (1, 1))
    assert bundles.sweep(set()) == [digest]
    assert not bundles.has(digest)


def test_a_sweep_leaves_alone_what_is_being_added(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    old = bundles.add(archive(tmp_path, 1)[0])
    fifo = tmp_path / "slow"
    os.mkfifo(fifo)
    file, digest = archive(tmp_path, 2)
    data = file.read_bytes()
    done: list[str] = []
    adding = threading.Thread(target=lambda: done.append(bundles.add(fifo)))
    adding.start()
    with open(fifo, "wb") as stream:
        stream.write(data[:10])
        stream.flush()
        while len(stored(tmp_path / "store")) < 2:
            pass
        assert bundles.sweep(set(), grace_s=NOW) == []
        assert len(stored(tmp_path / "store")) == 2
        stream.write(data[10:])
    adding.join()
    assert done == [digest]
    assert bundles.sweep({digest}, grace_s=NOW) == [old]
    assert stored(tmp_path / "store") == [digest]


def test_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path)
    tree(tmp_path, {".coming-abc/d/a": "", ".going-def/a": "", "not ours/a": ""})
    assert bundles.sweep(set(), grace_s=NOW) == []
    assert stored(tmp_path) == ["not ours"]


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        Bundles(tmp_path / "store").add(tmp_path / "nothing")
    assert stored(tmp_path / "store") == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="set stateDir to a folder"):
        Bundles(tmp_path / "file")


def test_a_folder_that_vanished(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    file, digest = archive(tmp_path)
    os.rmdir(tmp_path / "store")
    assert not bundles.has(digest)
    for attempt in (lambda: bundles.add(file), lambda: bundles.sweep(set())):
        with pytest.raises(StoreError, match="No such file"):
            attempt()


async def test_from_a_loop(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    files = [archive(tmp_path, number) for number in range(3)]
    found = await asyncio.gather(*(asyncio.to_thread(bundles.add, file) for file, _ in files))
    assert found == [digest for _, digest in files]


FULL = """
import os, sys
from pathlib import Path
from supervisor.state.bundles import Bundles
from supervisor.state.errors import StoreError
from supervisor.state.archive import BundleFile, pack

folder = Path(sys.argv[1])
app = folder / "app"
app.mkdir()
for size in (1000, 5_000_000):
    os.truncate(os.open(app / "a.js", os.O_RDWR | os.O_CREAT), size)  # takes no room: the disk has it for one copy only
    with pack(app) as packed:
        (folder / "archive").write_bytes(packed.file.read())
    try:
        print(Bundles(folder / "store").add(folder / "archive") == packed.digest)
    except StoreError as error:
        print(error)
print(len(os.listdir(folder / "store")))
"""


def test_a_full_disk_takes_nothing_by_halves(tmp_path: Path) -> None:
    told = in_mount("-t tmpfs -o size=3m none", tmp_path, FULL).splitlines()
    assert told[0] == "True"
    assert "No space left on device" in told[1]
    assert "free some space" in told[2]
    assert told[3] == "2"


# Ends the process, as abruptly as a power cut does, at the n-th thing that it asks of the file system.
CRASH = """
import os, sys
from pathlib import Path
from supervisor.state.bundles import Bundles

bundles, left = Bundles(Path(sys.argv[1])), int(sys.argv[3])

def count(event, args):
    global left
    if event.startswith("os.") or event in ("open", "fcntl.flock"):
        left -= 1
        if left < 0:
            os._exit(9)

sys.addaudithook(count)
digest = bundles.add(Path(sys.argv[2]))
bundles.sweep({digest}, grace_s=-1)
"""


def test_a_crash_at_any_step(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    old_file, old = archive(tmp_path, 1)
    file, new = archive(tmp_path, 2)
    for step in range(200):
        bundles.add(old_file)
        command = [sys.executable, "-c", CRASH, str(tmp_path / "store"), str(file), str(step)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        for number, digest in ((1, old), (2, new)):
            if bundles.has(digest):
                assert contents(bundles.path(digest)) == contents(tmp_path / f"app{number}"), step
        bundles.sweep(set(), grace_s=NOW)
        assert stored(tmp_path / "store") == []
        if code == 0:
            break
        assert code == 9
    assert 10 < step < 199


def test_a_bundle_that_cannot_be_is_gone_at_once(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    with pytest.raises(BundleRefused):
        bundles.add(saved(tmp_path, tar([member("a"), member("../b")])))
    assert stored(tmp_path / "store") == []


def test_a_bundle_is_packed_again_for_another_host(tmp_path: Path) -> None:
    names = {"app.js": "1", "lib/.git/HEAD": "a program may hold that", "lib/node_modules/a/index.js": "2"}
    whole = saved(tmp_path, tar(member(name, text.encode()) for name, text in names.items()))
    one, other = Bundles(tmp_path / "one"), Bundles(tmp_path / "other")
    digest = one.add(whole)
    with one.pack(digest) as packed:
        (tmp_path / "sent").write_bytes(packed.file.read())
        assert packed.digest == digest
    assert other.add(tmp_path / "sent") == digest
    assert (other.path(digest) / "lib/.git/HEAD").read_text() == names["lib/.git/HEAD"]
    with pytest.raises(Unknown):
        one.pack("0" * 64)


def test_a_bundle_that_is_being_sent_is_not_swept(tmp_path: Path) -> None:
    file, digest = archive(tmp_path)
    bundles = Bundles(tmp_path / "store")
    bundles.add(file)
    os.utime(bundles.path(digest), (0, 0))
    with bundles.pack(digest):
        assert bundles.sweep([]) == []
    assert bundles.has(digest)
