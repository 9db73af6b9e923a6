#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# summary.sh [-q] FILE...: adds up TAP. Each FILE is the output of one or more
# tests; "# nst: begin NAME" and "# nst: end NAME rc=N" stand around each where
# more than one wrote into it. Counted as failed beside "not ok" are: a test
# without a plan, with more or fewer results than planned, or with an exit
# status that its results do not explain; a bail-out; a FILE that is not there.
# The last line is the sum; -q prints only what failed beside it.

quiet=0
[ "$1" != -q ] || { quiet=1; shift; }

for f; do
	echo "# nst: file $f"
	[ -s "$f" ] || echo "# nst: no output"
	cat "$f" 2>/dev/null
	echo
done | awk -v quiet="$quiet" '
function fail(what) {
	failed++
	section_failed++
	print "# failed: " section ": " what
}
function open_section(name) {
	section = name
	planned = plans = results = section_failed = section_skipped = 0
}
function close_section(rc) {
	if (section == "")
		return
	if (!plans)
		fail("no plan")
	else if (planned != results)
		fail("planned " planned ", got " results)
	# 4 is how kselftest says "skipped"
	if (rc != 0 && !section_failed && !(rc == 4 && section_skipped))
		fail("exit status " rc)
	if (!quiet)
		printf "# %s: %d results, %d failed, %d skipped\n", section,
			results, section_failed, section_skipped
	section = ""
}
{ sub(/\r$/, "") }
/^# nst: file / { close_section(0); file = $4; before = failed; next }
/^# nst: exit / {
	close_section(0)
	sub(/.*rc=/, "")
	section = file
	if ($0 != "0" && failed == before)
		fail("exit status " $0)
	section = ""
	next
}
/^# nst: no output/ { section = file; fail("no output"); section = ""; next }
/^# nst: begin / { close_section(0); sub(/^# nst: begin /, ""); open_section($0); next }
/^# nst: end / { sub(/.*rc=/, ""); close_section($0 + 0); next }
/^(1\.\.|ok|not ok|Bail out!)/ && section == "" { open_section(file) }
/^1\.\.[0-9]+/ {
	plans++
	planned += substr($1, 4)
	if ($1 == "1..0") {
		skipped++
		section_skipped++
		if (quiet)
			print "# skipped: " section ": " $0
	}
	next
}
/^ok / {
	results++
	if (toupper($0) ~ /# *SKIP/) { skipped++; section_skipped++ }
	else passed++
	next
}
/^not ok / { results++; fail($0); next }
/^Bail out!/ { fail($0); next }
END {
	close_section(0)
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed || !passed
}'
