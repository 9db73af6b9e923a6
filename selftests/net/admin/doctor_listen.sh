#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# doctor: who listens on a guarded TCP port without NST. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

# listener PORT COMMAND...: waits until that listens
listener()
{
	local port=$1

	shift
	"$@" nc -l -p "$port" >/dev/null 2>&1 </dev/null &
	children="$children $!"
	until ss -Hltn "sport = $port" | grep -q .; do
		sleep 0.1
	done
}

said()
{
	nstkeyctl doctor 2>&1 | grep listener >"$out"
	says "$1" "$2"
}

nstkeyctl genbox "$dir/box"
check load nstkeyctl load "$dir/box"
listener 7302
nstkeyctl doctor | grep listener >"$out"
[ ! -s "$out" ]
verdict $? nothing_is_guarded
check guard nstkeyctl guard add tcp 7300-7301
said nobody_there "ok .*nobody listens"
listener 7300 nst-run --tcp 7300 --
said with_nst "ok .*nobody listens"
listener 7301
said without_nst "warn .*tcp 7301 is guarded"
is "$(wc -l <"$out")" 1 the_others_are_not_named
check json sh -c "nstkeyctl doctor --json | grep -q '\"check\":\"listener\"'"
nstkeyctl guard flush
nstkeyctl flush
finish
