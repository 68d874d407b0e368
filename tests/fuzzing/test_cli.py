"""The command line, and a short run with V8 in the child."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fuzzing.programs import fake_child, script
from tools.fuzzing import children
from tools.fuzzing.cli import main
from tools.fuzzing.generate import generate

LAUNCHER = children.ROOT / "tools" / "fuzz"


def fuzz(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_help_names_options_and_exit_codes() -> None:
    text = fuzz("--help").output
    for word in ("--minutes", "--seed", "--program", "--at-once", "--keep", "exit code is 0"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--minutes", "0"), "0.0 is not in the range"),
        (("--minutes", "soon"), "'soon' is not a valid float"),
        (("--seed", "-1"), "-1 is not in the range"),
        (("--at-once", "0"), "0 is not in the range"),
        (("--program", "missing.json"), "'missing.json' does not exist"),
        (("--hours", "1"), "No such option"),
        (("extra",), "unexpected extra argument"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(arguments: tuple[str, ...], said: str) -> None:
    result = fuzz(*arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '[{"name": "a"}]', "\x00"])
def test_a_file_without_programs_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "batch.json"
    file.write_text(text)
    result = fuzz("--program", file)
    assert result.exit_code == 2
    assert "small.json" in result.output


def test_a_finding_is_told_by_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "command", lambda _: fake_child(tmp_path))
    file = tmp_path / "batch.json"
    file.write_text(json.dumps([script("bad", "DIE").document()]))
    result = fuzz("--program", file, "--keep", tmp_path / "kept")
    assert result.exit_code == 1
    assert "death: killed by SIGSEGV" in result.output
    assert str(tmp_path / "kept" / "death-bad") in result.output


def test_a_short_run_is_clean(tmp_path: Path) -> None:
    done = _launch("--minutes", "0.05", "--seed", "3", "--keep", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 3\n")
    assert done.stdout.endswith("fuzz: clean\n")


def test_programs_are_let_loose_again_from_files(tmp_path: Path) -> None:
    batch, module = tmp_path / "batch.json", tmp_path / "own.mjs"
    batch.write_text(json.dumps([generate(3, index).document() for index in range(2)]))
    module.write_text("export default { fetch: () => new Response('a') }")
    done = _launch("--program", str(batch), "--program", str(module), "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 programs" in done.stdout
    assert "answered" in done.stdout


def _launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LAUNCHER, *arguments], capture_output=True, text=True, timeout=200, check=False)
