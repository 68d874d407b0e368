"""The command line as a person meets it; the host itself is a stand-in here."""

import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from supervisor import __version__
from supervisor.cli import EXIT_DEFECT, EXIT_INTERRUPTED, code_of
from supervisor.errors import BootError, ListenError, Place
from supervisor.spec.enforcement import LIMITS
from supervisor.spec.options import RunOptions
from supervisor.spec.schema import schema_text
from supervisor.spec.task import TaskSpec

type Run = Callable[[Sequence[TaskSpec], RunOptions], int]


@pytest.fixture
def use_host(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Puts a function where the command line finds the host."""

    def put(run: Run) -> None:
        module = types.ModuleType("supervisor.host")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "supervisor.host", module)

    return put


@pytest.fixture
def task_file(tmp_path: Path) -> str:
    file = tmp_path / "hello.json5"
    file.write_text("{taskId: 'hello', mainPath: './hello.js', listen: ['127.0.0.1:0']}")
    return str(file)


def run_process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "supervisor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["version", "-h"], ["completion", "-h"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(arguments) == 0
    assert "Usage: isolated" in capsys.readouterr().out


def test_help_shows_a_task_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code_of(["run", "--help"])
    text = capsys.readouterr().out
    for part in ("taskId: 'hello'", "export default", "curl", "Exit codes:", "--log-format", "--warm", "SIGTERM"):
        assert part in text
    assert "--v8-flags" not in text


def test_help_needs_neither_models_nor_engine() -> None:
    """What makes help slow is not there: only the command line itself is imported."""
    program = (
        "import sys\nfrom supervisor.cli import code_of\ncode_of(['run', '--help'])\n"
        "slow = ('pydantic', 'structlog', 'json5', 'aiohttp', 'http.client', 'rich',"
        "'supervisor.engine', 'supervisor.host')\n"
        "print([name for name in slow if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["--version"]) == 0
    assert capsys.readouterr().out == f"isolated {__version__}\n"
    assert code_of(["version"]) == 0
    text = capsys.readouterr().out
    assert f"isolated {__version__}\nV8 " in text
    told = text.partition("Limits of tasks")[2].splitlines()[1:]
    assert [line.split()[0] for line in told] == list(LIMITS)
    assert code_of(["version", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["isolated"] == __version__
    assert found["pypi"]["pydantic"]
    assert [each["limit"] for each in found["enforces"]] == list(LIMITS)


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete"), ("zsh", "#compdef isolated"), ("fish", "complete")])
def test_completion_scripts(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert word in text
    assert "_ISOLATED_COMPLETE" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_itself_accepts_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    code_of(["completion", shell])
    script = capsys.readouterr().out
    subprocess.run([program, "-n"], input=script, text=True, timeout=60, check=True)


def test_completion_answers() -> None:
    words = {"_ISOLATED_COMPLETE": "bash_complete", "COMP_WORDS": "isolated ver", "COMP_CWORD": "1"}
    done = run_process(env=os.environ | words)
    assert done.stdout == "plain,version\n"


def test_run_gives_the_host_what_was_asked(task_file: str, use_host: Callable[[Run], None]) -> None:
    seen: list[tuple[Sequence[TaskSpec], RunOptions]] = []

    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        seen.append((specs, options))
        return 0

    use_host(run)
    assert code_of(["run", task_file, "--warm", "3", "--v8-flags", "--trace-gc"]) == 0
    ((specs, options),) = seen
    assert [spec.task_id for spec in specs] == ["hello"]
    assert options == RunOptions(warm=3, v8_flags="--trace-gc")


@pytest.mark.parametrize("code", [0, 1])
def test_the_hosts_code_is_the_exit_code(task_file: str, use_host: Callable[[Run], None], code: int) -> None:
    use_host(lambda *_: code)
    assert code_of(["run", task_file]) == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "Missing argument 'FILE…'"),
        (["runn"], "No such command 'runn'"),
        (["run", "x.json5", "--warm", "-1"], "--warm"),
        (["run", "x.json5", "--warm", "many"], "--warm"),
        (["run", "x.json5", "--log-format", "xml"], "--log-format"),
        (["run", "x.json5", "--log-level", "loud"], "--log-level"),
        (["completion", "tcsh"], "tcsh"),
        (["schema", "extra"], "extra"),
    ],
)
def test_a_wrong_command_line_is_code_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(arguments) == 2
    assert says in capsys.readouterr().err


def test_wrong_settings_are_code_2_and_the_host_is_not_even_loaded(
    tmp_path: Path, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_host(lambda *_: pytest.fail("the host was started"))
    file = tmp_path / "a.json5"
    file.write_text("{taskId: 1, mainPath: 'a.js', limits: {mem: {heep: '64MiB'}}}")
    assert code_of(["run", str(file)]) == 2
    text = capsys.readouterr().err
    assert f'isolated: {file}: limits.mem.heep: unknown field (value: "64MiB")' in text
    assert "remedy: did you mean limits.mem.heap?" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (BootError("Error: boom", file="hello.js", place=Place(2, 7, "throw 1")), "hello.js:2:7"),
        (ListenError("127.0.0.1:80", "the address is in use"), "cannot listen on 127.0.0.1:80"),
    ],
)
def test_errors_of_the_host_are_told_without_traceback(
    error: Exception, says: str, task_file: str, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        raise error

    use_host(run)
    assert code_of(["run", task_file]) == 1
    text = capsys.readouterr().err
    assert says in text
    assert "Traceback" not in text


def test_all_of_what_went_wrong_at_once_is_told(
    task_file: str, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        inner = ExceptionGroup("one", [ListenError("127.0.0.1:80", "the address is in use")])
        raise ExceptionGroup("both", [BootError("Error: boom"), inner])

    use_host(run)
    assert code_of(["run", task_file]) == 1
    text = capsys.readouterr().err
    assert "isolated: Error: boom\nisolated: cannot listen on 127.0.0.1:80" in text
    assert "Traceback" not in text


def test_a_group_that_holds_a_defect_is_one(
    task_file: str, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        raise ExceptionGroup("both", [BootError("Error: boom"), ValueError("ours")])

    use_host(run)
    assert code_of(["run", task_file]) == EXIT_DEFECT
    assert "ValueError: ours" in capsys.readouterr().err


def test_a_defect_is_code_70_with_a_traceback(
    task_file: str, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_host(lambda *_: 1 // 0)
    assert code_of(["run", task_file]) == EXIT_DEFECT
    text = capsys.readouterr().err
    assert "ZeroDivisionError" in text
    assert "please report it" in text


def test_a_broken_connection_inside_the_host_is_not_taken_for_a_broken_output(
    task_file: str, use_host: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    use_host(run)
    assert code_of(["run", task_file]) == EXIT_DEFECT
    assert "BrokenPipeError" in capsys.readouterr().err


def test_an_interrupt_before_the_host_listens_to_signals(task_file: str, use_host: Callable[[Run], None]) -> None:
    def run(specs: Sequence[TaskSpec], options: RunOptions) -> int:
        raise KeyboardInterrupt

    use_host(run)
    assert code_of(["run", task_file]) == EXIT_INTERRUPTED


def test_the_process_exits_with_the_code(tmp_path: Path) -> None:
    done = run_process("run", str(tmp_path / "none.json5"))
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
    assert done.stdout == ""


def test_a_reader_that_goes_away_is_met_with_silence() -> None:
    command = [sys.executable, "-m", "supervisor", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_a_closed_stderr_leaves_the_code(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m supervisor run "{tmp_path}/none.json5" 2>&-'
    assert subprocess.run(["/bin/sh", "-c", command], timeout=60, check=False).returncode == 2
