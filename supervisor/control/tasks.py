"""Tasks: apply, look, stop, start, remove, and their logs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from supervisor.control import answers
from supervisor.control.api import Call
from supervisor.control.forwarding import forwarded
from supervisor.errors import Problem, SettingsError, Unknown
from supervisor.printable import shown
from supervisor.spec.problems import safe
from supervisor.spec.views import Change, LogLine

NDJSON = "application/x-ndjson"
SILENT = "Isolated-Silent-Hosts"  # ids of hosts that did not answer


async def apply_any(call: Call) -> web.StreamResponse:
    """Makes a task be as its settings say."""
    return await _apply(call, await call.document())


async def apply_named(call: Call) -> web.StreamResponse:
    """The same for the task that the path names."""
    settings = await call.document()
    _check_name(settings, call.values["label"])
    return await _apply(call, settings)


async def _apply(call: Call, settings: dict[str, Any]) -> web.StreamResponse:
    digest = call.values["bundle"]
    if digest is not None and not call.host.has_bundle(digest):
        raise Unknown(f"there is no bundle {digest}", "upload it first: PUT /v1/bundles/{digest}")
    dry_run = call.values["dryRun"]
    applied = await call.api.keep(call.host.apply(settings, bundle=digest, dry_run=dry_run))
    created = applied.change is Change.CREATED and not dry_run
    return answers.one(applied, status=201 if created else 200)


async def list_tasks(call: Call) -> web.StreamResponse:
    """All tasks, by id; those of other hosts too, if they are asked for."""
    if not call.values["everywhere"]:
        return answers.many(call.host.tasks())
    tasks, silent = await call.host.all_tasks()
    response = answers.many(tasks)
    if silent:
        response.headers[SILENT] = " ".join(silent)
    return response


async def get_task(call: Call) -> web.StreamResponse:
    """One, with its settings."""
    if (passed_on := await forwarded(call)) is not None:
        return passed_on
    return answers.one(call.host.task(call.values["label"]))


async def remove_task(call: Call) -> web.StreamResponse:
    """Stops and forgets it."""
    await call.api.keep(call.host.remove(call.values["label"]))
    return answers.nothing()


async def stop_task(call: Call) -> web.StreamResponse:
    """Drains its isolate and closes its ports."""
    return answers.one(await call.api.keep(call.host.stop(call.values["label"])))


async def start_task(call: Call) -> web.StreamResponse:
    """Boots it and opens its ports."""
    return answers.one(await call.api.keep(call.host.start(call.values["label"])))


async def get_logs(call: Call) -> web.StreamResponse:
    """The last lines, and with follow=true those to come."""
    if (passed_on := await forwarded(call)) is not None:
        return passed_on
    label, tail = call.values["label"], call.values["tail"]
    if not call.values["follow"]:
        return answers.one(call.host.logs(label, tail))
    call.api.streams.admit()
    following = call.host.follow_logs(label)  # in the same turn as logs(): no line is missed, none comes twice
    first = b"".join(_line(line) for line in call.host.logs(label, tail).lines)
    return await call.api.streams.send(call.request, NDJSON, following, _line, first=first)


def _line(line: LogLine) -> bytes:
    return line.model_dump_json(by_alias=True).encode() + b"\n"


def _check_name(settings: dict[str, Any], label: str) -> None:
    """Raises SettingsError unless the settings are of the task that the path names."""
    named = settings.get("taskId")
    if isinstance(named, int | str) and not isinstance(named, bool) and str(named) == label:
        return
    value = None if named is None else shown(named)
    remedy = "name the same task in both, or use POST /v1/apply"
    problem = Problem("not the task of the path", remedy, allowed=shown(label), field="taskId", value=value)
    raise SettingsError([safe(problem)])
