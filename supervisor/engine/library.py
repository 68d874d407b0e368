"""The native library, loaded once, and what it says when it refuses."""

from __future__ import annotations

from supervisor.engine._native import ffi, lib
from supervisor.errors import EngineError

__all__ = ["ffi", "lib", "native_error", "v8_version"]


def native_error(doing: str) -> EngineError:
    """Returns an error with what the library said of its last failure. On the thread that made the call."""
    return EngineError(f"{doing}: {ffi.string(lib.isolated_error()).decode(errors='replace')}")


def v8_version() -> str:
    """Returns V8's version, e.g. '13.6.233.17-node.50'. Any thread."""
    version: bytes = ffi.string(lib.isolated_v8_version())
    return version.decode()
