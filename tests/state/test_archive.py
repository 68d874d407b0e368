"""Packing: the same files, the same digest, and only what a program could read."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Callable
from compression import zstd
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from supervisor.errors import BundleRefused
from supervisor.printable import printable
from supervisor.state.archive import pack
from supervisor.state.bundles import Bundles
from supervisor.state.names import BundleLimits
from tests.state.archives import contents, saved, tree

FILES = {"app.js": "export default {}", "lib/a.js": "1", "lib/deep/b.json": "{}", "empty": "", "ü/😀.js": "x" * 5000}


def unpacked(tmp_path: Path, archive: bytes) -> dict[str, bytes]:
    bundles = Bundles(tmp_path / "store")
    return contents(bundles.path(bundles.add(saved(tmp_path, archive, compress=False))))


def test_the_digest_is_the_same_everywhere_and_for_ever(tmp_path: Path) -> None:
    with pack(tree(tmp_path / "app", FILES)) as packed:
        # Bundles are named by it on hosts and asked for by it: it may not change with any version of anything.
        assert packed.digest == "63b8478834b76ca39e9fdf85d2f545aee0428d1409492d1e83cd8d64250d7888"
        assert (packed.files, packed.unpacked) == (5, 5020)
        assert packed.size == len(packed.file.read())


def test_what_does_not_matter_to_a_program_does_not_change_the_digest(tmp_path: Path) -> None:
    first = tree(tmp_path / "one", FILES)
    second = tree(tmp_path / "two", dict(reversed(FILES.items())))
    (second / "app.js").chmod(0o4755)
    os.utime(second / "app.js", (1, 1))
    (second / "nothing in it").mkdir()
    tree(second, {".git/HEAD": "ref", "lib/.svn/entries": "9"})
    with pack(first) as one, pack(second) as two:
        assert one.digest == two.digest
        assert one.file.read() == two.file.read()


@pytest.mark.parametrize("change", [{"app.js": "other"}, {"new.js": ""}, {"lib/deep/b.json": "[]"}])
def test_what_does_matter_changes_it(tmp_path: Path, change: dict[str, str]) -> None:
    with pack(tree(tmp_path / "app", FILES)) as before, pack(tree(tmp_path / "app", change)) as after:
        assert before.digest != after.digest


def test_it_is_a_tar_that_everybody_reads(tmp_path: Path) -> None:
    files = FILES | {"long" * 40 + "/" + "é" * 100 + ".js": "long"}
    with pack(tree(tmp_path / "app", files)) as packed:
        data = zstd.decompress(packed.file.read())
    (tmp_path / "x.tar").write_bytes(data)
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert sorted(archive.getnames()) == sorted(files)
        assert {(info.mode, info.mtime, info.uid, info.isreg()) for info in archive} == {(0o644, 0, 0, True)}
    if shutil.which("tar"):
        listed = subprocess.run(
            ["tar", "tf", tmp_path / "x.tar", "--quoting-style=literal"], capture_output=True, check=True
        )
        assert sorted(listed.stdout.decode().splitlines()) == sorted(files)


def test_one_file_alone(tmp_path: Path) -> None:
    with pack(tree(tmp_path, {"app.js": "1"}) / "app.js") as packed:
        assert unpacked(tmp_path, packed.file.read()) == {"app.js": b"1"}


def test_leaving_files_out(tmp_path: Path) -> None:
    with pack(tree(tmp_path / "app", FILES), leave_out=["app.js", "lib/deep", "deep"]) as packed:
        assert sorted(unpacked(tmp_path, packed.file.read())) == ["empty", "lib/a.js", "ü/😀.js"]


def test_links_within_are_packed_as_what_they_lead_to(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", FILES)
    (app / "link.js").symlink_to("lib/a.js")
    (app / "modules").symlink_to(app / "lib", target_is_directory=True)
    (app / "nowhere").symlink_to("not there")
    (app / "itself").symlink_to("itself")
    os.mkfifo(app / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(app / "app.sock"))
        with pack(app) as packed:
            found = unpacked(tmp_path, packed.file.read())
    assert sorted(found) == sorted([*FILES, "link.js", "modules/a.js", "modules/deep/b.json"])
    assert found["link.js"] == b"1"


def around(app: Path) -> None:
    (app / "lib" / "up").symlink_to("..")


def out(app: Path) -> None:
    (app / "secrets").symlink_to("/etc/hostname" if os.path.exists("/etc/hostname") else "/etc")


def beside(app: Path) -> None:
    tree(app.parent / "app2", {"a.js": ""})
    (app / "beside").symlink_to("../app2/a.js")


def bomb(app: Path) -> None:
    """Each folder leads to the next by many links: 30 to the power of 20 folders."""
    for number in range(20):
        tree(app / f"d{number}", {"f": ""})
        for link in range(30):
            (app / f"d{number}" / f"l{link}").symlink_to(f"../d{number + 1}")
    (app / "d20").mkdir()


def bytes_in_name(app: Path) -> None:
    (app / os.fsdecode(b"a\xff.js")).touch()


def case(app: Path) -> None:
    tree(app, {"APP.js": ""})


def deep(app: Path) -> None:
    tree(app, {"d/" * 65 + "a.js": ""})


def too_many(app: Path) -> None:
    tree(app, {f"{number}.js": "" for number in range(101)})


def too_large(app: Path) -> None:
    (app / "large").write_bytes(b"")
    os.truncate(app / "large", 10**12)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (around, "'lib/up' is a link to a folder that it is in"),
        (out, "'secrets' is a link that leads out, to /etc"),
        (beside, "'beside' is a link that leads out"),
        (bomb, "one too many"),
        (bytes_in_name, "not UTF-8"),
        (case, "'app.js' differs from 'APP.js' in case"),
        (deep, "more than 64 folders deep"),
        (too_many, "a bundle may hold 100 files and folders"),
        (too_large, "'large' makes the bundle larger than 1000000 bytes"),
    ],
)
def test_what_is_refused(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    app = tree(tmp_path / "app", FILES)
    spoil(app)
    with pytest.raises(BundleRefused) as caught:
        pack(app, limits=BundleLimits(entries=100, unpacked=1_000_000))
    assert words in str(caught.value)
    assert caught.value.remedy


def test_an_archive_that_is_too_large_to_send(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", {})
    app.mkdir()
    (app / "noise").write_bytes(os.urandom(5000))
    with pytest.raises(BundleRefused, match="the limit is 4000"):
        pack(app, limits=BundleLimits(size=4000))


def test_a_folder_without_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleRefused, match="no file"):
        pack(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not there"):
        pack(tmp_path / "not there")


def test_a_file_that_changes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.state import archive

    app = tree(tmp_path / "app", FILES)
    files = archive.found_in(app, frozenset(), BundleLimits())
    for text in ("export default {} // more", "export"):
        (app / "app.js").write_text(text)
        with pytest.raises(BundleRefused, match=r"'app\.js' changed while it was packed"):
            archive.digest_of(files)


part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: printable(text) == text and text not in (".", "..", ".git", ".hg", ".svn")
)
paths = st.lists(part, min_size=1, max_size=8).map("/".join)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(files=st.dictionaries(paths, st.binary(max_size=1500), min_size=1, max_size=6))
def test_any_files_come_out_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("any")
    app = folder / "app"
    try:
        for path, data in files.items():
            (app / path).parent.mkdir(parents=True, exist_ok=True)
            (app / path).write_bytes(data)
    except OSError:
        reject()  # a file and a folder of one name, or a name too long for a disk
    try:
        packed = pack(app)
    except BundleRefused as error:
        assume("in case or composition" not in error.message)
        raise
    with packed:
        bundles = Bundles(folder / "store")
        digest = bundles.add(saved(folder, packed.file.read(), compress=False))
    assert digest == packed.digest
    assert contents(bundles.path(digest)) == files
    shutil.rmtree(folder)
