"""Summaries, and what counts as a failure of ours."""

from tools.benchmarks.results import OURS, Failure, Outcome, Participant, Sample, summarise


def test_summary_takes_medians_over_rounds() -> None:
    samples = [Sample("hello", "deno", number, {"p99_ms": value}) for number, value in enumerate([9.0, 1.0, 2.0])]
    (row,) = summarise(samples)
    assert (row.case, row.subject, row.rounds) == ("hello", "deno", 3)
    assert (row.low, row.median, row.high) == ({"p99_ms": 1.0}, {"p99_ms": 2.0}, {"p99_ms": 9.0})


def test_rows_come_in_the_order_of_the_turns() -> None:
    samples = [Sample(case, subject, 0, {"m": 1.0}) for case in ("b", "a") for subject in ("z", "y")]
    assert [(row.case, row.subject) for row in summarise(samples)] == [("b", "z"), ("b", "y"), ("a", "z"), ("a", "y")]


def test_a_metric_missing_in_a_round_is_summarised_over_the_others() -> None:
    (row,) = summarise([Sample("c", "s", 0, {"m": 1.0}), Sample("c", "s", 1, {"m": 3.0, "n": 8.0})])
    assert row.median == {"m": 2.0, "n": 8.0}


def test_only_our_own_absence_and_failures_count() -> None:
    peers_only = Outcome("http", [Participant("deno", absent="no")], [], [Failure("hello", "node", "died")])
    assert peers_only.our_failures == []
    ours = Outcome("http", [Participant(OURS, absent="not built")], [], [Failure("hello", OURS, "status 500")])
    assert ours.our_failures == ["isolated: not built", "isolated, hello: status 500"]


def test_words_of_all_rounds_are_kept_each_once() -> None:
    words = ["alive", "died: SIGABRT", "alive"]
    samples = [Sample("map-grow", "node", number, {}, {"process": word}) for number, word in enumerate(words)]
    (row,) = summarise(samples)
    assert row.words == {"process": "alive / died: SIGABRT"}
