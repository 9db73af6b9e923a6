#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# redis with redis-cli and redis-benchmark: large values, pipelines, pub/sub, a
# replica.
#   REDIS_MB   size of the large value (64)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${REDIS_MB:=64}"
MARK=NST-PLAINTEXT-REDIS
PORTS=(--tcp 6379)

cli()
{
	run h1 redis-cli -h 10.12.0.2 "$@"
}

# server HOST OPTION...
server()
{
	local host=$1

	shift
	mkdir -p "data.$host"
	run "$host" redis-server --bind 0.0.0.0 --protected-mode no --save '' \
		--repl-diskless-sync-delay 0 --dir "$WORK/data.$host" \
		"$@" >"redis.$host" 2>&1 &
	listening "$host" tcp 6379
}

large()
{
	local mb=$1

	marked "$MARK" $((mb << 20)) big
	# shellcheck disable=SC2094 # its name is that of the key
	cli -x set big <big >said 2>&1 && grep -q OK said
	say $? "a value of $mb MB is set" said
	cli --raw get big 2>said | head -c $((mb << 20)) >got
	same big got
	say $? "it comes back the same" said
}

# Requests as the protocol has them, all at once.
pipeline()
{
	local n=$1 said

	seq "$n" | awk -v m="$MARK" '{
		v = m "-" $1; k = "key-" $1
		printf "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n",
			length(k), k, length(v), v }' >requests
	said=$(cli --pipe <requests 2>&1 | paste -sd ' ')
	[ "${said##*errors: 0, replies: }" = "$n" ]
	say $? "$n requests in a pipeline: ${said##*. }"
	[ "$(cli get "key-$n")" = "$MARK-$n" ]
	say $? "the last of them is there"
	run h1 redis-benchmark -h 10.12.0.2 -c 50 -P 16 -n "$n" -d 200 -q \
		-t set,get,incr,lpush >said 2>&1 && ! grep -i error said
	say $? "redis-benchmark, 50 clients, 16 requests each at a time" said
}

pubsub()
{
	local n=$1

	cli subscribe news >heard 2>&1 &
	until_true 60 grep -q subscribe heard
	seq "$n" | sed "s/.*/publish news $MARK-&/" | cli >/dev/null
	until_true 60 grep -q "$MARK-$n\$" heard
	stop h1 redis-cli
	grep -o "$MARK-[0-9]*" heard >got
	seq "$n" | sed "s/^/$MARK-/" >want
	same got want
	say $? "a subscriber hears $n messages, each once, in order"
}

replica()
{
	server h1 --replicaof 10.12.0.2 6379 || return
	until_true 240 replicated
	say $? "a replica has what the first has" redis.h1 said
}

# shellcheck disable=SC2317
replicated()
{
	run h2 redis-cli -h 10.12.0.1 dbsize >one
	cli dbsize >two
	run h2 redis-cli -h 10.12.0.1 --raw get big | head -c "$(stat -c %s big)" >got
	same one two && same got big
}

# shellcheck disable=SC2317
gone()
{
	! has_listener h2 tcp 6379
}

scene()
{
	server h2 || return
	large "$(size "$REDIS_MB")"
	pipeline "$(size 20000)"
	pubsub "$(size 2000)"
	replica
	cli shutdown nosave >said 2>&1
	until_true 60 gone
	say $? "redis ends in order" redis.h2 said
}

both 2 scene "$MARK"
finish
