"""Checksums of images: what sha256sum reads, and names that lead nowhere else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.manifest import format_manifest, is_inside, parse_manifest
from supervisor.boot.shelf import ImageRefused, NoSuchFile, Shelf, seal
from supervisor.spec.refused import Refused
from tests.boot.rack_net import wait_until

NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z.-]{1,8}){0,2}", fullmatch=True).filter(is_inside)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.dictionaries(NAMES, DIGESTS))
def test_a_manifest_comes_back(checksums: dict[str, str]) -> None:
    assert parse_manifest(format_manifest(checksums)) == checksums


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert all(is_inside(name) for name in parse_manifest(text))
    except Refused:
        pass


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/", "a/./b"])
def test_names_that_lead_out_or_have_two_spellings_are_refused(name: str) -> None:
    assert not is_inside(name)
    with pytest.raises(Refused):
        parse_manifest(f"{'0' * 64}  {name}\n")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "v1"
    (folder / "apks").mkdir(parents=True)
    for name in ("vmlinuz", "initramfs", "apks/one.apk"):
        (folder / name).write_text(name)
    seal(folder)
    return folder


def test_sha256sum_agrees_with_the_seal(image: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=image, check=True)


def test_a_file_is_served_as_long_as_it_is_the_one_that_was_sealed(image: Path) -> None:
    shelf = Shelf(image.parent)
    with shelf.open("v1", "apks/one.apk") as file:
        assert file.read() == b"apks/one.apk"
    (image / "apks/one.apk").write_text("apks/two.apk")  # as long as before
    with pytest.raises(ImageRefused, match="checksum differs"):
        shelf.open("v1", "apks/one.apk")
    (image / "apks/one.apk").write_text("apks/one.apk")
    shelf.open("v1", "apks/one.apk").close()


def test_a_file_that_was_changed_in_place_under_its_old_time_is_refused(image: Path) -> None:
    shelf, file = Shelf(image.parent), image / "vmlinuz"
    before = file.stat()
    shelf.check_bootable("v1")

    def change() -> bool:
        file.write_text("zunilmv")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        return file.stat().st_ctime_ns != before.st_ctime_ns

    wait_until(change, "the next tick of the file system's clock")
    after = file.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    with pytest.raises(ImageRefused, match="checksum differs"):
        shelf.check_bootable("v1")


@pytest.mark.parametrize("name", ["SHA256SUMS", "../v1/vmlinuz", "apks", "none", "", "/etc/passwd", "vmlinuz/"])
def test_only_what_was_sealed_is_there(image: Path, name: str) -> None:
    with pytest.raises(NoSuchFile):
        Shelf(image.parent).open("v1", name)


def test_a_link_out_of_the_image_is_refused(image: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("vmlinuz")  # the very content, so that only the way is wrong
    (image / "vmlinuz").unlink()
    (image / "vmlinuz").symlink_to(tmp_path / "secret")
    with pytest.raises(ImageRefused, match="leads out"):
        Shelf(image.parent).open("v1", "vmlinuz")
    with pytest.raises(ImageRefused, match="not a file"):
        seal(image)


def test_an_image_without_a_kernel_is_not_sealed_nor_booted(image: Path) -> None:
    (image / "vmlinuz").unlink()
    with pytest.raises(ImageRefused, match="vmlinuz cannot be read"):
        Shelf(image.parent).check_bootable("v1")
    with pytest.raises(ImageRefused, match="has no vmlinuz"):
        seal(image)


def test_a_version_that_is_broken_is_not_promoted(image: Path) -> None:
    (image / "initramfs").write_text("broken")
    with pytest.raises(ImageRefused):
        Shelf(image.parent).promote("v1", None)
    assert Shelf(image.parent).promotion().stable is None
