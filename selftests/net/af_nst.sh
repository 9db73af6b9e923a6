#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The protocol family AF_NST and the module: its number, loading by the first
# socket, and what holds the module. TAP.

# shellcheck source-path=SCRIPTDIR source=lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
# The last reference of a TCP socket may go with its TIME_WAIT's predecessor.
patience=$((900 * times))
param=/sys/module/nst_ulp/parameters/family
conf=/etc/modprobe.d/nst-test.conf
# as in <linux/nst.h> and <sys/socket.h>
stream=1
dgram=2
inet6=10
# This number has an owner in every kernel (netlink), that one in none.
taken=16
free=22

# answers WORD COMMAND...: that is what it says
answers()
{
	local word=$1

	shift
	[ "$("$@" 2>/dev/null)" = "$word" ]
}

no_refs()
{
	[ "$(cat /sys/module/nst_ulp/refcnt)" = 0 ]
}

unused()
{
	wait_for no_refs
}

unload()
{
	unused && rmmod nst_ulp
}

# loads_not OPTION: and nothing of it stays
loads_not()
{
	fails modprobe nst_ulp "$1" && fails loaded &&
		[ ! -e /proc/net/nst_stat ] && [ ! -e /proc/sys/net/nst ]
}

said()
{
	dmesg | grep -q "$1"
}

# spoke FILE: waits until something is in it
spoke()
{
	wait_for grep -q . "$1"
}

# seen PORT SS_OPTION: in ss, by its port
seen()
{
	ss "$2" | grep -q ":$1 "
}

mkdir -p /etc/modprobe.d

check "it can be unloaded" unload
check "it has the family's alias" has_alias net-pf-25

# Autoload. Who asks first needs no right for it.
check "a socket of nobody's loads it" answers ready afsock -n open $stream 0
check "it is there" loaded
check "everybody may read the number" answers 25 cat $param
check "the parameter is for reading" answers 444 stat -c %a $param
check "nothing holds it behind the last socket" unload
check "IPv6 loads it as well" answers ready afsock -n open $stream $inet6
check "nothing holds it then" unload
check "datagrams load it" answers ready afsock -n open $dgram 0
check "nothing holds it behind them" unload

# Another number.
check "it loads with another number" modprobe nst_ulp family=$free
check "the number is told" answers $free cat $param
check "a socket of that number" answers ready afsock -n -f $free open $stream 0
check "none of the usual one" answers EAFNOSUPPORT afsock open $stream 0
check "nothing holds it behind that" unload
printf 'options nst_ulp family=%s\nalias net-pf-%s nst_ulp\n' $free $free >$conf
check "with modprobe.d another number loads it too" \
	answers ready afsock -n -f $free open $stream 0
check "by that number" answers $free cat $param
rm -f $conf
check "and it goes" unload

# Numbers that cannot be.
check "a taken number ends the load" loads_not family=$taken
check "it names the number" said "protocol family $taken is taken"
check "and the way out" said "load with family="
for n in -1 46 1000 2147483647; do
	check "$n is no number" loads_not "family=$n"
	check "it says so" said "family=$n is no protocol family"
done
check "text is no number" loads_not family=nst
check "0 leaves the family away" modprobe nst_ulp family=0
check "so there is none" answers EAFNOSUPPORT afsock open $stream 0
check "but all else" viewpair 0
check "it goes without the family" unload
check "and comes again" modprobe nst_ulp

# What holds it.
for type in $stream $dgram; do
	rm -f /tmp/afsock
	afsock open "$type" $inet6 $((600 * times)) >/tmp/afsock &
	pid=$!
	check "a socket stands, $type" spoke /tmp/afsock
	check "it holds the module" fails rmmod nst_ulp
	kill $pid
	wait $pid
	check "until it is closed" unused
done
check "refused sockets are refused" afsock refused
# A sock gives its reference back a grace period behind its end.
check "and hold nothing" unused

# Seen from outside.
for kind in "-Htln $stream 0" "-Htln $stream $inet6" \
	"-Huan $dgram 0" "-Huan $dgram $inet6"; do
	# shellcheck disable=SC2086 # three words
	set -- $kind
	rm -f /tmp/afsock
	afsock listen "$2" "$3" $((600 * times)) >/tmp/afsock &
	pid=$!
	check "listening, $2 $3" spoke /tmp/afsock
	check "ss shows it" seen "$(cat /tmp/afsock)" "$1"
	kill $pid
	wait $pid
done
check "it is gone from ss" fails seen "$(cat /tmp/afsock)" -Htln

# The kernel's own sockets.
modprobe nst_kernsock
while read -r kind result; do
	check "the kernel's own sockets, $kind" [ "$result" = "good 0" ]
done </proc/nst_kernsock
rmmod nst_kernsock
check "nothing of them holds it" unused

# Each allocation fails once, in kernels that can do that.
debug=/sys/kernel/debug
slab=$debug/failslab
if [ -e /proc/self/fail-nth ] && [ -e $slab/verbose ]; then
	for file in "$debug"/fail*/verbose; do
		echo 0 >"$file"
	done
	echo N >$slab/ignore-gfp-wait
	for kind in "$stream 0" "$stream $inet6" "$dgram 0" "$dgram $inet6"; do
		# shellcheck disable=SC2086 # two words
		check "no memory for $kind" afsock fail $kind
		check "and nothing lost" unused
	done
	echo Y >$slab/ignore-gfp-wait
fi

# It comes and goes while four threads ask for sockets.
afsock -n churn $((10 * times)) &
pid=$!
gone=0
while kill -0 $pid 2>/dev/null; do
	rmmod nst_ulp 2>/dev/null && gone=$((gone + 1))
done
echo "# unloaded $gone times"
check "sockets while it comes and goes" wait $pid
check "it went now and then" [ $gone -gt 0 ]
modprobe nst_ulp
check "nothing holds it at the end" unused
finish
