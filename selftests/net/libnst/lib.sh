#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libnst for programs as users make them: with the shared library, without the
# module, with a box that is wrong or missing; and the first of examples/. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
export LD_LIBRARY_PATH=/t
port=7007
port2=7008

# tells NAME WORDS COMMAND...: it fails, and says that on either output
tells()
{
	local name=$1 words=$2 rc=0

	shift 2
	! "$@" >"$out" 2>&1 || rc=1
	grep -qF -- "$words" "$out" || rc=1
	verdict $rc "$name"
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

load()
{
	nstkeyctl load "$1"
}

check "the module can be unloaded" rmmod nst_ulp
tells "nobody: TCP without the module" "ENOENT the module nst_ulp is not loaded; modprobe" \
	as_nobody /t/libpoke tcp
tells "nobody: UDP without the module" "ENOPROTOOPT the socket has no NST, or the module" \
	as_nobody /t/libpoke udp
tells "root: UDP without the module" "modprobe nst_ulp" /t/libpoke udp
tells "an example without the module" "echo-server: NST: the module nst_ulp is not loaded" \
	as_nobody env LD_LIBRARY_PATH=/t /t/echo-server $port
check "root: TCP loads the module" /t/libpoke tcp
check "and there UDP works for nobody" as_nobody /t/libpoke udp

echo 0 >/proc/sys/net/nst/enabled
tells "switched off: TCP" "EPERM forbidden by sysctl net.nst.enabled" /t/libpoke tcp
tells "switched off: UDP" "EPERM forbidden by sysctl net.nst.enabled" /t/libpoke udp
echo 1 >/proc/sys/net/nst/enabled

box_file "$dir/box" 1
box_file "$dir/other" 1
/t/echo-server $port >"$dir/server" 2>&1 &
children=$!
within "the server listens" listens $port
tells "no box" "Required key not available" /t/echo-client 127.0.0.1 $port
check "a box is loaded" load "$dir/box"
check "what was sent comes back" /t/echo-client 127.0.0.1 $port "over IPv4"
says "all of it" '^over IPv4$'
check "also over IPv6" /t/echo-client ::1 $port "over IPv6"
says "all of that" '^over IPv6$'

# Peers that do not go on: one says nothing, one has the box and reads nothing.
cat >"$dir/slow.py" <<-'END'
	import socket, struct, sys, time
	s = socket.socket()
	if sys.argv[1] == "deaf":
	    s.setsockopt(6, 31, b"nst")
	    s.setsockopt(20051, 6, struct.pack("=BBHIHB5x32s", 1, 1, 0, 0, 0, 4, b"echo"))
	s.connect(("127.0.0.1", int(sys.argv[2])))
	try:
	    while sys.argv[1] == "deaf":
	        s.send(bytes(65536))
	except OSError:
	    pass
	time.sleep(1000)
END
for peer in silent deaf; do
	python3 "$dir/slow.py" $peer $port &
	children="$children $!"
	within "a peer is $peer" sh -c "ss -Htn state established 'dport = :$port' | grep -q ."
	check "and others are served nevertheless" \
		timeout $((40 * times)) /t/echo-client 127.0.0.1 $port "still there"
	kill $!
done

# The server has another box than its client, whose namespace this is.
ip netns add client
ip link add v0 type veth peer name v1 netns client
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
ip netns exec client ip addr add 192.0.2.2/24 dev v1
ip netns exec client ip link set v1 up
check "the client has another box" ip netns exec client nstkeyctl load "$dir/other"
tells "the wrong box" "Connection reset by peer" \
	ip netns exec client /t/echo-client 192.0.2.1 $port
check "the server has told why" wait_for grep -q "receiving: Bad message" "$dir/server"
check "and serves others" /t/echo-client 127.0.0.1 $port "still there"
ip netns del client

/t/exchange listen $port2 >"$dir/exchange" 2>&1 &
children="$children $!"
within "a server with exchange listens" listens $port2
check "an exchange, and a line" /t/exchange ::1 $port2 "in secret"
says "it comes back" '^in secret$'
tells "a client that knows of no exchange" "" /t/echo-client ::1 $port2
check "is told to the server" wait_for grep -q "^exchange: exchange: " "$dir/exchange"
check "which goes on" /t/exchange ::1 $port2 "once more"
finish
