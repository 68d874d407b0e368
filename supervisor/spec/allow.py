"""What a task may do that not every host wants."""

from __future__ import annotations

from pydantic import Field

from supervisor.spec.limits import Switch
from supervisor.spec.model import Settings


class Allow(Settings):
    """Ways to make code from data."""

    eval: Switch = Field(default=True, description="whether eval and new Function work; else they throw an EvalError")
    wasm: Switch = Field(default=True, description="whether WebAssembly can be compiled or imported")
