"""The tables on the terminal."""

import io

import pytest
from rich.console import Console

from tools.benchmarks.layouts import LAYOUTS
from tools.benchmarks.plans import PLANS
from tools.benchmarks.results import OURS, Failure, Outcome, Participant, Sample
from tools.benchmarks.table import show


def shown(outcome: Outcome) -> str:
    console = Console(file=io.StringIO(), width=140)
    show(outcome, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def http_sample(subject: str, requests: float, noise: float = 0.0) -> Sample:
    return Sample("hello", subject, 0, {"requests_per_s": requests, "p99_ms": 1.234, "other_cpu_percent": noise})


def test_each_benchmark_has_a_layout() -> None:
    assert set(LAYOUTS) == set(PLANS)


def test_figures_versions_and_the_ratio_to_workerd() -> None:
    participants = [Participant(OURS, "0.1"), Participant("workerd", "2")]
    text = shown(Outcome("http", participants, [http_sample(OURS, 30_000), http_sample("workerd", 20_000)]))
    ours = next(line for line in text.splitlines() if "isolated 0.1" in line)
    assert "30,000" in ours
    assert "1.50" in ours
    assert "1.23" in ours


def test_a_missing_metric_is_a_dash_and_no_reference_no_ratio() -> None:
    text = shown(Outcome("http", [Participant("deno", "2")], [http_sample("deno", 1000)]))
    row = next(line for line in text.splitlines() if "deno 2" in line)
    assert row.split()[-2:] == ["-", "1"]


def test_absence_failure_notes_and_noise_are_said() -> None:
    text = shown(
        Outcome(
            "http",
            [Participant("node", absent="npm failed: [404]"), Participant("deno", "2")],
            [http_sample("deno", 1000, noise=40)],
            [Failure("echo 1 KiB", "deno", "status 500")],
            notes={"deno": "only a note"},
        )
    )
    assert "node is absent: npm failed: [404]" in text
    assert "deno failed in echo 1 KiB: status 500" in text
    assert "deno: only a note" in text
    assert "up to 40 % of the machine" in text


@pytest.mark.parametrize("benchmark", list(LAYOUTS))
def test_a_run_in_which_nothing_succeeded_has_a_table_too(benchmark: str) -> None:
    assert LAYOUTS[benchmark].title in shown(Outcome(benchmark, [], []))


def test_words_and_the_score_of_containment() -> None:
    def sample(case: str, number: int, contained: float, process: str) -> Sample:
        return Sample(case, "node", number, {"contained": contained, "within": 0.0}, {"process": process})

    text = shown(
        Outcome(
            "containment",
            [Participant("node", "24")],
            [sample("a", 0, 1, "alive"), sample("b", 0, 1, "alive"), sample("b", 1, 0, "died: SIGABRT")],
            [Failure("c", "node", "said nothing")],
        )
    )
    assert "alive / died: SIGABRT" in text
    assert "node: 1 of 3 contained, 0 of 3 with a peak RSS of at most 2 times the limit" in text
