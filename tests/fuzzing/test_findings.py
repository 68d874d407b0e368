"""A finding is found, kept, and made small: with a child that has no V8 in it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.fuzzing.programs import fake_child, script
from tools.fuzzing import children
from tools.fuzzing.children import Child
from tools.fuzzing.ended import Kind, Wrong
from tools.fuzzing.findings import Finding, keep, same
from tools.fuzzing.minimise import Minimiser
from tools.fuzzing.program import Program, program_of
from tools.fuzzing.run import Run, Tally

LONG = 1e9
FINE = [script(f"fine-{number}", "1;") for number in range(6)]


def run(folder: Path, *batches: list[Program]) -> tuple[Tally, list[str]]:
    told: list[str] = []
    run = Run(fake_child(folder), folder / "kept", told.append)
    run.until(time.monotonic() + LONG, batches, lambda _: None)
    return run.tally, told


def test_a_clean_run_keeps_nothing(tmp_path: Path) -> None:
    tally, told = run(tmp_path, FINE, FINE)
    assert (tally.programs, tally.findings, told) == (12, [], [])
    assert tally.reasons == {"exited": 12}
    assert not (tmp_path / "kept").exists()


def test_a_child_that_dies_is_found_and_its_program_made_small(tmp_path: Path) -> None:
    bad = script("bad", *["1;"] * 9, "DIE", *["2;"] * 9)
    tally, told = run(tmp_path, [*FINE[:3], bad, *FINE[3:]], FINE)
    (place,) = tally.findings
    assert "killed by SIGSEGV" in (place / "finding.txt").read_text()
    assert "last words" in (place / "stderr.txt").read_text()
    assert len(json.loads((place / "batch.json").read_text())) == 7
    (small,) = map(program_of, json.loads((place / "small.json").read_text()))
    assert (small.name, small.files) == ("bad", {"main.js": b"DIE"})
    assert (place / "bad" / "main.js").read_bytes() == b"DIE"
    assert str(place) in told[-1]
    assert tally.programs == 3 + 6  # those before it, and the next batch in another child
    assert tally.replaced == 1


def test_a_child_that_hangs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "SILENCE_S", 0.5)
    monkeypatch.setattr(Child, "stacks", lambda _: "")  # stacks of a fake say nothing
    tally, _ = run(tmp_path, [FINE[0], script("bad", "HANG")])
    (place,) = tally.findings
    assert (place / "finding.txt").read_text().startswith("hang: the loop stood still")


def test_what_is_late_again_is_a_finding(tmp_path: Path) -> None:
    tally, _ = run(tmp_path, [*FINE, script("bad", "LATE")])
    assert [place.name for place in tally.findings] == ["late-bad"]


def test_what_is_late_once_is_the_machines(tmp_path: Path) -> None:
    tally, told = run(tmp_path, [*FINE, script("slow", "ONCE")])
    assert (tally.findings, tally.not_repeated) == ([], 1)
    assert "not seen again" in told[-1]
    text = (tmp_path / "kept" / "late-once" / "late-slow" / "finding.txt").read_text()
    assert "its end: exited after 0.1 s" in text


def test_a_child_that_lost_too_much_is_replaced_in_good_order(tmp_path: Path) -> None:
    tally, told = run(tmp_path, [script("a", "PARK")], FINE, FINE)
    assert (tally.replaced, tally.parked, tally.findings, told) == (1, 1, [], [])


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    run = Run(fake_child(tmp_path), tmp_path, lambda _: None)
    run.until(time.monotonic(), iter(lambda: FINE, None), lambda _: None)
    assert run.tally.programs == len(FINE)


def test_nothing_of_a_child_is_left(tmp_path: Path) -> None:
    child = Child(fake_child(tmp_path))
    assert child.run(FINE).after is not None
    assert child.close()
    assert child.process.poll() == 0
    assert not child.folder.exists()


def test_findings_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    finding = Finding(Wrong(Kind.DEATH, "a"), FINE, "")
    assert len({keep(finding, tmp_path) for _ in range(3)}) == 3


def test_findings_are_alike_whatever_their_numbers_say() -> None:
    first = Wrong(Kind.WRONG, "answered b'abc' to b'000'")
    assert same(first) == same(Wrong(Kind.WRONG, "answered b'xyz' to b'17'", "program"))
    assert same(first) != same(Wrong(Kind.NEIGHBOUR, first.text))


def test_two_programs_that_do_it_together_are_kept_together() -> None:
    programs = [script(str(number), "1;") for number in range(20)]
    small = Minimiser(lambda some: {"3", "17"} <= {each.name for each in some}).small(programs, "")
    assert small is not None
    assert [each.name for each in small] == ["3", "17"]


def test_what_is_not_seen_again_is_not_made_small() -> None:
    assert Minimiser(lambda _: False).small(FINE, "fine-1") is None


def test_parts_that_need_each_other_are_left() -> None:
    program = script("a", *map(str, range(50)))
    small = Minimiser(lambda some: {b"7", b"30"} <= set(some[0].files["main.js"].split(b"\n"))).small([program], "a")
    assert small is not None
    assert small[0].files["main.js"] == b"7\n30"


def test_making_small_gives_up_after_so_many_tries() -> None:
    tries: list[int] = []

    def repeats(programs: object) -> bool:
        tries.append(1)
        return True

    Minimiser(repeats, most=5).small([script("a", *["1;"] * 1000)], "a")
    assert len(tries) == 5
