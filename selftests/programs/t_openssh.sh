#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# OpenSSH on NST: scp, a forwarded port, ControlMaster. It encrypts by itself; what
# is searched on the wire is what it says before: its version and its ciphers.
#   SSH_MB   size of what is copied (30)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${SSH_MB:=30}"
PORTS=(--tcp 22)

sshd_files
OPTIONS=(-F none -i "$WORK/userkey" -o BatchMode=yes
	-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	-o LogLevel=ERROR)

# connections HOST PORT: established ones of that local port
connections()
{
	bare "$1" ss -Htn state established "sport = $2" | wc -l
}

# shellcheck disable=SC2317
none_left()
{
	[ "$(connections h2 22)" = 0 ]
}

# shellcheck disable=SC2317
said_lines()
{
	[ "$(wc -l <said)" = "$1" ]
}

copies()
{
	local mb=$1

	marked NST-PLAINTEXT-SSH $((mb << 20)) big
	rm -f up down
	run h1 scp "${OPTIONS[@]}" big root@10.12.0.2:"$WORK/up" >said 2>&1 &&
		same big up
	say $? "scp of $mb MB up" said
	run h1 scp "${OPTIONS[@]}" root@10.12.0.2:"$WORK/big" down >said 2>&1 &&
		same big down
	say $? "scp of $mb MB down" said
	rm -f up
	run h1 scp -O "${OPTIONS[@]}" big root@10.12.0.2:"$WORK/up" >said 2>&1 &&
		same big up
	say $? "the same by its old protocol" said
}

# Whom sshd connects to on its own host is no port of NST.
forwarded()
{
	bare h2 python3 -m http.server -b 127.0.0.1 8000 >/dev/null 2>&1 &
	listening h2 tcp 8000
	run h1 ssh "${OPTIONS[@]}" -N -L 8001:127.0.0.1:8000 \
		-o ExitOnForwardFailure=yes root@10.12.0.2 >said 2>&1 &
	listening h1 tcp 8001
	bare h1 curl -sS -f -o got http://127.0.0.1:8001/big >said 2>&1 &&
		same got big
	say $? "a file by a forwarded port (-L)" said
	for n in 1 2 3 4 5 6 7 8; do
		bare h1 curl -sS -f -o "got.$n" http://127.0.0.1:8001/sshd_config &
		echo $!
	done >pids
	# shellcheck disable=SC2013 # words
	for n in $(cat pids); do wait "$n"; done
	for n in 1 2 3 4 5 6 7 8; do
		same "got.$n" sshd_config || echo "got.$n"
	done >said
	[ ! -s said ]
	say $? "eight at once by it" said
	stop h1 ssh
	until_true 60 none_left
	say $? "its connection goes with it"
}

master()
{
	local many

	run h1 ssh "${OPTIONS[@]}" -M -S "$WORK/mux" -fN -o ControlPersist=no \
		root@10.12.0.2 >said 2>&1
	say $? "a ControlMaster" said
	for n in 1 2 3 4 5; do
		run h1 ssh "${OPTIONS[@]}" -S "$WORK/mux" root@10.12.0.2 \
			"echo \$((n + $n)); sleep 1" &
	done >said 2>&1
	sleep 0.5
	many=$(connections h2 22)
	until_true 60 said_lines 5
	[ "$(sort said | paste -sd ' ')" = "1 2 3 4 5" ] && [ "$many" = 1 ]
	say $? "five commands on its one connection ($many)" said
	rm -f up
	run h1 scp "${OPTIONS[@]}" -o ControlPath="$WORK/mux" big \
		root@10.12.0.2:"$WORK/up" >said 2>&1 && same big up
	say $? "scp on it" said
	run h1 ssh "${OPTIONS[@]}" -S "$WORK/mux" -O exit root@10.12.0.2 >said 2>&1
	until_true 60 none_left
	say $? "it goes when told, and its connection" said
}

scene()
{
	local n

	run h2 /usr/sbin/sshd -D -e -f "$WORK/sshd_config" >sshd.log 2>&1 &
	listening h2 tcp 22 || { say 1 "sshd runs" sshd.log; return; }
	copies "$(size "$SSH_MB")"
	forwarded
	master
}

both 2 scene SSH-2.0-OpenSSH chacha20-poly1305@openssh.com
finish
