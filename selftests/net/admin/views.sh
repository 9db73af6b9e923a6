#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What an administrator sees of a connection: ss(8), /proc/net/nst_stat and the
# tracepoints, in each network namespace its own. TAP.

number=0
failed=0
events=/sys/kernel/tracing/events/nst
trace=/sys/kernel/tracing/trace

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

# stat NAME [NAMESPACE]: the counter's value
stat()
{
	if [ -n "${2:-}" ]; then
		ip netns exec "$2" cat /proc/net/nst_stat
	else
		cat /proc/net/nst_stat
	fi | awk -v name="$1" '$1 == name { print $2 }'
}

has()
{
	grep -q "$@"
}

has_not()
{
	! grep -q "$@"
}

shown()
{
	ss -tien 2>/dev/null | has "tcp-ulp-nst"
}

# grew NAME BEFORE [NAMESPACE]
grew()
{
	[ "$(stat "$1" "${3:-}")" -gt "$2" ]
}

same()
{
	[ "$(stat "$1" "${3:-}")" -eq "$2" ]
}

# longer in a guest that is slow by design
times=${NST_TIMES:-1}

echo "TAP version 13"
mkdir -p /sys/kernel/tracing
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ip netns add other

records=$(stat NstTxRecords)
other=$(stat NstTxRecords other)
check "all four tracepoints are there" \
	test -d $events/nst_record_out -a -d $events/nst_record_in -a \
	-d $events/nst_epoch -a -d $events/nst_drop
echo >$trace
echo 1 >$events/enable

# A pair that stays for a while, so that ss has something to show.
/t/viewpair $((3 * times)) >/tmp/pair &
pair=$!
i=0
until has ready /tmp/pair || [ $i = $((50 * times)) ]; do
	sleep 0.1
	i=$((i + 1))
done
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
check "records going out were traced" has "nst_record_out: .*type=0 len=1000" /tmp/trace
check "records coming in were traced" has "nst_record_in: .*type=0 len=1000" /tmp/trace
check "epochs were traced, both ways" has "nst_epoch: .*tx suite=1 kid=7" /tmp/trace
check "bound ones too" has "nst_epoch: .*rx suite=1 .* bound" /tmp/trace
check "the refusal was traced with its errno" has "nst_drop: .*err=-103" /tmp/trace
check "no address of the kernel is shown" has_not "sk=ffff" /tmp/trace
check "the refusal was counted" same NstRxTruncated 1
ip netns del other
echo "1..$number"
exit $failed
