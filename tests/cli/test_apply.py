"""apply: files and folders, bundles, plans, waiting."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from supervisor.cli import code_of, readiness
from supervisor.state.archive import pack
from tests.fakes.control_api import ControlApi, Said, a_task, problem, said, unknown

APPLY = "/v1/apply"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "POLL_S", 0.001)


@pytest.mark.parametrize("given", [".", "task.json5"])
def test_a_folder_or_its_file_is_packed_uploaded_and_applied(
    api: ControlApi, shop: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(["apply", str(shop / given)]) == 0
    assert capsys.readouterr().out == "shop: created; listens on 127.0.0.1:3000\n"
    ((digest, archive),) = api.bundles.items()
    with pack(shop, leave_out=("task.json5",)) as expected:
        assert (digest, archive) == (expected.digest, expected.file.read())
    (asked,) = api.wanted("POST", APPLY)
    assert asked.query == {"dryRun": "false", "bundle": digest}
    assert asked.value == {"taskId": "shop", "mainPath": "app.js", "listen": ["127.0.0.1:3000"]}


def test_a_bundle_that_the_host_has_is_not_uploaded_again(api: ControlApi, shop: Path) -> None:
    for _ in range(2):
        assert code_of(["apply", str(shop)]) == 0
    uploads = [each for each in api.asked if each.method == "PUT"]
    assert len(uploads) == 1


def test_settings_do_not_change_the_bundle(api: ControlApi, shop: Path) -> None:
    code_of(["apply", str(shop)])
    (shop / "task.json5").write_text("{taskId: 'shop', mainPath: './app.js', env: {A: 'b'}}")
    code_of(["apply", str(shop)])
    assert len(api.bundles) == 1
    assert api.tasks["shop"]["spec"]["env"] == {"A": "b"}


def test_pwd_elsewhere_is_what_is_packed(api: ControlApi, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(f"\"$schema\" = 'x'\ntaskId = 7\npwd = 'shop'\nmainPath = '{shop}/app.js'\n")
    assert code_of(["apply", str(tmp_path / "shop.toml")]) == 0
    assert api.wanted("POST", APPLY)[0].value == {"taskId": 7, "mainPath": "app.js"}
    with pack(shop) as expected:
        assert list(api.bundles) == [expected.digest]


def test_without_a_bundle_pwd_is_told_in_full(api: ControlApi, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    assert code_of(["apply", "task.json5", "--no-bundle"]) == 0
    (asked,) = api.asked
    assert asked.query == {"dryRun": "false"}
    assert asked.value["pwd"] == str(shop)
    assert asked.value["mainPath"] == "./app.js"


def test_a_host_elsewhere_has_to_be_told_where_its_folder_is(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["apply", str(shop), "--no-bundle", "--host", "https://localhost:1"]) == 2
    assert "task.json5: pwd: pwd has to be a folder of the host" in capsys.readouterr().err
    (shop / "task.json5").write_text("{taskId: 'shop', mainPath: './app.js', pwd: '/not/on/this/machine'}")
    assert code_of(["apply", str(shop), "--no-bundle", "--host", "https://localhost:1"]) == 4
    (shop / "task.json5").write_text("{taskId: NaN, mainPath: './app.js', pwd: '/x'}")
    assert code_of(["apply", str(shop), "--no-bundle", "--host", "https://localhost:1"]) == 2


def test_a_plan(api: ControlApi, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["apply", str(shop), "--dry-run", "--wait"]) == 0
    assert capsys.readouterr().out == "shop: would be created\n"
    assert api.tasks == {}
    assert api.wanted("POST", APPLY)[0].query["dryRun"] == "true"


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ({"change": "unchanged", "listen": ["a:1"]}, "shop: unchanged; listens on a:1"),
        ({"change": "unchanged", "dryRun": True}, "shop: unchanged"),
        (
            {"change": "changed", "fields": ["env.A\x1b", "bundle"], "restarts": True},
            "shop: changed in env.A\\x1b, bundle; a fresh isolate takes over",
        ),
        (
            {"change": "changed", "fields": ["idle"], "dryRun": True, "restarts": True},
            "shop: would be changed in idle; a fresh isolate would take over",
        ),
    ],
)
def test_what_is_told(
    api: ControlApi, shop: Path, view: dict[str, object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script("POST", APPLY, said({"task": "shop"} | view))
    assert code_of(["apply", str(shop)]) == 0
    assert capsys.readouterr().out == told + "\n"


def test_json(api: ControlApi, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["apply", str(shop), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["change"] == "created"


def test_a_bundle_that_was_swept_away_in_between_is_uploaded_again(api: ControlApi, shop: Path) -> None:
    with pack(shop, leave_out=("task.json5",)) as packed:
        api.script("HEAD", f"/v1/bundles/{packed.digest}", said({}))
    assert code_of(["apply", str(shop)]) == 0
    assert len(api.wanted("POST", APPLY)) == 2
    assert len(api.bundles) == 1


def test_all_files_are_checked_before_the_first_is_applied(
    api: ControlApi, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json5").write_text("{taskId: 'bad', mainPath: 'a.js', limits: {mem: {heep: 1}}}")
    assert code_of(["apply", str(shop), str(tmp_path / "bad.json5")]) == 2
    assert "bad.json5: limits.mem.heep: unknown field" in capsys.readouterr().err
    assert api.asked == []


def test_what_the_host_finds_wrong_is_told_with_the_files_name(
    api: ControlApi, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [{"message": "there is no such core", "field": "cpu", "value": "99", "remedy": "choose another"}]
    api.script("POST", APPLY, problem(422, "settings", "wrong", problems=problems))
    assert code_of(["apply", str(shop)]) == 2
    assert "shop/task.json5: cpu: there is no such core (value: 99)" in capsys.readouterr().err


def test_a_task_that_fails_does_not_keep_others_away(
    api: ControlApi, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = tmp_path / "second.json5"
    second.write_text(f"{{taskId: 'second', mainPath: 'app.js', pwd: '{shop}'}}")
    boot = problem(422, "boot", "Error: boom", file="app.js", line=1, column=2, stack="at x")
    api.script("POST", APPLY, boot)
    assert code_of(["apply", str(shop), str(second)]) == 1
    seen = capsys.readouterr()
    assert "isolated: Error: boom\n  at app.js:1:2" in seen.err
    assert seen.out.startswith("second: created")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(422, "bundle-refused", "too many entries"), 1),
        (problem(413, "too-large", "the bundle is too large"), 2),
        (problem(507, "disk-full", "there is no room"), 1),
        (problem(503, "refused", "two bundles are on their way already"), 5),
    ],
)
def test_a_bundle_that_the_host_refuses(
    api: ControlApi, shop: Path, answer: Said, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pack(shop, leave_out=("task.json5",)) as packed:
        api.script("PUT", f"/v1/bundles/{packed.digest}", answer)
    assert code_of(["apply", str(shop)]) == code
    assert "Traceback" not in capsys.readouterr().err
    assert api.tasks == {}


def test_an_unknown_that_stays_is_told(api: ControlApi, shop: Path) -> None:
    api.script("POST", APPLY, unknown("bundle"), unknown("bundle"))
    assert code_of(["apply", str(shop)]) == 3


def test_a_folder_too_large_to_pack(api: ControlApi, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "large.bin").write_bytes(bytes(5000))
    assert code_of(["apply", str(shop), "--bundle-max", "4KiB"]) == 1
    assert "large.bin" in capsys.readouterr().err
    assert api.asked == []


def test_a_folder_that_cannot_be_packed(
    api: ControlApi, shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("supervisor.cli.bundling.pack", full)
    assert code_of(["apply", str(shop)]) == 1
    assert f"isolated: cannot pack {shop}: No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("--bundle-max", "much"), ("--timeout", "3"), ("--timeout", "-1s")])
def test_amounts_that_are_none(api: ControlApi, shop: Path, name: str, value: str) -> None:
    assert code_of(["apply", str(shop), name, value]) == 2


def test_folders_that_name_no_task(
    api: ControlApi, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert code_of(["apply", str(tmp_path / "empty")]) == 2
    assert "no task file is in the folder" in capsys.readouterr().err
    (shop / "task.toml").touch()
    assert code_of(["apply", str(shop)]) == 2
    assert "the folder has task.json5 and task.toml" in capsys.readouterr().err
    assert code_of(["apply", str(shop / "app.js")]) == 2
    assert code_of(["apply", str(tmp_path / "none.json5")]) == 2


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_wait_returns_when_the_task_serves(api: ControlApi, shop: Path) -> None:
    hand_over = problem(503, "refused", "hands over")
    states = [said(a_task("shop", state=state)) for state in ("pending", "backoff")]
    api.script("GET", "/v1/tasks/shop", states[0], hand_over, states[1], said(a_task("shop", state="idle")))
    assert code_of(["apply", str(shop), "--wait"]) == 0
    assert len(api.wanted("GET", "/v1/tasks/shop")) == 4


@pytest.mark.parametrize(("state", "remedy"), [("blocked", "isolated release"), ("stopped", "isolated start")])
def test_wait_fails_at_once_where_the_task_cannot_serve(
    api: ControlApi, shop: Path, state: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exits = [{"reason": "aborted", "message": "gave\x1b up"}]
    api.script("GET", "/v1/tasks/shop", said(a_task("shop", state=state, exits=exits)))
    assert code_of(["apply", str(shop), "--wait"]) == 1
    text = capsys.readouterr().err
    assert rf"shop is {state}; it last ended by aborted: gave\x1b up" in text
    assert remedy in text


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (said(a_task("shop", state="pending")), 1, "shop is still pending after 20 ms"),
        (problem(503, "refused", "hands over"), 5, "hands over"),
    ],
)
def test_wait_gives_up(
    api: ControlApi, shop: Path, answer: Said, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script("GET", "/v1/tasks/shop", *[answer] * 1000)
    assert code_of(["apply", str(shop), "--wait", "--timeout", "20ms"]) == code
    assert says in capsys.readouterr().err
