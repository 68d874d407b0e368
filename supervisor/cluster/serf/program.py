"""Where the agent's program is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from supervisor.cluster.serf.errors import AgentError

NAME = "serf"


def find_serf(given: Path | None = None) -> Path:
    """The program: the one that was given, else that of the runtime tree, else the first in PATH. AgentError."""
    places = [given] if given is not None else [*_of_the_tree(), *_of_path()]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place.absolute()
    looked = ", ".join(map(str, places)) or "PATH"
    remedy = "set its path, or build the runtime tree again: tools/bootstrap"
    raise AgentError(f"there is no program {NAME}: looked at {looked}", remedy)


def _of_the_tree() -> list[Path]:
    """`usr` of the tree is what our Python was installed to. The launcher starts it through the tree's loader."""
    usr = Path(sys.base_prefix)
    return [usr.parent / "launchers" / NAME, usr / "bin" / NAME]


def _of_path() -> list[Path]:
    found = shutil.which(NAME)
    return [] if found is None else [Path(found)]
