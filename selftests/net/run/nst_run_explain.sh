#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nst-run --explain, and the process that stays behind for it. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

run()
{
	nst-run --tcp 7101 --udp 7101 --engine preload --explain "$@"
}

# explains WORDS...: of the last run
explains()
{
	grep -qE -- "$2" "$dir/report"
	verdict $? "$1"
}

# report NAME STATUS COMMAND...: runs it, and keeps what is said
report()
{
	local name=$1 status=$2 rc=0

	shift 2
	run "$@" >"$out" 2>"$dir/report" || rc=$?
	cp "$dir/report" "$err"
	is "$status" $rc "$name"
}

box_file "$dir/box" 1
nstkeyctl load "$dir/box"

report "two ends of TCP" 0 -- runpoke -q tcp4
explains "the listener" "attached +1  listen\(\) on port 7101/tcp$"
explains "the client" "attached +1  connect\(\) to port 7101/tcp$"
explains "what the wire carried" "NstTxRecords +[1-9]"
! grep -q "nstkeyctl doctor" "$dir/report"
verdict $? "nothing was refused, and so it does not say"
report "UDP" 0 -- runpoke -q udp4
explains "the server" "attached +1  bind\(\) on port 7101/udp$"
explains "the client, at its first send" "attached +1  a send to port 7101/udp$"
explains "and later ones" "had NST +2  a send to port 7101/udp"
report "children count" 0 -- runpoke -q child execve clean
explains "the server in the child" "attached +1  listen\(\) on port 7101/tcp$"
report "other ports" 0 -- runpoke -q other
explains "are left" "left +1  connect\(\) to port 7102/tcp: the port is not named$"
explains "so nothing of NST was sent" "nothing of NST went over the wire"
report "a child out of reach" 126 -- runpoke -q exec /usr/bin/busybox true
explains "is told" "refused +1  a program that is a static program"
echo 0 >/proc/sys/net/nst/enabled
echo 1 >/proc/sys/net/nst/enabled
report "a refusal" 1 -- sh -c "echo 0 >/proc/sys/net/nst/enabled; runpoke -q connect"
explains "is told with its cause" "refused +1  connect\(\) to port 7101/tcp: EPERM \("
echo 1 >/proc/sys/net/nst/enabled
report "nothing was done" 0 -- sh -c :
explains "is told too" "none was seen"

# The other engine counts its own.
if nst-run --tcp 7101 --engine notify -- sh -c : 2>"$err"; then
	nst-run --tcp 7101 --engine notify --explain -- runpoke -q tcp4 \
		2>"$dir/report"
	explains "notify: the listener" "attached +1  listen\(\) on port 7101/tcp$"
	explains "notify: the client" "attached +1  connect\(\) to port 7101/tcp$"
	echo plaintext >"$dir/plain"
	nc -l -p 7101 <"$dir/plain" >/dev/null 2>&1 &
	children="$children $!"
	wait_for grep -q ":1BBD 0*:0000 0A" /proc/net/tcp
	nst-run --tcp 7101 --engine notify --explain -- \
		nc 127.0.0.1 7101 </dev/null >/dev/null 2>"$dir/report"
	explains "a server without NST is a refusal" "NstRxHdrMagic +1"
	explains "and who tells what that means" "refused, or cut off: 'nstkeyctl doctor'"
else
	sed 's/^/# /' "$err"
fi

# More than there is room for.
report "all ports" 0 -- runpoke -q ports 3000
explains "are counted as far as there is room" "and [0-9]+ more, for which there was no room"

# The runner and the program end in other ways.
report "killed" 137 -- sh -c 'kill -9 $$'
explains "it explains all the same" "none was seen"
rm -f "$dir/after"
run -- sh -c "kill -9 \$PPID; sleep 0.3; runpoke tcp4 >$dir/after" 2>/dev/null
within "the runner is killed, the program goes on" grep -q . "$dir/after"
is sealed "$(cat "$dir/after")" "and is covered"
nst-run --tcp 7101 --explain -- sh -c "trap 'echo told >$dir/term; exit 3' TERM; echo up >$dir/up; \
	while :; do sleep 0.1; done" 2>/dev/null &
pid=$!
wait_for test -s "$dir/up"
kill -TERM $pid
wait $pid
is 3 $? "the status behind a signal that is passed on"
is told "$(cat "$dir/term" 2>/dev/null)" "the program was told"
# offers: at start, where people see it, what holds the port for all
offers()
{
	nst-run --tcp 7101,80-81 --engine preload --explain -- \
		runpoke -q other 2>"$dir/why" &&
		grep -qF "nstkeyctl guard add tcp 80-81,7101" "$dir/why" &&
		nst-run --tcp 7101 --engine preload -- runpoke -q other 2>"$dir/why" &&
		[ ! -s "$dir/why" ]
}
check "the guard is offered" offers

finish
