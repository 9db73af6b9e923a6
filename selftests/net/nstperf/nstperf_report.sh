#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nstperf report of documents that are made up, so that it is known what it must
# say of them; and of what is none. And nstperf local, whose document it can read.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"

page=$dir/page.html

# run MODE BYTES_PER_S [SIZE [MORE]]
run()
{
	cat <<-END
		{ "scenario": "send", "mode": "$1", "size": ${3:-1024},
		"status": "ok", "bytes": 1000000, "ops": 1000,
		"bytes_per_s": $2, "ops_per_s": 7, ${4:-}
		"client": { "user_s": 0.25, "system_s": 0.25 },
		"server": { "user_s": 0, "system_s": 0.5 },
		"latency": { "p50_ns": 1500, "p99_ns": 2000, "p99_9_ns": 3000,
		"max_ns": 4000, "curve": [[0, 1000], [0.5, 1500], [1, 4000]] } }
	END
}

# document COMPLETE WHY RUN...
document()
{
	local complete=$1 why=$2 comma=

	shift 2
	printf '{ "format": "nstperf", "format_version": %s,' "${version:-1}"
	printf '"complete": %s, "why": "%s", "same_host": false,' \
		"$complete" "$why"
	printf '"client": { "host": "here", "device": { "mtu": 9000 } },'
	printf '"server": { "host": "there" }, "settings": {}, "runs": ['
	for r; do
		printf '%s%s' "$comma" "$r"
		comma=,
	done
	printf '] }\n'
}

# tells NAME WORDS: the page has them
tells()
{
	grep -qF -- "$2" "$page"
	verdict $? "$1"
}

no_outside()
{
	! grep -qiE 'https?:|<script|<link|<img|src=|url\(|@import' "$page"
}

# near: plain and nst differ by less than rounds of plain do; ktls is far away
pages()
{
	document true "" "$(run plain 100e6)" "$(run plain 120e6)" \
		"$(run plain 110e6)" "$(run nst-aes-gcm 105e6)" \
		"$(run nst-aes-gcm 104e6)" "$(run ktls-aes-128-gcm 40e6)" \
		"$(run ktls-aes-128-gcm 41e6)" >"$dir/near"
	does "a page" nstperf report --output "$page" "$dir/near"
	tells "it has pictures" "<svg "
	check "and nothing from elsewhere" no_outside
	tells "the median" "110 MB/s"
	tells "the spread" "18.2 %"
	tells "processor time" "1.00 s/MB"
	tells "latency" "<td>1.50 us</td>"
	tells "a difference below the spread" "<i>same</i> (105)"
	tells "and one above" "<td>37</td>"
	tells "the machines" "<dt>device mtu</dt><dd>9000</dd>"
	is "$(grep -c 'not complete' "$page")" 0 "it lacks nothing"

	document true "" "$(run plain 100e6)" "$(run nst-aes-gcm 10e6)" \
		>"$dir/once"
	does "one round" nstperf report --output "$page" "$dir/once"
	tells "has no spread" "<td>unknown</td>"
	tells "and proves no difference" "<i>same</i> (1000)"

	document false "interrupted after 1 of 3 runs" "$(run plain 1e6)" \
		"$(run plain 1e6 16384)" \
		'{ "scenario": "send", "mode": "nst", "status": "refused",
		"size": 5, "why": "<script>alert(1)</script>" }' >"$dir/part"
	does "a part" nstperf report --output "$page" "$dir/part" "$dir/near"
	tells "says what it is" "interrupted after 1 of 3 runs"
	tells "and what was refused, as text" "&lt;script&gt;alert(1)"
	tells "sizes are a picture" "Speed by size"
	check "still nothing from elsewhere" no_outside
	does "stdout" nstperf report "$dir/near"
	says "has the page" "</html>"
}

bad()
{
	refuses none 2 "wants documents" nstperf report
	refuses option 2 "what is '--frob'" nstperf report --frob
	refuses missing 2 "/nowhere: no JSON" nstperf report /nowhere
	echo '{ "format"' >"$dir/bad"
	refuses half 2 "no JSON" nstperf report "$dir/bad"
	: >"$dir/bad"
	refuses empty 2 "no JSON" nstperf report "$dir/bad"
	echo '{ "format": "nstperf", "runs": 5 }' >"$dir/bad"
	refuses other 2 "is no document of nstperf" nstperf report "$dir/bad"
	echo '[1, 2]' >"$dir/bad"
	refuses array 2 "is no document of nstperf" nstperf report "$dir/bad"
	version=2 document true "" "$(run plain 1)" >"$dir/bad"
	refuses version 2 "has format version 2" nstperf report "$dir/bad"
	document true "" >"$dir/bad"
	refuses no_runs 2 "no run" nstperf report "$dir/bad"
	document true "" '7' 'null' '[]' '{}' "$(run plain NaN)" \
		"$(run plain 5 -7)" "$(run plain 5 Infinity)" \
		"$(run plain 5 64 '"latency": { "curve": [[2, -1], 7] },')" \
		"$(run "$(printf '%0200d' 7)" 1e300)" >"$dir/bad"
	does "odd numbers" nstperf report --output "$page" "$dir/bad"
	is "$(grep -ciE '"[^"]*(nan|inf)[^a-z"]*"' "$page")" 0 \
		"make no odd pictures"
	document true "" "$(run plain 5)" >"$dir/near"
	refuses no_directory 1 "cannot write" \
		nstperf report --output /nowhere/page "$dir/near"
	refuses full 1 "No space left" to_full "$dir/near"
	mkdir "$dir/small"
	mount -t tmpfs -o size=4k none "$dir/small"
	echo before >"$dir/small/page"
	refuses full_disk 1 "No space left" \
		nstperf report --output "$dir/small/page" "$dir/near"
	is "$(cat "$dir/small/page")" before "what was there stays"
	umount "$dir/small"
}

one_document()
{
	jsoncheck <"$1"
}

# What is no ordinary file stays what it is, root or not. Never with a device of /dev:
# where it went wrong, that one was gone.
special()
{
	document true "" "$(run plain 5)" >"$dir/near"
	mknod "$dir/null" c 1 3
	does "a device" nstperf report --output "$dir/null" "$dir/near"
	check "is one still" test -c "$dir/null"
	mkfifo "$dir/pipe"
	cat "$dir/pipe" >"$page" &
	does "a pipe" nstperf report --output "$dir/pipe" "$dir/near"
	wait $!
	tells "gets the page" "</html>"
	check "and is one still" test -p "$dir/pipe"
	echo before >"$dir/target"
	ln -sf target "$dir/link"
	refuses "a link" 1 "is a symbolic link" \
		nstperf report --output "$dir/link" "$dir/near"
	ln -s "$dir/target" "$dir/new.new"
	does "a link at a name that can be foreseen" \
		nstperf report --output "$dir/new" "$dir/near"
	is "$(cat "$dir/target")" before "leads nowhere"
	echo before >"$dir/mine"
	chmod 600 "$dir/mine"
	does "a file of one's own" nstperf report --output "$dir/mine" "$dir/near"
	is "$(stat -c %a "$dir/mine")" 600 "stays one's own"
	nstperf local --mode plain --scenario ping --count 2 --repeat 2 \
		--json "$dir/null" >"$out" 2>"$err"
	is $? 0 "a document for a device"
	check "which is one still" test -c "$dir/null"
	cat "$dir/pipe" >"$dir/piped" &
	nstperf local --mode plain --scenario ping --count 2 --repeat 2 \
		--json "$dir/pipe" >"$out" 2>"$err"
	is $? 0 "a document for a pipe"
	wait $!
	check "gets one document" one_document "$dir/piped"
	is "$(grep -c '"status"' "$dir/piped")" 2 "with all runs"
}

to_full()
{
	nstperf report "$@" >/dev/full
}

here()
{
	nstperf local --mode plain,nst --scenario ping,dgram-gso --count 5 \
		--repeat 2 --verify --timeout $((20 * times)) \
		--json "$dir/local" >"$out" 2>"$err"
	is $? 0 "local"
	is "$(grep -c '"status": *"ok"' "$dir/local")" 8 "local did all"
	is "$(grep -c '"same_host": *true' "$dir/local")" 1 \
		"and says that it was one machine"
	does "a page of it" nstperf report --output "$page" "$dir/local"
	tells "says so too" "Both ends were on one machine"
	is "$(ip -br link | grep -c nstperf)" 0 "nothing of it is left"
	refuses "local takes no host" 2 "what is 'host'" nstperf local host
}

pages
bad
special
here
finish
