#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A program that moves all its data by io_uring (uring.c): many connections at
# once, each of which gets back what it sent, by send and by splice.
#   URING_CONNECTIONS   their number (100)
#   URING_KB            what each sends (300)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${URING_CONNECTIONS:=100}" "${URING_KB:=300}"
MARK=NST-PLAINTEXT-URING
PORTS=(--tcp 7000)

scene()
{
	local n

	n=$(size "$URING_CONNECTIONS")
	marked "$MARK" $((URING_KB << 10)) part
	run h2 uring serve 7000 >server 2>&1 &
	listening h2 tcp 7000 || return
	run h1 uring ask 10.12.0.2 7000 part "$n" >said 2>&1
	say $? "send and recv: $(tail -n 1 said)" said server
	run h1 uring ask 10.12.0.2 7000 part "$n" splice >said 2>&1
	say $? "splice from a file: $(tail -n 1 said)" said server
	kill -0 $!
	say $? "the server goes on" server
}

# That engine would not see what the ring does, so there is no ring with it.
if [ "${ENGINE-}" = notify ]; then
	MODE=nst
	hosts_up 1
	timeout 60 ip netns exec h1 nst-run --engine=notify "${PORTS[@]}" -- \
		/t/bin/uring serve 7000 >said 2>&1
	[ $? = 1 ] && grep -q '^uring: io_uring' said
	say $? "the notify engine gives no ring: $(tail -n 1 said)" said
	hosts_down
	finish
fi
both 2 scene "$MARK"
finish
