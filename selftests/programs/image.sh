#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# image.sh [--update]: the disk of the guest in which real programs run: Debian
# 12 with systemd and the packages listed in "packages", as an ext4 file system
# in $NST_CACHE/programs/disk. Made once for each state of that list and of this
# script (or anew, with the mirror's newest packages: --update); guests write
# into copies of their own. Needs root, the machine's apt sources, and 2.5 GB.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. "$here/../vm/apt.sh"

dir=$NST_CACHE/programs
tree=$dir/tree

made_from()
{
	cat "$here/packages" "$here/image.sh" | sha256sum | cut -d ' ' -f 1
}

packages()
{
	sed 's/#.*//' "$here/packages"
}

# Nothing starts while packages are installed, and no database is made.
before_packages()
{
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"
	mkdir -p "$tree/etc/postgresql-common"
	echo 'create_main_cluster = false' \
		>"$tree/etc/postgresql-common/createcluster.conf"
}

# The guest boots into one service of ours, which mounts what run.sh has made for
# this run and starts it. Whatever a package wanted started is not, except by a
# test.
after_packages()
{
	local units=$tree/etc/systemd/system

	rm -f "$tree/usr/sbin/policy-rc.d" "$tree"/etc/ssh/ssh_host_*
	rm -rf "$units"/*.target.wants "$tree"/var/cache/apt/*.bin \
		"$tree"/var/cache/apt/archives "$tree"/var/lib/apt/lists
	mkdir -p "$units/multi-user.target.wants" "$tree/t" \
		"$tree"/var/cache/apt/archives/partial \
		"$tree/var/lib/apt/lists/partial"
	ln -sfn /lib/systemd/system/multi-user.target "$units/default.target"
	for unit in getty.target console-getty.service systemd-logind.service; do
		ln -sfn /dev/null "$units/$unit"
	done
	cat >"$units/nst-programs.service" <<-'END'
		[Unit]
		Description=Programs of Debian on NST
		[Service]
		ExecStart=/bin/sh -c 'for d in nvme0n2 ubdb; do \
			[ ! -b /dev/$d ] || mount -t ext4 /dev/$d /t; done; \
			exec /t/guest.sh'
		StandardInput=null
		StandardOutput=null
		StandardError=journal+console
		TimeoutStopSec=5
		LimitNOFILE=65536
	END
	ln -sfn ../nst-programs.service "$units/multi-user.target.wants/"
	# Modules come with the run: the kernel is not the image's.
	rm -rf "$tree/usr/lib/modules"
	ln -s /t/modules "$tree/usr/lib/modules"
	echo nst >"$tree/etc/hostname"
	echo '127.0.0.1 localhost nst' >"$tree/etc/hosts"
	echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
	: >"$tree/etc/fstab"
}

make_tree()
{
	rm -rf "$tree"
	debian_chroot bookworm "$tree" ca-certificates
	before_packages
	# shellcheck disable=SC2046 # a list
	if ! { apt_get "$tree" dist-upgrade -y && apt_get "$tree" install -y \
		--no-install-recommends $(packages); } 2>"$dir/errors"; then
		tail -n 20 "$dir/errors" >&2
		nst_die "packages cannot be installed (above, and $NST_APT_LOG)"
	fi
	chroot "$tree" dpkg-query -W >"$dir/versions"
	after_packages
}

# No mount and no loop device: mke2fs fills the file system itself.
make_disk()
{
	rm -f "$dir/disk.new"
	truncate -s 6G "$dir/disk.new"
	mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -m 0 -d "$tree" \
		"$dir/disk.new"
	rm -rf "$tree"
	mv "$dir/disk.new" "$dir/disk"
}

[ "$(id -u)" = 0 ] || nst_die "needs root: sudo $0"
# The disk's, and what programs of ours are built with.
installed debootstrap e2fsprogs liburing-dev ||
	install_packages debootstrap e2fsprogs liburing-dev
mkdir -p "$dir"
exec 9>"$NST_CACHE/programs.lock"
flock 9
[ "${1-}" != --update ] || rm -f "$dir/key"
key=$(made_from)
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ] || [ ! -e "$dir/disk" ]; then
	start=$SECONDS
	step "disk of the guest of programs"
	rm -f "$dir/key"
	make_tree
	make_disk
	echo "$key" >"$dir/key"
	step "made in $((SECONDS - start)) s, $(du -m "$dir/disk" | cut -f 1) MB"
fi
