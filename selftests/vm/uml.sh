#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# uml.sh: builds the kernel "uml" from Debian's linux-source-6.1: User Mode
# Linux, an ordinary process of this machine, with what debug.config names of
# programs, networks and ciphers. It boots in a second and emulates nothing, so
# it is what a test is written against; but it has one processor, is not
# preempted, and has no ciphers with SIMD: races and the rest need QEMU.
# prepare.sh uml installs what that needs and calls this. 22 minutes of CPU time.
#
# $NST_CACHE/uml-test then has
#   source  the sources, unpacked
#   build   the build tree, against which our modules are built
#   release what uname -r says there
#   key     what it was made from (nst_uml_key), written last
#   log     of the build

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

tarball=/usr/src/linux-source-6.1.tar.xz
dir=$NST_CACHE/uml-test
log=$dir/log

# What User Mode Linux itself needs, and a deeper stack: 16 KiB overflow.
own_config()
{
	cat <<-END
		CONFIG_LOCALVERSION="-nstuml"
		CONFIG_SSL=y
		CONFIG_NULL_CHAN=y
		CONFIG_HOSTFS=y
		CONFIG_KERNEL_STACK_ORDER=3
		CONFIG_HIGH_RES_TIMERS=y
		CONFIG_BLK_DEV_INITRD=y
		CONFIG_TTY=y
		CONFIG_UNIX98_PTYS=y
		CONFIG_PRINTK_TIME=y
		CONFIG_LOG_BUF_SHIFT=20
		CONFIG_DEBUG_FS=y
		CONFIG_DEBUG_LIST=y
		CONFIG_DEBUG_INFO_NONE=y
		CONFIG_BUG=y
		CONFIG_KALLSYMS=y
		CONFIG_EXPERT=y
		CONFIG_CGROUPS=y
		CONFIG_MEMCG=y
	END
}

# Sections of debug.config, from a heading to the next.
shared_config()
{
	awk '/^# ---/ { take = /programs|networks|ciphers/ }
		take && /^CONFIG_/ { print }' "$here/debug.config"
}

build()
{
	local make

	echo "uml: building, see $log"
	mkdir -p "$dir/source" "$dir/build"
	[ -e "$dir/source/Makefile" ] ||
		tar -xf "$tarball" -C "$dir/source" --strip-components=1
	make="make -C $dir/build ARCH=um"
	{
		make -C "$dir/source" O="$dir/build" ARCH=um x86_64_defconfig
		(shared_config; own_config) >>"$dir/build/.config"
		$make olddefconfig
		# shellcheck disable=SC2086 # a command
		nice $make "-j$(nproc)" linux modules
	} </dev/null >"$log" 2>&1 || nst_die "it does not build, see $log"
	$make -s kernelrelease >"$dir/release"
	mkdir -p "$dir/lib/modules/$(cat "$dir/release")" "$dir/boot"
	$make INSTALL_MOD_PATH="$dir" modules_install >>"$log" 2>&1 ||
		nst_die "modules_install failed, see $log"
	ln -sf ../build/linux "$dir/boot/vmlinuz-$(cat "$dir/release")"
}

mkdir -p "$dir"
exec 9>"$NST_CACHE/uml-test.lock"
flock 9
key=$(nst_uml_key)
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
	rm -f "$dir/key"
	build
	echo "$key" >"$dir/key"
fi
