#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# SIGKILL of nst-run, of its supervisor or of the program, at some moment of a
# program that makes connections all the time: nothing hangs, nothing stays, and not
# a byte goes in plaintext, of which the guard's dry run is the judge. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

# counts: packets with payload on the port, sealed and plain
counts()
{
	nstkeyctl guard show | awk '$1 == "tcp" { print $4 + $6, $5 + $7 }'
}

# begin OPTION...: a program under nst-run, until $dir/stop is there
begin()
{
	rm -f "$dir/stop" "$dir/alive"
	nst-run --tcp 7101 "$@" -- sh -c "while [ ! -e $dir/stop ]; do
		runpoke -q tcp4 && echo >>$dir/alive; done" >"$dir/said" 2>&1 &
	runner=$!
	wait_for has_lines "$dir/alive" 1
}

# Not by "children" of /proc/PID/task: not every kernel has that.
child_of()
{
	cat /proc/[0-9]*/stat 2>/dev/null |
		awk -v p="$1" '$4 == p && !n++ { print $1 }'
}

# victim NAME: its number
victim()
{
	case $1 in
	runner) echo "$runner" ;;
	supervisor) child_of "$runner" ;;
	program) child_of "$runner" ;;
	program_of_two) child_of "$(child_of "$runner")" ;;
	esac
}

# all_gone: nothing of the run is there any more
all_gone()
{
	! pidof nst-run && ! pidof runpoke && ! grep -lsF "$dir/stop" /proc/[0-9]*/cmdline
}

# killed NAME STATUS OPTION...: at four moments; nst-run ends with the status then
killed()
{
	local name=$1 status=$2 moment

	shift 2
	for moment in 0 0.02 0.05 0.11; do
		begin "$@" || return
		sleep "$moment"
		kill -9 "$(victim "$name")" || return
		[ "$name" = program ] || [ "$name" = program_of_two ] ||
			: >"$dir/stop"
		wait "$runner"
		[ $? = "$status" ] || return
		: >"$dir/stop"
		wait_for all_gone || return
	done
}

box_file "$dir/box" 1
nstkeyctl load "$dir/box"
nstkeyctl guard add tcp 7101 dry-run
check "the runner, preload engine" \
	killed runner 137 --engine preload --explain
check "the program, preload engine" \
	killed program 137 --engine preload --explain
check "the runner, notify engine" killed runner 137 --engine notify
check "the supervisor, notify engine" killed supervisor 137 --engine notify
check "the program, notify engine" killed program_of_two 137 --engine notify
counts >"$out"
read -r sealed plain <"$out"
[ "$sealed" -gt 40 ] && [ "$plain" = 0 ]
verdict $? "no plaintext among $sealed packets"
runpoke -q tcp4
counts >"$out"
read -r _ plain <"$out"
[ "$plain" -gt 0 ]
verdict $? "which would have been counted"
nstkeyctl guard flush
finish
