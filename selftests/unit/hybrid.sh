#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# hybrid.sh: what there is for X25519MLKEM768, which Debian 12's libcrypto has not,
# with that of Debian 13, in the chroot that builds for 6.12 and 7.3 (prepare.sh):
# runs unit_exchange there, makes lib_hybrid, static, for the guests
# (selftests/net/libnst/hybrid.sh), and packs libcrypto with what it needs
# (selftests/net/run/nst_run_hybrid.sh). 12 seconds.

set -eu
cd "$(dirname "$0")/../.."
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. selftests/vm/apt.sh

out=$NST_BUILD/selftests/net

# in_trixie COMMAND: there, with this directory in /mnt and the kselftest harness in
# /media. A compiler wants /tmp, ASan /proc; nothing is left there.
in_trixie()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c '
		mount --bind "$2" "$1/mnt" &&
		mount --bind "$3" "$1/media" &&
		mount -t tmpfs tmp "$1/tmp" &&
		mount -t proc proc "$1/proc" &&
		exec chroot "$1" sh -ec "$4"
		' sh "$NST_CHROOT" "$NST_TOP" \
		"$NST_CACHE/linux/tools/testing/selftests" "$1"
}

# What a function has left on the stack is looked for on purpose.
unit()
{
	in_trixie '
		make -s -C /mnt/selftests/unit OUT=/tmp/unit CC=gcc-14 /tmp/unit/unit_exchange
		ASAN_OPTIONS=detect_stack_use_after_return=0 /tmp/unit/unit_exchange'
}

# As selftests/net/Makefile makes the others.
guest_program()
{
	mkdir -p "$out"
	# shellcheck disable=SC2016 # expanded there
	in_trixie '
		cd /mnt/selftests/net
		lib=../../userspace/libnst
		gcc-14 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE= -s -static -Wl,--no-warnings \
			-Wl,--wrap=alarm -isystem /media -I../../include/uapi \
			-I$lib/include -I$lib-exchange/include -iquote lib -iquote ../.. \
			-o /tmp/lib_hybrid libnst/lib_hybrid.c libnst/exchpath.c \
			lib/patience.c $lib/*.c $lib-exchange/*.c -lcrypto -lz -lzstd >&2
		cat /tmp/lib_hybrid' >"$out/lib_hybrid.new" &&
		chmod +x "$out/lib_hybrid.new" &&
		mv "$out/lib_hybrid.new" "$out/lib_hybrid"
}

# What is executable goes into the guests.
libraries()
{
	tar -chf "$out/trixie.tar.new" -C "$root/lib/x86_64-linux-gnu" \
		ld-linux-x86-64.so.2 libc.so.6 libcrypto.so.3 libz.so.1 libzstd.so.1
	chmod +x "$out/trixie.tar.new"
	mv "$out/trixie.tar.new" "$out/trixie.tar"
}

[ -d "$NST_CHROOT/usr" ] || nst_die "no chroot: run selftests/vm/prepare.sh 6.12"
root=$NST_CHROOT/usr
if [ ! -e "$root/include/openssl/evp.h" ] || [ ! -e "$root/include/errno.h" ] ||
	[ ! -e "$root/include/zlib.h" ] || [ ! -e "$root/include/zstd.h" ]; then
	apt_update "$NST_CHROOT" || step "goes on with the package lists that are there"
	apt_get "$NST_CHROOT" install -y --no-install-recommends \
		libc6-dev libssl-dev libzstd-dev zlib1g-dev
fi
rm -f "$out/lib_hybrid" "$out/trixie.tar"
said=$(unit) || {
	rc=$?
	echo "$said"
	exit $rc
}
echo "$said"
# What it says where a group is missing, and what it then does not do.
if echo "$said" | grep -q '^# no X25519MLKEM768' ||
	! echo "$said" | grep -q '^ok .*hybrid__good'; then
	echo "hybrid.sh: no X25519MLKEM768 in $NST_CHROOT" >&2
	exit 1
fi
guest_program
libraries
