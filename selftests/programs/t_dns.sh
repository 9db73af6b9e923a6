#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dnsmasq and dig: names over UDP and TCP, small and large answers, many at once. And
# the C library's own resolver: its calls have NST if their port is named, by the
# engine that reaches them, and are let alone if not.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MARK=nst-plaintext-dns
PORTS=(--udp 53 --tcp 53)

{
	echo "no-resolv"
	echo "no-hosts"
	echo "user=root"
	echo "edns-packet-max=4096"
	echo "address=/$MARK-one.test/192.0.2.1"
	for n in $(seq 200); do
		echo "host-record=$MARK-$n.test,192.0.2.$n"
	done
	for n in 1 2 3 4 5 6 7 8; do
		printf 'txt-record=%s-large.test,%s\n' "$MARK" \
			"$(printf 'large answer %d %0200d' "$n" 0)"
	done
} >dnsmasq.conf

query()
{
	run h1 dig @10.12.0.2 +tries=5 +time=10 "$@"
}

# answers NAME LINES OPTION...: so many lines of +short
answers()
{
	local name=$1 n=$2

	shift 2
	query +short "$@" >said 2>errors
	[ "$(grep -vc '^;' said)" = "$n" ]
	say $? "$name" said errors
}

# resolves PORTS...: the C library does, with NST on these
resolves()
{
	local PORTS=("$@") MODE=nst

	run h1 getent ahostsv4 "$MARK-one.test" >said 2>&1
	grep -q '^192\.0\.2\.1 ' said
}

resolver()
{
	if [ "$MODE" = plain ]; then
		resolves --tcp 7000 --engine preload &&
			resolves --tcp 7000 --engine notify
		say $? "the resolver is let alone if its port is not named" said
		bare h1 nst-run --udp 53 --engine preload --explain -- true >said 2>&1
		grep -q "resolver stay plain" said
		say $? "an engine that does not reach it says so" said
	else
		resolves --udp 53
		say $? "the resolver has NST if its port is named" said
	fi
}

mkdir -p /etc/netns/h1
echo "nameserver 10.12.0.2" >/etc/netns/h1/resolv.conf

scene()
{
	local n

	run h2 dnsmasq -k -C dnsmasq.conf --pid-file= >dnsmasq.log 2>&1 &
	listening h2 udp 53 || return
	answers "an address by UDP" 1 "$MARK"-one.test A
	answers "by TCP" 1 +tcp "$MARK"-one.test A
	answers "an answer of 1,700 bytes by UDP" 8 +bufsize=4096 +ignore \
		"$MARK"-large.test TXT
	answers "one that is cut off, and asked for by TCP" 8 +bufsize=512 \
		"$MARK"-large.test TXT
	for n in $(seq 200); do
		echo "$MARK-$n.test A"
	done >many
	answers "two hundred names" 200 -f many
	resolver
	query "$MARK"-none.test A 2>&1 | grep -q 'status: \(REFUSED\|NXDOMAIN\)'
	say $? "one that is not there"
	! grep -iE 'fail|error' dnsmasq.log
	say $? "dnsmasq complains of nothing" dnsmasq.log
}

both 2 scene $MARK
rm -r /etc/netns
finish
