"""The cluster key: files that hold one or not, and what is derived from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.cluster.keys import KEYS, PEERS, SERF, ClusterKey, hkdf, make_key, read_keys
from supervisor.errors import SettingsError
from supervisor.printable import shown

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(100, 132))).decode()

# RFC 5869, appendix A.1 to A.3: secret, salt, info, length, result.
VECTORS = [
    (
        "0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(),
        ("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
         "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    ),
    (
        "0b" * 22, "", "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "salt", "info", "result"), VECTORS)
def test_the_derivation_is_that_of_rfc_5869(secret: str, salt: str, info: str, result: str) -> None:
    expected = bytes.fromhex(result)
    found = hkdf(bytes.fromhex(secret), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=len(expected))
    assert found == expected


def test_each_use_has_a_key_of_its_own_that_tells_nothing_of_the_secret() -> None:
    key = ClusterKey(bytes(range(32)))
    serf, peers = key.derived(SERF), key.derived(PEERS)
    assert len({serf, peers, key.secret}) == 3
    assert len(serf) == len(peers) == 32
    extracted = hmac.digest(bytes(32), key.secret, hashlib.sha256)
    assert peers == hmac.digest(extracted, b"peers\x01", hashlib.sha256)
    assert "secret" not in repr(key)


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    file = folder / "key"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def test_a_made_key_is_a_key_file(tmp_path: Path) -> None:
    one, other = make_key(), make_key()
    assert one != other
    (key,) = read_keys(written(tmp_path, f"{one}\n"))
    assert key.secret == base64.b64decode(one)


@pytest.mark.parametrize("text", [f"{KEY}\n{OTHER}\n", f"{KEY}\r\n\r\n  {OTHER}", f"\n{KEY}\n\n{OTHER}\n\n"])
def test_the_first_key_is_in_use_and_the_others_are_accepted(tmp_path: Path, text: str) -> None:
    assert [key.secret[0] for key in read_keys(written(tmp_path, text))] == [0, 100]


@pytest.mark.parametrize(
    ("text", "mode", "what"),
    [
        (KEY, 0o640, "others may read it (mode 0640)"),
        (KEY, 0o604, "others may read it (mode 0604)"),
        (KEY, 0o620, "others may read it (mode 0620)"),
        ("", 0o600, "no key"),
        (" \n\n", 0o600, "no key"),
        ("short", 0o600, "key 1 is not a key"),
        (KEY[:-4], 0o600, "key 1 is not a key"),
        (KEY + "AAAA", 0o600, "key 1 is not a key"),
        (f"{KEY}\n\u00fc", 0o600, "key 2 is not a key"),
        (f"{KEY} {OTHER}", 0o600, "key 1 is not a key"),
        (KEY.replace("A", "-", 1), 0o600, "key 1 is not a key"),
        (base64.b64encode(bytes(32)), 0o600, "key 1 is not random"),
        (base64.b64encode(b"change me!" * 4)[:43] + b"=", 0o600, "key 1 is not random"),
        (f"{KEY}\n{OTHER}\n{KEY}", 0o600, "twice"),
        ("\n".join(base64.b64encode(bytes(range(n, n + 32))).decode() for n in range(KEYS + 1)), 0o600, "more than"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_key_file_that_is_none(tmp_path: Path, text: str | bytes | None, mode: int, what: str) -> None:
    file = tmp_path / "key" if text is None else written(tmp_path, text, mode)
    with pytest.raises(SettingsError) as caught:
        read_keys(file)
    (problem,) = caught.value.problems
    assert what in problem.message
    assert (problem.field, problem.value) == ("clusterKeyFile", shown(str(file)))
    assert KEY not in str(caught.value)


def test_a_key_file_that_is_a_folder_or_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for file in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SettingsError, match=r"not a file|cannot be read"):
            read_keys(file)


@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(data=st.binary(max_size=600))
def test_any_bytes_are_keys_or_a_settings_error(tmp_path: Path, data: bytes) -> None:
    try:
        keys = read_keys(written(tmp_path, data))
    except SettingsError:
        return
    assert all(len(key.secret) == 32 for key in keys)
