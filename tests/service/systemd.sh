#!/bin/bash
# First process of a box: the machine's own systemd over this machine's files, of which it can change none.
# $1: folder for what belongs to the box; $2: the checkout; $3: the program that stands at /usr/bin/isolated
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir -p "$1"/{usr/bin,units} "$1"/{usr,etc,var}.{up,work}
cp "$3" "$1/usr/bin/isolated" && chmod 755 "$1/usr/bin/isolated"
for target in basic sysinit shutdown sockets timers paths slices multi-user network-online network local-fs; do
	cp "/usr/lib/systemd/system/$target.target" "$1/units"
done
mount -t overlay overlay -o "lowerdir=$1/usr:/usr,upperdir=$1/usr.up,workdir=$1/usr.work" /usr
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc.up,workdir=$1/etc.work" /etc
mount -t overlay overlay -o "lowerdir=/var,upperdir=$1/var.up,workdir=$1/var.work" /var
mount --bind "$1/units" /usr/lib/systemd/system
for empty in /usr/lib/systemd/system-generators /etc/init.d /etc/systemd; do mount -t tmpfs tmpfs "$empty"; done
systemd-sysusers "$2/alpine/systemd/isolated.sysusers"
mkdir -p /etc/systemd/system/multi-user.target.wants
cp "$2"/alpine/systemd/isolated{,-boot-server}.service /etc/systemd/system
ln -s ../isolated.service /etc/systemd/system/multi-user.target.wants
mkdir /etc/systemd/system/isolated{,-boot-server}.service.d
# The checkout may be where PrivateTmp hides it.
printf '[Service]\nWatchdogSec=8s\nTimeoutStopSec=60s\nBindReadOnlyPaths=%s\n' "$2" >/etc/systemd/system/isolated.service.d/quick.conf
printf '[Service]\nBindReadOnlyPaths=%s\n' "$2" >/etc/systemd/system/isolated-boot-server.service.d/checkout.conf
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev
mkdir /dev/shm /dev/pts
for each in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'ptmx 5 2'; do
	read -r name major minor <<<"$each"
	mknod -m 666 "/dev/$name" c "$major" "$minor"
done
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
ip link set lo up
export container=box
exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=no --dump-core=no
