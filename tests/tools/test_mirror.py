"""The Debian mirror is found in apt's settings, whatever format they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.runtime_tree import mirror
from tools.runtime_tree.faults import Cause, Fault

OS_RELEASE = 'ID=debian\nVERSION_CODENAME="bookworm"\n'


def etc(folder: Path, *, release: str = OS_RELEASE, **files: str) -> Path:
    """An /etc with apt's files: `list` is sources.list, `parts_NAME_ENDING` are below sources.list.d."""
    (folder / "apt" / "sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(release)
    for name, text in files.items():
        if name == "list":
            (folder / "apt" / "sources.list").write_text(text)
        else:
            _, stem, ending = name.split("_")
            (folder / "apt" / "sources.list.d" / f"{stem}.{ending}").write_text(text)
    return folder


def test_one_line_format(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        list="# a comment\ndeb-src http://source.test/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib # why\n",
    )
    assert mirror.choose({}, root) == "http://mirror.test/debian"


def test_deb822_format(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        parts_debian_sources="# head\nTypes: deb deb-src\n# inside\nURIs: http://mirror.test/debian\n"
        "Suites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n",
    )
    assert mirror.choose({}, root) == "http://mirror.test/debian"


def test_mirror_lists_of_cloud_images_are_taken_as_they_are(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        parts_debian_sources="Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm\n"
        "Components: main\n",
    )
    assert mirror.choose({}, root) == "mirror+file:///etc/apt/mirrors/debian.list"


@pytest.mark.parametrize(
    "line",
    [
        "deb http://mirror.test/debian-security bookworm-security main",
        "deb http://mirror.test/debian bookworm contrib",
        "deb cdrom:[Debian]/ bookworm main",
        "deb http://vendor.test/apt stable-vendor main",
        "#deb http://mirror.test/debian bookworm main",
        "deb-src http://mirror.test/debian bookworm main",
    ],
)
def test_what_is_not_the_main_archive_is_passed_over(tmp_path: Path, line: str) -> None:
    root = etc(tmp_path, list=line + "\n")
    with pytest.raises(Fault, match="no mirror") as caught:
        mirror.choose({}, root)
    assert caught.value.cause is Cause.NO_MIRROR
    assert mirror.VARIABLE in caught.value.remedy


def test_disabled_paragraphs_do_not_count(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        parts_a_sources="Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nSuites: bookworm\nComponents: main\n\n"
        "Types: deb\nURIs: http://on.test/debian\nSuites: bookworm\nComponents: main\n",
    )
    assert mirror.choose({}, root) == "http://on.test/debian"


def test_another_distribution_has_suites_of_the_same_kind_but_not_debians(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        release="ID=ubuntu\nVERSION_CODENAME=noble\n",
        list="deb http://mirror.test/ubuntu noble main\n",
    )
    with pytest.raises(Fault):
        mirror.choose({}, root)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    root = etc(tmp_path, list="deb http://mirror.test/debian bookworm main\n")
    assert mirror.choose({mirror.VARIABLE: " http://own.test/debian "}, root) == "http://own.test/debian"


@pytest.mark.parametrize("uri", ["mirror.test/debian", "http://a.test/debian testing", "ssh://a.test/debian", "x"])
def test_a_wrong_mirror_in_the_environment_is_named(tmp_path: Path, uri: str) -> None:
    with pytest.raises(Fault) as caught:
        mirror.choose({mirror.VARIABLE: uri}, etc(tmp_path))
    assert caught.value.cause is Cause.NO_MIRROR
    assert uri in caught.value.message


@given(st.text())
def test_no_settings_break_the_parsers(text: str) -> None:
    for source in [*mirror.parse_deb822(text), *mirror.parse_one_line(text)]:
        assert source.uri
        assert source.suite


names = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)


@given(names, names, st.lists(names, min_size=1, max_size=3))
def test_both_formats_say_the_same(host: str, suite: str, components: list[str]) -> None:
    uri, joined = f"http://{host}.test/debian", " ".join(components)
    expected = [mirror.Source(uri, suite, tuple(components))]
    assert list(mirror.parse_one_line(f"deb {uri} {suite} {joined}\n")) == expected
    deb822 = f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {joined}\n"
    assert list(mirror.parse_deb822(deb822)) == expected
