"""What the containment benchmark makes of processes that survive, die, grow, fall silent or go on for ever."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tools.benchmarks import containment, overshoot
from tools.benchmarks.children import Launch, started
from tools.benchmarks.containment import MIB, SCRIPTS, SHAPES, Seen, Terms, judge, measure, score
from tools.benchmarks.house import Event, House, Spoken, parse_event
from tools.benchmarks.program import hold_tenants
from tools.benchmarks.results import MeasurementFailed
from tools.benchmarks.subject import Load, Overshoots

TERMS = Terms(limit_mib=64, seconds=60.0, guard_mib=256)
RUNS_ON = Terms(limit_mib=64, seconds=0.5, guard_mib=256)  # for who never ends
SILENCE_SECONDS = 1.0
# Keeps the contract of program.py; %s is what "go" does. Whoever asked after that is answered, unless it says not to.
PROGRAM = """
import os, sys, time
def say(**event): print(str(event).replace("'", '"'), flush=True)
kept, silent = [], False
say(event="ready")
for line in sys.stdin:
    if line == "go\\n":
        %s
    elif not silent:
        say(event={"ask": "answer", "fresh": "fresh"}[line.strip()])
"""
OVER = 'say(event="over", how="limit", reason="heap-limit")'


class Pretending:
    """A subject whose process does on "go" what it was made with."""

    name = "pretender"
    version = "1"
    how_limited = "not at all"

    def __init__(self, on_go: str) -> None:
        self._source = PROGRAM % on_go

    def house(self, folder: Path, script: Path, limit_mib: int) -> AbstractContextManager[House]:
        """Runs the program."""
        return hold_tenants(Launch((sys.executable, "-c", self._source), folder), script, limit_mib)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For who answers, however busy the machine is; who is silent has `impatient`."""
    monkeypatch.setattr(containment, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(containment, "PATIENCE_SECONDS", 60.0)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "PATIENCE_SECONDS", SILENCE_SECONDS)


def test_the_seven_shapes_are_there() -> None:
    assert len(SHAPES) == 7
    assert all((SCRIPTS / f"oom-{shape}.js").is_file() for shape in SHAPES)


def test_who_ends_the_tenant_and_nobody_else_contains_it(tmp_path: Path) -> None:
    seen = measure(Pretending(OVER), "map-grow", TERMS, tmp_path)
    assert (seen["survived"], seen["contained"], seen["within"]) == (1.0, 1.0, 1.0)
    assert (seen["process"], seen["tenant"], seen["neighbour"], seen["fresh"]) == (
        "alive",
        "limit: heap-limit",
        "answers",
        "yes",
    )
    assert 0 < float(seen["neighbour_p99_ms"]) <= float(seen["neighbour_worst_ms"])


def test_a_peak_above_twice_the_limit_is_not_within(tmp_path: Path) -> None:
    grow = "kept = bytearray(160 * 2**20); kept[::4096] = b'x' * (160 * 256); " + OVER
    seen = measure(Pretending(grow), "map-grow", TERMS, tmp_path)
    assert (seen["contained"], seen["within"]) == (1.0, 0.0)
    assert float(seen["peak_rss_mib"]) > 160
    assert float(seen["rise_rss_mib"]) >= 150


@pytest.mark.parametrize(
    ("on_go", "process", "tenant", "neighbour"),
    [
        ("os.abort()", "died: SIGABRT", "took the process with it", "lost"),
        ("sys.exit(7)", "died: code 7", "took the process with it", "lost"),
        (OVER + "; os.abort()", "died: SIGABRT", "limit: heap-limit", "lost"),
        (
            "kept = bytearray(512 * 2**20); kept[::4096] = b'x' * (512 * 256); time.sleep(300)",
            "ended at 256 MiB",
            "still growing",
            "lost",
        ),
        ("time.sleep(300)", "alive", "runs on after 0.5 s", "silent"),
        ("silent = True; " + OVER, "alive", "limit: heap-limit", "silent"),
        ("pass", "alive", "runs on after 0.5 s", "answers"),
    ],
)
def test_all_else_is_not_contained(
    on_go: str, process: str, tenant: str, neighbour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if neighbour == "silent":
        impatient(monkeypatch)
    terms = RUNS_ON if tenant.startswith("runs on") else TERMS
    seen = measure(Pretending(on_go), "map-grow", terms, tmp_path)
    assert (seen["process"], seen["tenant"], seen["neighbour"]) == (process, tenant, neighbour)
    assert (seen["contained"], seen["within"]) == (0.0, 0.0)


def test_a_question_that_is_never_answered_counts_as_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    seen = measure(Pretending("time.sleep(300)"), "map-grow", RUNS_ON, tmp_path)
    assert float(seen["neighbour_worst_ms"]) >= RUNS_ON.seconds * 1e3


def test_a_late_answer_to_an_earlier_question_is_none_to_a_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    late = OVER + "; time.sleep(0.3); silent = True; sys.stdin.readline(); say(event='answer')"
    assert measure(Pretending(late), "map-grow", TERMS, tmp_path)["neighbour"] == "silent"


def test_who_dies_before_the_script_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "QUIET_SECONDS", 60.0)  # it is over long before

    class Short(Pretending):
        def __init__(self) -> None:
            self._source = "print('{\"event\": \"ready\"}', flush=True); raise SystemExit('no tenants today')"

    with pytest.raises(MeasurementFailed, match="code 1: no tenants today"):
        measure(Short(), "map-grow", TERMS, tmp_path)


def test_without_a_new_tenant_nothing_is_contained() -> None:
    over = Event("over", 1.0, "exception")
    seen = judge(Seen(over=over, took=0.25, neighbour=True, fresh=False, peak=MIB), TERMS)
    assert (seen["survived"], seen["contained"], seen["fresh"]) == (1.0, 0.0, "no")
    assert (seen["tenant"], seen["took_ms"]) == ("exception", 250.0)


def test_the_score_counts_what_failed_as_not_held() -> None:
    held = {"contained": 1.0, "within": 1.0}
    assert score("x", [held] * 6, 7).startswith("x: 6 of 7 contained, 6 of 7 with a peak")


@pytest.mark.parametrize("line", ['{"event": 1', "[]", '{"how": "limit"}', "7"])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(MeasurementFailed, match="expected an event"):
        parse_event(line, 0.0)


def test_a_house_is_heard_among_other_output_and_in_pieces(tmp_path: Path) -> None:
    source = """
import sys, time
sys.stdout.write('<--- Last few GCs --->\\n{"event": "an'); sys.stdout.flush(); time.sleep(0.05)
sys.stdout.write('swer"}\\n{"event": "fresh"}\\n'); sys.stdout.flush()
"""
    with started(Launch((sys.executable, "-c", source), tmp_path), talk=True) as child:
        house: House = Spoken(child)
        events = [house.next(60.0), house.next(60.0)]
        child.process.wait()
        house.tell("ask")  # to nobody: no error
        assert [event.kind for event in events if event is not None] == ["answer", "fresh"]
        assert house.next(0.01) is None


class Late:
    """A subject that ends requests late by so many milliseconds."""

    name = "late"
    version = "1"

    def overshoots(self, folder: Path, load: Load) -> Overshoots:
        """Pretends."""
        return Overshoots([float(number) for number in range(load.terminations)], other_cpu_percent=3.0)


def test_overshoots_become_percentiles(tmp_path: Path) -> None:
    load = Load(busy=10, idle=300, terminations=500, budget_ms=50)
    assert overshoot.case(load) == "50 ms, 10 busy, 300 idle"
    assert overshoot.measure(Late(), load, tmp_path) == {
        "p50_ms": 249.0,
        "p90_ms": 449.0,
        "p99_ms": 494.0,
        "max_ms": 499.0,
        "count": 500.0,
        "other_cpu_percent": 3.0,
    }
