#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# stats --prometheus with keys in each state, rules of the guard and traffic: its
# form, as far as it can be judged here. What it wrote goes to the output, for
# selftests/watch/check.sh, where Prometheus itself judges it. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

nstkeyctl genbox --keys 3 "$dir/box"
sed -i '3s/accept/retired/' "$dir/box"
check load nstkeyctl load "$dir/box"
check guard_tcp nstkeyctl guard add tcp 7001
check guard_udp nstkeyctl guard add udp 7002 dry-run
does stats nstkeyctl stats --prometheus
cp "$out" "$dir/metrics"
awk '
	$1 == "#" && $2 == "HELP" { help[$3] = 1; next }
	$1 == "#" && $2 == "TYPE" { type[$3] = $4; next }
	{
		name = $1; sub(/\{.*/, "", name)
		if (!help[name] || !type[name] || NF != 2 || $2 !~ /^[0-9]+$/ ||
		    (type[name] == "counter") != (name ~ /_total$/) || seen[$1]++)
			print "bad: " $0
	}' "$dir/metrics" >"$out"
[ ! -s "$out" ]
verdict $? each_has_help_and_type
for state in active accept retired; do
	grep -q "^nst_key_streams{.*state=\"$state\"" "$dir/metrics"
	verdict $? "keys_$state"
done
sed 's/^/# metric: /' "$dir/metrics"
nstkeyctl guard flush
nstkeyctl flush
finish
