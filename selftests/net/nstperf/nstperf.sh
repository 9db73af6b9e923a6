#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nstperf.sh [all]: nstperf's scenarios and modes between two namespaces, every
# byte verified, with the wire watched: there is plaintext where the mode says
# plain, and nowhere else. Every suite is in one scenario of each kind; with "all"
# every scenario is in every mode (make check-nstperf).

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/perf.sh
. "$(dirname "$0")/perf.sh"

all=${1:-}

# What nstperf sends has this in each 128 bytes; ports of data are any.
plaintext()
{
	grep -aq nstperf-plaintext "$dir/wire"
}

captures()
{
	[ "$(stat -c %s "$dir/wire" 2>/dev/null || echo 0)" -ge 24 ]
}

watch()
{
	rm -f "$dir/wire"
	one tcpdump -Z root -i wire -U -s 200 -w "$dir/wire" 'tcp or udp' \
		>/dev/null 2>&1 &
	tcpdump=$!
	children="$children $tcpdump"
	wait_for captures
}

# tcpdump writes what it has as it ends
unwatch()
{
	kill "$tcpdump"
	wait "$tcpdump" 2>/dev/null
}

# row NAME EXPECTED OPTION...: so many runs, all done and verified
row()
{
	local name=$1 expected=$2 rc=0

	shift 2
	perf --verify --warmup 0 --repeat 1 --count 20 "$@" \
		>"$out" 2>"$err" || rc=1
	[ "$(runs ok)" = "$expected" ] || rc=1
	[ "$(grep -c '"verified": *true' "$doc")" = "$expected" ] || rc=1
	is_complete true >>"$err" 2>&1 || rc=1
	verdict $rc "$name"
}

# rows KIND MODES STREAMS DATAGRAMS: all scenarios; how many runs that are
rows()
{
	local kind=$1 modes=$2 expected=$(($3 + $4))

	watch
	row "$kind: every scenario" $expected --scenario all --mode "$modes"
	[ "$kind" = plain ] || [ -n "$all" ] || suites "$kind"
	unwatch
	check "$kind: packets were seen" \
		test "$(stat -c %s "$dir/wire")" -gt 10000
	if [ "$kind" = plain ]; then
		check "$kind: plaintext on the wire" plaintext
	else
		check "$kind: no plaintext on the wire" fails plaintext
	fi
}

# suites KIND: each cipher, with streams and datagrams
suites()
{
	case $1 in
	nst) row "$1: every suite" 14 --scenario send,dgram --mode nst-all ;;
	dtls) row "$1: every cipher" 3 --scenario dgram --mode dtls-all ;;
	*) row "$1: every cipher" 3 --scenario ping --mode "$1-all" ;;
	esac
}

# shapes: what is no matter of the mode
shapes()
{
	row "four streams" 3 --streams 4 --mode nst \
		--scenario send,connect-keepalive,dgram-mmsg --requests 3
	row "odd sizes" 4 --mode nst --scenario send,splice \
		--size 1,70001
	row "files of two sizes" 4 --mode nst --scenario sendfile,mmap \
		--size 16k --file-size 64k,300k
	row "small datagrams" 2 --mode nst --scenario dgram,dgram-gso \
		--size 24
	row "a message of 64k" 2 --mode nst --scenario ping,raw --size 64k
	host=fd77::2 row "IPv6" 3 --mode nst --scenario send,connect,dgram
	row "by time, with a warm-up" 2 --time $((times)) --warmup 0.3 \
		--mode plain,nst --scenario ping
	row "a processor each" 1 --cpu 0,0 --mode nst --scenario ping
	row "caches dropped" 1 --drop-caches --mode nst --scenario sendfile
	printf '# a plan\nscenario ping\nmode = nst, \n' >"$dir/plan"
	refuses "a plan's mistake has its line" 2 "plan:3: --mode" \
		perf --rc "$dir/plan"
	printf '# a plan\nscenario ping\nmode=nst\ncount\t5\nverify\n' \
		>"$dir/plan"
	row "a plan" 1 --rc "$dir/plan"
}

# holds EXPRESSION: of each run of the document, r; its client c, its server s. This
# guest's Python has no json.
holds()
{
	python3 -c '
import sys
doc = eval(open(sys.argv[1]).read(), {"true": 1, "false": 0, "null": None})
n = 0
for r in doc["runs"]:
    assert r["status"] == "ok", r
    c, s, n = r["client"], r["server"], n + 1
    near = lambda a, b: abs(a - b) <= 1e-6 * max(abs(a), abs(b))
    assert eval("(" + sys.argv[2] + ")"), r
assert n' "$doc" "$1"
}

# What is measured: no figure by itself can be judged, but they have to agree.
figures()
{
	perf --mode plain,nst --scenario send,ping --time $((times)) --warmup 0.2 \
		--repeat 1 >"$out" 2>"$err"
	is $? 0 "measured by time"
	check "speed is of what came and of its time" holds \
		'near(r["bytes_per_s"], r["bytes"] / r["seconds"]) and
		 near(r["ops_per_s"], r["ops"] / c["seconds"])'
	check "a call one way is of its size" holds \
		'r["scenario"] != "send" or
		 r["bytes"] <= (r["ops"] + 4096) * r["size"]'
	check "each call has a latency" holds \
		'0 < r["latency"]["count"] <= r["ops"] + 1 and
		 r["latency"]["min_ns"] <= r["latency"]["p50_ns"] <=
		 r["latency"]["p99_ns"] <= r["latency"]["max_ns"]'
	check "processor time of both ends, in their time" holds \
		'all(0 < e["user_s"] + e["system_s"] <= e["seconds"] * 2 + 1
		     for e in (c, s))'
	check "and of the machine" holds \
		'all(sum(e["machine_%s_s" % w] for w in ("user", "system", "irq",
		     "softirq", "idle", "steal")) > 0 for e in (c, s))'
	check "who waits for an answer gives the processor away" holds \
		'r["scenario"] != "ping" or c["switches"] + c["preempted"] > r["ops"] / 2'
	check "instructions and cycles, or neither" holds \
		'all(("instructions" in e) == ("cycles" in e) and
		     e.get("instructions", 1) > 0 for e in (c, s))'
	perf --mode nst --scenario ping --size 100 --count 33 --warmup 0 \
		--repeat 1 >"$out" 2>"$err"
	is $? 0 "measured by count"
	check "it is so many" holds 'r["ops"] == 33 and r["bytes"] == 3300 and
		r["latency"]["count"] == 33'
}

# The wire is cut for a moment: what was under way has to be sent again.
retransmits()
{
	ip netns exec one nstperf client 10.77.0.2 --timeout $((60 * times)) \
		--json "$doc" --mode plain --scenario send --warmup 0 \
		--time $((3 * times)) --repeat 1 >"$out" 2>"$err" &
	children="$children $!"
	wait_for data_flows
	two ip link set wire down
	sleep 1
	two ip link set wire up
	wait $!
	is $? 0 "with the wire cut for a second"
	check "retransmits are counted" holds 'r["retransmits"] > 0'
}

# the connection for data: no other has a port of its own there
data_flows()
{
	[ "$(two ss -Htn state established | grep -cv ':20051 ')" -ge 1 ]
}

# On a terminal it is told what is done now.
progress()
{
	one python3 -c '
import os, sys
pid, fd = os.forkpty()
if not pid:
    os.execvp("nstperf", ["nstperf", "client", "10.77.0.2", "--mode", "plain",
        "--scenario", "ping,send", "--count", "3", "--repeat", "1"])
said = b""
try:
    while True:
        more = os.read(fd, 4096)
        if not more:
            break
        said += more
except OSError:
    pass
os.waitpid(pid, 0)
sys.exit(not (b"[1/2] send plain 16384 ..." in said and
    b"[2/2] ping plain 64 ..." in said and b"2/2 ping plain 64: " in said))' \
		>"$out" 2>"$err"
	verdict $? "progress on a terminal"
	perf --mode plain --scenario ping --count 3 --repeat 1 >"$out" 2>"$err"
	is "$(grep -c '\[1/1\]' "$err")" 0 "and none into a file"
}

serve --port 20051
modprobe -q tls
if [ -n "$all" ]; then
	rows plain plain 10 3
	rows nst nst-all 70 21
	rows ktls ktls-all 30 0
	rows tls tls-all 30 0
	rows dtls dtls-all 0 9
else
	rows plain plain 10 3
	rows nst nst 10 3
	rows ktls ktls 10 0
	rows tls tls 10 0
	rows dtls dtls 0 3
	shapes
	figures
	progress
	retransmits
fi
is "$(cat "$dir/server")" "" "the server had nothing to complain of"
end_children
ip netns del one
ip netns del two
finish
