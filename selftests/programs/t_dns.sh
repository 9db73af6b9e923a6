#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dnsmasq and dig: names over UDP and TCP, small and large answers, many at once.

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
	query "$MARK"-none.test A 2>&1 | grep -q 'status: \(REFUSED\|NXDOMAIN\)'
	say $? "one that is not there"
	! grep -iE 'fail|error' dnsmasq.log
	say $? "dnsmasq complains of nothing" dnsmasq.log
}

both 2 scene $MARK
finish
