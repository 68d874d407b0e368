"""An image that stands in for Alpine's where that cannot be had: Debian's kernel, busybox, and the host.

Its init does what alpine/ has services for, in the same order: network, `isolated boot-config`, `isolated serve`.
"""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

from tests.machine.fetch import Parts
from tests.machine.guest import with_host
from tests.machine.initramfs import Initramfs
from tools.runtime_tree.layout import Layout

# In the order of their dependencies: without depmod there is no list that modprobe could read.
MODULES = ("net/core/failover", "drivers/net/net_failover", "drivers/net/virtio_net")
INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/lib /root /etc/isolated
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t tmpfs run /run
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin HOME=/root LANG=C.UTF-8
stage() {{ read -r up _ </proc/uptime; echo "stage $1 $up"; }}
stage init
for module in /modules/*.ko; do insmod "$module"; done
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -s /bin/lease -t 30 -T 1 -q -n || echo "no address"
stage address
isolated boot-config || exit 1
stage configured
isolated serve --log-format json &
while ! [ -S /run/isolated/control.sock ]; do sleep 0.2; done
stage serving
isolated boot-config --joined
stage joined
wait
"""
LEASE = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/${mask:-24}" dev eth0
"""


def stand_in(parts: Parts, layout: Layout, files: dict[str, bytes], *, binary: Path | None) -> Initramfs:
    """The image's root with these files more. `binary`: the one file that is the host; None: the tree as it is here."""
    made = Initramfs()
    made.take(parts.busybox, "/bin/busybox")
    made.device("/dev/console", 5, 1)
    for name in ("sh", "ip"):
        made.link(f"/bin/{name}", "busybox")
    made.file("/init", INIT.format(), mode=0o755)
    made.file("/bin/lease", LEASE, mode=0o755)
    made.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    made.file("/etc/group", "root:x:0:\n")
    for number, name in enumerate(MODULES):
        (file,) = (parts.modules / "kernel").glob(f"{name}.ko*")
        data = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
        made.file(f"/modules/{number}-{file.name.split('.')[0]}.ko", data)
    if binary is None:
        python = with_host(made, layout)
        start = f'#!/bin/sh\nexport PYTHONPATH={layout.checkout}\nexec {python} -m supervisor "$@"\n'
        made.file("/usr/bin/isolated", start, mode=0o755)
    else:
        made.take(binary, "/usr/bin/isolated")
    for name, data in files.items():
        made.file(name, data, mode=0o600)
    return made


def pack(made: Initramfs, target: Path) -> None:
    """Writes the image compressed: it travels over an emulated network."""
    with target.open("wb") as out:
        process = subprocess.Popen(["gzip", "-1"], stdin=subprocess.PIPE, stdout=out)
        assert process.stdin is not None
        for piece in made.pieces():
            process.stdin.write(piece)
        process.stdin.close()
        assert process.wait() == 0
