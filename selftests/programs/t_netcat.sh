#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# OpenBSD's netcat: a file each way, half-closed on either side, and UDP. Then with
# keys that are exchanged (--forward-secret): netcat's connect() does not block.
#   NETCAT_MB   size of the files (30)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${NETCAT_MB:=30}"
MARK=NST-PLAINTEXT-NETCAT
PORTS=(--tcp 7000 --udp 7000)

# What the server has read to its end it answers with: netcat has closed its half
# (-N) long before the first byte of that comes. (A netcat that listens ends when
# its peer's half does, so the server is another.)
half_closed()
{
	run h2 socat TCP-LISTEN:7000,reuseaddr SYSTEM:"sha256sum; cat big" \
		>said 2>&1 &
	listening h2 tcp 7000
	run h1 nc -N 10.12.0.2 7000 <big >got 2>>said
	{ sha256sum <big; cat big; } >want
	same got want
	say $? "the client closes its half, and is answered" said
}

# The server's half ends at once; what the client sends still arrives.
server_first()
{
	run h2 nc -l -N 7000 <few >got 2>said &
	listening h2 tcp 7000
	run h1 nc -N 10.12.0.2 7000 <big >back 2>>said
	wait $!
	same got big && same back few
	say $? "the server closes its half first" said
}

# The server's half ends first here, too: see above.
both_ways()
{
	run h2 nc -l -N 7000 <big >got 2>said &
	listening h2 tcp 7000
	run h1 nc 10.12.0.2 7000 <big >back 2>>said
	wait $!
	same got big && same back big
	say $? "a file each way at once" said
}

scan()
{
	run h2 nc -l -k 7000 >/dev/null 2>said &
	listening h2 tcp 7000
	try "a port is looked for (-z)" run h1 nc -z -w 60 10.12.0.2 7000
	! run h1 nc -z -w 60 10.12.0.2 7001 >said 2>&1
	say $? "and another is not there" said
}

datagrams()
{
	run h2 nc -u -l 7000 >got 2>said &
	listening h2 udp 7000
	head -c 1000 few | run h1 nc -u -w 2 10.12.0.2 7000 >>said 2>&1
	head -c 1000 few >want
	until_true 60 same got want
	say $? "a datagram" said
}

streams()
{
	marked "$MARK" $(($(size "$NETCAT_MB") << 20)) big
	marked "$MARK" 5000 few
	half_closed
	server_first
	both_ways
}

scene()
{
	streams
	datagrams
	scan
}

# shellcheck disable=SC2317
in_journal()
{
	journalctl -b --no-pager |
		grep -qF 'accept() on port 7000/tcp refused: EPROTO'
}

# The client has exchanged keys, or it would have sent nothing; so would a server
# that has not. One end alone gives no connection.
secret_scene()
{
	local PORTS=(--tcp 7000 --forward-secret) OPTIONS_OF_RUN=""

	streams
	[ "$MODE" = nst ] || return
	run h2 nc -l 7000 >got 2>said &
	listening h2 tcp 7000
	PORTS=(--tcp 7000)
	run h1 nc -N 10.12.0.2 7000 <few >back 2>>said
	wait $!
	! [ -s got ] && until_true 60 in_journal
	say $? "a client that exchanges no keys is not let in" said
}

both 2 scene "$MARK"
both 2 secret_scene "$MARK"
finish
