"""alpine/README.md's second section, step by step as it stands, in folders of the test."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.boot.settings_load import load_boot_settings
from tests.docs.readme import text
from tests.docs.running import CHECKOUT

BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)


def blocks() -> list[str]:
    """The indented texts of the section."""
    section = text("alpine/README.md").partition("## 2. ")[2].partition("## 3. ")[0]
    return [re.sub(r"^    ", "", each, flags=re.MULTILINE) for each in BLOCK.findall(section)]


def one_with(words: str) -> str:
    (found,) = [each for each in blocks() if words in each]
    return found


def test_the_boot_servers_folders_settings_and_keys_are_made_and_only_the_keys_are_closed(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    etc, var, home = tmp_path / "etc", tmp_path / "var", tmp_path / "home"
    built = home / "isolated/out/isolated-2026-11-30-x86_64"
    built.mkdir(parents=True)
    for name in ("vmlinuz", "initramfs"):
        (built / name).write_text(name)

    def here(words: str) -> str:
        return words.replace("/etc/isolated", str(etc)).replace("/var/lib/isolated-boot", str(var))

    settings = here(one_with("[groups.web]"))
    settings = f"images = '{var}/images'\nstateDir = '{var}/state'\n{settings}"
    config = tmp_path / "boot-server.toml"
    config.write_text(settings)
    script = f"""umask 022
        isolated() {{
            case "$2" in
            seal | promote) '{sys.executable}' -m supervisor "$@" --config '{config}' ;;
            *) echo "$2 $(umask)" ;;
            esac
        }}
        {here(one_with("openssl"))}
        {here(one_with("isolated boot-server run"))}"""
    environment = os.environ | {"HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        ["sh", "-euc", script], capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"check 0022", "run 0022"} <= set(done.stdout.splitlines())
    assert load_boot_settings(str(config)).groups["web"].key
    assert (var / "images/promoted.json").is_file()
    assert {stat.S_IMODE((etc / name).stat().st_mode) for name in ("cluster.key", "rack-ca.key", "boot.key")} == {0o600}
