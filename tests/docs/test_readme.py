"""What README.md says is so: its tables are those of the code, and its tour can be walked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from supervisor import cli
from supervisor.pool import waiting
from supervisor.pool.exchange import WINDOW
from supervisor.spec import limits, task
from supervisor.spec.files import load_task_file
from supervisor.spec.model import Amount, Settings, is_unlimited, name_in_files
from supervisor.spec.names import known_fields
from supervisor.spec.task import TaskSpec
from tests.docs import readme
from tests.docs.curl import curl
from tests.docs.running import CHECKOUT, running

KINDS = {"milliseconds": "time", "bytes": "size", "bits per second": "rate"}


def leaves() -> list[str]:
    paths = list(known_fields(TaskSpec))
    groups = {path[:-1] for path in paths}
    return [".".join(path) for path in paths if path not in groups]


def row(path: str) -> Mapping[str, str]:
    (cells,) = [cells for cells in readme.table("field") if cells[0] == f"`{path}`"]
    return dict(zip(("field", "takes", "default", "range", "version", "meaning"), cells, strict=True))


def amounts() -> Iterator[tuple[str, Amount, object]]:
    """Every field that takes an amount: its path, its range and its default."""

    def walk(model: type[Settings], above: str) -> Iterator[tuple[str, Amount, object]]:
        for name, field in model.model_fields.items():
            path = above + name_in_files(name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
                yield from walk(field.annotation, path + ".")
            for note in (*field.metadata, *getattr(getattr(field.annotation, "__value__", None), "__metadata__", ())):
                if isinstance(note, Amount):
                    yield path, note, field.default

    return walk(TaskSpec, "")


def test_the_table_of_fields_has_every_field_once() -> None:
    assert sorted(cells[0].strip("`") for cells in readme.table("field")) == sorted(leaves())


def test_every_limit_of_an_amount_is_looked_at() -> None:
    assert len(list(amounts())) == 8


@pytest.mark.parametrize(("path", "amount", "default"), [pytest.param(*each, id=each[0]) for each in amounts()])
def test_amounts_have_their_unit_default_and_range(path: str, amount: Amount, default: object) -> None:
    tell = amount.quantity.tell
    cells = row(path)
    assert cells["takes"] == KINDS[amount.quantity.counted]
    assert cells["default"] == ("unlimited" if is_unlimited(default) else tell(float(str(default))))
    assert cells["range"] == f"{tell(amount.low)} to {tell(amount.high)}"


def test_other_fields_have_their_default_and_range() -> None:
    spec = TaskSpec(task_id=1, main_path="a.js", pwd="/")
    net, cpu = spec.limits.net, spec.limits.cpu
    told = {path: (row(path)["default"], row(path)["range"]) for path in leaves()}
    assert told["limits.cpu.quota"] == ("unlimited", f"{limits.QUOTA_MIN} to {limits.QUOTA_MAX:g}")
    assert cpu.quota is None
    assert told["limits.net.connections"] == (str(net.connections), f"1 to {limits.COUNT_MAX}")
    assert told["limits.net.subrequests"] == (str(net.subrequests), f"0 to {limits.COUNT_MAX}")
    assert told["limits.net.private"] == (str(net.private).lower(), "")
    assert told["allow.eval"] == (str(spec.allow.eval).lower(), "")
    assert told["allow.wasm"] == (str(spec.allow.wasm).lower(), "")
    assert told["cpu"] == ("any core", f"0 to {task.CORE_MAX}")
    assert (told["env"][0], told["args"][0], told["listen"][0]) == ("`{}`", "`[]`", "`[]`")
    assert (spec.cpu, spec.env, spec.args, spec.listen) == (None, {}, (), ())
    required = [path for path in leaves() if told[path][0] == "required"]
    assert required == ["taskId", "mainPath"]


def test_each_field_says_whether_this_version_keeps_it() -> None:
    assert {row(path)["version"] for path in leaves()} == {"kept", "carried"}
    assert {path for path in leaves() if row(path)["version"] == "carried"} == {
        "limits.net.subrequests",
        "limits.net.private",
    }


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    words = readme.text()
    assert f"at most {WINDOW // 1024} KiB are under way" in words
    assert f"{waiting.MOST_WAITING:,} waiting for a\n  boot" in words
    assert f"\n| {cli.EXIT_DEFECT} | a defect" in words
    assert f"\n| {cli.EXIT_INTERRUPTED}, 143 | ended at once" in words


def test_the_globals_that_it_names_are_there(tmp_path: Path) -> None:
    cells = " ".join(" ".join(cells) for cells in readme.table("area"))
    names = sorted({name.split("(")[0] for name in re.findall(r"`([A-Za-z.]+(?:\(\))?)`", cells)})
    assert len(names) > 40
    known = {"argv": "process.argv", "cwd": "process.cwd", "exit": "process.exit", "nextTick": "process.nextTick"}
    checks = [known.get(name, name) for name in names if name[0].isupper() or "." in name or name in GLOBALS]
    (tmp_path / "main.js").write_text(
        f"const missing = {checks!r}.filter((name) => eval(`typeof ${{name}}`) === 'undefined');\n"
        "addEventListener('fetch', (event) => event.respondWith(Response.json(missing)));\n"
    )
    (tmp_path / "task.json5").write_text("taskId: 'names', mainPath: './main.js', listen: ['127.0.0.1:0']")
    with running([tmp_path / "task.json5"], tmp_path) as tasks:
        assert curl(tasks.addresses["names"][0], "/").text == "[]"


GLOBALS = {"atob", "btoa", "setTimeout", "setInterval", "queueMicrotask", "structuredClone", "reportError", "console"}


def without_measure(text: str) -> str:
    """An answer's text but for what was measured, which differs each time."""
    return re.sub(r'"measured": \d+', '"measured": …', text.rstrip("\n"))


def test_the_tour_can_be_walked(tmp_path: Path) -> None:
    for name, content in readme.files().items():
        (tmp_path / name).write_text(content)
    assert sorted(readme.files()) == ["app.mjs", "colours.json", "greet.mjs", "task.json5"]
    port = load_task_file(tmp_path / "task.json5").listen[0].port
    commands = [command for command in readme.commands() if command.port == port]
    assert len(commands) == 8
    with running([tmp_path / "task.json5"], tmp_path) as tasks:
        for command in commands:
            answer = curl(tasks.addresses["tour"][0], command.target)
            assert without_measure(answer.text) == without_measure(command.output), command.target


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "SPECIFICATION.md", "CHANGELOG.md"])
def test_links_and_paths_lead_somewhere(name: str) -> None:
    words = readme.text(name)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", words) if "://" not in link]
    paths = re.findall(r"`((?:examples|native|supervisor|tests|tools)/[\w./-]+)`", words)
    built = {"supervisor/engine/runtime.js"}
    for path in {*filter(None, links), *paths} - built:
        assert (CHECKOUT / path).exists(), path


def test_the_version_in_the_changes_is_the_packages() -> None:
    from supervisor import __version__

    assert f"\n## {__version__}" in readme.text("CHANGELOG.md")
