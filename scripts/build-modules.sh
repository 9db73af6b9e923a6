#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-modules.sh KERNEL|--kdir DIR [make argument...]: builds the modules in
# build/KERNEL/src, for one of the kernels of selftests/vm/prepare.sh, or for
# the headers in DIR in build/local/src.
#
# The sources are copied there first (only what changed, so that make rebuilds
# no more than it must): kbuild writes its objects beside the sources, and
# builds for several kernels must not meet. Headers of 6.12 and 7.3 come with
# tools that run only in the trixie chroot; a mount namespace of our own shows
# it the build directory and leaves nothing behind.

set -eu
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. "$(dirname "$0")/../selftests/vm/lib.sh"

[ $# -ge 1 ] || nst_die "usage: build-modules.sh KERNEL|--kdir DIR [argument...]"
if [ "$1" = --kdir ]; then
	[ -f "${2:-}/Makefile" ] ||
		nst_die "no kernel headers '${2:-}': install linux-headers-$(uname -r) or give KDIR="
	name=local
	nst_headers=/
	build=$(realpath "$2")
	shift
else
	name=$1
	nst_kernel "$1"
	build=$nst_tree
fi
shift

command -v rsync >/dev/null ||
	nst_die "the modules are built in a copy, by rsync: apt-get install rsync"
dir=$NST_BUILD/$name
mkdir -p "$dir/src"
exec 9>"$dir/lock"
flock 9

# Modules that only tests load; they share sources with the real ones.
tests=
if [ "$name" != local ] && [ $# = 0 ]; then
	tests=$(cd "$NST_TOP" &&
		find selftests/net -type d -name '*_kmod')
	# um has no probes
	case $name in
	uml*) tests=${tests//selftests\/net\/lib\/nst_shape_kmod/} ;;
	esac
fi

# Objects on the receiving side match an exclude, which also protects them.
copy()
{
	rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*' --exclude='*.order' \
		--exclude='*.symvers' --exclude='*.a' --exclude='*_data.h' "$@"
}
copy "$NST_TOP/Kbuild" "$NST_TOP/nst_ulp" "$NST_TOP/nst_sm" \
	"$NST_TOP/include" "$dir/src/"
if [ -n "$tests" ]; then
	(cd "$NST_TOP" && copy selftests/vectors "$dir/src/selftests/" &&
		for t in $tests; do
			mkdir -p "$dir/src/${t%/*}"
			copy "$t" "$dir/src/${t%/*}/"
		done)
	data=$dir/src/selftests/vectors/vectors_data.h
	"$NST_TOP/selftests/vectors/gen_vectors.py" "$data.new"
	if cmp -s "$data" "$data.new"; then
		rm "$data.new"
	else
		mv "$data.new" "$data"
	fi
fi

# Other headers than last time: start afresh.
if [ "$(cat "$dir/headers" 2>/dev/null)" != "$build" ]; then
	find "$dir/src" \( -name '*.o' -o -name '.*.cmd' \) -delete
	echo "$build" >"$dir/headers"
fi

# kbuild DIR [make argument...]: DIR is empty or a path below the copy's, with /
kbuild()
{
	local sub=$1

	shift
	set -- -j"$(nproc)" "$@"
	# A user's compiler may warn of what ours does not.
	case $name in
	local) ;;
	# Of all architectures only um gets no irqflags.h with per-CPU counters.
	uml*) set -- ARCH=um "KCFLAGS=-Werror -include linux/irqflags.h" "$@" ;;
	*) set -- KCFLAGS=-Werror "$@" ;;
	esac
	case $name in debug*) set -- UBSAN_SANITIZE=y "$@" ;; esac
	# What only tests want.
	case $name in debug* | uml*) set -- NST_DEBUG=1 "$@" ;; esac
	[ "$name" != uml-fault ] ||
		set -- NST_FAULT=1 "NST_GCOV=${NST_GCOV:-}" "$@"
	if [ "$nst_headers" = / ]; then
		make -C "$build" "M=$dir/src$sub" "$@"
		return
	fi
	# objtool wants /proc, the compiler /tmp.
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c '
		root=$1 src=$2 build=$3 sub=$4
		shift 4
		mount --bind "$src" "$root/mnt" &&
		mount -t tmpfs tmp "$root/tmp" &&
		mount -t proc proc "$root/proc" &&
		exec chroot "$root" make -C "$build" "M=/mnt$sub" "$@"
		' sh "$nst_headers" "$dir/src" "$build" "$sub" "$@"
}

kbuild "" "${@:-modules}"
for t in $tests; do
	kbuild "/$t" modules
done
