#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does guests.sh ask again what failed once, and tell what failed twice? Its
# guests are here a script that fails what $dir/fail names, once a line.

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. "$here/../net/lib/tap.sh"

cp "$here/guests.sh" "$here/lib.sh" "$dir"
cat >"$dir/run.sh" <<-'EOF'
	#!/bin/bash
	dir=$(dirname "$0")
	part= rc=0 guest=0
	while getopts l:s: opt; do
	    [ "$opt" != s ] || part=${OPTARG%/*}
	done
	shift "$OPTIND"
	# without programs: of the half list, one of its own
	[ $# -gt 0 ] || set -- "program$part"
	for program; do
	    echo "# nst: begin $program"
	    echo "1..1"
	    if grep -q "^$program\$" "$dir/fail"; then
	        flock "$dir/run.sh" sed -i "0,/^$program\$/{/^$program\$/d}" "$dir/fail"
	        echo "not ok 1 $program"
	        echo "# nst: end $program rc=1"
	        rc=1
	    else
	        echo "ok 1 $program"
	        echo "# nst: end $program rc=0"
	    fi
	done
	grep -q '^dies$' "$dir/fail" && { sed -i /dies/d "$dir/fail"; exit 1; }
	echo "# nst: begin guest"
	echo "1..1"
	if grep -q '^trouble$' "$dir/fail"; then
	    echo "not ok 1 no trouble in the kernel log"
	    rc=1 guest=1
	else
	    echo "ok 1 no trouble in the kernel log"
	fi
	echo "# nst: end guest rc=$guest"
	exit $rc
EOF
chmod +x "$dir/run.sh"

# expect NAME STATUS SUM [FAILURE...]
expect()
{
	local name=$1 status=$2 sum=$3 got got_status rc=0

	shift 3
	printf '%s\n' "$@" >"$dir/fail"
	NST_BUILD=$dir/build "$dir/guests.sh" 6.1 >"$dir/out" 2>&1
	got_status=$?
	got=$("$here/summary.sh" -q "$dir/out" | tail -n 1)
	if [ "$got" != "$sum" ] || [ $got_status != "$status" ]; then
		echo "# expected '$sum' and $status, got '$got' and $got_status"
		sed 's/^/# /' "$dir/out"
		rc=1
	fi
	tap $rc "guests__$name"
}

echo 1..7
expect pass 0 "4 passed, 0 failed, 0 skipped"
expect first_once 0 "4 passed, 0 failed, 0 skipped" program1
expect second_once 0 "4 passed, 0 failed, 0 skipped" program2
expect both_once 0 "4 passed, 0 failed, 0 skipped" program1 program2
expect twice 1 "3 passed, 1 failed, 0 skipped" program1 program1
expect dies_once 0 "4 passed, 0 failed, 0 skipped" dies
expect trouble 1 "2 passed, 2 failed, 0 skipped" trouble
