"""The command line: what is refused, and the exit code. No peer is fetched."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools.benchmarks.cli import exit_code, main, wanted
from tools.benchmarks.results import OURS, SERVED, Failure, Outcome, Participant


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_help_names_every_benchmark_and_the_peers() -> None:
    text = bench("--help").output
    for word in ("http", "coldstart", "density", "containment", "daemon", "all", "workerd", "mini-racer", "absent"):
        assert word in text


@pytest.mark.parametrize("command", ["http", "coldstart", "density", "containment", "all"])
def test_each_command_has_the_common_options(command: str) -> None:
    text = bench(command, "--help").output
    for option in ("--rounds", "--peers", "--json", "--quick", "--no-ours"):
        assert option in text


def test_the_daemon_is_measured_alone_and_can_be_made_small() -> None:
    text = bench("daemon", "--help").output
    for option in ("--rounds", "--json", "--quick", "--wakes", "--tasks", "--running", "--handovers", "--kills"):
        assert option in text
    assert "--peers" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http", "--peers", "bun"), "'bun' is no peer: choose from workerd, node, deno, mini-racer, or 'none' alone"),
        (("http", "--peers", "deno,none"), "'none' is no peer"),
        (("density", "--isolates", "1,many"), "give numbers from 1 to 10000, separated by commas, like 1,100,1000"),
        (("density", "--isolates", "0"), "give numbers from 1 to 10000"),
        (("containment", "--shapes", "fork-bomb"), "'fork-bomb' is no shape: choose from many-arrays, many-strings"),
        (("containment", "--shapes", ","), "',' is no shape"),
        (("containment", "--terminations", "0"), "0 is not in the range"),
        (("http", "--rounds", "0"), "0 is not in the range"),
        (("http", "--starts", "5"), "No such option"),
        (("daemon", "--peers", "deno"), "No such option"),
        (("daemon", "--tasks", "some"), "give numbers from 1 to 10000"),
        (("daemon", "--running", "0"), "0 is not in the range"),
        (("daemon", "--wakes", "2001"), "2001 is not in the range"),
        (("colds",), "No such command"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(arguments: tuple[str, ...], said: str) -> None:
    result = bench(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_run_without_anybody_succeeds_and_writes_its_file(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    result = bench("density", "--no-ours", "--peers", "none", "--isolates", "1,7", "--json", str(file))
    assert result.exit_code == 0, result.output
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    assert (benchmark["options"], benchmark["participants"]) == ({"isolates": [1, 7]}, [])


def test_containment_is_two_tables_and_one_file(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    result = bench("containment", "--no-ours", "--peers", "none", "--shapes", "map-grow", "--json", str(file))
    assert result.exit_code == 0, result.output
    memory, cpu = json.loads(file.read_text())["benchmarks"]
    assert (memory["options"]["shapes"], memory["options"]["limit_mib"]) == (["map-grow"], 128)
    assert (cpu["options"]["busy"], cpu["options"]["idle"], cpu["options"]["budget_ms"]) == (10, 300, 50)


def test_we_come_first_and_peers_in_the_order_asked_for() -> None:
    assert list(wanted(("deno", "node"), no_ours=False)) == [OURS, SERVED, "deno", "node"]
    assert list(wanted(("node",), no_ours=True)) == ["node"]


def test_only_our_failures_make_the_run_fail() -> None:
    peer = Outcome("http", [Participant("deno", absent="no")], [], [Failure("hello", "node", "died")])
    assert exit_code([peer]) == 0
    assert exit_code([peer, Outcome("http", [Participant(OURS, absent="not built")], [])]) == 1
    assert exit_code([Outcome("http", [], [], [Failure("hello", OURS, "status 500")])]) == 1
    assert exit_code([Outcome("crash", [], [], [Failure("20", SERVED, "not all of 20 tasks answered")])]) == 1
