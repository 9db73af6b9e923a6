#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nst-run's notify engine: a static program of Go, nginx that is replaced while it
# runs (USR2), and sshd, which gives what it starts an environment of its own. And
# what each engine costs, in system calls.
#   NOTIFY_DIALS   connections at the same time (100)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${NOTIFY_DIALS:=100}"
MARK=NST-PLAINTEXT-NOTIFY

go_scene()
{
	rm -f start
	mkfifo start
	PORTS=(--tcp 7000)
	run h2 gopeer listen 10.12.0.2:7000 >go.log 2>&1 &
	listening h2 tcp 7000 go.log || return
	run h1 gopeer dial 10.12.0.2:7000 "$NOTIFY_DIALS" "$MARK" >said 2>&1 &&
		[ "$(cat said)" = "$NOTIFY_DIALS" ]
	say $? "$NOTIFY_DIALS connections of a static Go program" said
	[ "$MODE" = plain ] || {
		count_calls
		count_preload
	}
}

# How many system calls nst-run's supervisor makes for a connection of a program
count_calls()
{
	local pid total PORTS=(--tcp 7000 --engine notify)

	# shellcheck disable=SC2016
	run h1 sh -c 'read -r _ <start; gopeer dial 10.12.0.2:7000 100 x' \
		>said 2>&1 &
	until_true 60 pgrep -f 'nst-run.*start;'
	pid=$(pgrep -o -f 'nst-run.*start;')
	until_true 60 pgrep -P "$pid" -x nst-run
	pid=$(pgrep -P "$pid" -x nst-run)
	strace -f -qq -c -o calls -p "$pid" &
	until_true 60 grep -q 'TracerPid:.*[1-9]' "/proc/$pid/status"
	echo go >start
	wait $!
	awk '{ print "# 100 connections: " $0 }' calls
	total=$(awk '$NF == "total" { print $4 }' calls)
	[ "$total" -gt 100 ] && [ "$total" -le 6000 ]
	say $? "the notify engine makes $total calls for 100 connections, 60 each at most" \
		calls
}

# A connection that is made, and a datagram that is sent: 100 each, beside those of a
# run with none.
cat >calls.py <<'END'
import socket, sys

for _ in range(int(sys.argv[1])):
    with socket.socket() as s:
        s.connect(("10.12.0.2", 7000))
with socket.socket(type=socket.SOCK_DGRAM) as s:
    s.sendto(b"first", ("10.12.0.2", 7001))
    for _ in range(int(sys.argv[2])):
        s.sendto(b"x", ("10.12.0.2", 7001))
END

# calls_of CONNECTIONS DATAGRAMS COMMAND...: prints how many system calls it makes
calls_of()
{
	local nr=("$1" "$2")

	shift 2
	bare h1 strace -f -qq -c -o calls "$@" python3 calls.py "${nr[@]}" >&2 &&
		awk '$NF == "total" { print $4 }' calls
}

# more WHAT CONNECTIONS DATAGRAMS MOST: what the preload engine adds to them
more()
{
	local run=(nst-run --tcp 7000 --udp 7001 --engine preload --)
	local before after with most=$4

	before=$(calls_of 0 0)
	after=$(calls_of "$2" "$3")
	with=$(($(calls_of "$2" "$3" "${run[@]}") - $(calls_of 0 0 "${run[@]}")))
	echo "100 $1: $((after - before)) system calls, with NST by preload $with" |
		tee said | sed "s,^,# ,"
	[ "$after" -ge $((before + 100)) ] && [ $((with - after + before)) -le "$most" ]
	say $? "the preload engine makes $most more calls at most for 100 $1" said
}

count_preload()
{
	more connections 100 0 1000
	more datagrams 0 100 400
}

cat >nginx.conf <<'END'
user root;
worker_processes 2;
pid /var/tmp/work/nginx.pid;
error_log /var/tmp/work/error.log warn;
events { worker_connections 800; }
http {
	access_log off;
	server {
		listen 80;
		root /var/tmp/work/www;
	}
}
END

# get NAME
get()
{
	rm -f got
	run h1 curl -sS -f -o got http://10.12.0.2/big >said 2>&1 &&
		same got www/big
	say $? "$1" said
}

# shellcheck disable=SC2317
is_other()
{
	[ -e nginx.pid ] && [ "$(cat nginx.pid)" != "$1" ]
}

# shellcheck disable=SC2317
no_nst_run()
{
	[ -z "$(pids_of "$1" nst-run)" ]
}

nginx_scene()
{
	local old

	PORTS=(--tcp 80 --engine notify)
	mkdir -p www
	marked "$MARK" 1000000 www/big
	# As a daemon: else it does not heed USR2. Its supervisor stays.
	run h2 /usr/sbin/nginx -c "$WORK/nginx.conf" >nginx.log 2>&1
	say $? "it goes to the background, and nst-run is back" nginx.log error.log
	listening h2 tcp 80 nginx.log || return
	get "a file of nginx"
	old=$(cat nginx.pid)
	kill -USR2 "$old"
	until_true 60 is_other "$old"
	say $? "another nginx runs beside it" nginx.log error.log
	get "a file of both"
	kill -QUIT "$old"
	until_true 60 fails kill -0 "$old"
	say $? "the first one has ended" nginx.log error.log
	get "a file of the second one"
	kill -QUIT "$(cat nginx.pid)"
	until_true 60 fails test -e nginx.pid
	until_true 60 no_nst_run h2
	say $? "it ends, and its supervisor with it" nginx.log error.log
}

# shellcheck disable=SC2317
fails()
{
	! "$@"
}

sshd_files
# any password but a locked one
useradd -m -s /bin/bash -p '*' tester

# login USER COMMAND
login()
{
	run h1 ssh -F none -i "$WORK/userkey" -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR "$1@10.12.0.2" "$2"
}

ssh_scene()
{
	local user

	PORTS=(--tcp "22,7000" --engine notify)
	run h1 gopeer listen 10.12.0.1:7000 >go.log 2>&1 &
	listening h1 tcp 7000 go.log || return
	run h2 /usr/sbin/sshd -D -e -f "$WORK/sshd_config" >sshd.log 2>&1 &
	listening h2 tcp 22 sshd.log || return
	for user in root tester; do
		login "$user" 'id -un' >said 2>&1 && [ "$(cat said)" = "$user" ]
		say $? "a login as $user" said sshd.log
		login "$user" 'env | grep -c NST' >said 2>&1
		[ "$(cat said)" = 0 ]
		say $? "nothing of NST is in its environment" said
		login "$user" "/t/bin/gopeer dial 10.12.0.1:7000 5 $MARK" \
			>said 2>&1 && [ "$(cat said)" = 5 ]
		say $? "what $user starts there has NST as well" said
	done
}

both 2 go_scene "$MARK"
both 2 nginx_scene "$MARK"
both 2 ssh_scene "$MARK" SSH-2.0-OpenSSH
finish
