"""Where runtimes go: the order of the places, and which are passed over, in a root with nothing else in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.binary.tiny import PATIENCE_S, Parts, build, fill

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the root directory and mount")

PLACES = ("/run/isolated", "/var/lib/isolated/runtime", "/var/cache/isolated", "/tmp/isolated-0", "/dev/shm/isolated-0")
NOBODY = 65534
NOWHERE = 73


@dataclass(frozen=True)
class Root:
    """A root directory with a binary in it."""

    folder: Path
    identity: str

    def run(
        self, variables: Mapping[str, str] | None = None, *, mounts: str = "true", user: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Starts the binary there. `mounts`: a shell's commands that run before, in the root, in a mount namespace."""
        script = f'cd "$0" && {mounts} && exec chroot --userspec={user}:{user} "$0" /isolated tell'
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, str(self.folder)],
            env={"PATH": os.environ["PATH"], **(variables or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def place(self, done: subprocess.CompletedProcess[str]) -> str:
        """The folder that it started from."""
        assert done.returncode == 0, done.stderr
        program = next(line for line in done.stdout.splitlines() if line.startswith("argument="))
        return program.removeprefix("argument=").partition(f"/{self.identity}/")[0]

    def path(self, name: str) -> Path:
        return self.folder / name.lstrip("/")


@pytest.fixture
def make_root(tmp_path: Path, parts: Parts) -> Callable[..., Root]:
    def made(files: dict[str, bytes] | None = None, *, unpacked: int | None = None) -> Root:
        root = tmp_path / "root"
        for name in ("run", "var/lib", "var/cache", "tmp", "dev/shm"):
            (root / name).mkdir(parents=True)
        for name in ("tmp", "dev/shm"):
            (root / name).chmod(0o1777)
        root.chmod(0o755)
        for parent in root.parents:
            if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(0o755)  # for users who are not root
        identity = build(root / "isolated", fill(tmp_path / "tree", parts, files), parts.launcher, unpacked=unpacked)
        return Root(root, identity)

    return made


@pytest.fixture
def root(make_root: Callable[..., Root]) -> Root:
    return make_root()


def test_the_places_in_their_order(root: Root) -> None:
    for place, parent in zip(PLACES, ("/run", "/var/lib", "/var/cache", "/tmp", "/dev/shm"), strict=True):
        assert root.place(root.run()) == place
        shutil.rmtree(root.path(parent))


def test_a_named_place_is_first(root: Root) -> None:
    root.path("/mine").mkdir()
    assert root.place(root.run({"ISOLATED_RUNTIME_DIR": "/mine"})) == "/mine"


def test_a_runtime_is_found_where_it_is(root: Root) -> None:
    """Also when a better place has come up meanwhile, and no other folder is made."""
    shutil.rmtree(root.path("/run"))
    assert root.place(root.run()) == PLACES[1]
    root.path("/run").mkdir()
    assert root.place(root.run()) == PLACES[1]
    assert list(root.path("/run").iterdir()) == []


def test_a_user_who_is_not_root_gets_one_of_his_own(root: Root) -> None:
    assert root.place(root.run(user=1234)) == "/tmp/isolated-1234"
    state = root.path("/tmp/isolated-1234").stat()
    assert (state.st_uid, state.st_mode & 0o777) == (1234, 0o700)
    assert list(root.path("/run").iterdir()) == []


def test_a_place_that_is_noexec_is_passed_over(root: Root) -> None:
    done = root.run(mounts="mount -t tmpfs -o noexec,mode=755 none run")
    assert root.place(done) == PLACES[1]
    assert done.stderr == (
        "isolated: /run/isolated cannot take the runtime: mounted noexec, and programs have to run from it; "
        "trying the next place\n"
    )


@pytest.mark.parametrize("unpacked", [None, 1])
def test_a_full_place_is_passed_over(make_root: Callable[..., Root], unpacked: int | None) -> None:
    """Seen before unpacking or, where others were faster, while it is done."""
    root = make_root({"data": os.urandom(3_000_000)}, unpacked=unpacked)
    done = root.run(mounts="mount -t tmpfs -o size=2m,mode=755 none run")
    assert root.place(done) == PLACES[1]
    needed = 4 if unpacked is None else 1
    assert f"/run/isolated cannot take the runtime: full: {needed} MB are needed" in done.stderr


def test_a_young_runtime_goes_where_its_room_is_needed(make_root: Callable[..., Root]) -> None:
    root = make_root({"data": os.urandom(3_000_000)})
    old = f"mkdir -p -m 700 run/isolated/{'a' * 32} && head -c 3000000 /dev/urandom >run/isolated/{'a' * 32}/data"
    done = root.run(mounts=f"mount -t tmpfs -o size=6m,mode=755 none run && {old}")
    assert (root.place(done), done.stderr) == (PLACES[0], "")


def test_nowhere_to_go_is_said_with_each_reason(root: Root) -> None:
    shutil.rmtree(root.path("/dev"))
    done = root.run(mounts="for at in run var tmp; do mount -t tmpfs -o noexec,mode=1777 none $at; done")
    assert done.returncode == NOWHERE
    lines = done.stderr.splitlines()
    assert "isolated: /run/isolated: mounted noexec, and programs have to run from it" in lines
    assert "isolated: /dev/shm/isolated-0: No such file or directory" in lines
    assert lines[-1] == (
        "isolated: no folder can take the runtime; set ISOLATED_RUNTIME_DIR to one of yours with room, not noexec"
    )


@pytest.mark.parametrize("what", ["somebody else's", "open to others", "a link", "a file"])
def test_a_folder_in_tmp_that_somebody_else_may_have_made_is_not_trusted(root: Root, what: str) -> None:
    for name in ("/run", "/var"):
        shutil.rmtree(root.path(name))
    bait = root.path("/tmp/isolated-0")
    match what:
        case "a link":
            root.path("/elsewhere").mkdir(mode=0o700)
            bait.symlink_to("/elsewhere")
        case "a file":
            bait.touch(mode=0o600)
        case _:
            bait.mkdir(mode=0o700)
            os.chown(bait, NOBODY if what == "somebody else's" else 0, 0)
            bait.chmod(0o700 if what == "somebody else's" else 0o755)
    done = root.run()
    assert root.place(done) == PLACES[4]
    assert "/tmp/isolated-0 cannot take the runtime: it is there already, and not a folder of yours" in done.stderr


def test_a_place_below_somebody_elses_folder_is_passed_over(root: Root) -> None:
    """Its owner could put another folder in its place."""
    shutil.rmtree(root.path("/run"))
    os.chown(root.path("/var/lib"), NOBODY, NOBODY)
    assert root.place(root.run()) == PLACES[2]


def test_a_runtime_that_is_not_ours_is_not_used(root: Root) -> None:
    """Although the folder around it is."""
    assert root.place(root.run()) == PLACES[0]
    os.chown(root.path(PLACES[0]) / root.identity, NOBODY, NOBODY)
    assert root.place(root.run()) == PLACES[0]
    assert (root.path(PLACES[0]) / root.identity).stat().st_uid == 0


def test_a_named_place_that_others_may_write_to_is_passed_over(root: Root) -> None:
    root.path("/mine").mkdir()
    root.path("/mine").chmod(0o777)
    done = root.run({"ISOLATED_RUNTIME_DIR": "/mine"})
    assert root.place(done) == PLACES[0]
    assert "/mine cannot take the runtime: others may write to /mine" in done.stderr


@pytest.mark.parametrize(
    ("there", "variables", "expected"),
    [
        (["etc/ssl/cert.pem"], {}, "/etc/ssl/cert.pem"),
        (["etc/ssl/cert.pem", "etc/ssl/certs/ca-certificates.crt"], {}, "/etc/ssl/certs/ca-certificates.crt"),
        (["etc/pki/tls/certs/ca-bundle.crt"], {}, "/etc/pki/tls/certs/ca-bundle.crt"),
        (["etc/ssl/cert.pem", "usr/lib/ssl/certs/one.pem"], {}, "(none)"),  # OpenSSL finds them by itself
        (["etc/ssl/cert.pem"], {"SSL_CERT_FILE": "/my/own"}, "/my/own"),
        (["etc/ssl/cert.pem"], {"SSL_CERT_DIR": "/my"}, "(none)"),
        ([], {}, "(none)"),
    ],
)
def test_certificates_are_found_where_the_machine_has_them(
    root: Root, there: list[str], variables: dict[str, str], expected: str
) -> None:
    for name in there:
        root.path(name).parent.mkdir(parents=True, exist_ok=True)
        root.path(name).touch()
    assert f"SSL_CERT_FILE={expected}\n" in root.run(variables).stdout
