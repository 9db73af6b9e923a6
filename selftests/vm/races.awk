# SPDX-License-Identifier: GPL-2.0
#
# races.awk: takes out of a kernel's log what KCSAN reports of others: races of
# which neither access is made by a function of nst_ulp or nst_sm. What remains is
# for grep (NST_TROUBLE). How many there were is told in a line of its own.
#
# A report stands between two lines of "=": a title, then for each of the accesses a
# line that says "read", "write" ... "by task" or "by interrupt", and its stack, of
# which the first line is where it is made.

# of a serial line
{ sub(/\r$/, "") }

/=================================================================$/ {
	if (!inside) {
		inside = 1; held = ""; ours = 0; is_race = 0; top = 0
		next
	}
	inside = 0
	if (!is_race || ours)
		printf "%s", held
	else
		others++
	next
}

inside {
	held = held $0 "\n"
	if (/BUG: KCSAN: /)
		is_race = 1
	if (top && /\[nst_(ulp|sm)\]/)
		ours = 1
	top = / by (task|interrupt) /
	next
}

{ print }

END {
	if (inside)
		printf "%s", held
	if (others)
		print "nst: " others " reports of races that are not of NST"
}
