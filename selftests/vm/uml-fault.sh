#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# uml-fault.sh: builds the kernel "uml-fault": "uml" (uml.sh, which has to be
# there) with fault.config on top. Allocations fail there on demand, KASAN and
# others see what that leaves behind, and gcov which lines were reached.
# prepare.sh uml-fault calls this. 25 minutes of CPU time.
#
# $NST_CACHE/uml-fault then has
#   build   the build tree, against which our modules are built
#   release what uname -r says there
#   key     what it was made from (nst_uml_fault_key), written last
#   log     of the build

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

dir=$NST_CACHE/uml-fault
log=$dir/log
make="make -C $dir/build ARCH=um"

# What was asked for and is not in .config
lost()
{
	grep '^CONFIG_' "$here/fault.config" |
		grep -vxF -f "$dir/build/.config"
}

build()
{
	echo "uml-fault: building, see $log"
	rm -rf "$dir/build"
	mkdir -p "$dir/build"
	# shellcheck disable=SC2086 # $make is a command
	{
		cat "$NST_CACHE/uml-test/build/.config" "$here/fault.config" \
			>"$dir/build/.config"
		make -C "$NST_CACHE/uml-test/source" O="$dir/build" ARCH=um \
			olddefconfig
		if lost; then
			nst_die "the kernel does not take these lines, see $log"
		fi
		nice $make "-j$(nproc)" linux modules
	} </dev/null >"$log" 2>&1 || nst_die "it does not build, see $log"
	$make -s kernelrelease >"$dir/release"
	mkdir -p "$dir/lib/modules/$(cat "$dir/release")" "$dir/boot"
	$make INSTALL_MOD_PATH="$dir" modules_install >>"$log" 2>&1 ||
		nst_die "modules_install failed, see $log"
	ln -sf ../build/linux "$dir/boot/vmlinuz-$(cat "$dir/release")"
}

nst_kernel uml
mkdir -p "$dir"
exec 9>"$NST_CACHE/uml-fault.lock"
flock 9
key=$(nst_uml_fault_key)
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
	rm -f "$dir/key"
	build
	echo "$key" >"$dir/key"
fi
