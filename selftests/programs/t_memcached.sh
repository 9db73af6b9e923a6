#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# memcached with the tools of libmemcached: values, its protocols, many clients.
# The server has another preloaded library, jemalloc.
#   MEMCACHED_MB   size of the large value (8)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${MEMCACHED_MB:=8}"
MARK=NST-PLAINTEXT-MEMCACHED
PORTS=(--tcp 11211)
at=--servers=10.12.0.2:11211

scene()
{
	local size=$((MEMCACHED_MB << 20))

	marked "$MARK" $((size - 1000)) big
	marked "$MARK" 3000 small
	LD_PRELOAD=$(echo /usr/lib/*/libjemalloc.so.2) run h2 memcached -u root -l 10.12.0.2 -p 11211 -I "${MEMCACHED_MB}m" \
		-m 256 -t 4 >memcached.log 2>&1 &
	listening h2 tcp 11211 || return
	grep -q jemalloc "/proc/$(pidof memcached)/maps"
	say $? "the server has jemalloc, too"
	try "values are set" run h1 memccp "$at" big small
	run h1 memccat "$at" --file=got big >said 2>&1 && same got big
	say $? "a value of $MEMCACHED_MB MB comes back the same" said
	run h1 memccat "$at" --file=got small >said 2>&1 && same got small
	say $? "so does a small one" said
	run h1 memccapable -h 10.12.0.2 -p 11211 -t 60 -a >said 2>&1 &&
		! grep -q FAIL said
	say $? "memccapable, ASCII: $(grep -c pass said) of its tests passed" said
	run h1 memccapable -h 10.12.0.2 -p 11211 -t 60 -b >said 2>&1 &&
		! grep -q FAIL said
	say $? "memccapable, binary: $(grep -c pass said) of its tests passed" said
	try "memcslap, 50 clients" run h1 memcslap "$at" --concurrency=50 \
		--execute-number="$(size 200)" --test=set
}

both 2 scene "$MARK"
finish
