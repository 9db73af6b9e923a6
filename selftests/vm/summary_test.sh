#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does summary.sh fail what must fail? One line per case: name, the expected
# last line, the input.

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. "$here/../net/lib/tap.sh"

# expect NAME SUM STATUS [LINE...]: blanks in a LINE are written as "_"
expect()
{
	local name=$1 sum=$2 status=$3 got got_status rc=0

	shift 3
	: >"$dir/in"
	[ $# = 0 ] || printf '%s\n' "$@" | tr _ ' ' >"$dir/in"
	got=$("$here/summary.sh" -q "$dir/in")
	got_status=$?
	got=$(echo "$got" | tail -n 1)
	if [ "$got" != "$sum" ] || [ $got_status != "$status" ]; then
		echo "# expected '$sum' and $status, got '$got' and $got_status"
		rc=1
	fi
	tap $rc "summary__$name"
}

begin='#_nst:_begin_a'
end='#_nst:_end_a_rc='
echo 1..15
expect plain "2 passed, 0 failed, 0 skipped" 0 1..2 ok_1_x ok_2_y
expect no_plan "2 passed, 1 failed, 0 skipped" 1 ok_1_x ok_2_y
expect too_few "1 passed, 1 failed, 0 skipped" 1 1..3 ok_1_x
expect too_many "2 passed, 1 failed, 0 skipped" 1 1..1 ok_1_x ok_2_y
expect not_ok "0 passed, 1 failed, 0 skipped" 1 1..1 not_ok_1_x
expect skip "1 passed, 0 failed, 1 skipped" 0 1..2 ok_1_x 'ok_2_#_SKIP_y'
expect nothing_but_skips "0 passed, 0 failed, 1 skipped" 1 '1..0_#_SKIP'
expect bail_out "1 passed, 1 failed, 0 skipped" 1 1..1 ok_1_x Bail_out!_y
expect exit_status "1 passed, 1 failed, 0 skipped" 1 \
	$begin 1..1 ok_1_x ${end}3
expect exit_skipped "1 passed, 1 failed, 0 skipped" 1 \
	$begin 1..1 ok_1_x ${end}4
expect exit_of_file "1 passed, 1 failed, 0 skipped" 1 \
	1..1 ok_1_x '#_nst:_exit_rc=2'
expect failed_once "0 passed, 1 failed, 0 skipped" 1 \
	$begin 1..1 not_ok_1_x ${end}1
expect empty_section "1 passed, 1 failed, 0 skipped" 1 \
	$begin ${end}0 $begin 1..1 ok_1_x ${end}0
expect two_plans "2 passed, 0 failed, 0 skipped" 0 1..1 ok_1_x 1..1 ok_1_y
expect empty_file "0 passed, 1 failed, 0 skipped" 1
