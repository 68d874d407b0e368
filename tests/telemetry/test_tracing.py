"""Ids that others gave a request reach the program as they were sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.running import Running, ask, handler, write_task

# Ids as the W3C's Trace Context has them, with vendor state that is not ours to understand.
FIELDS = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE;x, other@vendor=1",
    "baggage": "userId=alice,serverNode=DF%2028,isProduction=false",
    "x-request-id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
}
ECHO = handler(
    "return Response.json(Object.fromEntries("
    "['traceparent', 'tracestate', 'baggage', 'x-request-id'].map((name) => [name, request.headers.get(name)])));"
)


def test_a_program_sees_trace_context_and_request_id_untouched(tmp_path: Path) -> None:
    with Running(write_task(tmp_path, ECHO)) as running:
        port = running.port()
        for _ in range(2):  # parsed, then recognised
            assert ask(port, headers=FIELDS).text == _json(FIELDS)
        assert ask(port, method="POST", body=[b"x" * 1000], headers=FIELDS).text == _json(FIELDS)  # streamed
        assert ask(port).text == _json(dict.fromkeys(FIELDS))
        odd = FIELDS | {"traceparent": "not one at all"}
        assert ask(port, headers=odd).text == _json(odd)


FAILS = handler("if (request.url.endsWith('/slow')) await new Promise(() => {}); throw new Error('on purpose');")


@pytest.mark.parametrize("sent", ["req-7", None, "not fit for a log"])
def test_a_failed_request_is_found_in_the_log_by_its_id(tmp_path: Path, sent: str | None) -> None:
    """The client, its problem document and the host's line have the same id, or none."""
    expected = "req-7" if sent == "req-7" else None
    headers = {} if sent is None else {"X-Request-Id": sent}
    with Running(write_task(tmp_path, FAILS)) as running:
        assert ask(running.port(), headers=headers).problem.get("requestId") == expected
        assert running.log.wait_event("request failed").get("request") == expected


def test_a_late_request_is_found_in_the_log_by_its_id(tmp_path: Path) -> None:
    with Running(write_task(tmp_path, FAILS, limits={"cpu": {"wall": "3s"}})) as running:  # it has to boot in it, too
        answer = ask(running.port(), "/slow", headers={"X-Request-Id": "req-8"})
        assert (answer.problem["reason"], answer.problem["requestId"]) == ("wall-limit", "req-8")
        assert running.log.wait_event("not answered within")["requests"] == "req-8"


def _json(fields: object) -> str:
    return json.dumps(fields, separators=(",", ":"))
