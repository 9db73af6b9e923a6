#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# examples/, as a user makes and starts them. (lib.sh has the first three,
# selftests/programs/t_examples.sh each language with each other.) TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
export LD_LIBRARY_PATH=/t PYTHONDONTWRITEBYTECODE=1
text="what the wire must not see"
short=$text
long=$(yes "$text" | head -n 1000)

listens()
{
	ss -Hlt"$1"n "sport = :$2" | grep -q .
}

# begin NAME PORT COMMAND...: a server in the background
begin()
{
	local name=$1 port=$2

	shift 2
	"$@" >"$dir/$name" 2>&1 &
	children="$children $!"
	within "$name listens" listens "" "$port"
}

# echoes NAME COMMAND...: it prints the text
echoes()
{
	local name=$1

	shift
	"$@" >"$out" 2>"$err" && [ "$(cat "$out")" = "$text" ]
	verdict $? "$name"
}

# sends_back NAME PORT: $dir/file, as echo.py sends it
sends_back()
{
	/t/echo.py localhost "$2" "$dir/file" >"$dir/back" 2>"$err" &&
		cmp "$dir/back" "$dir/file" >"$out" 2>&1
	verdict $? "$1"
}

# tells NAME WORDS COMMAND...: it fails, and says that
tells()
{
	local name=$1 words=$2 rc=0

	shift 2
	! "$@" >"$out" 2>&1 || rc=1
	grep -qF -- "$words" "$out" || rc=1
	verdict $rc "$name"
}

tcpdump -Z root -i lo -s 0 -U -w "$dir/wire" 2>"$dir/tcpdump" &
watcher=$!
within "somebody watches the wire" grep -q listening "$dir/tcpdump"
box_file "$dir/box" 1
check "a box is loaded" nstkeyctl load "$dir/box"

begin uring 7001 /t/echo-uring 7001
echoes "io_uring: an echo" /t/echo-client localhost 7001 "$text"
yes "$text" | head -c 100000 >"$dir/file"
sends_back "io_uring: a longer one" 7001
echoes "io_uring: and it goes on" /t/echo-client localhost 7001 "$text"

begin asyncio 7002 /t/echo.py listen 7002
echoes "asyncio: an echo" /t/echo-client localhost 7002 "$text"
sends_back "asyncio: to sendfile()" 7002

# A listener that comes as descriptor 3, and a client before the service runs.
cat >"$dir/activate.py" <<-'END'
	import os, select, socket, sys
	s = socket.create_server(("", 7003))
	select.select([s], [], [])
	os.dup2(s.fileno(), 3)
	os.set_inheritable(3, True)
	os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
	os.execv("/t/activated", ["activated"])
END
begin activated 7003 python3 "$dir/activate.py"
echoes "activated: the one that wakes it" /t/echo-client localhost 7003 "$text"
echoes "activated: one that comes later" /t/echo-client localhost 7003 "$text"
tells "activated: not by hand" "to be started by systemd" /t/activated

/t/udp-echo listen 7004 >"$dir/udp" 2>&1 &
children="$children $!"
within "udp-echo is there" sh -c 'ss -Hlun "sport = :7004" | grep -q .'
cat >"$dir/datagrams.py" <<-'END'
	import socket, struct, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.setsockopt(0, 0x4e5301, 1)
	s.setsockopt(20051, 6, struct.pack("=BBHIHB5x32s", 1, 1, 0, 0, 0, 4, b"echo"))
	s.connect(("127.0.0.1", 7004))
	s.settimeout(float(sys.argv[1]))
	sent = {b"%d what the wire must not see" % i for i in range(40)}
	for data in sent:
	    s.send(data)
	back = {s.recv(2048) for data in sent}
	sys.exit(back != sent)
END
check "udp-echo: datagrams come back" python3 "$dir/datagrams.py" $((patience / 10))
for host in 127.0.0.1 ::1; do
	echoes "udp-echo: its client, by $host" /t/udp-echo $host 7004 "$text"
done
tells "udp-echo: nobody there" "receiving: Connection refused" \
	/t/udp-echo ::1 7014 "$text"
tells "udp-echo: without a port" "udp-echo HOST PORT TEXT" /t/udp-echo ::1
ip netns add other
ip -n other link set lo up
box_file "$dir/otherbox" 1
ip link add v0 type veth peer name v1 netns other
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
ip -n other addr add 192.0.2.2/24 dev v1
ip -n other link set v1 up
tells "udp-echo: no box" "sending: Required key not available" \
	ip netns exec other /t/udp-echo 192.0.2.1 7004 "$text"
check "another box" ip netns exec other nstkeyctl load "$dir/otherbox"
tells "udp-echo: another box" "no answer: is it there, and has it the same box?" \
	ip netns exec other /t/udp-echo 192.0.2.1 7004 "$text"
ip netns del other

# in_language NAME PORT ADDRESS: listening there; with C's and with itself
in_language()
{
	local name=$1 port=$2

	if [ ! -x "/t/echo-$name" ]; then
		number=$((number + 1))
		echo "ok $number $name # SKIP not built: selftests/vm/prepare.sh --compilers"
		return
	fi
	begin "$name" "$port" "/t/echo-$name" listen "$3"
	echoes "$name: to C's client" /t/echo-client localhost "$port" "$text"
	echoes "$name: C's server" "/t/echo-$name" 127.0.0.1:7001 "$text"
	text=$long
	echoes "$name: itself, and longer" "/t/echo-$name" "127.0.0.1:$port" "$text"
	text=$short
	tells "$name: nobody there" "refused" "/t/echo-$name" 127.0.0.1:7014 "$text"
}

in_language go 7008 :7008
in_language rust 7009 127.0.0.1:7009

check "certificates" /t/tlscert "$dir/cert" "$dir/key"
check "of another" /t/tlscert "$dir/other" "$dir/otherkey"
check "no box" nstkeyctl flush
for name in go rust; do
	[ -x "/t/echo-$name" ] || continue
	tells "$name: without a box" "equired key not available" \
		"/t/echo-$name" 127.0.0.1:7001 "$text"
done
begin openssl 7005 /t/tls-openssl listen 7005 "$dir/cert" "$dir/key"
begin gnutls 7006 /t/tls-gnutls listen 7006 "$dir/cert" "$dir/key"
tls="openssl gnutls" ports="7005 7006"
if [ -x /t/tls-rustls ]; then
	tls="$tls rustls" ports="$ports 7010"
	begin rustls 7010 /t/tls-rustls listen 7010 "$dir/cert" "$dir/key"
else
	number=$((number + 1))
	echo "ok $number rustls # SKIP not built: selftests/vm/prepare.sh --compilers"
fi
for client in $tls; do
	for server in $ports; do
		echoes "TLS: $client to port $server" "/t/tls-$client" localhost \
			"$server" "$dir/cert" "$text"
		tells "TLS: $client to an untrusted one on $server" "TLS: " \
			"/t/tls-$client" localhost "$server" "$dir/other" "$text"
	done
done
tells "TLS: not to somebody else" "certificate" \
	/t/tls-openssl 127.0.0.1 7005 "$dir/cert" "$text"

kill $watcher
wait $watcher
grep -q NSTP "$dir/wire"
verdict $? "NST was on the wire"
! grep -qF "wire must not" "$dir/wire"
verdict $? "and nothing in plaintext"
finish
