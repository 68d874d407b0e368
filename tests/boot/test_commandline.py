"""Words for us on a kernel's command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.commandline import BootWords, parse_boot_words, split_words
from supervisor.spec.refused import Refused

URLS = st.from_regex(r"https://[a-z0-9]{1,9}(:[1-9][0-9]{0,3})?/[a-z0-9/_.-]{0,20}", fullmatch=True)
NAMES = {"host": st.none() | st.just("rack1-host7"), "image": st.none() | st.just("2026-11-30_b.1")}
BOTH = st.builds(BootWords, config=URLS | st.none(), joined=URLS | st.none(), token=URLS, key=URLS, **NAMES)
NO_KEY = st.builds(BootWords, config=URLS | st.none(), joined=URLS | st.none(), **NAMES)
OTHERS = st.lists(st.sampled_from(["quiet", "ip=dhcp", 'acpi_osi="!Windows 2006"', "isolated=1", "isolated.other=2"]))


@given(BOTH | NO_KEY, OTHERS, OTHERS)
def test_words_come_back_among_any_others(words: BootWords, before: list[str], after: list[str]) -> None:
    assert parse_boot_words(" ".join([*before, str(words), *after]) + "\n") == words


@given(st.text())
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        assert parse_boot_words(line).key is None or "isolated.key=https://" in line
    except Refused:
        pass


def test_the_last_of_several_counts() -> None:
    assert parse_boot_words("isolated.config=http://a/1 isolated.config=http://a/2").config == "http://a/2"


def test_quotes_keep_blanks_and_are_left_out() -> None:
    assert list(split_words('a "b c" d="e f" ""')) == ["a", "b c", "d=e f", ""]


@pytest.mark.parametrize(
    "line",
    [
        "isolated.config=",
        "isolated.config=ftp://a/b",
        "isolated.config=/etc/passwd",
        "isolated.config=file:///etc/passwd",
        "isolated.config=http://[1/b",
        "isolated.config=http://a:99999/b",
        "isolated.key=http://a/b isolated.token=http://a/b",  # a key in clear
        "isolated.key=https://a/b",
        "isolated.token=http://a/b",
        "isolated.host=-a",
        "isolated.host=A",
        "isolated.image=",
        'isolated.image="a b"',
        "isolated.image=a/b",
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_words_name(line: str) -> None:
    with pytest.raises(Refused, match=r"isolated\."):
        parse_boot_words(line)
