# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scripts that try nstkeyctl share: TAP, and what a command said. To be
# sourced; finish() ends the script.

number=0
failed=0
dir=$(mktemp -d)
out=$dir/out
err=$dir/err
# shellcheck disable=SC2034 # used by those who source it
tool=$(command -v nstkeyctl)
children=
trap 'kill $children 2>/dev/null; rm -rf "$dir"' EXIT
# Keys may go there.
(umask 077; : >"$out"; : >"$err")

# verdict RC NAME: one line of TAP; what was said, if it failed
verdict()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
		return
	fi
	failed=1
	sed 's/^/# out: /' "$out" | head -n 20
	sed 's/^/# err: /' "$err" | head -n 20
	echo "not ok $number $2"
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

# wait_lines FILE N: until it has so many, at most 10 s
wait_lines()
{
	local i=0

	while [ "$(wc -l <"$1")" -lt "$2" ] && [ $i -lt 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
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
