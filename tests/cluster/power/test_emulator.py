"""A machine is started through a Redfish service that others wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from supervisor.cluster.power.controller import Controller, client_context
from supervisor.cluster.power.credentials import Credentials
from supervisor.cluster.power.failures import WakeFailed
from supervisor.cluster.power.redfish import Patience, power_on
from supervisor.spec.redfish import parse_redfish
from tests.cluster.power.emulator import PASSWORD, USER, UUID, emulated
from tests.cluster.power.machines import secret
from tests.fakes.certificate import certificate

SYSTEM = f"/redfish/v1/Systems/{UUID}"
PATIENT = Patience(poll_s=0.5)  # the fake machine takes up to eleven seconds


async def state(origin: str, ca: str) -> object:
    async with Controller(origin, Credentials(USER, PASSWORD), client_context(ca), PATIENT.request_s) as controller:
        return (await controller.ask("GET", SYSTEM)).document["PowerState"]


@pytest.mark.slow
async def test_the_emulators_machine_is_started(tmp_path: Path) -> None:
    identity = certificate(tmp_path)
    ca = str(identity.certificate)
    good, wrong = secret(tmp_path, f"{USER}:{PASSWORD}"), secret(tmp_path, f"{USER}:wrong", name="wrong")
    async with emulated(tmp_path, identity) as origin:
        with pytest.raises(WakeFailed, match="the credentials are refused: 401"):
            await power_on(parse_redfish(f"{origin}{SYSTEM}?credentials={wrong}&ca={ca}"), PATIENT)
        with pytest.raises(WakeFailed, match="there is no system /redfish/v1/Systems/other there: 404"):
            await power_on(parse_redfish(f"{origin}/redfish/v1/Systems/other?credentials={good}&ca={ca}"), PATIENT)
        with pytest.raises(WakeFailed, match="is not trusted"):
            await power_on(parse_redfish(f"{origin}{SYSTEM}?credentials={good}"), PATIENT)
        assert await state(origin, ca) == "Off"
        by_name = parse_redfish(f"{origin}/redfish/v1/Systems/fake?credentials={good}&ca={ca}")
        await power_on(by_name, PATIENT)
        assert await state(origin, ca) == "On"
        async with asyncio.timeout(PATIENT.request_s):
            await power_on(by_name, PATIENT)  # it is on already
