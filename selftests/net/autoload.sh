#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# How the module comes and goes: by its alias at the first attach, by modprobe,
# and not while a socket has it. TAP.

number=0
failed=0

# check NAME COMMAND...
check()
{
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
	else
		echo "not ok $number $name"
		failed=1
	fi
}

loaded()
{
	grep -q "^nst_ulp " /proc/modules
}

not_loaded()
{
	! loaded
}

stays()
{
	! rmmod nst_ulp 2>/dev/null && loaded
}

aliases()
{
	modinfo -F alias nst_ulp | grep -qx "$1"
}

# attaches: as a program would, and moves data
attaches()
{
	/t/viewpair "${1:-0}" >/tmp/autoload
}

time_wait()
{
	[ "$(ss -Htan state time-wait | wc -l)" -ge 3 ]
}

# longer in a guest that is slow by design
times=${NST_TIMES:-1}

echo "TAP version 13"
check "it can be unloaded" rmmod nst_ulp
check "it is gone" not_loaded
check "it has the ULP's alias" aliases tcp-ulp-nst
check "it has the netlink family's alias" aliases net-pf-16-proto-16-family-nst
check "the first attach loads it" attaches
check "it is there" loaded
check "it can be unloaded behind the last socket" rmmod nst_ulp
check "modprobe loads it" modprobe nst_ulp

/t/viewpair $((2 * times)) >/tmp/pair &
pair=$!
i=0
until grep -q ready /tmp/pair || [ $i = $((50 * times)) ]; do
	sleep 0.1
	i=$((i + 1))
done
check "it stays while sockets have it" stays
wait $pair
check "they went on meanwhile" test $? = 0

# TIME_WAIT looks at its proto long after the socket has gone.
for i in 1 2 3; do
	check "connection $i" attaches time-wait
done
check "they are in TIME_WAIT" time_wait
check "it goes in spite of TIME_WAIT" rmmod nst_ulp
check "and comes again" modprobe nst_ulp
echo "1..$number"
exit $failed
