#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nst-run and sockets that have one of TCP inside (SMC, MPTCP), which falls back to
# plaintext: made by the library they are of TCP, and have NST; else a named port
# refuses them. TAP.

# shellcheck source-path=SCRIPTDIR/../lib source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

run()
{
	nst-run --tcp 7101 --udp 7101 "$@"
}

# shows WORD COMMAND...: that is all it says, and it succeeds
shows()
{
	local word=$1

	shift
	"$@" >"$dir/said" && [ "$(cat "$dir/said")" = "$word" ]
}

box_file "$dir/box" 1
nstkeyctl load "$dir/box"
# The option does not load it.
modprobe -q smc

# AF_INET, AF_INET6 and AF_SMC; IPPROTO_SMC and IPPROTO_MPTCP
for kind in "2 256" "43 0" "2 262"; do
	# shellcheck disable=SC2086 # words
	check "preload: family and protocol $kind" \
		shows sealed run --engine preload -- runpoke inside_pair $kind
done

engines=preload
if run --engine notify -- sh -c : 2>"$err"; then
	engines="preload notify"
else
	sed 's/^/# /' "$err"
fi
for how in family protocol option mptcp; do
	if ! runpoke -q inside_has $how 2>"$err"; then
		verdict 0 "$how # SKIP this kernel has no such socket"
		continue
	fi
	check "$how, plain" shows plain runpoke inside_to $how 7101
	for engine in $engines; do
		# The filter of this one lets none be made but by the option.
		case $engine,$how in
		preload,* | notify,option)
			check "$engine: $how" shows nothing \
				run --engine "$engine" -- runpoke inside_refused $how
			check "$engine: $how, another port" shows plain \
				run --engine "$engine" -- runpoke inside_to $how 7102
		esac
		check "$engine: $how, inherited" shows nothing runpoke -q \
			inside_hand $how nst-run --tcp 7101 --engine "$engine" -- \
			runpoke inside_refused given
	done
done
finish
