#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What an administrator sees of a connection: ss(8), /proc/net/nst_stat and the
# tracepoints, in each network namespace its own. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
events=/sys/kernel/tracing/events/nst
trace=/sys/kernel/tracing/trace

shown()
{
	ss -tien 2>/dev/null | grep -q tcp-ulp-nst
}

# grew NAME BEFORE [NAMESPACE]
grew()
{
	[ "$(counter "$1" "${3:-}")" -gt "$2" ]
}

same()
{
	[ "$(counter "$1" "${3:-}")" -eq "$2" ]
}

mkdir -p /sys/kernel/tracing
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ip netns add other

records=$(counter NstTxRecords)
other=$(counter NstTxRecords other)
check "all four tracepoints are there" \
	test -d $events/nst_record_out -a -d $events/nst_record_in -a \
	-d $events/nst_epoch -a -d $events/nst_drop
echo >$trace
echo 1 >$events/enable

# A pair that stays for a while, so that ss has something to show.
/t/viewpair $((3 * times)) >/tmp/pair &
pair=$!
wait_for grep -q ready /tmp/pair
check "ss shows the ULP" shown
check "the pair has sent records" grew NstTxRecords "$records"
check "two sockets are attached" same NstSockets 2
check "the other namespace counts none of it" same NstTxRecords "$other" other
check "none of its sockets is attached" same NstSockets 0 other
wait $pair
check "the pair ended well" test $? = 0
check "no socket is attached behind it" same NstSockets 0

echo 0 >$events/enable
cat $trace >/tmp/trace
check "records going out were traced" grep -q "nst_record_out: .*type=0 len=1000" /tmp/trace
check "records coming in were traced" grep -q "nst_record_in: .*type=0 len=1000" /tmp/trace
check "epochs were traced, both ways" grep -q "nst_epoch: .*tx suite=1 kid=7" /tmp/trace
check "bound ones too" grep -q "nst_epoch: .*rx suite=1 .* bound" /tmp/trace
check "the refusal was traced with its errno" grep -q "nst_drop: .*err=-103" /tmp/trace
check "no address of the kernel is shown" fails grep -q "sk=ffff" /tmp/trace
check "the refusal was counted" same NstRxTruncated 1
ip netns del other
finish
