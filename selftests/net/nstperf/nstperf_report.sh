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
	printf '"client": { "host": "%s", "device": { "mtu": 9000 } },' \
		"${client:-here}"
	printf '"server": { "host": "there", "kernel": null }, %s' "${more:-}"
	printf '"settings": { "streams": %s }, "runs": [' "${streams:-1}"
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

# meters CLIENT SERVER: of both ends, of which the machines did four times as much
meters()
{
	printf '"ops": 500, "client": { "seconds": 2, "user_s": %s, ' "$1"
	printf '"system_s": 0, "machine_user_s": 0, "machine_softirq_s": %s, ' \
		$((4 * $1))
	printf '"instructions": 6000 }, "server": { "seconds": 4, '
	printf '"user_s": %s, "system_s": 0, "machine_user_s": %s, ' \
		"$2" $((4 * $2))
	printf '"instructions": 8000 },'
}

# many N: so many runs, of one kind each, or of one
many()
{
	python3 -c '
import sys
run = sys.stdin.read()
n, kinds = int(sys.argv[1]), int(sys.argv[2])
print("{\"format\":\"nstperf\",\"format_version\":1,\"complete\":true,"
    "\"settings\":{},\"runs\":[" + ",".join(run.replace("\"size\": 1024",
    "\"size\": %d" % (1 + i % kinds)) for i in range(n)) + "]}")' "$1" "$2"
}

# What is not of the same machines and settings is no round of the same.
apart()
{
	document true "" "$(run plain 1e9)" "$(run plain 1e9)" >"$dir/a"
	client=other streams=64 document true "" "$(run plain 10e9)" \
		"$(run plain 10e9)" >"$dir/b"
	does "two machines" nstperf report --output "$page" "$dir/a" "$dir/b"
	tells "the one" "<td>plain</td><td>2</td><td>1.00 GB/s</td>"
	tells "and the other" "<td>plain</td><td>2</td><td>10.0 GB/s</td>"
	tells "whose they are" "</b>: other to there, streams: 64."
	streams=2 document true "" "$(run plain 3e9)" >"$dir/b"
	does "other settings" nstperf report --output "$page" "$dir/a" "$dir/b"
	tells "are apart" "<td>plain</td><td>1</td><td>3.00 GB/s</td>"
	document true "" "$(run plain 3e9)" >"$dir/b"
	does "the same ones" nstperf report --output "$page" "$dir/a" "$dir/b"
	tells "are not" "<td>plain</td><td>3</td><td>1.00 GB/s</td>"
	cp "$dir/a" "$dir/b"
	refuses "a document twice" 2 "is of the same measurement as" \
		nstperf report "$dir/a" "$dir/b"
	more='"started": "2026-01-01T00:00:00Z",' document true "" \
		"$(run plain 1)" >"$dir/a"
	more='"started": "2026-01-01T00:00:00Z",' document false "half" \
		"$(run plain 1)" "$(run plain 2)" >"$dir/b"
	refuses "a part of one, and the whole" 2 "is of the same measurement" \
		nstperf report "$dir/a" "$dir/b"
}

# The ends have clocks of their own: 4 s in 2 seconds and 4 s in 4 at 1 MB/s are 3 s
# for each MB; the machines four times that; instructions are of calls, 7 a second.
costs()
{
	document true "" "$(run plain 1e6 1024 "$(meters 4 4)")" >"$dir/a"
	# What run() says of both ends comes later, and would count.
	sed 's/"client": { "user_s".*//; s/^.*"server": { "user_s".*//' \
		"$dir/a" >"$dir/b"
	does "what it took" nstperf report --output "$page" "$dir/b"
	tells "the programs and the machines" \
		"<td>3.00 s/MB</td><td>12.0 s/MB</td><td>714 </td>"
	tells "a bar for each" 'class="more"'
	sed -i 's/"same_host": false/"same_host": true/' "$dir/b"
	does "on one machine" nstperf report --output "$page" "$dir/b"
	tells "it counts once" "<td>3.00 s/MB</td><td>8.00 s/MB</td>"
}

# curves: the median of all, at each share
curves()
{
	local ns

	set --
	for ns in 1000 2000 9000; do
		set -- "$@" "$(run plain 5e6 | sed "s/0.5, 1500/0.5, $ns/")"
	done
	document true "" "$@" >"$dir/a"
	document true "" "$(run plain 5e6 | sed "s/0.5, 1500/0.5, 2000/")" \
		>"$dir/b"
	nstperf report "$dir/a" | grep 'class="line"' >"$dir/curves"
	nstperf report "$dir/b" | grep 'class="line"' >"$dir/curve"
	check "the curve is of all runs" cmp "$dir/curve" "$dir/curves"
}

much()
{
	run plain 5e6 | many 3000 1 >"$dir/a"
	does "3,000 rounds" nstperf report --output "$page" "$dir/a"
	tells "all count" "<td>plain</td><td>3000</td>"
	run plain 5e6 | many 4000 4000 | tr -d '\n' | \
		sed 's/"plain", "size": \([0-9]*\)/"\1", "size": 9/g' >"$dir/a"
	does "4,000 modes" nstperf report --output "$page" "$dir/a"
	tells "all are there" "<td>3999</td>"
	check "and are not held against each other" \
		test "$(stat -c %s "$page")" -lt 20000000
	run plain 5e6 | many 5000 5000 >"$dir/a"
	refuses "5,000 kinds" 2 "more than 4096 kinds of runs" \
		nstperf report --output "$page" "$dir/a"
	set --
	for i in 1 2 4 8 16 32 64 128 256 512 1024 2048 4096 8192 16384 32768; do
		set -- "$@" "$(run plain 5e6 $i)"
	done
	document true "" "$@" >"$dir/a"
	does "16 sizes" nstperf report --output "$page" "$dir/a"
	check "labels have room" python3 -c '
import re, sys
svg = open(sys.argv[1]).read().split("Speed by size")[2].split("</svg>")[0]
at = [(float(x), len(text) * 4.5) for x, text in
    re.findall(r"class=\"middle\" x=\"([\d.]+)\"[^>]*>([^<]*)<", svg)]
assert len(at) > 4, at
assert all(b[0] - b[1] > a[0] + a[1] for a, b in zip(at, at[1:])), at' "$page"
}

# A server's word, or anybody's: what it says is text and numbers that can be.
liars()
{
	document true "" "$(run plain 5e6)" "$(run plain -5)" "$(run plain 0)" \
		"$(run plain 5e6 | sed 's/"user_s": 0.25/"user_s": -5e200/')" \
		"$(run plain 5e6 | sed 's/"system_s": 0.5/"system_s": 1e299/')" \
		"$(run plain 5e6 | sed 's/"p99_ns": 2000/"p99_ns": -2000/')" \
		"$(run ktls -1)" "$(run ktls -2)" >"$dir/a"
	does "numbers that cannot be" nstperf report --output "$page" "$dir/a"
	tells "are left out, and that is said" "7 runs have numbers that cannot be"
	tells "the others count" "<td>plain</td><td>1</td>"
	check "no picture leaves its paper" fails grep -qE '="-[0-9]{2}' "$page"
	is "$(grep -c 'ktls' "$page")" 0 "of nothing there is no picture"
	tells "a member that is null" "<dt>kernel</dt><dd>unknown</dd>"
	more='"measured": "frobs",' document true "" "$(run plain 5)" >"$dir/a"
	refuses "figures of another kind" 2 "its figures are 'frobs'" \
		nstperf report "$dir/a"
}

# instructions MODE N
instructions()
{
	printf '{ "scenario": "send", "mode": "%s", "size": 1024, ' "$1"
	printf '"status": "ok", "ops": 1000, "instructions": %s }' "$2"
}

files()
{
	more='"measured": "instructions",' document true "" \
		"$(instructions plain 9799000)" \
		"$(instructions nst-aes-gcm 22977000)" >"$dir/counted.json"
	does "a page of instructions" \
		nstperf report --output "$page" "$dir/counted.json"
	tells "has them" "<td>9.80 k</td>"
	tells "and compares by them" "Instructions of the mode at the left"
	document true "" "$(run plain 5e6)" "$(run plain 5e6 64)" >"$dir/timed.json"
	mkdir "$dir/pictures"
	does "pictures" nstperf report --pictures "$dir/pictures" \
		"$dir/counted.json" "$dir/timed.json"
	is "$(cd "$dir/pictures" && echo *)" "counted-send-1024-instructions.svg \
timed-send-1024-latency.svg timed-send-1024-processors.svg \
timed-send-1024-speed.svg timed-send-64-latency.svg \
timed-send-64-processors.svg timed-send-64-speed.svg \
timed-send-processors.svg timed-send-speed.svg" "a file each"
	is "$(cat "$dir"/pictures/*.svg | grep -c '^<svg .* xmlns=')" 9 \
		"which stand alone"
	refuses "no such directory" 1 "cannot write" nstperf report \
		--pictures /nowhere "$dir/timed.json"
}

bad()
{
	refuses none 2 "wants documents" nstperf report
	refuses option 2 "what is '--frob'" nstperf report --frob
	refuses value_missing 2 "--output wants a value" nstperf report --output
	refuses empty_value 2 "--pictures wants a value" \
		nstperf report --pictures= /nowhere
	refuses missing 2 "/nowhere: no JSON" nstperf report /nowhere
	refuses directory 2 "no JSON: Is a directory" nstperf report /
	refuses endless_rubbish 2 "/dev/zero: no JSON" nstperf report /dev/zero
	mkfifo "$dir/endless"
	yes "   " >"$dir/endless" 2>/dev/null &
	refuses endless 2 "is too long for a document" nstperf report "$dir/endless"
	rm "$dir/endless"
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
apart
costs
curves
much
liars
files
bad
special
here
finish
