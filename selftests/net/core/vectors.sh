#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The vectors in this kernel: nst_vectors.ko runs them when it is loaded and
# says TAP in /proc/nst_vectors.

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

if ! modprobe nst_vectors || ! cat /proc/nst_vectors >"$out"; then
	echo "1..1"
	echo "not ok 1 load nst_vectors"
	exit 1
fi
cat "$out"
# Once more: what the first run left behind must not matter.
if ! rmmod nst_vectors || ! modprobe nst_vectors ||
	! cmp -s /proc/nst_vectors "$out" || ! rmmod nst_vectors; then
	echo "Bail out! a second load says something else"
	exit 1
fi
! grep -q '^not ok' "$out"
