"""Cores: the kernel's list format, and which of them a task may be pinned to."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.limits.affinity import this_machine
from supervisor.spec.cores import Cores, format_cores, parse_cores
from supervisor.spec.refused import Refused


@pytest.mark.parametrize(
    ("text", "cores"), [("0", {0}), ("0-3", {0, 1, 2, 3}), ("0-1,4,6-7\n", {0, 1, 4, 6, 7}), ("3,1", {1, 3})]
)
def test_the_kernels_format(text: str, cores: set[int]) -> None:
    assert parse_cores(text) == cores


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "1,,2"])
def test_what_is_not_that_format(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse_cores(text)


@given(st.frozensets(st.integers(0, 300), min_size=1))
def test_round_trip(cores: frozenset[int]) -> None:
    assert parse_cores(format_cores(cores)) == cores


def test_no_cores_have_an_empty_text() -> None:
    assert format_cores([]) == ""


def test_check() -> None:
    cores = Cores(online=frozenset({0, 1, 2}), allowed=frozenset({0, 2}))
    cores.check(None)
    cores.check(2)
    with pytest.raises(Refused, match="may not use core 1"):
        cores.check(1)
    with pytest.raises(Refused, match="has no core 3"):
        cores.check(3)


def test_this_machine_allows_what_the_kernel_says() -> None:
    found = this_machine()
    assert found.allowed == os.sched_getaffinity(0)
    assert found.allowed <= found.online
