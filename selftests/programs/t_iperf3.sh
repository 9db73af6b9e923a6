#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iperf3: TCP with parallel streams, both ways at once, from a file by sendfile (-Z);
# UDP both ways. Amounts are given in bytes, not in time.
#   IPERF_MB   what each TCP run moves, at least (20)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${IPERF_MB:=20}"
PORTS=(--tcp 5201 --udp 5201)

# figures EXPRESSION: of the last run's JSON, as "end"
figures()
{
	python3 -c '
import json, sys
end = json.load(open("said"))["end"]
print(eval(sys.argv[1]))' "$1"
}

# tcp NAME OPTION...: what the receiver tells lacks what was on its way when the
# sender had said that it was done; with or without NST.
tcp()
{
	local name=$1 sent got rc=0

	shift
	run h1 iperf3 -c 10.12.0.2 --repeating-payload -J "$@" >said 2>errors ||
		rc=1
	sent=$(figures 'sum(end[k]["bytes"] for k in end if k.startswith("sum_sent"))')
	got=$(figures 'min(end[k]["bytes"] for k in end if k.startswith("sum_received"))')
	[ "$rc" = 0 ] && [ "${sent:-0}" -ge $(($(size "$IPERF_MB") << 20)) ] &&
		[ "${got:-0}" -gt 0 ]
	say $? "$name: sent $sent, received $got" said errors
}

udp()
{
	local name=$1 sum

	shift
	run h1 iperf3 -c 10.12.0.2 -u --repeating-payload -J -l 1200 -b 4M \
		"$@" >said 2>errors
	sum=$(figures '"%d %d" % (end["sum"]["packets"], end["sum"]["lost_packets"])')
	# Half of them may be lost on a slow machine.
	[ -n "$sum" ] && [ "${sum% *}" -ge 200 ] &&
		[ $((${sum#* } * 2)) -le "${sum% *}" ]
	say $? "$name: packets and lost ones: $sum" said errors
}

scene()
{
	local n

	n=$(size "$IPERF_MB")M
	run h2 iperf3 -s >server 2>&1 &
	listening h2 tcp 5201 || return
	tcp "TCP" -n "$n"
	tcp "four streams (-P 4)" -n "$n" -P 4
	tcp "backwards (-R)" -n "$n" -R
	tcp "both ways (--bidir)" -n "$n" --bidir
	tcp "sendfile (-Z)" -n "$n" -Z
	tcp "sendfile, four streams, backwards" -n "$n" -Z -P 4 -R
	udp "UDP" -n 1M
	udp "UDP backwards" -n 1M -R
	udp "UDP, three streams" -n 1M -P 3
}

both 2 scene 0123456789012345678901234567890123456789
finish
