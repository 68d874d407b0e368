"""TaskSpec: defaults, values, and the round trip through its document."""

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from supervisor.spec.limits import MIB, CpuLimits, Limits, MemoryLimits, NetLimits
from supervisor.spec.listen import ListenAddress, parse_listen
from supervisor.spec.task import TaskSpec

SMALLEST: dict[str, Any] = {"taskId": 1, "mainPath": "./app.js", "pwd": "/apps/app1"}


def task(**fields: Any) -> TaskSpec:
    return TaskSpec.model_validate(SMALLEST | fields, by_alias=True, by_name=False)


def test_defaults() -> None:
    spec = task()
    assert spec == TaskSpec(
        task_id=1,
        main_path="app.js",
        pwd="/apps/app1",
        env={},
        args=(),
        listen=(),
        cpu=None,
        limits=Limits(
            cpu=CpuLimits(request_ms=50.0, startup_ms=1000.0, wall_ms=30_000.0, quota=None),
            mem=MemoryLimits(heap=64 * MIB, external=64 * MIB),
            net=NetLimits(egress=None, ingress=None, connections=256, subrequests=50, private=False),
        ),
        idle=60_000.0,
    )


def test_code_from_data_is_allowed_unless_switched_off() -> None:
    assert (task().allow.eval, task().allow.wasm) == (True, True)
    spec = task(allow={"eval": False, "wasm": False})
    assert (spec.allow.eval, spec.allow.wasm) == (False, False)
    assert spec.document()["allow"] == {"eval": False, "wasm": False}


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        task().task_id = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        task().limits.mem.heap = 1  # type: ignore[misc]


@pytest.mark.parametrize("word", [None, "unlimited"])
def test_null_and_unlimited_take_every_limit_away(word: str | None) -> None:
    limits = {
        "cpu": {"request": word, "startup": word, "wall": word, "quota": word},
        "mem": {"heap": word, "external": word},
        "net": {"egress": word, "ingress": word, "connections": word, "subrequests": word},
    }
    spec = task(limits=limits, idle=word)
    found = [value for part in spec.limits.model_dump().values() for value in part.values()]
    assert found == [None] * 10 + [False]
    assert spec.idle is None


def test_units_reach_every_limit() -> None:
    limits = {
        "cpu": {"request": "20ms", "startup": "2s", "wall": "1m", "quota": 0.25},
        "mem": {"heap": "10MiB", "external": "1GB"},
        "net": {"egress": "8mbit", "ingress": 64_000, "connections": 1, "subrequests": 0, "private": True},
    }
    assert task(limits=limits, idle="1h").limits == Limits(
        cpu=CpuLimits(request_ms=20.0, startup_ms=2000.0, wall_ms=60_000.0, quota=0.25),
        mem=MemoryLimits(heap=10 * MIB, external=10**9),
        net=NetLimits(egress=8_000_000, ingress=64_000, connections=1, subrequests=0, private=True),
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1"),
        (-3, "-3"),
        (1.0, "1"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-5, "0.00001"),
        (1.25e-6, "0.00000125"),
        (-1.25e-6, "-0.00000125"),
        (1e-7, "1e-7"),
        (2**60, "1152921504606846976"),
    ],
)
def test_numbers_as_arguments_are_spelled_as_javascript_spells_them(number: float, text: str) -> None:
    assert task(args=[number]).args == (text,)


@pytest.mark.parametrize(
    ("written", "relative"),
    [
        ("app.js", "app.js"),
        ("./app.js", "app.js"),
        ("src//main/./app.mjs", "src/main/app.mjs"),
        ("src/../app.js", "app.js"),
        ("/apps/app1/src/app.js", "src/app.js"),
        ("..app.js", "..app.js"),
    ],
)
def test_the_main_path_is_relative_to_pwd(written: str, relative: str) -> None:
    assert task(mainPath=written).main_path == relative


@pytest.mark.parametrize("written", ["../app.js", "/etc/passwd", "src/../../app1x/app.js", "/apps/app11/app.js", ".."])
def test_the_main_path_stays_inside_pwd(written: str) -> None:
    with pytest.raises(ValidationError, match="outside pwd /apps/app1"):
        task(mainPath=written)


def test_any_port_may_stand_twice_but_no_other_address() -> None:
    assert len(task(listen=["localhost:0", "localhost:0"]).listen) == 2
    with pytest.raises(ValidationError, match=r"\[::1\]:80 is listed twice"):
        task(listen=["[::1]:80", "[0::1]:80"])


def test_label_is_the_id_as_text() -> None:
    assert task(taskId=7).label == "7"
    assert task(taskId="shop.v2").label == "shop.v2"


TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
LISTEN = st.lists(
    st.one_of(
        st.integers(0, 65535).map(lambda port: f"127.0.0.1:{port}"),
        st.ip_addresses(v=6).map(lambda address: f"[{address}]:0"),
        st.from_regex(r"\Aunix:/[a-z]{1,20}\Z"),
    ),
    unique_by=parse_listen,
    max_size=4,
)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


TIMES = optional(st.floats(1, 8.64e9) | st.integers(1, 9000).map(lambda count: f"{count}ms"))
SPECS = st.fixed_dictionaries(
    {
        "taskId": st.integers(0, 2**53) | st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z"),
        "mainPath": st.from_regex(r"\A(\./)?([a-z]{1,5}/){0,3}[a-z]{1,8}\.m?js\Z"),
        "pwd": st.from_regex(r"\A(/[a-z.]{1,8}){0,3}/?\Z").map(lambda path: "/" + path),
    },
    optional={
        "env": st.dictionaries(TEXT.filter(lambda name: name and "=" not in name), TEXT, max_size=4),
        "args": st.lists(TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=4),
        "listen": LISTEN,
        "cpu": optional(st.integers(0, 8191)),
        "idle": TIMES,
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "cpu": st.fixed_dictionaries(
                    {}, optional={"request": TIMES, "wall": TIMES, "quota": optional(st.floats(0.01, 1.0))}
                ),
                "mem": st.fixed_dictionaries({}, optional={"heap": optional(st.integers(2**22, 2**32))}),
                "net": st.fixed_dictionaries(
                    {},
                    optional={
                        "egress": optional(st.integers(8000, 10**12)),
                        "subrequests": optional(st.integers(0, 10**6)),
                        "private": st.booleans(),
                    },
                ),
            },
        ),
    },
)


@given(SPECS)
def test_round_trip_through_json(document: dict[str, Any]) -> None:
    spec = TaskSpec.model_validate(document, by_alias=True, by_name=False)
    again = json.loads(json.dumps(spec.document()))
    assert TaskSpec.model_validate(again, by_alias=True, by_name=False) == spec
    assert all(isinstance(address, ListenAddress) for address in spec.listen)


@pytest.mark.parametrize("more", [{"cpu": [0, 1]}, {"cpu": 0}, {"placement": {"hosts": ["a", "b"]}}, {}])
def test_settings_are_written_out_without_a_warning(more: dict[str, Any]) -> None:
    spec = TaskSpec.model_validate({"taskId": "a", "mainPath": "/a.js", "pwd": "/", "listen": ["127.0.0.1:1"], **more})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = spec.document()
    assert TaskSpec.model_validate(document) == spec
