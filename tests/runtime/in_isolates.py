"""Runs the JavaScript tests in isolates and prints what they found as JSON: {file: [{name, ok, error}]}.

A program of its own because V8 starts once per process and the caller may have other plans with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from supervisor.engine.engine import Engine
from tests.runtime.js_task import JS, PATIENCE_S, Answer, Task

HERE = Path(__file__).parent
STREAM = 4  # ISOLATED_REQUEST_STREAM
Result = dict[str, Any]


async def run_file(engine: Engine, name: str) -> list[Result]:
    try:
        answer = await (await Task.start(engine, name)).get("/")
        if answer.failure is None:
            results: list[Result] = json.loads(answer.parsed()[2])
            return results
        return [_result("the file runs", answer.failure)]
    except (RuntimeError, TimeoutError) as error:
        return [_result("the file runs", repr(error))]


def _result(name: str, error: str | None) -> Result:
    return {"name": name, "ok": error is None, "error": error}


async def run_exchange(task: Task, case: dict[str, Any], *, streamed: bool) -> Result:
    body = str(case.get("send", "")).encode()
    method, headers = case.get("method", "GET"), case.get("with", {})
    answer = task.send(case["path"], method, headers, b"" if streamed else body, STREAM if streamed else 0)
    if streamed:
        for part in (body[:1], body[1:]):
            task.isolate.body(answer.number, part)
        task.isolate.body_end(answer.number)
    name = f"{method} {case['path']}{', body streamed' if streamed else ''}"
    try:
        await asyncio.wait_for(answer.done.wait(), PATIENCE_S)
    except TimeoutError:
        return _result(name, "no answer")
    return _result(name, _difference(answer, case))


def _difference(answer: Answer, case: dict[str, Any]) -> str | None:
    """Returns what is not as the case says."""
    wanted = case.get("fails", case.get("cut"))
    if wanted is not None:
        as_said = answer.failure is not None and wanted in answer.failure and bool(answer.wire) == ("cut" in case)
        return None if as_said else f"failure is {answer.failure!r} after {len(answer.wire)} bytes"
    if answer.failure is not None:
        return answer.failure
    status, headers, body = answer.parsed()
    if status != case["status"]:
        return f"status is {status}"
    for name, value in case.get("headers", {}).items():
        if headers.get(name) != value:
            return f"header {name} is {headers.get(name)!r}"
    as_said = len(body) == case["length"] if "length" in case else body.decode() == case["body"]
    return None if as_said else f"body is {body[:100]!r}"


async def run_exchanges(engine: Engine) -> list[Result]:
    task = await Task.start(engine, "exchanges.js")
    results = []
    for case in json.loads((HERE / "exchanges.json").read_text()):
        results.append(await run_exchange(task, case, streamed=False))
        if "send" in case:
            results.append(await run_exchange(task, case, streamed=True))
    results.append(await run_aborts(task))
    return results


async def run_aborts(task: Task) -> Result:
    """A client that goes away is heard of by a waiting handler, a slow one and an endless stream."""
    await task.get("/events")
    for path in ("/never", "/slow", "/endless"):
        answer = task.send(path, "GET", {}, b"", 0)
        await task.get("/text")
        task.isolate.abort(answer.number)
    heard: set[str] = set()
    wanted = {
        "/never aborted: AbortError",
        "/slow aborted: true",
        "/endless cancelled: AbortError",
        "/slow cancelled: undefined",
    }
    for _ in range(PATIENCE_S * 10):
        heard |= set(json.loads((await task.get("/events")).parsed()[2]))
        if heard >= wanted:
            return _result("aborts are heard of", None)
        await asyncio.sleep(0.1)
    return _result("aborts are heard of", f"only {sorted(heard)}")


async def run_all() -> dict[str, list[Result]]:
    async with Engine() as engine:
        found = {path.name: await run_file(engine, path.name) for path in sorted(JS.glob("*.test.js"))}
        found["exchanges.js"] = await run_exchanges(engine)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run_all())))
