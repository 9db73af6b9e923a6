# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# TAP of a shell script, on the host and in a guest. To be sourced.

number=0
# shellcheck disable=SC2034 # used by those who source it
failed=0

# tap STATUS NAME [FILE...]: one line of TAP; how the files end, if it failed
tap()
{
	local status=$1 name=$2 file

	shift 2
	number=$((number + 1))
	if [ "$status" = 0 ]; then
		echo "ok $number $name"
		return
	fi
	failed=1
	for file; do
		tail -n 25 "$file" | sed 's/^/# /'
	done
	echo "not ok $number $name"
}

# result NAME COMMAND...: the same of a command, and all that it says
result()
{
	local name=$1 said status=0

	shift
	said=$("$@" 2>&1) || status=1
	[ $status = 0 ] || printf '%s\n' "$said" | sed 's/^/# /'
	tap $status "$name"
}
