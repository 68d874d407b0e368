# For mkimage.sh of Alpine's aports: a folder that `isolated boot-server` serves as an image version.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # mkimage.sh reads what a profile sets, and sets the rest

profile_isolated() {
	profile_base
	title="Isolated"
	desc="A diskless host of JavaScript programs, booted over the network."
	arch="x86_64 aarch64"
	kernel_flavors="lts"
	kernel_cmdline=""
	initfs_features="ata base dhcp https network nvme scsi squashfs virtio"
	modloop_sign=yes
	# What a host has: the base, the clock, the power button, and the program itself. No ssh.
	apks="acpid alpine-base chrony isolated"
	apkovl="genapkovl-isolated.sh"
	hostname="isolated"
	image_ext=""
	output_format="isolated"
	output_filename="isolated-$RELEASE-$ARCH"
}

# Named after what they are, not after the kernel's flavour: the boot server knows no flavours.
create_image_isolated() {
	_target="$OUTDIR/$output_filename"
	rm -rf "$_target" && mkdir -p "$_target" || return 1
	for _file in vmlinuz initramfs modloop; do
		cp -L "$DESTDIR/boot/$_file-lts" "$_target/$_file" || return 1
	done
	cp -rL "$DESTDIR/apks" "$_target/apks" || return 1
	cp -L "$DESTDIR/$hostname.apkovl.tar.gz" "$_target/isolated.apkovl.tar.gz" || return 1
	isolated_cmdline >"$_target/cmdline"
}

# {image} and {machine} are filled in by the boot server, which also adds where a host finds its settings and its key.
isolated_cmdline() {
	echo "console=tty0 console=ttyS0,115200 modules=loop,squashfs ip=dhcp" \
		"alpine_repo={image}/apks modloop={image}/modloop apkovl={machine}/apkovl.tar.gz"
}
