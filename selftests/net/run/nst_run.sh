#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nst-run with its preload engine: what an unmodified program does with its
# sockets, and that the wire has none of it to read. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

run()
{
	nst-run --tcp 7101 --udp 7101 --engine preload "$@"
}

# shows WORD COMMAND...: that is all it says, and it succeeds
shows()
{
	local word=$1

	shift
	"$@" >"$dir/said" && [ "$(cat "$dir/said")" = "$word" ]
}

# sealed SCENARIO...: comes through, and nobody can read it
sealed()
{
	check "$*" shows sealed run -- runpoke "$@"
}

box_file "$dir/box" 1
nstkeyctl load "$dir/box"

check "without nst-run it is there to read" shows plain runpoke tcp4
check "also with UDP" shows plain runpoke udp4
for s in tcp4 tcp6 dual nonblocking epoll reuseport listen_twice mptcp syscall \
	fastopen fastopen_connect fork vfork spawn "spawn path" popen system \
	udp4 udp6 udp_connect sendmsg sendmmsg udp_syscall; do
	# shellcheck disable=SC2086 # words
	sealed $s
done
for s in execve execv execvp execvpe execl execle execlp fexecve execveat \
	syscall; do
	sealed child $s
	sealed child $s clean
done
finish
