"""Logs are read when all of them were written, however long the thread that does it has to wait for a processor."""

from __future__ import annotations

import pytest

from supervisor.telemetry import sink


@pytest.fixture(autouse=True)
def _patient_sinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "CLOSE_SECONDS", 60.0)
