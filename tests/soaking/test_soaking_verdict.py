"""Flat or not, told from series that are made up."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.soaking.figures import Figures
from tools.soaking.verdict import ALLOWED, WORKING, growths, growths_within, rise

FIGURES = Figures(
    seconds=0, rss_mib=150, processes=2, threads=16, files=40, mappings=510, isolates=4, parked=0, handovers=0
)
HOUR_S = 3600.0
UNHURRIED = settings(max_examples=40, deadline=None)


def fresh(count: int = 10, **per_hour: float) -> list[Figures]:
    """What fresh processes hold, evenly over the time, each figure growing by so much an hour."""
    every = 1800 / (count - 1)
    return [grown(replace(FIGURES, moment="begin", handovers=n + 1), n * every, **per_hour) for n in range(count)]


def working(seconds: float = 1800.0, *, parked: int = 0, **per_hour: float) -> list[Figures]:
    """What one process holds, every ten seconds."""
    return [grown(replace(FIGURES, parked=parked), float(at), **per_hour) for at in range(0, int(seconds), 10)]


def grown(figures: Figures, seconds: float, **per_hour: float) -> Figures:
    more = {name: getattr(figures, name) + by * seconds / HOUR_S for name, by in per_hour.items()}
    return replace(figures, seconds=seconds, **more)


def noisy(samples: list[Figures], seed: int, **by: float) -> list[Figures]:
    chance = random.Random(seed)
    return [
        replace(each, **{name: getattr(each, name) + chance.uniform(-most, most) for name, most in by.items()})
        for each in samples
    ]


def test_what_stays_the_same_is_flat() -> None:
    assert growths(fresh()) == []
    assert growths_within(working()) == []


@pytest.mark.parametrize(
    ("name", "per_hour"),
    [("rss_mib", 60), ("threads", 20), ("files", 20), ("mappings", 200), ("isolates", 10), ("processes", 4)],
)
def test_growth_from_process_to_process_is_named_with_its_speed(name: str, per_hour: float) -> None:
    (found,) = growths(fresh(10, **{name: per_hour}))
    assert found.startswith(f"{name} grew from one process to the next by {per_hour / 2:.1f}, {per_hour} an hour: ")


@pytest.mark.parametrize(("name", "per_hour"), [("rss_mib", 200), ("threads", 20), ("files", 40), ("mappings", 500)])
def test_growth_within_a_process_is_named(name: str, per_hour: float) -> None:
    (found,) = growths_within(working(1800, parked=3, **{name: per_hour}))
    assert found.startswith(f"{name} grew in process 0 with 3 parked threads by ")
    assert f", {per_hour} an hour: " in found


@pytest.mark.parametrize(
    ("name", "step"), [("files", 1), ("threads", 1), ("mappings", 8), ("rss_mib", 3), ("isolates", 1)]
)
def test_a_little_more_at_each_hand_over_is_growth(name: str, step: float) -> None:
    steps = [replace(each, **{name: getattr(each, name) + step * n}) for n, each in enumerate(fresh())]
    (found,) = growths(steps)
    assert found.startswith(f"{name} grew")


@UNHURRIED
@given(st.integers(0, 2**32))
def test_noise_is_no_growth(seed: int) -> None:
    assert growths(noisy(fresh(), seed, rss_mib=5, threads=1, files=1, mappings=10, isolates=1)) == []
    assert growths_within(noisy(working(600), seed, rss_mib=30, threads=3, files=5, mappings=60)) == []


@UNHURRIED
@given(st.integers(0, 2**32))
def test_noise_hides_no_growth(seed: int) -> None:
    assert growths(noisy(fresh(rss_mib=100, files=20), seed, rss_mib=5, files=1)) != []
    assert growths_within(noisy(working(900, rss_mib=400), seed, rss_mib=30)) != []


@pytest.mark.parametrize("number", range(10))
def test_one_wild_value_is_no_growth(number: int) -> None:
    samples = fresh()
    samples[number] = replace(samples[number], rss_mib=900, threads=80)
    assert growths(samples) == []


@pytest.mark.parametrize("allowed", [ALLOWED, WORKING])
def test_a_share_is_allowed_where_an_amount_would_be_too_little(allowed: dict[str, tuple[float, float]]) -> None:
    share, amount = allowed["rss_mib"]
    judge = growths if allowed is ALLOWED else growths_within
    large = [replace(each, rss_mib=each.rss_mib + 4000) for each in (fresh() if allowed is ALLOWED else working())]
    by = 4150 * share + amount
    lasts = large[-1].seconds
    assert judge([replace(each, rss_mib=each.rss_mib + 0.9 * by * each.seconds / lasts) for each in large]) == []
    assert judge([replace(each, rss_mib=each.rss_mib + 1.3 * by * each.seconds / lasts) for each in large]) != []


def test_what_shrinks_is_flat() -> None:
    assert growths(fresh(rss_mib=-100, threads=-10)) == []


def test_figures_in_the_midst_of_work_say_nothing_about_fresh_processes() -> None:
    assert growths(fresh() + working(rss_mib=1000)) == []


def test_too_few_fresh_processes_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="3 fresh processes: 4 at least"):
        growths(fresh(3) + working())


def test_a_further_parked_thread_is_no_growth() -> None:
    lost = [
        replace(each, parked=n // 9, threads=each.threads + n // 9, rss_mib=each.rss_mib + 20 * (n // 9))
        for n, each in enumerate(working())
    ]
    assert growths_within(lost) == []


def test_what_a_process_needs_to_get_warm_is_no_growth() -> None:
    assert growths_within([replace(each, rss_mib=80) if each.seconds < 45 else each for each in working(300)]) == []


def test_each_process_is_judged_by_itself() -> None:
    other = [replace(each, handovers=1, seconds=each.seconds + 600, rss_mib=400) for each in working(600)]
    assert growths_within(working(600) + other) == []
    leaking = [replace(each, handovers=1, seconds=each.seconds + 600) for each in working(600, files=200)]
    (found,) = growths_within(working(600) + leaking)
    assert "in process 1 " in found


@UNHURRIED
@given(st.floats(-1e3, 1e3), st.floats(-10, 10), st.lists(st.floats(0.1, 100), min_size=1, max_size=20))
def test_the_rise_of_a_line_is_its_slope_over_the_time(base: float, slope: float, gaps: list[float]) -> None:
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    assert rise([(at, base + slope * at) for at in times]) == pytest.approx(
        slope * times[-1], abs=1e-6 * times[-1] + 1e-6
    )
