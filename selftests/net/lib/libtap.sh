# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scripts of a guest share: TAP, what a command said, and to wait for
# it. To be sourced; finish() ends the script.

# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

dir=$(mktemp -d)
out=$dir/out
err=$dir/err
# shellcheck disable=SC2034 # used by those who source it
tool=$(command -v nstkeyctl)
# longer in a guest that is slow by design
times=${NST_TIMES:-1}
patience=$((100 * times))	# tenths of a second
children=
trap 'kill $children 2>/dev/null; rm -rf "$dir"' EXIT
# Keys may go there.
(umask 077; : >"$out"; : >"$err")

# verdict STATUS NAME: with what the last command said, if it failed
verdict()
{
	tap "$1" "$2" "$out" "$err"
}

# check NAME COMMAND...: it succeeds, whatever it says
check()
{
	local name=$1 rc=0

	shift
	"$@" >"$out" 2>"$err" || rc=1
	verdict $rc "$name"
}

# does NAME COMMAND...: it succeeds and has nothing to complain of
does()
{
	local name=$1 rc=0

	shift
	"$@" >"$out" 2>"$err" || rc=1
	[ ! -s "$err" ] || rc=1
	verdict $rc "$name"
}

# refuses NAME STATUS WORDS COMMAND...: it fails in these words
refuses()
{
	local name=$1 status=$2 words=$3 rc=0

	shift 3
	"$@" >"$out" 2>"$err"
	[ $? = "$status" ] || rc=1
	grep -qF -- "$words" "$err" || rc=1
	verdict $rc "$name"
}

# says NAME WORDS: the last command printed that
says()
{
	grep -qE -- "$2" "$out"
	verdict $? "$1"
}

# is A B NAME
is()
{
	[ "$1" = "$2" ] || echo "'$1' is not '$2'" >>"$err"
	[ "$1" = "$2" ]
	verdict $? "$3"
}

as_nobody()
{
	su -s /bin/sh nobody -c "$*"
}

box_file()
{
	nstkeyctl genbox --keys "$2" --force "$1"
}

# wait_for COMMAND...: until it succeeds, as long as $patience allows
wait_for()
{
	local i=0

	until "$@" >"$out" 2>"$err"; do
		i=$((i + 1))
		[ $i -lt "$patience" ] || return 1
		sleep 0.1
	done
}

# within NAME COMMAND...: it succeeds before long
within()
{
	local name=$1 rc=0

	shift
	wait_for "$@" || rc=1
	verdict $rc "$name"
}

has_lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# json NAME COMMAND...: what it prints, whatever its status, is JSON
json()
{
	local name=$1

	shift
	"$@" >"$out" 2>"$err"
	jsoncheck <"$out" >>"$err"
	verdict $? "$name"
}

# counter NAME [NAMESPACE]
counter()
{
	${2:+ip netns exec "$2"} cat /proc/net/nst_stat |
		awk -v n="$1" '$1 == n { print $2 }'
}

loaded()
{
	grep -q "^nst_ulp " /proc/modules
}

fails()
{
	! "$@" 2>/dev/null
}

# has_alias ALIAS: the module
has_alias()
{
	modinfo -F alias nst_ulp | grep -qx "$1"
}

# one_or_other NAME LIST LOAD...: LIST prints what is in $dir/list.a or what is in
# $dir/list.b, never a mixture, while LOAD $dir/a and LOAD $dir/b take turns
one_or_other()
{
	local name=$1 list=$2 i=0 bad=0

	shift 2
	# A lister asks again ten times, so the loader leaves it pauses.
	(while [ ! -e "$dir/stop" ]; do
		"$@" "$dir/a"
		sleep 0.1
		"$@" "$dir/b"
		sleep 0.1
	done) &
	children="$children $!"
	while [ $i -lt 15 ]; do
		"$list" >"$dir/list" 2>>"$err"
		cmp -s "$dir/list" "$dir/list.a" ||
			cmp -s "$dir/list" "$dir/list.b" || bad=1
		i=$((i + 1))
	done
	: >"$dir/stop"
	wait $!
	rm "$dir/stop"
	verdict $bad "$name"
}

# end_children: what the test has left running
end_children()
{
	# shellcheck disable=SC2086 # a list
	kill $children 2>/dev/null
	wait
	children=
}

# finish: the plan, and the exit status
finish()
{
	echo "1..$number"
	exit $failed
}
