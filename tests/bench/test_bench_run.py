"""A run goes on without those who are absent or fail."""

from collections.abc import Mapping
from pathlib import Path

from tests.bench.subjects import Bystander
from tools.benchmarks.cache import Cache, Unavailable
from tools.benchmarks.results import MeasurementFailed, Participant
from tools.benchmarks.run import Lineup, Plan, line_up, run
from tools.benchmarks.subject import Subject


def plan(measured: list[tuple[str, str]], *, failing: str = "") -> Plan[Subject]:
    def measure(subject: Subject, case: str, folder: Path) -> Mapping[str, Mapping[str, float]]:
        assert list(folder.iterdir()) == []
        (folder / "left behind").touch()
        measured.append((case, subject.name))
        if subject.name == failing:
            raise MeasurementFailed("it died")
        return {case: {"m": 1.0}}

    return Plan(
        benchmark="http",
        cases=["x", "y"],
        rounds=2,
        options={},
        part=lambda subject, case: None if (subject.name, case) == ("b", "y") else subject,
        measure=measure,
        note=lambda subject: f"note of {subject.name}",
    )


def lineup(*names: str) -> Lineup:
    return Lineup([Bystander(name) for name in names], [Participant(name, "1") for name in names])


def test_absent_subjects_are_reported_and_the_others_stay_in_order(tmp_path: Path) -> None:
    def unavailable(_cache: Cache) -> Subject:
        raise Unavailable("no network")

    wanted = {"a": lambda _cache: Bystander("a", "7"), "b": unavailable, "c": lambda _cache: Bystander("c")}
    found = line_up(wanted, Cache(tmp_path), lambda _text: None)
    assert [subject.name for subject in found.present] == ["a", "c"]
    assert found.participants == [Participant("a", "7"), Participant("b", absent="no network"), Participant("c", "1")]


def test_turns_alternate_and_who_has_no_part_is_left_out() -> None:
    measured: list[tuple[str, str]] = []
    outcome = run(plan(measured), lineup("a", "b"), lambda _text: None)
    assert measured == [("x", "a"), ("x", "b"), ("x", "a"), ("x", "b"), ("y", "a"), ("y", "a")]
    assert [(sample.case, sample.subject, sample.round) for sample in outcome.samples][:3] == [
        ("x", "a", 0),
        ("x", "b", 0),
        ("x", "a", 1),
    ]
    assert outcome.notes == {"a": "note of a", "b": "note of b"}


def test_who_fails_in_a_case_is_not_asked_again_in_it() -> None:
    measured: list[tuple[str, str]] = []
    outcome = run(plan(measured, failing="a"), lineup("a", "b"), lambda _text: None)
    assert measured.count(("x", "a")) == measured.count(("y", "a")) == 1
    assert [(failure.case, failure.subject, failure.reason) for failure in outcome.failures] == [
        ("x", "a", "it died"),
        ("y", "a", "it died"),
    ]
    assert [sample.subject for sample in outcome.samples] == ["b", "b"]


def test_what_is_measured_as_text_goes_to_the_words() -> None:
    worded: Plan[Subject] = Plan(
        benchmark="containment",
        cases=["x"],
        rounds=1,
        options={},
        part=lambda subject, _case: subject,
        measure=lambda _subject, case, _folder: {case: {"m": 1.0, "process": "alive"}},
    )
    (sample,) = run(worded, lineup("a"), lambda _text: None).samples
    assert (sample.metrics, sample.words) == ({"m": 1.0}, {"process": "alive"})
