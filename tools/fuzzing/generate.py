"""From a seed and a number to a program, the same every time."""

from __future__ import annotations

import hashlib
from random import Random

from tools.fuzzing import javascript, messages, modules
from tools.fuzzing.program import Program

# JavaScript has the most to break.
KINDS = {"javascript": (javascript.program, 7), "modules": (modules.program, 1.5), "messages": (messages.program, 1.5)}


def generate(seed: int, index: int) -> Program:
    """Returns program number `index` of a seed."""
    digest = hashlib.sha256(f"{seed} {index}".encode()).digest()
    random = Random(digest)
    kind = random.choices(list(KINDS), weights=[weight for _, weight in KINDS.values()])[0]
    make, _ = KINDS[kind]
    return make(f"{seed}-{index}-{kind}", random)
