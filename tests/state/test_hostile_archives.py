"""Archives of strangers: refused with the entry's name, or harmless; and nothing of them stays."""

from __future__ import annotations

import os
import tarfile
from compression import zstd
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.errors import BundleRefused
from supervisor.state.bundles import Bundles
from supervisor.state.names import BundleLimits
from supervisor.state.tar import header
from tests.state.archives import Member, contents, member, saved, tar

LIMITS = BundleLimits(size=1_000_000, unpacked=1_000_000, entries=100)
GOOD = [member("app.js", b"export default {}"), member("lib", b"", tarfile.DIRTYPE), member("lib/a.js", b"1" * 700)]


def add(tmp_path: Path, archive: Path) -> dict[str, bytes]:
    """Stores an archive; returns its files."""
    bundles = Bundles(tmp_path / "store", LIMITS)
    return contents(bundles.path(bundles.add(archive)))


def refusal(tmp_path: Path, data: bytes, *, compress: bool = True) -> str:
    """What is said about an archive that has to be refused and leaves nothing, here or elsewhere."""
    archive = saved(tmp_path, data, compress=compress)
    with pytest.raises(BundleRefused) as caught:
        add(tmp_path, archive)
    assert caught.value.remedy
    assert "\n" not in caught.value.message
    assert sorted(os.listdir(tmp_path)) == ["archive", "store"]
    assert os.listdir(tmp_path / "store") == [".lock"]
    return caught.value.message


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_what_other_programs_pack_is_fine(tmp_path: Path, form: int) -> None:
    long = "long" * 24 + "/" + "a" * 60
    more = [member("./", b"", tarfile.DIRTYPE), member(f"./{long}", b"2"), member("b.js", b"", tarfile.AREGTYPE)]
    found = add(tmp_path, saved(tmp_path, tar([*GOOD, *more], form)))
    assert found == {"app.js": b"export default {}", "lib/a.js": b"1" * 700, long: b"2", "b.js": b""}


def test_the_order_and_the_rights_in_an_archive_do_not_matter(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    first = bundles.add(saved(tmp_path, tar(GOOD)))
    loud = [member(i.name, d, i.type, mode=0o6777, uid=0, uname="root", mtime=5) for i, d in reversed(GOOD)]
    assert bundles.add(saved(tmp_path, tar(loud))) == first


def test_no_rights_are_taken_from_an_archive(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path / "store")
    folder = bundles.path(bundles.add(saved(tmp_path, tar([member("d/a", mode=0o7777), member("b", mode=0)]))))
    assert [(folder / name).stat().st_mode & 0o7777 for name in ("d/a", "b")] == [0o400, 0o400]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (member("../out.js"), "'../out.js' leads out"),
        (member("a/../../out.js"), "'a/../../out.js' leads out"),
        (member("a/.."), "leads out"),
        (member("..", b"", tarfile.DIRTYPE), "'..' leads out"),
        (member("/etc/passwd"), "'/etc/passwd' has an absolute path"),
        (member("//x"), "absolute"),
        (member("evil", b"", tarfile.SYMTYPE, linkname="/etc/passwd"), "'evil' is a symbolic link"),
        (member("evil", b"", tarfile.LNKTYPE, linkname="app.js"), "'evil' is a link"),
        (member("null", b"", tarfile.CHRTYPE, devmajor=1, devminor=3), "'null' is a device"),
        (member("disk", b"", tarfile.BLKTYPE, devmajor=8, devminor=0), "'disk' is a device"),
        (member("pipe", b"", tarfile.FIFOTYPE), "'pipe' is a pipe"),
        (member("odd", b"", b"Z"), "'odd' is of a kind"),
        (member("cont", b"", tarfile.CONTTYPE), "'cont' is of a kind"),
        (member("sparse", b"", tarfile.GNUTYPE_SPARSE), "'sparse' is a sparse file"),
        (member("a\nb"), r"'a\nb' has a name"),
        (member("a\x1b[2Jb"), r"'a\x1b[2Jb' has a name"),
        (member("a\u202eb"), r"'a\u202eb' has a name"),
        (member("a\udcff"), "not UTF-8"),
        (member("a\x7fb"), r"'a\x7fb' has a name"),
        (member("app.js"), "'app.js' stands there twice"),
        (member("./app.js"), "'app.js' stands there twice"),
        (member("lib//a.js"), "'lib/a.js' stands there twice"),
        (member("APP.JS"), "'APP.JS' differs from 'app.js' in case"),
        (member("LIB/b.js"), "'LIB' differs from 'lib' in case"),
        (member("app.js/x"), "'app.js' is a file and a folder"),
        (member("lib"), "'lib' is a file and a folder"),
        (member("app.js", b"", tarfile.DIRTYPE), "'app.js' is a file and a folder"),
        (member("d", b"with contents", tarfile.DIRTYPE), "'d' has a size"),
        (member("x" * 256), "above 255"),
        (member("/".join(["x" * 200] * 6)), "above 1024 bytes"),
        (member("d/" * 65 + "a"), "more than 64 folders deep"),
        (member("."), "without a name"),
        (member("large", b"x" * 1_000_001), "'large' makes the bundle larger than 1000000 bytes"),
    ],
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_one_bad_entry(tmp_path: Path, form: int, entry: Member, words: str) -> None:
    assert words in refusal(tmp_path, tar([*GOOD, entry, member("last")], form))


def test_names_that_only_composition_tells_apart(tmp_path: Path) -> None:
    assert "composition" in refusal(tmp_path, tar([member("\u00e9.js"), member("e\u0301.js")]))


def test_too_many_entries(tmp_path: Path) -> None:
    most = [member(f"{number}.js", b"") for number in range(100)]
    assert len(add(tmp_path, saved(tmp_path, tar(most)))) == 100
    (tmp_path / "store").rename(tmp_path / "away")
    os.rename(tmp_path / "away", tmp_path.parent / f"{tmp_path.name}-away")
    assert "'one more' is one too many" in refusal(tmp_path, tar([*most, member("one more")]))


def test_folders_that_are_only_implied_count(tmp_path: Path) -> None:
    assert "one too many" in refusal(tmp_path, tar([member(f"{n}/{'d/' * 50}a", b"") for n in range(3)]))


def test_the_same_folder_for_ever(tmp_path: Path) -> None:
    assert "too many headers" in refusal(tmp_path, tar([member("d", b"", tarfile.DIRTYPE)] * 500))


def test_long_names_for_nothing(tmp_path: Path) -> None:
    extended = tar([member("x" * 200, b"")])[:1024]
    assert "too many headers" in refusal(tmp_path, extended * 500 + tar(GOOD))


def test_all_files_together_are_counted(tmp_path: Path) -> None:
    data = tar([member(f"{number}", b"x" * 300_000) for number in range(4)])
    assert "'3' makes the bundle larger" in refusal(tmp_path, data)


def test_a_bomb_ends_where_the_limit_is(tmp_path: Path) -> None:
    """Ten gigabytes of zeros in a third of a megabyte: the size in the header is refused, or the lie about it found."""
    packer = zstd.ZstdCompressor(level=3)
    huge = bytearray(header("bomb", 8**11 - 1))
    parts = [packer.compress(bytes(huge))]
    parts += [packer.compress(bytes(2**20)) for _ in range(200)]
    assert "'bomb' makes the bundle larger" in refusal(tmp_path, b"".join([*parts, packer.flush()]), compress=False)
    small = zstd.ZstdCompressor()
    parts = [small.compress(header("bomb", 1) + bytes(512))] + [small.compress(bytes(2**20)) for _ in range(200)]
    assert "something follows" in refusal(tmp_path, b"".join([*parts, small.flush()]), compress=False)


def test_an_archive_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    assert "the limit is 1000000" in refusal(tmp_path, bytes(1_000_001), compress=False)


def test_a_window_that_needs_a_gigabyte(tmp_path: Path) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    data = packer.compress(tar(GOOD)) + packer.flush()
    assert "needs more than 8 MiB to read" in refusal(tmp_path, data, compress=False)


@pytest.mark.parametrize("level", [1, 19])
def test_any_usual_level_of_compression(tmp_path: Path, level: int) -> None:
    assert len(add(tmp_path, saved(tmp_path, zstd.compress(tar(GOOD), level), compress=False))) == 2


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 1500, 2048, 2560, 3071, 3072])
def test_a_tar_that_breaks_off(tmp_path: Path, size: int) -> None:
    data = tar(GOOD)
    assert data[3072:] == bytes(len(data) - 3072)
    assert "breaks off" in refusal(tmp_path, data[:size])


def test_a_stream_that_breaks_off(tmp_path: Path) -> None:
    data = zstd.compress(tar([*GOOD, member("noise", os.urandom(5000))]))
    for size in (1, 3, 10, 100, 2000, len(data) - 1):
        assert "breaks off" in refusal(tmp_path, data[:size], compress=False)
    refusal(tmp_path, b"", compress=False)


@pytest.mark.parametrize("garbage", [b"\0", b"x", zstd.compress(b"more"), zstd.compress(b"")])
def test_what_follows_the_stream(tmp_path: Path, garbage: bytes) -> None:
    assert "something follows" in refusal(tmp_path, zstd.compress(tar(GOOD)) + garbage, compress=False)


@pytest.mark.parametrize("garbage", [b"x", bytes(5000) + b"x", bytes(2 * 2**20), tar(GOOD)])
def test_what_follows_the_tar(tmp_path: Path, garbage: bytes) -> None:
    assert "something follows" in refusal(tmp_path, tar(GOOD) + garbage)


def test_one_zero_block_is_no_end(tmp_path: Path) -> None:
    assert "no proper end" in refusal(tmp_path, tar(GOOD)[:3072] + bytes(512) + tar(GOOD))


def test_an_extended_header_of_nothing(tmp_path: Path) -> None:
    extended = tar([member("x" * 200, b"")])[:1024]
    assert "no proper end" in refusal(tmp_path, tar(GOOD)[:3072] + extended + bytes(1024))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", b"\x1f\x8b\x08" + bytes(100)),
        ("plain tar", tar(GOOD)),
        ("text", b"hello" * 100),
        ("zip", b"PK\3\4" * 50),
    ],
)
def test_what_is_not_zstd(tmp_path: Path, name: str, data: bytes) -> None:
    assert "not zstd" in refusal(tmp_path, data, compress=False)


@pytest.mark.parametrize("data", [b"hello" * 200, b"x" * 512, b"\0" * 511 + b"x"])
def test_what_is_no_tar(tmp_path: Path, data: bytes) -> None:
    assert "not a tar" in refusal(tmp_path, data.ljust(2048, b"y"))


def test_no_files_at_all(tmp_path: Path) -> None:
    assert "holds no file" in refusal(tmp_path, tar([]))
    assert "holds no file" in refusal(tmp_path, tar([member("d", b"", tarfile.DIRTYPE)]))


def test_damage_is_noticed(tmp_path: Path) -> None:
    data = tar(GOOD)
    assert "damaged" in refusal(tmp_path, data[:5] + b"!" + data[6:])


@pytest.mark.parametrize(
    "record",
    [
        b"13 size=10000\n",
        b"15 linkpath=/a\n",
        b"22 GNU.sparse.major=1\n",
        b"x path=a\n",
        b"99999999 path=a\n",
        b"7 path=a\n",
        b"8 path=a\n",
        b"-9 path=a\n",
        b"10 =abcde\n",
        b"0 path=a\n",
        b"11 path=a\n",
        b"\0" * 20,
    ],
)
def test_extended_headers_that_lie(tmp_path: Path, record: bytes) -> None:
    head, _ = member("x", record, tarfile.XHDTYPE)
    data = head.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar(GOOD)
    words = refusal(tmp_path, data)
    assert "extended header" in words or "stands there twice" in words


@pytest.mark.parametrize("size", [0, 17 * 1024, 8**11 - 1])
def test_extended_headers_of_any_size(tmp_path: Path, size: int) -> None:
    head, _ = member("x", b"", tarfile.XHDTYPE)
    head.size = size
    assert f"is said {size} bytes of" in refusal(tmp_path, head.tobuf(tarfile.USTAR_FORMAT) + tar(GOOD))


@pytest.mark.parametrize(
    "number", [b"\xff" * 12, b"\x80" + b"\0" * 3 + b"\xff" * 8, b"-0000000001\0", b"not octal!!\0"]
)
def test_sizes_that_cannot_be(tmp_path: Path, number: bytes) -> None:
    block = bytearray(header("a", 1))
    block[124:136] = number
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    refusal(tmp_path, bytes(block) + bytes(2048))


@settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(data=st.data())
def test_any_damage_is_an_answer(tmp_path: Path, data: st.DataObject) -> None:
    archive = bytearray(tar([*GOOD, member("ü" * 60, b"2"), member("d/é", b"3")], tarfile.PAX_FORMAT))
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, 9 * 512))
        archive[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=12))
    if data.draw(st.booleans()):  # headers that are right but for what they say
        for start in range(0, len(archive) - 512, 512):
            block = archive[start : start + 512]
            if block[257:262] == b"ustar":
                block[148:156] = b" " * 8
                archive[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    try:
        found = add(tmp_path, saved(tmp_path, bytes(archive)))
    except BundleRefused as error:
        said = error.message
    else:
        said = f"{len(found)} files"
    assert said.isprintable()
    assert sorted(os.listdir(tmp_path)) == ["archive", "store"]


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(data=st.binary(max_size=300), place=st.integers(0, 200))
def test_any_damaged_stream_is_an_answer(tmp_path: Path, data: bytes, place: int) -> None:
    good = zstd.compress(tar(GOOD))
    said = "stored"
    try:
        add(tmp_path, saved(tmp_path, good[:place] + data + good[place + len(data) :], compress=False))
    except BundleRefused as error:
        said = error.message
    assert said.isprintable()
    assert sorted(os.listdir(tmp_path)) == ["archive", "store"]
