#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# doctor: who has a socket on a guarded port without NST; what nft and the journal
# know, both played here. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

# socket_at LETTER PORT: ss shows one, of TCP (t) or UDP (u)
socket_at()
{
	ss -Hln"$1" "sport = $2" | grep -q .
}

# listener PORT COMMAND...: waits until that listens
listener()
{
	local port=$1

	shift
	"$@" nc -l -p "$port" >/dev/null 2>&1 </dev/null &
	children="$children $!"
	within "tcp_$port" socket_at t "$port"
}

said()
{
	nstkeyctl doctor 2>&1 | grep listener >"$out"
	says "$1" "$2"
}

nstkeyctl genbox "$dir/box"
check load nstkeyctl load "$dir/box"
listener 7302
nstkeyctl doctor | grep listener >"$out"
[ ! -s "$out" ]
verdict $? nothing_is_guarded
check guard nstkeyctl guard add tcp 7300-7301
said nobody_there "ok .*nobody listens"
listener 7300 nst-run --tcp 7300 --
said with_nst "ok .*nobody listens"
listener 7301
said without_nst "warn .*tcp 7301 is guarded"
is "$(wc -l <"$out")" 1 the_others_are_not_named
check json sh -c "nstkeyctl doctor --json | grep -q '\"check\":\"listener\"'"

# play NAME: a program of that name in $PATH, which says what stands here
play()
{
	mkdir -p "$dir/bin"
	{
		printf '#!/bin/sh\ncat <<"END"\n'
		cat
		echo END
	} >"$dir/bin/$1"
	chmod 755 "$dir/bin/$1"
}

looked()
{
	PATH=$dir/bin:$PATH nstkeyctl doctor 2>&1 | grep "$2" >"$out"
	says "$1" "$3"
}

# bound PORT COMMAND...: a UDP socket there; busybox's nc knows TCP only
bound()
{
	local port=$1

	shift
	"$@" python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
time.sleep(1000)' "$port" >/dev/null 2>"$dir/bound" </dev/null &
	children="$children $!"
	within "udp_$port" socket_at u "$port"
}

check guard_udp nstkeyctl guard add udp 7310-7311
said no_udp_there "ok .*no UDP socket"
bound 7310 nst-run --udp 7310 --
said udp_with_nst "ok .*no UDP socket"
bound 7311
said udp_without_nst "warn .*udp 7311 is guarded"
says udp_that_has_nst_is_not_named 7311
is "$(grep -c udp "$out")" 1 one_udp_socket

play nft <<'NFT'
table ip odd {
	chain other {
		tcp dport 22 counter packets 9 bytes 9 drop
		tcp dport 7300 counter packets 0 bytes 0 drop
		tcp dport 7300 counter packets 5 bytes 9 accept comment "no drop"
		udp dport 7300 counter packets 5 bytes 9 drop
		tcp dport != 7300 counter packets 5 bytes 9 drop
	}
}
NFT
looked nft_drops_nothing_of_ours firewall "ok .*of others: 3 rules"
play nft <<'NFT'
table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport { 22, 7299-7300 } counter packets 3 bytes 180 drop
		udp sport 7310 counter packets 4 bytes 180 reject with icmp port-unreachable
	}
}
NFT
looked nft_drops firewall "warn .*table inet filter, chain input: tcp dport .*7299-7300"
says and_rejects "udp sport 7310 counter packets 4"
is "$(wc -l <"$out")" 2 two_rules
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/nft"
PATH=$dir/bin:$PATH nstkeyctl doctor 2>&1 | grep firewall >"$out"
[ ! -s "$out" ]
verdict $? without_nft_nothing_is_said

play journalctl <<'END2'
-40000000000
rubbish
-35500000000
END2
looked clocks_of_peers clock "warn .*-40.000 to -35.500 s from this one, by 2 events.*this clock is wrong"
play journalctl <<'END2'
-40000000000
35000000000
END2
looked clocks_to_both_sides clock "warn .*-40.000 to \\+35.000 .*theirs"
play journalctl </dev/null
PATH=$dir/bin:$PATH nstkeyctl doctor 2>&1 | grep 'clock.*from this one' >"$out"
[ ! -s "$out" ]
verdict $? no_events_no_clocks
nstkeyctl guard flush
nstkeyctl flush
finish
