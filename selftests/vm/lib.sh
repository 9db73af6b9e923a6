#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shellcheck disable=SC2034 # used by those who source it
#
# Where things are: sourced by the scripts of this directory and of scripts/.
#
# A "kernel" is 6.1, 6.12 or 7.3: Debian's cloud kernel of that series. 6.1
# belongs to the machine itself (Debian 12); the other two come from trixie and
# their build tools run only there, hence the chroot. Patch versions move with
# every security update, so nothing here names one: what prepare.sh found is
# written down in $NST_CACHE/KERNEL/release. "debug" is none of Debian's: 6.1,
# built by debug.sh to find bugs (debug.config), and named where it is wanted; so
# are "debug-7.3" (debug-7.3.config), "kcsan", which finds data races (kcsan.config),
# "uml", User Mode Linux (uml.sh), for quick runs, and "uml-fault", the same where
# allocations fail on demand (uml-fault.sh).

NST_KERNELS="6.1 6.12 7.3"
NST_OWN_KERNELS="debug debug-7.3 kcsan uml uml-fault"
NST_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NST_CACHE=${NST_CACHE:-/var/tmp/nst-cache}
NST_BUILD=${NST_BUILD:-$NST_TOP/build}
NST_CHROOT=$NST_CACHE/trixie

nst_die()
{
	echo "${0##*/}: $*" >&2
	exit 2
}

# 6.1 and the compiler that goes with it are of Debian 12. scripts/on-debian.sh
# knows the way from others, and ./check and ./demo go it.
nst_need_bookworm()
{
	local VERSION_CODENAME=unknown PRETTY_NAME="an unknown system"

	[ ! -r /etc/os-release ] || . /etc/os-release
	[ "$VERSION_CODENAME" = bookworm ] ||
		nst_die "this is $PRETTY_NAME, and all is made for Debian 12: ./check and ./demo make a chroot of it (Debian 13), elsewhere use a container"
}

# nst_source_version [NAME]: of what debug.sh builds NAME
nst_source_version()
{
	if [ "${1:-}" = debug-7.3 ]; then
		cat "$NST_CACHE/debug-7.3/source.fetched"
		return
	fi
	dpkg-query -W -f '${Version}\n' linux-source-6.1
}

# The configuration of debug, debug-7.3 or kcsan.
nst_debug_config()
{
	local dir=$NST_TOP/selftests/vm

	if [ "$1" = debug ]; then
		cat "$dir/debug.config"
		return
	fi
	awk -F= 'FNR == NR { if (/^CONFIG_/) other[$1] = 1; next }
		!($1 in other)' "$dir/$1.config" "$dir/debug.config"
	grep -v '^CONFIG_.*=n$' "$dir/$1.config"
}

# What such a kernel depends on, in one word.
nst_debug_key()
{
	{
		nst_debug_config "$1"
		nst_source_version "$1"
		gcc --version
	} | sha256sum | cut -d ' ' -f 1
}

nst_uml_key()
{
	{
		cat "$NST_TOP/selftests/vm/debug.config" \
			"$NST_TOP/selftests/vm/uml.sh"
		nst_source_version
		gcc --version
	} | sha256sum | cut -d ' ' -f 1
}

nst_uml_fault_key()
{
	{
		nst_uml_key
		cat "$NST_TOP/selftests/vm/fault.config"
	} | sha256sum | cut -d ' ' -f 1
}

# nst_kernel KERNEL: sets
#   nst_release  what uname -r says there
#   nst_image    directory that holds lib/modules/$nst_release
#   nst_vmlinuz  the bootable kernel
#   nst_headers  root of the headers and their tools: / or the chroot
#   nst_tree     what modules are built against, below that root
nst_kernel()
{
	case " $NST_KERNELS $NST_OWN_KERNELS " in
	*" $1 "*) ;;
	*) nst_die "unknown kernel '$1' (there are: $NST_KERNELS $NST_OWN_KERNELS)" ;;
	esac
	nst_image=$NST_CACHE/$1
	# bench/uml.sh has the other name
	[ "$1" != uml ] || nst_image=$NST_CACHE/uml-test
	[ -r "$nst_image/release" ] ||
		nst_die "kernel $1 is not there: run selftests/vm/prepare.sh $1"
	nst_release=$(cat "$nst_image/release")
	nst_vmlinuz=$nst_image/boot/vmlinuz-$nst_release
	# Debian's packages of 7.x keep the kernel beside its modules
	[ -r "$nst_vmlinuz" ] ||
		nst_vmlinuz=$nst_image/lib/modules/$nst_release/vmlinuz
	[ -r "$nst_vmlinuz" ] || nst_die "no vmlinuz in $nst_image"
	nst_headers=$NST_CHROOT
	nst_tree=/lib/modules/$nst_release/build
	case $1 in
	6.1) nst_headers=/ ;;
	debug | debug-7.3 | kcsan)
		nst_headers=/
		nst_tree=$nst_image/build
		[ "$(cat "$nst_image/key" 2>/dev/null)" = "$(nst_debug_key "$1")" ] ||
			nst_die "$1 kernel is stale: run selftests/vm/prepare.sh $1"
		;;
	uml)
		nst_headers=/
		nst_tree=$nst_image/build
		[ "$(cat "$nst_image/key" 2>/dev/null)" = "$(nst_uml_key)" ] ||
			nst_die "uml kernel is stale: run selftests/vm/prepare.sh uml"
		;;
	uml-fault)
		nst_headers=/
		nst_tree=$nst_image/build
		[ "$(cat "$nst_image/key" 2>/dev/null)" = "$(nst_uml_fault_key)" ] ||
			nst_die "uml-fault kernel is stale: run selftests/vm/prepare.sh uml-fault"
		;;
	esac
}

# True if KERNEL can be built for and booted without installing anything.
nst_kernel_present()
{
	(nst_kernel "$1") 2>/dev/null
}

# Lines of a kernel log that fail a run, whatever the tests said.
NST_TROUBLE='WARNING:|BUG[: ]|Oops|Call Trace|RIP:|[Gg]eneral protection
Unable to handle|double fault|Kernel panic|corrupted|page allocation failure
detected stall|kthread starved|blocked for more than|(soft|workqueue) lockup|LOCKUP
possible (circular|recursive|irq lock)|inconsistent lock state|bad unlock balance
suspicious RCU|lock held when returning|scheduling while atomic
sleeping function called|KASAN|KCSAN|KMSAN|UBSAN|KFENCE|refcount_t
kmemleak: [0-9]+ new|unreferenced object|Objects remaining
list_(add|del) corruption|unregister_netdevice: waiting
Attempt to release (alive|TCP socket in state)'
