#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: documents of nstperf against their schema, and pictures that are kept
# against their data. What the client writes of every scenario in a mode of each kind,
# complete or not, comes from the loopback of this machine, as whoever runs it: where a mode needs
# a module, it is refused, and the document says so. TAP.
#
# shellcheck disable=SC2317 # functions are called by result()

set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

nstperf=${NST_BUILD:-build}/tools/nstperf
schema=userspace/nstperf/nstperf.schema.json
port=20071
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

# Debian's own Python, which has Debian's jsonschema.
validate()
{
	/usr/bin/python3 - "$schema" "$@" <<-'END'
		import json, sys
		import jsonschema
		schema = json.load(open(sys.argv[1]))
		jsonschema.Draft7Validator.check_schema(schema)
		for name in sys.argv[2:]:
		    jsonschema.validate(json.load(open(name)), schema)
	END
}

# One that lets anything pass would be none: no member may go, or be a list, or be
# unknown, but for those that a document need not have.
bites()
{
	/usr/bin/python3 - "$schema" "$1" <<-'END'
		import copy, json, sys
		import jsonschema
		validator = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
		doc = json.load(open(sys.argv[2]))
		assert validator.is_valid(doc)
		may_go = {"source", "measured", "count", "seconds", "requests",
		          "file_size", "family", "verify", "drop_caches", "client_cpu",
		          "server_cpu", "latency", "client", "server"}
		taken = []
		run = next(r for r in doc["runs"] if r["status"] == "ok")
		parts = (lambda d: d, lambda d: d["settings"],
		         lambda d: d["runs"][doc["runs"].index(run)],
		         lambda d: d["runs"][doc["runs"].index(run)]["latency"],
		         lambda d: d["runs"][doc["runs"].index(run)]["server"])
		for part in parts:
		    for name in part(doc):
		        for change in ("gone", "list"):
		            new = copy.deepcopy(doc)
		            if change == "gone":
		                del part(new)[name]
		            else:
		                part(new)[name] = [[]]
		            if validator.is_valid(new) and not (
		                    change == "gone" and name in may_go):
		                taken.append((name, change))
		    new = copy.deepcopy(doc)
		    part(new)["frob"] = 1
		    if validator.is_valid(new):
		        taken.append("frob")
		assert not taken, taken
	END
}

# Every member that the schema has is told.
told()
{
	/usr/bin/python3 - "$schema" Documentation/nstperf.md <<-'END'
		import json, re, sys
		words = set(re.findall(r"`([a-z0-9_]+)`", open(sys.argv[2]).read()))
		def names(node):
		    if isinstance(node, dict):
		        for key, value in node.items():
		            if key == "properties":
		                yield from value
		            yield from names(value)
		    elif isinstance(node, list):
		        for value in node:
		            yield from names(value)
		missing = set(names(json.load(open(sys.argv[1])))) - words
		assert not missing, missing
	END
}

client()
{
	"$nstperf" client 127.0.0.1 --port "$port" --quiet --json "$@"
}

everything()
{
	# Some modes are refused, which is told by its status.
	client "$work/all" --scenario all --mode plain,nst,ktls,tls,dtls \
		--count 3 --repeat 1 --file-size 100k --size 1200 --verify >/dev/null 2>&1
	validate "$work/all" &&
		[ "$(grep -c '"status": *"ok"' "$work/all")" -ge 26 ]
}

by_time()
{
	client "$work/time" --scenario send,dgram --mode plain --time 0.5 \
		--warmup 0 --repeat 2 --streams 2 && validate "$work/time"
}

# Files of three sizes, one of them cut by the calls: each has its own runs, section
# and picture.
file_sizes()
{
	client "$work/files" --scenario send,sendfile --mode plain --count 40 \
		--repeat 2 --size 16k --verify --file-size 100k,1m,300k &&
		validate "$work/files" &&
		/usr/bin/python3 - "$work/files" <<-'END' &&
		import json, sys
		doc = json.load(open(sys.argv[1]))
		sizes = [100 << 10, 1 << 20, 300 << 10]
		assert doc["complete"] and doc["settings"]["file_sizes"] == sizes
		assert [r.get("file_size") for r in doc["runs"]] == ([None] + sizes) * 2
		# Forty calls; behind the end of a file the next one begins anew.
		sent = {None: 655360, 100 << 10: 593920, 1 << 20: 655360, 300 << 10: 647168}
		assert all(r["bytes"] == sent[r.get("file_size")] for r in doc["runs"])
		END
		"$nstperf" report --output "$work/page" --pictures "$work" "$work/files" &&
		[ "$(grep -c '<h2>sendfile, a file of' "$work/page")" = 3 ] &&
		[ -s "$work/files-sendfile-f102400-16384-speed.svg" ] &&
		[ -s "$work/files-send-16384-speed.svg" ]
}

# In the middle, by the second line that has come.
broken_off()
{
	local pid i=0

	"$nstperf" client 127.0.0.1 --port "$port" --quiet --json "$work/part" \
		--scenario ping --mode plain --time 0.1 --warmup 0 \
		--repeat 1000 2>/dev/null &
	pid=$!
	while [ "$i" -lt 600 ] && ! grep -q '"status"' "$work/part" 2>/dev/null; do
		i=$((i + 1))
		sleep 0.1
	done
	kill -TERM "$pid"
	wait "$pid"
	grep -q '"complete": *false' "$work/part" && validate "$work/part"
}
# The server waits a fifth of a second to see that no datagram comes any more.
datagrams_by_count()
{
	client "$work/count" --scenario dgram --mode plain --count 5000 \
		--repeat 3 --warmup 0 &&
		/usr/bin/python3 - "$work/count" <<-'END'
		import json, sys
		runs = json.load(open(sys.argv[1]))["runs"]
		waits = [r["server"]["seconds"] - r["client"]["seconds"] for r in runs]
		assert min(waits) < 0.15, waits
		END
}

# Who counts in user space alone counts next to nothing of what the kernel encrypts.
counted_in_part()
{
	local kernel

	for kernel in True False; do
		/usr/bin/python3 - "$work/time" "$work/part-$kernel" "$kernel" <<-'END'
		import json, sys
		doc = json.load(open(sys.argv[1]))
		for run in doc["runs"]:
		    run["client"].update(instructions=9, cycles=9, counted_kernel=True)
		    run["server"].update(instructions=9, cycles=9,
		                         counted_kernel=sys.argv[3] == "True")
		json.dump(doc, open(sys.argv[2], "w"))
		END
		"$nstperf" report --output "$work/page-$kernel" \
			"$work/part-$kernel" || return
	done
	validate "$work/part-False" && grep -q '>Instructions' "$work/page-True" &&
		! grep -q '>Instructions' "$work/page-False"
}

# With the page forgotten a shell's pattern names a document in its place.
page_forgotten()
{
	local before rc=0

	cp "$work/time" "$work/time.json" && cp "$work/all" "$work/all.json"
	before=$(sha256sum "$work/time.json")
	"$nstperf" report --output "$work/time.json" "$work/all.json" \
		2>"$work/said" || rc=$?
	[ "$rc" != 0 ] && grep -q 'time.json is a document' "$work/said" &&
		[ "$(sha256sum "$work/time.json")" = "$before" ]
}

# Of the same two hosts, but not more rounds of the same.
families()
{
	"$nstperf" client ::1 --port "$port" --quiet --scenario ping \
		--mode plain --count 20 --repeat 2 --warmup 0 --json "$work/six" &&
		client "$work/four" --scenario ping --mode plain --count 20 \
			--repeat 2 --warmup 0 && validate "$work/six" "$work/four" &&
		[ "$(grep -c '"name": *"lo"' "$work/four")" = 2 ] &&
		"$nstperf" report --output "$work/page" "$work/six" "$work/four" &&
		[ "$(grep -c '<h2>ping' "$work/page")" = 2 ]
}

"$nstperf" server --port "$port" 2>"$work/server" &
server=$!
for ((i = 0; i < 600; i++)); do
	! (: </dev/tcp/127.0.0.1/$port) 2>/dev/null || break
	sleep 0.1
done
result "every scenario and kind of mode" everything
result "by time, of two streams" by_time
result "files of some sizes" file_sizes
result "datagrams by count, without the wait behind them" datagrams_by_count
result "what one end has counted in part is not drawn" counted_in_part
result "the page was forgotten" page_forgotten
result "two families are not one" families
result "one that was broken off" broken_off
result "the schema bites" bites "$work/all"
result "and is told of in nstperf.md" told
result "what bench.md shows" validate Documentation/bench/*.json
result "what nstperf.md shows" validate Documentation/nstperf/report.json
kill $server
# The rest has a plan, and numbers, of its own.
selftests/bench/pictures.sh check >"$work/pictures" 2>&1
result "pictures are of their data" grep -q '^1\.\.' "$work/pictures"
result "all of them" test -z "$(grep '^not ok' "$work/pictures")"
echo "1..$number"
# shellcheck disable=SC2154 # tap.sh
exit "$failed"
