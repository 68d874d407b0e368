"""Scripts for iPXE, and the kernel's command line that is in them, as Alpine's init and our own program read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.commandline import BootWords, parse_boot_words
from supervisor.boot.identity import Identity
from supervisor.boot.ipxe import FIRST, Served, boot_script, command_line, waiting_script
from tests.boot.test_identity import MACS, UUIDS

SERVED = Served(http="http://10.0.0.1:8080", https="https://10.0.0.1:8443", transfer="http://10.0.0.1:8080")
ONE = Identity("52:54:00:00:00:01")
MACHINE = "http://10.0.0.1:8080/machines/52-54-00-00-00-01"


def line_of(words: str, *, key: bool = True) -> str:
    return command_line(ONE, "v1", name="one", words=words, served=SERVED, key=key)


def test_the_first_script_asks_for_the_machines_own() -> None:
    assert FIRST.startswith("#!ipxe\n")
    assert "machines/${netX/mac:hexhyp}_${uuid}/boot.ipxe" in FIRST


def test_a_script_loads_both_files_and_boots() -> None:
    script = boot_script(ONE, "v1", name="one", words="quiet", served=SERVED, key=True)
    first, _, kernel, initrd, boot, *_ = script.splitlines()
    assert first == "#!ipxe"
    assert kernel.startswith("kernel http://10.0.0.1:8080/images/v1/vmlinuz initrd=initramfs quiet ")
    assert initrd.startswith("initrd --name initramfs http://10.0.0.1:8080/images/v1/initramfs ")
    assert boot.startswith("boot ")


@given(MACS, st.none() | UUIDS)
def test_our_own_program_reads_back_where_it_finds_things(mac: str, uuid: str | None) -> None:
    identity = Identity(mac, uuid)
    line = command_line(identity, "v1", name=mac, words="quiet", served=SERVED, key=True)
    base = f"machines/{identity}"
    assert parse_boot_words(line) == BootWords(
        config=f"http://10.0.0.1:8080/{base}/isolated.toml",
        token=f"http://10.0.0.1:8080/{base}/token",
        key=f"https://10.0.0.1:8443/{base}/key",
        joined=f"http://10.0.0.1:8080/{base}/joined",
        host=f"host-{mac.replace(':', '')}",
        image="v1",
    )


def test_a_machine_without_a_key_is_told_of_none() -> None:
    assert "isolated.key" not in line_of("", key=False)
    assert "isolated.token" not in line_of("", key=False)


def test_no_secret_stands_on_the_command_line() -> None:
    words = dict(word.removeprefix("isolated.").split("=", 1) for word in line_of("").split() if "isolated." in word)
    assert (words.pop("host"), words.pop("image")) == ("one", "v1")
    assert all(value.startswith("http") and "?" not in value for value in words.values())


def test_places_in_the_images_words_are_filled_in() -> None:
    line = line_of("modloop={image}/modloop apkovl={machine}/apkovl.tar.gz")
    assert f"modloop=http://10.0.0.1:8080/images/v1/modloop apkovl={MACHINE}/apkovl.tar.gz " in line


def test_a_line_that_the_kernel_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="2047"):
        line_of("x" * 2048)


@given(st.text())
def test_what_is_wrong_is_told_on_one_harmless_line(why: str) -> None:
    script = waiting_script(why, SERVED)
    head, told, wait, again, end = script.split("\n")
    assert (head, end) == ("#!ipxe", "")
    assert told.startswith("echo isolated: ")
    assert not set("${};|&\\\"'\r\x1b") & set(told)
    assert wait.startswith("sleep ")
    assert again == "chain --replace http://10.0.0.1:8080/boot.ipxe"
