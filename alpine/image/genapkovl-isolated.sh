#!/bin/sh -e
# For mkimage.sh: HOSTNAME.apkovl.tar.gz with what Alpine lays over its root on every host. $1: the host name.
# With an apkovl Alpine starts only the services that are listed in it, so that all of them are here.

[ -n "$1" ] || { echo "usage: $0 HOSTNAME" >&2; exit 2; }
name="$1"
out="$PWD/$name.apkovl.tar.gz"
here="$(dirname "$(readlink -f "$0")")"
files="${ISOLATED_NETBOOT:-$here/../netboot}"
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT

# add MODE PATH: a file from standard input
add() {
	mkdir -p "$root/$(dirname "$2")"
	cat >"$root/$2"
	chmod "$1" "$root/$2"
}

# run LEVEL SERVICE...
run() {
	level="$1"
	shift
	mkdir -p "$root/etc/runlevels/$level"
	for service; do ln -s "/etc/init.d/$service" "$root/etc/runlevels/$level/$service"; done
}

echo "$name" | add 0644 etc/hostname
printf '%s\n' acpid alpine-base chrony isolated | add 0644 etc/apk/world
add 0644 etc/network/interfaces <"$files/interfaces"
add 0644 etc/inittab <"$files/inittab"
add 0644 etc/modules-load.d/isolated.conf <"$files/modules.conf"
add 0644 etc/sysctl.d/isolated.conf <"$files/sysctl.conf"
mkdir -p "$root/etc/isolated"

run sysinit devfs dmesg mdev hwdrivers modloop cgroups
run boot bootmisc hostname hwclock isolated-network modules networking seedrng sysctl syslog
run default acpid chronyd isolated-boot isolated isolated-joined isolated-log
run shutdown killprocs mount-ro savecache

# The same inputs give the same bytes.
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c etc | gzip -9n >"$out"
