"""Starts a machine by its management controller, and watches until it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.cluster.power.controller import Answer, Controller, client_context
from supervisor.cluster.power.credentials import read_credentials
from supervisor.cluster.power.failures import ControllerSilent, WakeFailed, cut
from supervisor.errors import SettingsError
from supervisor.spec.redfish import Redfish

ON, COMING = "On", "PoweringOn"  # DSP2046, PowerState
RESETS = ("On", "ForceOn")  # what ComputerSystem.Reset may be told so that it starts, the gentler first
ACTION = "#ComputerSystem.Reset"


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    request_s: float = 15.0  # for each answer: controllers are slow computers
    on_s: float = 120.0  # until the system says that it is on
    poll_s: float = 2.0


async def power_on(way: Redfish, patience: Patience) -> None:
    """Returns when the system is on, or was already; WakeFailed with words."""
    try:
        credentials = read_credentials(Path(way.credentials))
    except SettingsError as error:
        problem = error.problems[0]
        raise WakeFailed(f"{way.credentials}: {problem.message}", problem.remedy) from None
    last: str | None = None
    try:
        async with (
            asyncio.timeout(patience.on_s),
            Controller(way.origin, credentials, client_context(way.ca), patience.request_s) as controller,
        ):
            system = await _system(controller, way.path)
            last = _state(system)
            if last not in (ON, COMING):
                await _reset(controller, way.path, system)
            while last != ON:
                await asyncio.sleep(patience.poll_s)
                last = await _poll(controller, way.path, last)
    except TimeoutError:
        message = f"{way.origin}{way.path} is {cut(last or 'silent')} and not On after {patience.on_s:g} s"
        raise WakeFailed(message, "look at the machine's own log in its management controller") from None


async def _system(controller: Controller, path: str) -> Mapping[str, Any]:
    answer = await controller.ask("GET", path)
    if answer.is_good and answer.document:
        return answer.document
    if answer.status == 404:
        remedy = "`curl` the URL of the collection, /redfish/v1/Systems: it lists them as @odata.id"
        raise WakeFailed(f"there is no system {path} there: {answer.words}", remedy)
    raise WakeFailed(f"{path} is not answered as by a Redfish service: {answer.words}", "check the URL")


async def _poll(controller: Controller, path: str, before: str | None) -> str | None:
    """What it is now. A controller that misses an answer while its machine starts is asked again."""
    try:
        return _state(await _system(controller, path))
    except ControllerSilent:
        return before


async def _reset(controller: Controller, path: str, system: Mapping[str, Any]) -> None:
    target, kinds = _action(system)
    target = f"{path}/Actions/ComputerSystem.Reset" if target is None else controller.path(target)
    kind = next((each for each in RESETS if kinds is None or each in kinds), None)
    if kind is None:
        raise WakeFailed(f"{path} cannot be told to start, only {cut(', '.join(map(str, kinds or [])))}")
    answer: Answer = await controller.ask("POST", target, {"ResetType": kind})
    if not answer.is_good:
        raise WakeFailed(f"{path} refuses to start: {answer.words}", "the user needs the right to reset the system")


def _action(system: Mapping[str, Any]) -> tuple[object, list[object] | None]:
    """Where the reset is asked for and what it takes, as far as the system says so."""
    actions = system.get("Actions")
    action = actions.get(ACTION) if isinstance(actions, dict) else None
    if not isinstance(action, dict):
        return None, None
    kinds = action.get("ResetType@Redfish.AllowableValues")
    return action.get("target"), kinds if isinstance(kinds, list) else None


def _state(system: Mapping[str, Any]) -> str | None:
    state = system.get("PowerState")
    return state if isinstance(state, str) else None
