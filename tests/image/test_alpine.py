"""The files for Alpine, as far as they can be tried elsewhere: what scripts make, and what its init makes of that."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from supervisor.boot.apkovl import CA, machine_files, merged
from supervisor.boot.commandline import parse_boot_words
from supervisor.boot.identity import Identity
from supervisor.boot.ipxe import Served, command_line
from supervisor.boot.shelf import APKOVL, NEEDED
from tests.boot.rack_net import wait_until
from tests.image.alpine_init import init_of
from tests.machine.fetch import Parts
from tests.machine.fixtures import parts

__all__ = ["parts"]

CHECKOUT = Path(__file__).parents[2]
ALPINE = CHECKOUT / "alpine"
SERVED = Served(http="http://10.0.0.1:8080", https="https://10.0.0.1:8443", transfer="tftp://10.0.0.1")


@pytest.fixture(scope="module")
def apkovl(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What genapkovl-isolated.sh makes."""
    folder = tmp_path_factory.mktemp("apkovl")
    script = ALPINE / "image/genapkovl-isolated.sh"
    subprocess.run([str(script), "isolated"], cwd=folder, check=True, timeout=60)
    return (folder / APKOVL).read_bytes()


def files_of(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


def text_of(data: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read().decode()


def shell(script: str, **environment: str) -> str:
    done = subprocess.run(
        ["sh", "-euc", script], capture_output=True, text=True, check=True, timeout=60, env=os.environ | environment
    )
    return done.stdout


def alpine_line(mac: str = "52:54:00:00:00:01") -> str:
    """The command line of a host that boots the image that mkimage makes."""
    words = shell(f". '{ALPINE}/image/mkimg.isolated.sh'; isolated_cmdline").strip()
    return command_line(Identity(mac), "v1", name="one", words=words, served=SERVED, key=True)


def test_the_apkovl_is_the_same_each_time_and_is_roots(apkovl: bytes, tmp_path: Path) -> None:
    subprocess.run([str(ALPINE / "image/genapkovl-isolated.sh"), "isolated"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / APKOVL).read_bytes() == apkovl
    assert {(each.uid, each.gid, each.mtime) for each in files_of(apkovl).values()} == {(0, 0, 0)}
    assert not [each for each in files_of(apkovl).values() if each.mode & 0o022 and not each.issym()]


@pytest.mark.parametrize(
    ("level", "service"),
    [
        (level, service)
        for level, services in {
            "sysinit": "cgroups devfs hwdrivers mdev modloop",
            "boot": "hostname isolated-network modules networking sysctl",
            "default": "chronyd isolated-boot isolated isolated-joined isolated-log",
            "shutdown": "killprocs mount-ro",
        }.items()
        for service in services.split()
    ],
)
def test_every_service_that_a_host_needs_is_listed(apkovl: bytes, level: str, service: str) -> None:
    link = files_of(apkovl)[f"etc/runlevels/{level}/{service}"]
    assert link.issym()
    assert link.linkname == f"/etc/init.d/{service}"


def test_nobody_is_let_in_by_ssh(apkovl: bytes) -> None:
    assert not [name for name in files_of(apkovl) if "ssh" in name or "dropbear" in name]
    packages = text_of(apkovl, "etc/apk/world").split()
    assert packages == ["acpid", "alpine-base", "chrony", "isolated"]
    assert not init_of(alpine_line()).installs_sshd


def test_packages_of_the_image_are_those_that_hosts_ask_for(apkovl: bytes) -> None:
    script = f"""profile_base() {{ :; }}
        RELEASE=v1 ARCH=x86_64; . '{ALPINE}/image/mkimg.isolated.sh'; profile_isolated; echo $apks; echo $apkovl"""
    packages, generator = shell(script).splitlines()
    assert packages.split() == text_of(apkovl, "etc/apk/world").split()
    assert (ALPINE / "image" / generator).is_file()


def test_a_serial_console_is_there_and_waits_for_no_service(apkovl: bytes) -> None:
    lines = text_of(apkovl, "etc/inittab").splitlines()
    assert [line for line in lines if line.startswith("ttyS0::respawn:/sbin/getty")]
    assert "::once:/sbin/openrc default" in lines
    assert not [line for line in lines if ":wait:" in line]
    assert "console=ttyS0,115200" in alpine_line().split()


def test_no_card_is_named_in_the_image(apkovl: bytes) -> None:
    """Which one a machine boots through is known when it boots."""
    lines = text_of(apkovl, "etc/network/interfaces").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("iface")] == ["lo"]


def test_the_kernel_is_asked_for_what_the_host_needs(apkovl: bytes) -> None:
    settings = dict(
        line.split(" = ") for line in text_of(apkovl, "etc/sysctl.d/isolated.conf").splitlines() if "=" in line
    )
    assert int(settings["vm.max_map_count"]) >= 262_144
    for name in settings:
        assert Path("/proc/sys", *name.split(".")).exists(), f"no kernel has {name}"
    assert "sch_htb" in text_of(apkovl, "etc/modules-load.d/isolated.conf").splitlines()


def test_mkimage_makes_a_folder_that_is_an_image_version(tmp_path: Path, apkovl: bytes) -> None:
    built = tmp_path / "built"
    (built / "boot").mkdir(parents=True)
    (built / "apks/x86_64").mkdir(parents=True)
    for name in ("vmlinuz", "initramfs", "modloop"):
        (built / f"boot/{name}-lts").write_text(name)
    (built / "apks/x86_64/APKINDEX.tar.gz").write_text("index")
    (built / APKOVL).write_bytes(apkovl)
    script = f"""profile_base() {{ :; }}
        RELEASE=v1 ARCH=x86_64; . '{ALPINE}/image/mkimg.isolated.sh'; profile_isolated; create_image_isolated"""
    shell(script, OUTDIR=str(tmp_path), DESTDIR=str(built))
    made = tmp_path / "isolated-v1-x86_64"
    found = {each.relative_to(made).as_posix() for each in made.rglob("*") if each.is_file()}
    assert found == {*NEEDED, "modloop", "cmdline", APKOVL, "apks/x86_64/APKINDEX.tar.gz"}


def test_alpines_init_finds_everything_by_our_command_line() -> None:
    line = alpine_line()
    init = init_of(line)
    assert init.networking
    assert init.interface_by_mac == "52:54:00:00:00:01"
    assert init.options["modules"].split(",") == ["loop", "squashfs"]
    assert init.is_url("apkovl")
    assert init.unpacks("apkovl")
    assert init.options["alpine_repo"] == "http://10.0.0.1:8080/images/v1/apks"
    assert "/images/v1/modloop" in line
    assert parse_boot_words(line).config == "http://10.0.0.1:8080/machines/52-54-00-00-00-01/isolated.toml"
    assert not [word for word in line.split() if word in ("s", "single", "1")]  # a shell instead of a boot
    assert not [name for name in init.options if name.startswith("isolated")]


def test_words_of_a_uuid_leave_the_apkovl_an_archive() -> None:
    identity = Identity("52:54:00:00:00:01", "4c4c4544-0042-3510-8052-b4c04f4e3332")
    line = command_line(identity, "v1", name="one", words="apkovl={machine}/apkovl.tar.gz", served=SERVED, key=False)
    assert init_of(line).unpacks("apkovl")


def test_a_machines_own_apkovl_is_the_images_with_its_name_and_the_ca(apkovl: bytes) -> None:
    made = merged(apkovl, machine_files("rack1-1", b"a certificate"))
    assert made == merged(apkovl, machine_files("rack1-1", b"a certificate"))
    assert text_of(made, "etc/hostname") == "rack1-1\n"
    assert text_of(made, CA) == "a certificate"
    assert set(files_of(made)) == set(files_of(apkovl)) | {CA, "etc/hosts"}
    names = list(files_of(made))
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        assert len(archive.getnames()) == len(names)  # none twice
    assert all(names.index(str(Path(name).parent)) < names.index(name) for name in names if name != "etc")


def test_busybox_unpacks_it_as_alpine_does(apkovl: bytes, tmp_path: Path, parts: Parts) -> None:
    (tmp_path / "o.apkovl.tar.gz").write_bytes(merged(apkovl, machine_files("one", None)))
    (tmp_path / "root").mkdir()
    subprocess.run(
        [str(parts.busybox), "tar", "-C", str(tmp_path / "root"), "-zxf", str(tmp_path / "o.apkovl.tar.gz")], check=True
    )
    assert (tmp_path / "root/etc/hostname").read_text() == "one\n"
    assert os.readlink(tmp_path / "root/etc/runlevels/default/isolated") == "/etc/init.d/isolated"


SCRIPTS = [
    each for name in ("image", "openrc") for each in sorted((ALPINE / name).iterdir()) if each.suffix != ".confd"
]


def test_busybox_keeps_the_log_small(tmp_path: Path, parts: Parts) -> None:
    log, programs = tmp_path / "isolated.log", tmp_path / "bin"
    programs.mkdir()
    subprocess.run([str(parts.busybox), "--install", "-s", str(programs)], check=True, timeout=60)
    words = f"""isolated_log='{log}' isolated_log_bytes=5000 isolated_log_seconds=0.1 RC_SVCNAME=isolated-log
        . '{ALPINE}/openrc/isolated-log'; eval "exec $command $command_args" """
    watching = subprocess.Popen(
        [str(programs / "sh"), "-c", words.replace("$command ", f"{programs}/sh ")],
        env={"PATH": str(programs)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with log.open("ab", buffering=0) as appending:
            for number in range(1000):
                appending.write(b"line %d\n" % number)
            wait_until(lambda: log.stat().st_size <= 5000, "an end of its growth")
            appending.write(b"the last\n")
        older = log.with_name("isolated.log.1").read_bytes()
        assert 0 < len(older) <= 5000
        assert b"\0" not in older + log.read_bytes()
        assert log.read_bytes().endswith(b"the last\n")
    finally:
        watching.kill()
        watching.wait()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda each: each.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    shellcheck = CHECKOUT / ".runtime/venv/bin/shellcheck"
    if not shellcheck.exists():
        pytest.skip("shellcheck is not here")
    # OpenRC reads what its scripts set, and gives them RC_SVCNAME and the settings of conf.d.
    openrc = ["--exclude=SC2034,SC2154,SC2086"] if script.parent.name == "openrc" else []
    done = subprocess.run(
        [str(shellcheck), "--shell=sh", *openrc, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_package_has_every_file_that_it_names() -> None:
    sources = shell(f"cd '{ALPINE}/image'; . ./APKBUILD; echo $source").split()
    there = {"isolated.initd": "isolated", "isolated.confd": "isolated.confd", "isolated-boot.initd": "isolated-boot"}
    there |= {f"{name}.initd": name for name in ("isolated-joined", "isolated-log", "isolated-network")}
    assert set(sources) == {"isolated", *there}
    assert all((ALPINE / "openrc" / name).is_file() for name in there.values())
