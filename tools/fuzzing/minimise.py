"""Makes a finding small: which of the programs it takes, and which of their lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tools.fuzzing.program import Program, Way

# Whether the programs, in a fresh child, lead to the same finding.
type Repeats = Callable[[Sequence[Program]], bool]
MOST_TRIES = 120


class Minimiser:
    """Tries at most `most` times in all; keeps the smallest that still does it."""

    def __init__(self, repeats: Repeats, most: int = MOST_TRIES) -> None:
        self._repeats = repeats
        self._left = most

    def small(self, programs: Sequence[Program], suspect: str) -> list[Program] | None:
        """Returns few programs that do it, or None if all of them together do not do it again."""
        alone = [program for program in programs if program.name == suspect]
        if alone and self._try(alone):
            return self._small_program(alone[0])
        if not self._try(programs):
            return None
        few = self._fewer(list(programs))
        return self._small_program(few[0]) if len(few) == 1 else few

    def _small_program(self, program: Program) -> list[Program]:
        if program.way is Way.MESSAGES:
            posts = self._without(list(program.posts), lambda posts: [_with_posts(program, posts)])
            return [_with_posts(program, posts)]
        lines = program.files[program.main].split(b"\n")
        lines = self._without(lines, lambda lines: [program.with_main(b"\n".join(lines))])
        return [program.with_main(b"\n".join(lines))]

    def _fewer(self, programs: list[Program]) -> list[Program]:
        return self._without(programs, lambda programs: programs)

    def _without[T](self, parts: list[T], made: Callable[[list[T]], list[Program]]) -> list[T]:
        """Leaves out as many parts as it can: large pieces first, at last single ones until none can go."""
        size = len(parts) // 2
        while size > 0 and self._left > 0:
            before, at = len(parts), 0
            while at < len(parts):
                fewer = parts[:at] + parts[at + size :]
                if fewer and self._try(made(fewer)):
                    parts = fewer
                else:
                    at += size
            if size > 1 or len(parts) == before:
                size //= 2
        return parts

    def _try(self, programs: Sequence[Program]) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        return self._repeats(programs)


def _with_posts(program: Program, posts: Sequence[tuple[object, ...]]) -> Program:
    return replace(program, posts=tuple(posts))
