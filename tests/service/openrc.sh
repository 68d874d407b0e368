#!/bin/bash
# First process of a box: OpenRC, unpacked from its packages, over this machine's files, of which it can change none.
# $1: folder for what belongs to the box; $2: the checkout; $3: the program that stands at /usr/bin/isolated;
# $4: folder with the packages
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir -p "$1"/packages "$1"/etc/{init,conf}.d "$1"/{usr,etc,var}.{up,work} "$1/usr/bin"
for package in "$4"/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$1/packages"; done
for folder in bin sbin lib; do # where /bin is /usr/bin
	if [ -d "$1/packages/$folder" ]; then mkdir -p "$1/usr/$folder" && cp -a "$1/packages/$folder/." "$1/usr/$folder"; fi
done
cp -a "$1/packages/usr/." "$1/usr"
cp -a "$1/packages/etc/." "$1/etc"
cp "$3" "$1/usr/bin/isolated" && chmod 755 "$1/usr/bin/isolated"
for service in isolated isolated-boot isolated-boot-server isolated-joined isolated-log isolated-network; do
	install -m 755 "$2/alpine/openrc/$service" "$1/etc/init.d/$service"
done
printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { :; }\n' >"$1/etc/init.d/network"
chmod 755 "$1/etc/init.d/network"
install -m 644 "$2/alpine/openrc/isolated.confd" "$1/etc/conf.d/isolated"
mount -t overlay overlay -o "lowerdir=$1/usr:/usr,upperdir=$1/usr.up,workdir=$1/usr.work" /usr
mount -t overlay overlay -o "lowerdir=$1/etc:/etc,upperdir=$1/etc.up,workdir=$1/etc.work" /etc
mount -t overlay overlay -o "lowerdir=/var,upperdir=$1/var.up,workdir=$1/var.work" /var
mount -t tmpfs tmpfs /run
find /etc/init.d -type f ! -name 'isolated*' ! -name network ! -name functions.sh -delete
ldconfig
ip link set lo up
mkdir -p /run/openrc/{starting,started,stopping,inactive,wasinactive,failed,hotplugged,daemons,options,exclusive,scheduled,tmp}
echo default >/run/openrc/softlevel
touch /run/box-is-up
while :; do sleep 3600 & wait; done # and reaps what daemons leave behind
