#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# hybrid.sh: unit_exchange with the libcrypto of Debian 13, in the chroot that builds
# for 6.12 and 7.3 (prepare.sh): Debian 12's has no X25519MLKEM768, so what is there
# for that group alone would run nowhere. 10 seconds.

set -eu
cd "$(dirname "$0")/../.."
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. selftests/vm/apt.sh

[ -d "$NST_CHROOT/usr" ] || nst_die "no chroot: run selftests/vm/prepare.sh 6.12"
if [ ! -e "$NST_CHROOT/usr/include/openssl/evp.h" ] ||
	[ ! -e "$NST_CHROOT/usr/include/errno.h" ]; then
	apt_update "$NST_CHROOT" || step "goes on with the package lists that are there"
	apt_get "$NST_CHROOT" install -y --no-install-recommends \
		libc6-dev libssl-dev
fi
# The compiler wants /tmp, ASan /proc; nothing is left there. What a function has left
# on the stack is looked for on purpose.
# shellcheck disable=SC2016 # expanded by the inner shell
out=$(unshare -m sh -c '
	mount --bind "$2" "$1/mnt" &&
	mount -t tmpfs tmp "$1/tmp" &&
	mount -t proc proc "$1/proc" &&
	exec chroot "$1" sh -c "
		make -s -C /mnt/selftests/unit OUT=/tmp/unit CC=gcc-14 /tmp/unit/unit_exchange &&
		ASAN_OPTIONS=detect_stack_use_after_return=0 /tmp/unit/unit_exchange"' sh "$NST_CHROOT" "$NST_TOP") || {
	rc=$?
	echo "$out"
	exit $rc
}
echo "$out"
# What it says where a group is missing, and what it then does not do.
if echo "$out" | grep -q '^# no X25519MLKEM768' ||
	! echo "$out" | grep -q '^ok .*hybrid__good'; then
	echo "hybrid.sh: no X25519MLKEM768 in $NST_CHROOT" >&2
	exit 1
fi
