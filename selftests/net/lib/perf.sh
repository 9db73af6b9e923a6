# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of nstperf share: two namespaces with a wire between them and
# one box, a server in the one, clients in the other. To be sourced, behind
# libtap.sh, whose $dir and $err it uses.

# shellcheck disable=SC2154 # of libtap.sh
doc=$dir/doc.json

ip netns add one
ip netns add two
ip link add wire netns one type veth peer name wire netns two
ip -n one addr add 10.77.0.1/24 dev wire
ip -n two addr add 10.77.0.2/24 dev wire
ip -n one addr add fd77::1/64 dev wire nodad
ip -n two addr add fd77::2/64 dev wire nodad
ip -n one link set wire up
ip -n two link set wire up
ip -n two link set lo up
(umask 077; nstkeyctl genbox "$dir/box")
ip netns exec one nstkeyctl load "$dir/box"
ip netns exec two nstkeyctl load "$dir/box"

one()
{
	ip netns exec one "$@"
}

two()
{
	ip netns exec two "$@"
}

listens()
{
	two ss -Htln "sport = :${1:-20051}" | grep -q .
}

# serve [OPTION...]: a server of its own in namespace two; $server
serve()
{
	ip netns exec two nstperf server "$@" 2>"$dir/server" &
	server=$!
	children="$children $server"
	wait_for listens
}

# perf OPTION...: a client in namespace one, its document in $doc
perf()
{
	one nstperf client "${host:-10.77.0.2}" --timeout $((20 * times)) \
		--file-size 200k --json "$doc" "$@"
}

# runs STATUS: how many of them the document has
runs()
{
	grep -c "\"status\": *\"$1\"" "$doc"
}

is_complete()
{
	grep -q "\"complete\": *$1" "$doc" && jsoncheck <"$doc"
}

# why WORDS: the document says so
why()
{
	grep -q "\"why\": *\".*$1" "$doc"
}
