"""What the generators make: the same every time, mostly sound, and of everything that a program can reach."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from supervisor.engine.engine import Engine
from tests.engine.programs import Programs
from tools.fuzzing import builtins
from tools.fuzzing.generate import KINDS, generate
from tools.fuzzing.program import Way, program_of
from tools.fuzzing.tables import table
from tools.fuzzing.wasm import HEAD, SOUND

SEED = 5


def test_a_seed_makes_the_same_programs_again() -> None:
    assert [generate(SEED, index) for index in range(200)] == [generate(SEED, index) for index in range(200)]


def test_seeds_and_numbers_make_others() -> None:
    texts = {json.dumps([program.document()["files"], program.posts]) for seed in (1, 2) for program in
             (generate(seed, index) for index in range(100))}  # fmt: skip
    assert len(texts) > 190  # a few of the smallest module graphs may be alike


def test_all_kinds_and_ways_are_made() -> None:
    programs = [generate(SEED, index) for index in range(300)]
    assert {program.name.split("-")[2] for program in programs} == set(KINDS)
    assert {program.way for program in programs} == set(Way)


def test_a_program_is_the_same_after_json() -> None:
    for index in range(200):
        program = generate(SEED, index)
        assert program_of(json.loads(json.dumps(program.document()))) == program


def test_a_document_that_is_no_program_is_refused() -> None:
    with pytest.raises(KeyError):
        program_of({"name": "a", "way": "boot"})
    with pytest.raises(ValueError, match="sideways"):
        program_of({**generate(SEED, 0).document(), "way": "sideways"})


def test_most_builtins_are_met() -> None:
    text = "\n".join(
        program.files[program.main].decode(errors="replace") for program in (generate(SEED, n) for n in range(1500))
    )
    names = {each.name for each in builtins.all_builtins() if not each.name.startswith("@@")}
    met = {name for name in names if name in text}
    assert len(met) > 0.95 * len(names), sorted(names - met)


def test_every_section_of_the_tables_is_full() -> None:
    for name in ("values", "receivers", "arguments", "specifiers"):
        assert all(table(name).values()), name


def test_receivers_and_arguments_are_of_classes_that_are_there() -> None:
    families = {each.family for each in builtins.all_builtins()}
    families |= {family.split(".")[0] for family in families}
    families |= {each.owner for each in builtins.all_builtins()}
    assert set(table("receivers")) | set(table("arguments")) <= families


@pytest_asyncio.fixture(loop_scope="session")
async def programs(engine: Engine, tmp_path: Path) -> AsyncIterator[Programs]:
    programs = Programs(engine, tmp_path)
    yield programs
    await programs.end_all()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_table_holds_every_builtin_of_an_isolate(programs: Programs) -> None:
    """If this fails: the output of walk.js in an isolate is what builtins.txt has to be."""
    program = programs.begin(builtins.WALK.read_text())
    await program.ended()
    assert program.heard.lines == builtins.TABLE.read_text().splitlines()


@pytest.mark.asyncio(loop_scope="session")
async def test_nearly_all_programs_and_values_parse(programs: Programs) -> None:
    sources = [generate(SEED, index) for index in range(400)]
    scripts = [
        program.files[program.main].decode(errors="replace")
        for program in sources
        if program.name.endswith("javascript") and program.main == "main.js"
    ]
    values = [f"({value})" for section in table("values").values() for value in section]
    for section in [*table("receivers").values(), *table("arguments").values()]:
        values += [f"({value})" for value in section]
    failed = Counter(await asyncio.gather(*(_syntax_error(programs, text) for text in [*scripts[:60], *values[::9]])))
    assert failed[True] < 0.05 * failed.total()
    assert len(scripts) >= 60


async def _syntax_error(programs: Programs, text: str) -> bool:
    """Whether a text, as the body of a function that is never called, does not parse."""
    program = programs.begin(f"try {{ new Function({json.dumps(text)}) }} catch (error) {{ console.log(error.name) }}")
    await program.ended()
    return "SyntaxError" in program.heard.lines


@pytest.mark.asyncio(loop_scope="session")
async def test_sound_webassembly_is_sound(programs: Programs) -> None:
    modules = json.dumps([list(HEAD + module) for module in SOUND])
    program = programs.begin(f"for (const m of {modules}) console.log(WebAssembly.validate(new Uint8Array(m)))")
    await program.ended()
    assert program.heard.lines == ["true"] * len(SOUND)


def test_messages_are_mostly_to_exchanges_of_their_own() -> None:
    numbers = Counter[bool]()
    for index in range(400):
        program = generate(SEED, index)
        asked = [post[1] for post in program.posts if post[0] == "request"]
        numbers[len(asked) == len(set(asked))] += 1
    assert numbers[True] > numbers[False] > 0
