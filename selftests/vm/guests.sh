#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guests.sh KERNEL [TEST...]: runs all of selftests/net/tests in two guests at
# once, each of which gets every second program (many wait more than they work),
# or each TEST in one. TAP of the one, then of the other. Consoles and output are
# kept in build/results.
#
# An emulated processor on a busy machine now and then misses a time limit, or
# does not even boot, and no code is to blame for it; so programs that failed run
# once more, by themselves, in a guest that has the machine alone, and what fails
# twice has failed. A kernel that complained is not asked again. What passed only
# then is named at the end.

set -u
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

[ $# -ge 1 ] || nst_die "usage: guests.sh KERNEL [TEST...]"
kernel=$1
shift
results=$NST_BUILD/results
mkdir -p "$results"

# guest NAME ARGUMENT...: run.sh with these, its output in $results/NAME.first
guest()
{
	local name=$1

	shift
	"$here/run.sh" -l "$results/console-$name" "$@" >"$results/$name.first" 2>&1
}

# retold FILE NAME...: FILE without these programs and without the verdicts,
# which have to be told again
retold()
{
	awk -v list="$(printf '%s\n' "${@:2}")" '
		BEGIN { n = split(list, l, "\n")
			for (i = 1; i <= n; i++) bad[l[i]] = 1 }
		/^# nst: begin / { name = $0; sub(/^# nst: begin /, "", name)
				   sub(/ *$/, "", name)
				   skip = name in bad || name ~ /^(guest|run-)/ }
		!skip && !/^[0-9]+ passed, / && !/^# failed: / { print }
		/^# nst: end / { skip = 0 }' "$1"
}

failed_programs()
{
	awk '
		/^# nst: begin / { name = $0; sub(/^# nst: begin /, "", name)
				   sub(/ *$/, "", name) }
		/^# nst: end .* rc=/ {
			if ($0 !~ /rc=0$/ && name !~ /^(guest|run-)/)
				print name
		}' "$1"
}

# tell STATUS NAME ARGUMENT...: what a guest said, and the second try
tell()
{
	local status=$1 name=$2 first=$results/$2.first again

	shift 2
	if [ "$status" = 0 ]; then
		cat "$first"
		return
	fi
	if ! grep -q '^# nst: end guest ' "$first" &&
		! grep -q '^not ok .* no trouble' "$first"; then
		sed 's/^/# first guest: /' "$first"
		"$here/run.sh" -l "$results/console-$name" "$@"
		return
	fi
	mapfile -t again < <(failed_programs "$first")
	if [ ${#again[@]} = 0 ] || grep -q '^not ok .* no trouble' "$first"; then
		cat "$first"
		return 1
	fi
	retold "$first" "${again[@]}"
	echo "# nst: once more on $kernel: ${again[*]}"
	awk '/^# nst: begin / { name = $4; n = 0 }
		{ line[n++ % 12] = $0 }
		/^not ok / { for (i = n > 12 ? n - 12 : 0; i < n; i++)
				print "# first try of " name ": " line[i % 12]
			     n = 0 }' "$first"
	"$here/run.sh" -l "$results/console-$name" "$kernel" "${again[@]}"
}

# One function, read as a whole before it starts: this takes minutes, and the
# file may be edited meanwhile.
main()
{
	local one=0 two=0 failed=0 pid

	if [ $# -gt 0 ]; then
		guest "$kernel" "$kernel" "$@" || one=$?
		tell $one "$kernel" "$kernel" "$@"
		exit
	fi
	guest "$kernel-1" -s 1/2 "$kernel" &
	pid=$!
	guest "$kernel-2" -s 2/2 "$kernel" || two=$?
	wait $pid || one=$?
	# What the first try came to is judged by tell alone.
	tell $one "$kernel-1" -s 1/2 "$kernel" || failed=1
	tell $two "$kernel-2" -s 2/2 "$kernel" || failed=1
	exit $failed
}

main "$@"
