"""workerd's configuration texts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks.peers import workerd_config as config
from tools.benchmarks.peers.workerd_tenants import event_of


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


def test_tenants_have_ports_of_their_own_and_v8s_flags() -> None:
    ports = {"hostile": 1, "neighbour": 2, "fresh": 3}
    text = config.tenants(ports, "tenant.mjs", "loader.mjs", ["--max-old-space-size=128"])
    assert re.findall(r'address = "127.0.0.1:(\d)", http = \(\), service = "(\w+)"', text) == [
        ("1", "hostile"),
        ("2", "neighbour"),
        ("3", "fresh"),
    ]
    assert text.count('embed "tenant.mjs"') == 2
    assert text.count("workerLoader") == text.count('embed "loader.mjs"') == 1
    assert 'v8Flags = ["--max-old-space-size=128"]' in text


def test_what_an_answer_over_http_means() -> None:
    returned, threw = event_of("go", 200, b"hello"), event_of("go", 500, b"")
    assert returned is not None
    assert threw is not None
    assert (returned.how, threw.how, threw.reason) == ("returned", "exception", "status 500")
    answer = event_of("ask", 200, b"hello")
    assert answer is not None
    assert answer.kind == "answer"
    assert event_of("ask", 200, b"hell") is event_of("fresh", 500, b"hello") is None
