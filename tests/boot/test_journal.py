"""How far machines are, and where one boot ends and the next begins."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.journal import MACHINES_MAX, Journal, Stage, from_document, to_document
from tests.boot.test_identity import MACS

ONE, TWO = "52:54:00:00:00:01", "52:54:00:00:00:02"


def booted() -> Journal:
    journal = Journal()
    journal.dhcp(ONE, 1, address=None, firmware=True)
    journal.dhcp(ONE, 2, address="10.0.0.7", firmware=True)
    journal.script(ONE, 3)
    for number, stage in enumerate((Stage.KERNEL, Stage.INITRAMFS, Stage.CONFIG, Stage.SECRET, Stage.JOINED), 4):
        journal.passed(ONE, stage, number)
    return journal


def test_a_boot_has_each_station_once_with_its_first_time() -> None:
    journal = booted()
    assert not journal.passed(ONE, Stage.KERNEL, 99)
    progress = journal.of(ONE)
    assert (progress.boots, progress.stage, progress.last) == (1, Stage.JOINED, 8)
    assert progress.stages["dhcp"] == 1


def test_a_system_that_asks_for_its_address_again_is_in_the_same_boot() -> None:
    journal = booted()
    journal.dhcp(ONE, 50, address="10.0.0.7", firmware=False)
    assert journal.of(ONE).boots == 1


def test_firmware_that_asks_is_the_next_boot_and_may_have_the_key_only_after_its_script() -> None:
    journal = booted()
    journal.dhcp(ONE, 50, address=None, firmware=True)
    assert (journal.of(ONE).boots, journal.of(ONE).stage, journal.of(ONE).key_due) == (2, Stage.DHCP, False)
    journal.script(ONE, 51)
    assert journal.of(ONE).key_due


def test_the_key_is_due_once_in_a_boot() -> None:
    assert not booted().of(ONE).key_due


def test_the_key_goes_to_one_in_a_boot_who_may_ask_again() -> None:
    journal = booted()
    journal.script(ONE, 51)
    assert journal.of(ONE).is_key_for("a")
    assert journal.of(ONE).is_key_for("")
    journal.key_given(ONE, "a", 52)
    assert journal.of(ONE).is_key_for("a")
    assert not journal.of(ONE).is_key_for("b")
    assert not journal.of(ONE).is_key_for("")
    journal.script(ONE, 53)
    journal.key_given(ONE, "", 54)  # one that showed no secret
    assert not journal.of(ONE).is_key_for("")
    assert not journal.of(ONE).is_key_for("a")


def test_power_lost_while_files_came_is_no_boot_more_until_a_script_was_fetched() -> None:
    journal = Journal()
    for now in (1, 2):
        journal.dhcp(ONE, now, address=None, firmware=True)
        journal.passed(ONE, Stage.TFTP, now)
    assert journal.of(ONE).boots == 1
    journal.script(ONE, 3)
    journal.dhcp(ONE, 4, address=None, firmware=True)
    assert journal.of(ONE).boots == 2


def test_an_address_belongs_to_who_had_it_last() -> None:
    journal = booted()
    journal.dhcp(TWO, 60, address="10.0.0.7", firmware=True)
    assert journal.at("10.0.0.7") is journal.of(TWO)
    assert journal.of(ONE).address is None


def test_a_problem_stays_until_the_machine_comes_further() -> None:
    journal = booted()
    journal.dhcp(ONE, 50, address=None, firmware=True)
    journal.of(ONE).problem = "the image is broken"
    journal.passed(ONE, Stage.TFTP, 51)
    assert journal.of(ONE).problem is None


STEPS = st.lists(st.tuples(st.sampled_from(["dhcp", "firmware", "script", *Stage]), MACS, st.integers(0, 9)))


@given(STEPS)
def test_a_journal_comes_back_from_its_file(steps: list[tuple[str, str, int]]) -> None:
    journal = Journal()
    for what, mac, now in steps:
        if what in ("dhcp", "firmware"):
            journal.dhcp(mac, now, address=f"10.0.0.{now}", firmware=what == "firmware")
        elif what == "script":
            journal.script(mac, now)
        elif what == Stage.SECRET:
            journal.key_given(mac, str(now), now)
        else:
            journal.passed(mac, Stage(what), now)
    assert from_document(json.loads(json.dumps(to_document(journal)))).machines == journal.machines


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_anything_else_is_an_empty_journal(document: object) -> None:
    assert from_document(document).machines == {}


def test_strangers_without_end_are_forgotten_and_known_machines_are_not() -> None:
    journal = booted()
    journal.of(ONE).name = "one"
    for number in range(MACHINES_MAX + 10):
        journal.of(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")
    assert len(journal.machines) == MACHINES_MAX
    assert journal.of(ONE).stage is Stage.JOINED
