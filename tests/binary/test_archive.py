"""The payload's bytes follow from the files alone."""

from __future__ import annotations

import io
import os
import tarfile
from compression import zstd
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.binary import archive


def tree(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_order_times_and_rights_do_not_matter(tmp_path: Path) -> None:
    names = ["b/two", "a", "b/one", "c-d", "c/e"]
    one, other = tree(tmp_path / "one", names), tree(tmp_path / "other", names[::-1])
    os.utime(other / "a", (1, 1))
    (other / "a").chmod(0o600)
    assert archive.pack(one) == archive.pack(other)
    (other / "a").chmod(0o700)
    assert archive.pack(one) != archive.pack(other)


def test_the_list_at_the_end_names_every_file(tmp_path: Path) -> None:
    packed = archive.pack(tree(tmp_path, ["b/two", "a"]))
    with tarfile.open(fileobj=io.BytesIO(packed)) as opened:
        last = opened.getmembers()[-1]
        listed = opened.extractfile(last)
        assert listed is not None
        assert (last.name, listed.read()) == (archive.FILES, b"1 a\n5 b/two\nend\n")
        assert {(each.uid, each.uname, each.mtime) for each in opened.getmembers()} == {(0, "", archive.MTIME)}


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(ValueError, match="link: only folders and plain files"):
        archive.pack(tmp_path)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=100_000), st.sampled_from([1, 3, 9]))
def test_what_is_compressed_comes_back_with_a_checksum(content: bytes, level: int) -> None:
    frame = archive.compress(content, level)
    assert frame == archive.compress(content, level)
    assert zstd.decompress(frame) == content
    assert frame[4] & 0b100  # Content_Checksum_flag of the frame's header: RFC 8878, section 3.1.1.1.1
