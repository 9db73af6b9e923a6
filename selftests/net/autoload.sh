#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# How the module comes and goes: by its alias at the first attach, by modprobe,
# and not while a socket has it; and who listens to its events. TAP.

# shellcheck source-path=SCRIPTDIR source=lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

stays()
{
	fails rmmod nst_ulp && loaded
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

check "it can be unloaded" rmmod nst_ulp
check "it is gone" fails loaded
check "it has the ULP's alias" has_alias tcp-ulp-nst
check "it has the netlink family's alias" has_alias net-pf-16-proto-16-family-nst
check "the first attach loads it" attaches
check "it is there" loaded
check "it can be unloaded behind the last socket" rmmod nst_ulp
check "modprobe loads it" modprobe nst_ulp

/t/viewpair $((2 * times)) >/tmp/pair &
pair=$!
wait_for grep -q ready /tmp/pair
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

# A family that goes takes its listeners with it.
nstkeyctl monitor >>/tmp/events 2>/tmp/monitor &
monitor=$!
nstkeyctl genbox --force /tmp/box
heard()
{
	nstkeyctl load /tmp/box && grep -c 'a box was loaded' /tmp/events >/tmp/heard
}
within "monitor hears of a box" heard
check "the module goes while one listens" rmmod nst_ulp
within "monitor says so" grep -q "was unloaded" /tmp/monitor
check "the module comes again" modprobe nst_ulp
within "monitor says that, too" grep -q "was loaded again" /tmp/monitor
: >/tmp/events
within "and hears of a box as before" heard
kill $monitor
finish
