#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug.sh [NAME]: builds the kernel NAME from Debian's linux-source-6.1: "debug"
# (without an argument) has KASAN, lockdep, kmemleak and the rest of debug.config,
# "kcsan" looks for data races (kcsan.config on top of that). "debug-7.3" is debug of
# linux-source-7.3, with what has another name there (debug-7.3.config). prepare.sh
# NAME installs what that needs and calls this. 16 to 22 minutes of CPU time and 2.5 GB
# of disk; it is done once for each configuration, source version and compiler.
#
# $NST_CACHE/debug/source has the sources of 6.1, unpacked, for both; those of 7.3 are
# below their own. $NST_CACHE/NAME has what the directory of any kernel has, and
#   build   the build tree, against which our modules are built
#   config  what was asked for
#   key     what it was made from (nst_debug_key), written last
#   log     of the build
# source and build may be links, put there before. After a change of a .config only
# what it touches is built again.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

name=${1:-debug}
dir=$NST_CACHE/$name
case $name in
debug | kcsan)
	tarball=/usr/src/linux-source-6.1.tar.xz
	sources=$NST_CACHE/debug
	;;
debug-7.3)
	tarball=$dir/linux-source.tar.xz
	sources=$dir
	;;
*) nst_die "usage: debug.sh [debug|debug-7.3|kcsan]" ;;
esac
log=$dir/log

unpack()
{
	local version

	[ -r "$tarball" ] || nst_die "no $tarball: run selftests/vm/prepare.sh $name"
	version=$(nst_source_version "$name")
	if [ -L "$sources/source" ] ||
		[ "$(cat "$sources/source.version" 2>/dev/null)" = "$version" ]; then
		return
	fi
	echo "$name: unpacking linux-source $version"
	rm -rf "$sources/source" "$dir/build"
	mkdir -p "$sources/source"
	tar -xf "$tarball" -C "$sources/source" --strip-components=1
	echo "$version" >"$sources/source.version"
}

# A name that this source does not know, or that depends on one that is off,
# is dropped silently by kconfig.
configure()
{
	local line bad=

	nst_debug_config "$name" >"$dir/config"
	make -s -C "$source" O="$tree" ARCH=x86_64 \
		KCONFIG_ALLCONFIG="$dir/config" allnoconfig >"$log" 2>&1 ||
		nst_die "kconfig failed, see $log"
	while read -r line; do
		grep -qxF "$line" "$tree/.config" || bad="$bad $line"
	done < <(grep '^CONFIG_' "$dir/config")
	[ -z "$bad" ] || nst_die "the kernel does not take$bad"
}

build()
{
	local make="make -C $tree ARCH=x86_64"

	echo "$name: building, see $log"
	# "modules" for Module.symvers: there are none of the kernel's own.
	# shellcheck disable=SC2086 # a command
	nice $make -j"$(nproc)" bzImage modules >>"$log" 2>&1 ||
		nst_die "the kernel does not build, see $log"
	release=$($make -s kernelrelease)
	rm -rf "${dir:?}"/{boot,lib}
	mkdir "$dir/boot"
	cp "$tree/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-$release"
	$make INSTALL_MOD_PATH="$dir" modules_install >>"$log" 2>&1 ||
		nst_die "modules_install failed, see $log"
	echo "$release" >"$dir/release"
}

mkdir -p "$dir"
exec 9>"$NST_CACHE/debug.lock"
flock 9
key=$(nst_debug_key "$name")
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
	start=$SECONDS
	rm -f "$dir/key"
	unpack
	source=$(readlink -f "$sources/source")
	tree=$(readlink -f "$dir/build")
	configure
	build
	echo "$key" >"$dir/key"
	echo "$name: $release, built in $((SECONDS - start)) s"
fi
