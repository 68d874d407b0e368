"""tools/soak as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.soaking.cli import main
from tools.soaking.figures import Figures, parsed
from tools.soaking.programs import HEALTHY, hostile_scripts, hostile_source

ROOT = Path(__file__).resolve().parent.parent.parent


def said(files: list[int]) -> str:
    """What a soak says whose fresh processes have so many files."""
    samples = [
        Figures(60.0 * number, 150, 2, 16, count, 510, 4, 0, number, "begin") for number, count in enumerate(files)
    ]
    return "seed 1\n" + "".join(f"{each.line()}\n" for each in samples)


@pytest.mark.parametrize(
    ("files", "code", "last"),
    [([40] * 6, 0, "soak: flat"), ([40, 43, 46, 49, 52, 55], 1, "soak: 1 problems"), ([40] * 3, 1, "soak: 1 problems")],
)
def test_an_earlier_soak_is_judged(tmp_path: Path, files: list[int], code: int, last: str) -> None:
    (tmp_path / "said").write_text(said(files))
    result = CliRunner().invoke(main, ["--judge", str(tmp_path / "said")])
    assert result.exit_code == code, result.output
    assert result.output.splitlines()[-1] == last


def test_too_few_hand_overs_for_a_verdict_are_refused() -> None:
    result = CliRunner().invoke(main, ["--minutes", "10", "--handover-every", "5"])
    assert result.exit_code == 2
    assert "a hand-over every 5 of 10 minutes: 4 at least" in result.output


def test_each_hostile_script_is_let_loose_by_a_request() -> None:
    names = hostile_scripts()
    assert len(names) > 100
    for name in names:
        assert name.startswith("serve-") or "addEventListener('fetch'" in hostile_source(name)
        assert hostile_source(name).strip()


def test_names_of_healthy_programs_are_their_own() -> None:
    assert len({program.name for program in HEALTHY}) == len(HEALTHY)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_soak_of_seconds_asks_harms_hands_over_and_finds_nothing(tmp_path: Path) -> None:
    """Growth is not judged here: of so short a time it says nothing."""
    command = [sys.executable, "-m", "tools.soaking", "--minutes", "0.5", "--handover-every", "0.05"]
    with (tmp_path / "said").open("wb") as file:
        subprocess.run(
            [*command, "--hostile-rest", "0.5", "--keep", str(tmp_path / "kept")],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=file, stderr=file, timeout=300, check=False,
        )  # fmt: skip
    text = (tmp_path / "said").read_text()
    assert "requests failed" not in text, text
    assert "Traceback" not in text
    samples = parsed(text)
    assert {"begin", "end", None} == {each.moment for each in samples}, text
    assert max(each.handovers for each in samples) >= 1, text
    log = (tmp_path / "kept" / "log").read_text()
    assert "limit, measured" in log or "limit 16 MiB" in log, "no hostile script was stopped by a limit"
    assert " is not defined" not in log, "a hostile script has ended before it could do harm"
