#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nst-run --forward-secret=x25519mlkem768, at one end and at both. The tools are
# those of this machine, but under the libcrypto of Debian 13, where it has been
# fetched: selftests/unit/hybrid.sh packs it. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
text="what the wire must not see"

if [ ! -e /t/trixie.tar ]; then
	echo "1..1"
	echo "ok 1 nst_run_hybrid # SKIP not built: selftests/unit/hybrid.sh"
	exit
fi
mkdir "$dir/new"
tar -xf /t/trixie.tar -C "$dir/new"
# nst-run looks beside itself, which is where its ld.so is.
cp /t/libnst.so.0 /t/libnst-exchange.so.0 "$dir/new/"

cat >"$dir/echo.py" <<'END'
import socket, sys
port = int(sys.argv[2])
if sys.argv[1] == "listen":
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        conn, _ = listener.accept()
        with conn:
            while data := conn.recv(4096):
                conn.sendall(data)
with socket.create_connection(("127.0.0.1", port)) as sock:
    sock.sendall(sys.argv[3].encode())
    sock.shutdown(socket.SHUT_WR)
    print(sock.makefile().read())
END
# The exchange's records that a capture has: type and bytes, each.
cat >"$dir/records.py" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
at = data.find(b"NSTP\x01")
while at >= 0:
    if data[at + 47] >= 254:
        print(data[at + 47], int.from_bytes(data[at + 6:at + 8], "big"), end=" ")
    at = data.find(b"NSTP\x01", at + 1)
END

# with WHICH GROUP COMMAND...: under nst-run with the "old" or "new" libcrypto, by
# a group, or "any"
with()
{
	local which=$1 group=$2 run=nst-run

	shift 2
	[ "$which" = old ] || run="$dir/new/ld-linux-x86-64.so.2 \
		--library-path $dir/new /t/nst-run"
	[ "$group" = any ] && group="" || group="=$group"
	# shellcheck disable=SC2086 # words
	$run "--forward-secret$group" --tcp 7100-7109 -- "$@"
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

# serve WHICH GROUP PORT: in the background
serve()
{
	with "$1" "$2" python3 "$dir/echo.py" listen "$3" >"$dir/$3" 2>&1 &
	children="$children $!"
	within "$1 $2 listens" listens "$3"
}

# watch, seen: what passes between the two
watch()
{
	rm -f "$dir/wire" "$dir/tcpdump"
	tcpdump -Z root -i lo -s 0 -U -w "$dir/wire" 2>"$dir/tcpdump" &
	watcher=$!
	wait_for grep -q listening "$dir/tcpdump"
}

seen()
{
	sleep 0.5
	kill $watcher
	wait $watcher
	! grep -qF "wire must not" "$dir/wire" &&
		python3 "$dir/records.py" "$dir/wire"
}

# agree NAME RECORDS WHICH GROUP PORT: an echo comes back behind these
agree()
{
	local rc=0

	watch
	with "$3" "$4" python3 "$dir/echo.py" ask "$5" "$text" >"$out" 2>"$err" &&
		[ "$(cat "$out")" = "$text" ] || rc=1
	verdict $rc "$1"
	is "$(seen)" "$2" "$1: what passed"
}

# differ NAME RECORDS WHICH GROUP PORT: no connection, and nothing in plaintext
differ()
{
	watch
	refuses "$1" 1 "Protocol not supported" \
		with "$3" "$4" python3 "$dir/echo.py" ask "$5" "$text"
	is "$(seen)" "$2" "$1: what passed"
}

box_file "$dir/box" 1
check "a box is loaded" nstkeyctl load "$dir/box"
hybrid=x25519mlkem768
classic="254 35 255 35 "
serve new $hybrid 7100
serve new any 7101
serve old any 7102
serve new x25519 7103
agree "both by it" "254 1219 255 1123 " new $hybrid 7100
agree "a server that takes any" "254 1219 255 1123 " new X25519MLKEM768 7101
agree "a client that names none" "$classic" new any 7101
agree "another client's libcrypto" "$classic" old x25519 7101
differ "a server that takes it alone" "254 35 255 5 " old any 7100
differ "a server whose libcrypto has it not" "254 1219 255 5 " new $hybrid 7102
differ "a server by another" "254 1219 255 5 " new $hybrid 7103
refuses "a client whose libcrypto has it not" 125 "has not the group" \
	with old $hybrid true
finish
