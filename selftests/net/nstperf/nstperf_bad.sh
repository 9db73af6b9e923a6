#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What nstperf says when something is wrong: one clear line, an exit status, and
# a document that says what it lacks. And a server outlives rubbish. With arguments
# only these parts.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/perf.sh
. "$(dirname "$0")/perf.sh"

usage()
{
	refuses no_command 2 "server or client" nstperf
	refuses unknown_command 2 "no command 'frob'" nstperf frob
	refuses no_host 2 "wants the server's name" nstperf client
	refuses unknown_option 2 "no option --frob" nstperf client h --frob
	refuses option_of_server 2 "--once is not for" nstperf client h --once
	refuses value_missing 2 "--size wants a value" nstperf client h --size
	refuses no_number 2 "--size: 'x' is no number" nstperf client h --size x
	refuses empty_number 2 "is no number" nstperf client h --size ''
	refuses too_much 2 "is too much" \
		nstperf client h --file-size 99999999999g
	refuses too_large 2 "is not from" nstperf client h --size 64,2m
	refuses negative 2 "is no number" nstperf client h --count -1
	refuses time_nan 2 "no number of seconds" nstperf client h --time nan
	refuses scenario 2 "no scenario 'frob'" \
		nstperf client h --scenario send,frob
	refuses mode 2 "no mode ''" nstperf client h --mode nst,
	refuses mode_escape 2 "no mode '?[31m'" \
		nstperf client h --mode "$(printf '\033[31m')"
	refuses plan_missing 2 "No such file" nstperf client h --rc /nowhere
	echo "rc $dir/self" >"$dir/self"
	refuses plan_in_itself 2 "plans in plans" nstperf client h --rc "$dir/self"
	echo frob >"$dir/plan"
	refuses plan_line 2 "plan:1: no option --frob" \
		nstperf client h --rc "$dir/plan"
	printf '# a plan\r\n\r\nscenario frob\r\n' >"$dir/plan"
	refuses plan_of_dos 2 "plan:3: --scenario: no scenario 'frob'" \
		nstperf client h --rc "$dir/plan"
	printf 'quiet\n\0frob\n' >"$dir/plan"
	refuses plan_with_nul 2 "plan:2: it has a NUL" \
		nstperf client h --rc "$dir/plan"
	refuses plan_endless 2 "is too long for a plan" \
		nstperf client h --rc /dev/zero
	refuses mode_c1 2 "no mode '?31mä??'" \
		nstperf client h --mode "$(printf '\23331mä\302\233')"
	refuses empty_host 2 "wants the server's name" nstperf client ""
	refuses empty_address 2 "--bind: '' is no address" \
		nstperf server --bind ""
	refuses no_processor 1 "there is no processor 4000" \
		nstperf client h --cpu 4000
	for word in client server local report; do
		does "$word --help" nstperf "$word" --help
		says "$word --help: helps" "usage: nstperf"
	done
	refuses no_such_row 2 "nothing to do" \
		nstperf client h --scenario dgram --mode tls
	refuses no_server 1 "no server at 10.77.0.2 port 20051" perf
}

# peers: in place of a server; to each client what the next word says
peers()
{
	two python3 -c '
import socket, struct, sys
head = lambda v, t, n: b"nstP" + struct.pack("!HHI", v, t, n)
hello = head(1, 1, 14) + b"{\"machine\":{}}"
s = socket.create_server(("10.77.0.2", 7777))
for what in sys.argv[1:]:
    c, _ = s.accept()
    try:
        c.recv(12)
        c.sendall({
            "version": head(9, 1, 2) + b"{}",
            "http": b"HTTP/1.0 400 Bad Request\r\n\r\n",
            "long": head(1, 1, 1 << 31),
            "short": head(1, 1, 50) + b"{}",
            "deep": head(1, 1, 4000) + b"{\"a\":" * 800,
            "array": head(1, 1, 2) + b"[]",
            "type": head(1, 77, 2) + b"{}",
            "nobody": head(1, 1, 2) + b"{}",
            "liar": hello + head(1, 3, 14) + b"{\"ports\":[0]} ",
            "mute": hello,
        }[what])
        c.shutdown(socket.SHUT_WR)
        while c.recv(4096):
            pass
    except OSError:
        pass
    c.close()
' "$@" &
	children="$children $!"
	wait_for listens 7777
}

# bad_server WHAT WORDS
bad_server()
{
	refuses "server: $1" 1 "$2" perf --port 7777 --count 1
}

bad_servers()
{
	peers version http long short deep array type nobody liar mute
	bad_server version "speaks protocol 9 of nstperf, this one 1"
	bad_server http "is no nstperf"
	bad_server long "a message of 2147483648 bytes"
	bad_server short "is gone"
	bad_server deep "sent rubbish"
	bad_server array "sent rubbish"
	bad_server type "sent message 77"
	bad_server nobody "does not say who it is"
	bad_server liar "has no port 0"
	check "server: liar: the document says so" why "no port 0"
	bad_server mute "is gone"
	end_children
}

# rubbish: to the server, one connection after another; it answers some of it
rubbish()
{
	one python3 -c '
import os, socket, struct
head = lambda v, t, n: b"nstP" + struct.pack("!HHI", v, t, n)
hello = head(1, 1, 2) + b"{}"
test = lambda j: hello + head(1, 2, len(j)) + j
good = (b"{\"scenario\":\"%s\",\"mode\":\"%s\",\"size\":64,\"file_size\":0,"
    b"\"streams\":%d,\"requests\":1,\"count\":1,\"timeout\":1,\"verify\":1,"
    b"\"cpu\":0,\"seconds\":1.0,\"warmup\":0}")
for what, want in (
    (b"", b""), (b"GET / HTTP/1.0\r\n\r\n", b"is no nstperf"),
    (os.urandom(4096), b"is no nstperf"),
    (head(2, 1, 2) + b"{}", b"speaks protocol 2"),
    (head(1, 1, 0xffffffff), b"a message of 4294967295 bytes"),
    (head(1, 1, 0), b"a message of 0 bytes"),
    (head(1, 2, 2) + b"{}", b"sent message 2"),
    (hello + head(1, 5, 2) + b"{}", b""),
    (test(b"{}"), b"no scenario"),
    (test(good % (b"send", b"frob", 1)), b"no mode"),
    (test(good % (b"dgram", b"tls-aes-128-gcm", 1)), b"has no mode"),
    (test(good % (b"send", b"plain", 0)), b"out of range"),
    (test(good % (b"send", b"plain", 100000)), b"out of range"),
    (test((good % (b"send", b"plain", 1)).replace(b"1.0", b"NaN")), b"no number|out of range"),
    (test((good % (b"send", b"plain", 1)).replace(b"64", b"-64")), b"out of range"),
    (test((good % (b"send", b"plain", 1)).replace(b"64", b"1e3")), b"no number"),
    (test(good % (b"send", b"plain", 1)) + head(1, 6, 2) + b"{}", b"bytes"),
    (test(good % (b"dgram", b"plain", 2)) + head(1, 6, 2) + b"{}", b"all_bytes"),
    (test(good % (b"ping", b"plain", 2)) + hello, b"ports")):
    s = socket.create_connection(("10.77.0.2", 20051))
    s.settimeout(60)
    s.sendall(what)
    s.shutdown(socket.SHUT_WR)
    got = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except ConnectionError:
        pass
    if not any(w in got for w in want.split(b"|")):
        print(what[:200], "wants", want, "got", got)
        raise SystemExit(1)
'
}

bad_clients()
{
	serve --port 20051
	does "rubbish is answered" rubbish
	check "the server goes on" perf --scenario ping --mode nst --count 3 \
		--repeat 1
	refuses "the port is taken" 1 "port 20051 is taken" two nstperf server
	# By its document: connections may be those of the one before.
	begin_long plain
	refuses "another client is told" 1 "busy with another client" perf
	one python3 -c '
import socket, time
s = socket.create_connection(("10.77.0.2", 20051))
try:
    while True:
        s.send(b"x")
        time.sleep(0.1)
except OSError:
    time.sleep(1000)' &
	children="$children $!"
	wait_for third_connection
	refuses "and so is one behind a talker" 1 "busy with another client" perf
	end_children
	serve --port 20051
	one python3 -c '
import socket
s = socket.create_connection(("10.77.0.2", 20051))
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
s.recv(4096)'
	within "the server tells with whom it had trouble" \
		grep -q "nstperf: .*10.77.0.1: the other end is no nstperf" "$dir/server"
	perf --cpu 0,4000 --mode plain --scenario ping --count 1 --repeat 1 \
		>"$out" 2>"$err"
	is $? 1 "a processor that the server has not"
	check "is refused" why "the server: there is no processor 4000"
	end_children
}

third_connection()
{
	[ "$(two ss -Htn 'sport = :20051' | wc -l)" -ge 2 ]
}

# lasting NAMESPACE COMMAND...: no child of this shell, which waits for all of those
lasting()
{
	(ip netns exec "$@" >/dev/null 2>&1 & echo $! >>"$dir/lasting")
}

# One that loses its power sends no FIN: the machine is gone, and its address. One that
# sends a byte now and then. Each has a server of its own, and this script's time.
vanish()
{
	ip netns add three
	ip link add wire3 netns three type veth peer name wire3 netns two
	ip -n three addr add 10.78.0.1/24 dev wire3
	ip -n two addr add 10.78.0.2/24 dev wire3
	ip -n three link set wire3 up
	ip -n two link set wire3 up
	lasting two nstperf server --port 20061
	lasting two nstperf server --port 20062
	wait_for listens 20061
	wait_for listens 20062
	lasting three nstperf client 10.78.0.2 --port 20061 --warmup 0 \
		--scenario ping --mode plain --count 1000000000 --quiet \
		--timeout 1000
	lasting three python3 -c '
import socket, struct, time
s = socket.create_connection(("10.78.0.2", 20062))
try:
    for byte in b"nstP" + struct.pack("!HHI", 1, 1, 100000) + b" " * 100000:
        s.send(bytes([byte]))
        time.sleep(1)
except OSError:
    time.sleep(1000)'
	wait_for measures_there
	ip -n three addr del 10.78.0.1/24 dev wire3
	kill -9 "$(sed -n 3p "$dir/lasting")"
}

measures_there()
{
	[ "$(two ss -Htn state established 'src 10.78.0.2' | wc -l)" -ge 3 ]
}

vanished()
{
	patience=$((3 * patience))
	for port in 20061 20062; do
		within "port $port: the server is free again" perf --port "$port" \
			--scenario ping --mode plain --count 1 --repeat 1
	done
	# shellcheck disable=SC2046 # a list
	kill $(cat "$dir/lasting") 2>/dev/null
	ip netns del three
}

# NST switched off at one end, kTLS without its module, NST without it
missing()
{
	serve --port 20051
	one sysctl -qw net.nst.enabled=0
	refuses "NST is off here" 1 "1 of 2 runs could not be done" \
		perf --mode plain,nst --scenario ping --count 2 --repeat 1
	is "$(runs ok) $(runs failed)" "1 1" "what can be done is done"
	check "the document says why" is_complete false
	one sysctl -qw net.nst.enabled=1
	two sysctl -qw net.nst.enabled=0
	perf --mode plain,nst --scenario ping --count 2 --repeat 1 \
		>"$out" 2>"$err"
	is $? 1 "NST is off there"
	is "$(runs ok) $(runs refused)" "1 1" "the other modes are measured"
	check "the server says why" why "the server: NST: "
	two sysctl -qw net.nst.enabled=1
	ip netns exec two nstkeyctl flush
	perf --mode nst --scenario ping,dgram --count 2 --repeat 1 \
		--timeout 3 >"$out" 2>"$err"
	is $? 1 "no key there"
	ip netns exec two nstkeyctl load "$dir/box"
	end_children
}

# ENOTCONN, and not ENOENT, of a socket that has no connection
has_ktls()
{
	python3 -c '
import errno, socket
try:
    socket.socket().setsockopt(socket.IPPROTO_TCP, 31, b"tls")
except OSError as e:
    raise SystemExit(e.errno != errno.ENOTCONN)'
}

no_module()
{
	local modprobe

	modprobe=$(cat /proc/sys/kernel/modprobe)
	echo /bin/false >/proc/sys/kernel/modprobe
	# A kernel that has it built in lacks it never.
	rmmod tls 2>/dev/null
	if ! has_ktls; then
		serve --port 20051
		perf --mode ktls --scenario ping --count 2 --repeat 1 \
			>"$out" 2>"$err"
		is $? 1 "no kTLS"
		check "what to do about it" why "modprobe tls"
		end_children
	fi
	if rmmod nst_ulp 2>/dev/null; then
		serve --port 20051
		perf --mode plain,nst --scenario ping --count 2 --repeat 1 \
			>"$out" 2>"$err"
		is "$? $(runs ok) $(runs refused)" "1 1 1" "no module"
		check "no module, in the document" why "the server: NST: "
		end_children
	else
		tap 1 "the module can be unloaded"
	fi
	echo "$modprobe" >/proc/sys/kernel/modprobe
	modprobe nst_ulp
	one nstkeyctl load "$dir/box"
	two nstkeyctl load "$dir/box"
}

full_disk()
{
	mkdir "$dir/full"
	mount -t tmpfs -o size=16k none "$dir/full"
	serve --port 20051
	refuses "disk full in the middle" 1 "No space left on device" \
		perf --json "$dir/full/doc" --mode plain --scenario ping \
		--count 1 --repeat 12
	doc=$dir/full/doc
	check "what is there is a document" is_complete false
	check "with some of the runs" test "$(runs ok)" -ge 1
	doc=$dir/doc.json
	refuses "disk full for what is sent" 1 "could not be done" \
		perf --file-dir "$dir/full" --mode plain --scenario sendfile \
		--count 1 --repeat 1
	umount "$dir/full"
	refuses "no such directory" 1 "cannot write /nowhere/doc" \
		perf --json /nowhere/doc --mode plain --scenario ping --count 1
	refuses "a directory, before anything is measured" 1 \
		"cannot write $dir: Is a directory" perf --json "$dir" \
		--mode plain --scenario ping --time 1000
	refuses "no larger file" 1 "cannot write $dir/short: File too large" \
		short_of --json "$dir/short" --mode plain --scenario ping
	refuses "no larger file for what is sent" 1 "could not be done" \
		short_of --mode plain --scenario sendfile --count 1 --repeat 1
	refuses "no room on stdout" 1 "No space left" \
		to_full --json - --mode plain --scenario ping --count 1
	end_children
}

# No file may become longer than 512 bytes, as by ulimit -f. What is said is shorter.
short_of()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	one sh -c 'ulimit -f 1 && exec nstperf client 10.77.0.2 "$@"' sh "$@"
}

to_full()
{
	perf "$@" >/dev/full
}

# begin_long MODE: a client whose second round would take for ever; $client
begin_long()
{
	rm -f "$doc"
	ip netns exec one nstperf client 10.77.0.2 --json "$doc" --timeout \
		$((20 * times)) --mode "$1" --scenario send --warmup 0 \
		--time 0.3 --repeat 1000 >"$out" 2>"$err" &
	client=$!
	children="$children $client"
	wait_for test_runs 1
}

test_runs()
{
	[ "$(runs ok)" -ge "$1" ]
}

# ends_partly NAME WORDS: $client has said that, and so has the document
ends_partly()
{
	local rc=0

	wait "$client"
	[ $? = 1 ] || rc=1
	grep -q "$2" "$err" || rc=1
	is_complete false >>"$err" 2>&1 || rc=1
	why "$2" || rc=1
	test_runs 1 || rc=1
	verdict "$rc" "$1"
}

broken_off()
{
	serve --port 20051
	begin_long nst
	kill -9 "$server"
	ends_partly "server killed in the middle" "is gone"
	serve --port 20051
	check "the next server takes its place" perf --mode nst \
		--scenario ping --count 1 --repeat 1
	begin_long nst
	kill -INT "$client"
	ends_partly "Ctrl-C keeps what is done" "interrupted after"
	begin_long plain
	kill -9 "$client"
	wait "$client"
	within "a client that is killed frees the server" perf \
		--mode plain --scenario ping --count 1 --repeat 1
	end_children
}

[ $# -gt 0 ] || set -- vanish usage bad_servers bad_clients missing full_disk \
	broken_off no_module vanished
for part; do
	$part
done
ip netns del one
ip netns del two
finish
