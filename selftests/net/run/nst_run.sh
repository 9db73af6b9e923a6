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
	udp4 udp6 udp_connect sendmsg sendmmsg \
	"sendmsg 200" "sendmmsg 200" udp_syscall; do
	# shellcheck disable=SC2086 # words
	sealed $s
done
for s in execve execv execvp execvpe execl execle execlp fexecve execveat \
	syscall; do
	sealed child $s
	sealed child $s clean
done

sealed two_lists

# Which ports.
check "a port that is not named is left" shows plain run -- runpoke other
check "a service's name" shows sealed nst-run --tcp 80,7100-7102 -- runpoke tcp4
check "a client on the port" shows "open plain" runpoke from_port
check "a client on the port, to a plain socket" \
	shows "closed sealed" run -- runpoke from_port
check "Fast Open from the port" shows "open plain" runpoke fastopen_from
check "Fast Open from the port, to a plain socket" \
	shows "closed sealed" run -- runpoke fastopen_from
every="nst-run --tcp 1-65535 --udp 1-65535 --engine preload"
# shellcheck disable=SC2086 # words
{
	check "a port that the kernel chose" $every -- runpoke -q unbound
	check "and the address stays" $every -- runpoke -q unbound_local
	check "also if no port of TCP is named" \
		nst-run --udp 7101 -- runpoke -q unbound_local
	check "of UDP" shows sealed $every -- runpoke udp_any
}
check "nst-run under nst-run" shows sealed \
	nst-run --tcp 80 -- nst-run --tcp 7101 --engine preload -- runpoke tcp4
check "strict mode" shows sealed run --strict -- runpoke tcp4
check "another suite" shows sealed run --cipher chacha20-poly1305 -- runpoke tcp4
check "a context" shows sealed run --context "a service" -- runpoke udp4

# What comes from elsewhere.
check "handed, plain" shows plain runpoke -q hand runpoke served
check "LISTEN_FDS" shows sealed runpoke -q hand nst-run --tcp 7101 -- runpoke served
check "a service that is woken" \
	shows sealed runpoke -q woken nst-run --tcp 7101 -- runpoke served_first
check "a connection is handed over, plain" \
	shows plain runpoke -q inetd runpoke served_pair
check "a descriptor is passed, plain" shows plain runpoke -q pass runpoke taken
check "a descriptor is passed" \
	shows sealed runpoke -q pass nst-run --tcp 7101 -- runpoke taken
check "by recvmmsg()" \
	shows sealed runpoke -q pass nst-run --tcp 7101 -- runpoke taken many

# Other libraries.
check "a library wraps connect() as well" shows sealed \
	env LD_PRELOAD=/t/runwrap.so nst-run --tcp 7101 -- runpoke wrapped
check "its place in the list is another" shows sealed \
	env "LD_PRELOAD=/t/libnst-preload.so:/t/runwrap.so" nst-run --tcp 7101 -- \
	runpoke wrapped
check "dlopen() with RTLD_DEEPBIND, plain" shows plain runpoke deepbind
check "dlopen() with RTLD_DEEPBIND" shows sealed run -- runpoke deepbind
# The guest has no cache of where libraries are.
space='LD_LIBRARY_PATH=/lib64 exec runpoke -q new_space'
# no_space: it fails, and for this reason
no_space()
{
	! run -- sh -c "$space" >"$dir/said" 2>&1 &&
		grep -q "a namespace of its own for a library is refused" "$dir/said"
}
check "dlmopen(), plain" sh -c "$space"
check "dlmopen()" no_space
check "it may be let go" run --let-go -- sh -c "$space"
check "keys that a signal stops once" \
	nst-run --tcp 7101 --engine preload -- runpoke -q interrupted
check "no descriptor is left open" run -- runpoke -q untouched

# Rings.
if [ "$(uname -m)" = x86_64 ] && runpoke -q ring 2>/dev/null; then
	check "data by io_uring, plain" shows plain runpoke ring
	check "data by io_uring" shows sealed nst-run --tcp 7101 -- runpoke ring
	check "connect() by io_uring" \
		shows nothing nst-run --tcp 7101 -- runpoke ring_refuses
	check "the flags of liburing's ring" env \
		LD_PRELOAD=/t/libnst-preload.so:/t/runwrap.so \
		nst-run --tcp 7101 -- runpoke -q ring_flags
	check "sends by io_uring, with UDP" run -- runpoke -q ring_no_sends
else
	echo "# this kernel has no io_uring"
fi

check "ten thousand sockets" run -- runpoke -q many 5000
finish
