"""What a host holds, taken, written, read again and shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.soaking.figures import Figures, figures_of, parsed
from tools.soaking.table import table

UNHURRIED = settings(deadline=None)
COUNTS = st.integers(0, 10**6)
FIGURES = st.builds(
    Figures,
    seconds=st.integers(0, 10**6).map(float), rss_mib=st.integers(0, 10**7).map(lambda tenths: tenths / 10),
    processes=COUNTS, threads=COUNTS, files=COUNTS, mappings=COUNTS, isolates=COUNTS, parked=COUNTS, handovers=COUNTS,
    moment=st.sampled_from(["begin", "end", None]),
)  # fmt: skip
STATUS = {"limits": {"isolates": {"used": 7}}, "parked": 3, "handovers": 2}
# Says when it is itself, no copy of us any more; then that it has a thread and a file more.
LEADER = """
import threading
print(flush=True)
input()
threading.Thread(target=threading.Event().wait, daemon=True).start()
more = open("/dev/null")
print(flush=True)
input()
"""


@UNHURRIED
@given(st.lists(FIGURES))
def test_what_is_written_is_read_again(samples: list[Figures]) -> None:
    assert parsed("\n".join(each.line() for each in samples)) == samples


def test_what_else_a_soak_says_is_left_out() -> None:
    line = Figures(12, 150.5, 2, 16, 40, 510, 4, 0, 1)
    said = f"seed 7\nhostile-3-hog took 31 s\n{line.line()}; 5000 requests, 0 failures\nsoak: flat\nend 3 s: what\n"
    assert parsed(said) == [line]


@UNHURRIED
@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert parsed(text) == []


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session, as a host does; the memory of the one that leads the tests' may not be shown."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", LEADER], stdin=pipe, stdout=pipe, bufsize=0, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_figures_are_those_of_the_process(leader: subprocess.Popen[bytes]) -> None:
    status = {**STATUS, "pid": leader.pid}
    before = figures_of(1.5, leader.pid, status)
    assert (before.isolates, before.parked, before.handovers, before.moment) == (7, 3, 2, None)
    assert before.rss_mib > 1
    assert before.processes == 1
    assert leader.stdin is not None
    assert leader.stdout is not None
    leader.stdin.write(b"\n")
    leader.stdout.readline()
    after = figures_of(2, leader.pid, status, "begin")
    assert after.threads == before.threads + 1
    assert after.files == before.files + 1
    assert after.mappings > 10
    assert after.moment == "begin"


def test_a_process_that_is_gone_is_an_os_error(leader: subprocess.Popen[bytes]) -> None:
    with pytest.raises(OSError, match="No such file"):
        figures_of(1, leader.pid, {**STATUS, "pid": 2**22 + 1})


def test_the_table_has_a_row_for_each_process_from_its_first_figures_to_its_last() -> None:
    first = Figures(10, 140.2, 1, 16, 40, 510, 4, 0, 0)
    samples = [
        first,
        replace(first, seconds=20, rss_mib=1000, moment=None),
        replace(first, seconds=30, rss_mib=170.4, parked=2, threads=18, moment="end"),
        replace(first, seconds=36, handovers=1, moment="begin"),
    ]
    head, one, two = table(samples).splitlines()
    assert head.split("  ")[-1] == "parked"
    assert " ".join(one.split()) == "1 10 - 30 at rest 140 - 170 16 - 18 40 - 40 510 - 510 4 - 4 0 - 2"
    assert " ".join(two.split()).startswith("2 36 at rest - 36 at rest 140 - 140")
    assert len({len(line) for line in (head, one, two)}) == 1


def test_the_table_of_nothing_is_its_head() -> None:
    assert table([]).splitlines() == [table([])]
