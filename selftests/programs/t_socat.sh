#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# socat: files, an echo for many at once, a half-closed connection that is answered,
# UDP, and IPv6's any address for IPv4.
#   SOCAT_MB   size of the file (30)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${SOCAT_MB:=30}"
MARK=NST-PLAINTEXT-SOCAT
PORTS=(--tcp 7000-7003 --udp 7000)

file()
{
	run h2 socat -u TCP-LISTEN:7000,reuseaddr OPEN:got,creat,trunc >said 2>&1 &
	listening h2 tcp 7000
	run h1 socat -u OPEN:big TCP:10.12.0.2:7000 >>said 2>&1
	wait $!
	same big got
	say $? "a file" said
}

# The sum comes when all is there, on the direction that is still open.
half_closed()
{
	run h2 socat TCP-LISTEN:7001,reuseaddr,fork SYSTEM:sha256sum >said 2>&1 &
	listening h2 tcp 7001
	run h1 socat -t 300 - TCP:10.12.0.2:7001 <big >got 2>>said
	[ "$(cut -d ' ' -f 1 got)" = "$(sha big)" ]
	say $? "a server that answers at the end of what it reads" said got
}

echoed()
{
	local n=$1 i pids=

	run h2 socat TCP6-LISTEN:7002,ipv6only=0,reuseaddr,fork,backlog=128 \
		EXEC:cat >said 2>&1 &
	listening h2 tcp 7002
	head -c 50000 big >part
	for i in $(seq "$n"); do
		run h1 socat -t 300 - TCP:10.12.0.2:7002 <part >"echo.$i" \
			2>>said &
		pids="$pids $!"
	done
	for i in $pids; do wait "$i"; done
	for i in $(seq "$n"); do
		same part "echo.$i" || echo "echo.$i differs"
	done >>said
	[ ! -s said ]
	say $? "$n connections at once, a process for each" said
}

datagrams()
{
	run h2 socat UDP-LISTEN:7000,reuseaddr,fork EXEC:cat >said 2>&1 &
	listening h2 udp 7000
	head -c 1200 big >part
	run h1 socat -t 20 - UDP:10.12.0.2:7000 <part >got 2>>said
	same part got
	say $? "a datagram and its echo" said
}

scene()
{
	marked "$MARK" $(($(size "$SOCAT_MB") << 20)) big
	file
	half_closed
	echoed "$(size 40)"
	datagrams
}

both 2 scene "$MARK"
finish
