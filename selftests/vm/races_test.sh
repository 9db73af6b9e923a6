#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What does races.awk leave of a kernel's log? Races of others go, those of NST and
# all else stay.

here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. "$here/../net/lib/tap.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
bar=$(printf '%65s' '' | tr ' ' =)
at='+0x10/0x20'

# race A A'S_CALLER B: as KCSAN tells it; A and B are where the accesses are made
race()
{
	cat <<-END
		[    1.000000] $bar
		[    1.000001] BUG: KCSAN: data-race in a / b
		[    1.000002]
		[    1.000003] write to 0xffff888000000000 of 8 bytes by task 77 on cpu 1:
		[    1.000004]  $1
		[    1.000005]  $2
		[    1.000006]  do_syscall_64$at
		[    1.000007]
		[    1.000008] read to 0xffff888000000000 of 8 bytes by interrupt on cpu 0:
		[    1.000009]  $3
		[    1.000010]  tcp_v4_rcv$at
		[    1.000011]
		[    1.000012] value changed: 0x0 -> 0x1
		[    1.000013] $bar
	END
}

# expect NAME REPORTS OTHERS: of $log so many titles stay, and so many reports are said
# to have gone
expect()
{
	local name=$1 rc=0 got

	got=$(awk -f "$here/races.awk" "$log" | awk '
		/BUG: / { titles++ }
		/reports of races that are not of NST/ { others = $2 }
		END { print titles + 0, others + 0 }')
	if [ "$got" != "$2 $3" ]; then
		echo "# expected '$2 $3', got '$got'"
		rc=1
	fi
	tap $rc "races__$name"
}

ours="nst_tcp_poll$at [nst_ulp]"
echo 1..9
race "tcp_poll$at" "do_poll$at" "tcp_ack$at" >"$log"
expect others 0 1
race "tcp_poll$at" "do_poll$at" "tcp_ack$at" | sed 's/$/\r/' >"$log"
expect serial_line 0 1
race "$ours" "do_poll$at" "tcp_ack$at" >"$log"
expect first_access 1 0
race "tcp_poll$at" "do_poll$at" "$ours" >"$log"
expect second_access 1 0
race "tcp_poll$at" "$ours" "tcp_ack$at" >"$log"
expect called_by_ours 0 1
{
	race "tcp_poll$at" "do_poll$at" "tcp_ack$at"
	race "$ours" "do_poll$at" "tcp_ack$at"
	race "x$at" "y$at" "z$at"
} >"$log"
expect one_of_three 1 2
race "tcp_poll$at" "do_poll$at" "tcp_ack$at" | sed '$d' >"$log"
expect cut_off 1 0
{
	race "x$at" "y$at" "z$at"
	echo "[    2.000000] BUG: scheduling while atomic: x/1/0x00000002"
} >"$log"
expect other_trouble 1 1
{
	echo "[    2.000000] $bar"
	echo "[    2.000000] BUG: KASAN: use-after-free in x$at"
	echo "[    2.000000] $bar"
} >"$log"
expect kasan 1 0
