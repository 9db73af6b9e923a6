#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every call that can fail fails once while the module is loaded: it is not there then,
# nothing of it is left, and the next modprobe succeeds. TAP. See lib/fault.h.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

param=/sys/module/nst_ulp/parameters

# What a namespace has while it is loaded, and the ways in.
left()
{
	[ -e /proc/net/nst_stat ] || [ -e /proc/sys/net/nst ] || loaded
}

# Loads it with the Nth call failing. Ends with 1 if there is no Nth call.
once()
{
	rmmod nst_ulp || return 2
	if modprobe nst_ulp fault_nth="$1" 2>"$dir/said"; then
		rest=$(cat "$param"/fault_nth)
		echo 0 >"$param"/fault_nth
		[ "$rest" = 0 ] || return 1
		# it would lack something as long as it is loaded
		echo "# loaded without $(cat "$param"/fault_where)"
		return 2
	fi
	grep -qE 'Cannot allocate memory|resource busy' "$dir/said" ||
		{ sed 's/^/# /' "$dir/said"; return 2; }
	! left && modprobe nst_ulp || return 2
}

every()
{
	n=0
	status=0
	while [ "$status" = 0 ] && [ "$n" -lt 1000 ]; do
		n=$((n + 1))
		once "$n"
		status=$?
	done
	[ "$status" = 1 ] && [ "$n" -gt 10 ]
}

check "it fails cleanly at every call" every
echo "# $((n - 1)) calls failed"
check "it works behind that" /t/viewpair 0
finish
