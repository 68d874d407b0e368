"""workerd's configuration texts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks.peers import workerd_config as config


def test_a_single_isolate_listens_on_the_loopback() -> None:
    text = config.single(8123, "app.mjs")
    assert 'address = "127.0.0.1:8123"' in text
    assert 'esModule = embed "app.mjs"' in text
    assert "workerLoader" not in text


def test_the_loader_has_its_binding() -> None:
    assert '(name = "LOADER", workerLoader = ())' in config.loader(1, "loader.mjs")


@given(st.integers(0, 30))
def test_many_isolates_are_each_bound_to_the_router(count: int) -> None:
    text = config.many(1, "router.mjs", "app.mjs", count)
    assert text.count('embed "app.mjs"') == count
    assert text.count('embed "router.mjs"') == 1
    assert set(re.findall(r'service = "(isolate\d+)"', text)) == {f"isolate{number}" for number in range(count)}
    assert text.count("(") == text.count(")")
