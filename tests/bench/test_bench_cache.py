"""The cache holds complete folders only."""

from pathlib import Path

import pytest

from tools.benchmarks.cache import Cache, Unavailable


def test_a_program_is_fetched_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "peers")
    fills = []

    def fill(folder: Path) -> None:
        fills.append(folder)
        (folder / "program").write_text("x")

    first, second = cache.obtain("deno", fill), cache.obtain("deno", fill)
    assert first == second == tmp_path / "peers" / "deno"
    assert (first / "program").read_text() == "x"
    assert len(fills) == 1


def test_a_fetch_that_fails_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise Unavailable("connection lost")

    with pytest.raises(Unavailable, match="connection lost"):
        Cache(tmp_path).obtain("deno", fail)
    assert list(tmp_path.iterdir()) == []
    assert Cache(tmp_path).obtain("deno", lambda folder: (folder / "whole").touch()).joinpath("whole").exists()
