#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demo, in the guest (make demo): two hosts, an attacker on the path between
# them, one key box. What it tells is checked: it is TAP too.
#
#     alice 10.0.1.1 ---- 10.0.1.2 path 10.0.2.2 ---- 10.0.2.1 bob

SIZE=${DEMO_MIB:-100}
DIR=/tmp/demo
SECRET="nobody on the path may read this"

# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. "$(dirname "$0")/tap.sh"

say()
{
	echo
	echo "== $*"
}

alice() { ip netns exec alice "$@"; }
bob() { ip netns exec bob "$@"; }
path() { ip netns exec path "$@"; }

make_net()
{
	ip netns add alice
	ip netns add bob
	ip netns add path
	ip link add eth0 netns alice type veth peer name alice netns path
	ip link add eth0 netns bob type veth peer name bob netns path
	alice ip addr add 10.0.1.1/24 dev eth0
	bob ip addr add 10.0.2.1/24 dev eth0
	path ip addr add 10.0.1.2/24 dev alice
	path ip addr add 10.0.2.2/24 dev bob
	alice ip link set eth0 up
	bob ip link set eth0 up
	path ip link set alice up
	path ip link set bob up
	path sysctl -qw net.ipv4.ip_forward=1
	alice ip route add default via 10.0.1.2
	bob ip route add default via 10.0.2.2
}

# A file of text that is easy to find again on the wire, and of noise.
make_file()
{
	local i=0

	yes "$SECRET" | head -c 1048576 >$DIR/text
	while [ $i -lt "$SIZE" ]; do
		cat $DIR/text
		head -c 1048576 /dev/urandom
		i=$((i + 2))
	done >$DIR/file
	rm $DIR/text
	sum=$(sha256sum <$DIR/file)
}

# start_receiver PORT: a receiver at bob's, in the background, listening
# start HOST LOG COMMAND...: in the background, as the process $started. LOG is
# emptied here and not by what is started, which may come to it too late: then
# who waits for a line would find that of the scene before.
start()
{
	local host="$1" log="$2"

	shift 2
	: >"$log"
	ip netns exec "$host" "$@" >>"$log" 2>&1 &
	started=$!
}

# start_ready TEXT HOST LOG COMMAND...: the same, and waits for TEXT in LOG
start_ready()
{
	local text="$1" log="$3"

	shift
	start "$@"
	while kill -0 $started 2>/dev/null && ! grep -q "$text" "$log"; do
		sleep 0.1
	done
}

start_receiver()
{
	start_ready waiting bob $DIR/recv.log nstcp recv nst "$1" $DIR/copy
	receiver=$started
}

start_sender()
{
	start alice $DIR/send.log nstcp send nst 10.0.2.1 "$1" $DIR/file
	sender=$started
}

# start_capture FILE ARGUMENT...: what alice's wire carries, as $dump
start_capture()
{
	start_ready listening path $DIR/dump.log tcpdump -Z root -i alice -w "$@"
	dump=$started
}

# wait_until MIB: as far as the sender in the background has come
wait_until()
{
	while kill -0 $sender 2>/dev/null &&
		! awk -v m="$1" '$1 == "sent" && $2 >= m { found = 1 }
			END { exit !found }' $DIR/send.log; do
		sleep 0.2
	done
}

# counters that grew: bob's, in /proc/net/nst_stat, since the last call
counters()
{
	bob cat /proc/net/nst_stat >$DIR/now
	[ ! -e $DIR/before ] || awk '
		NR == FNR { old[$1] = $2; next }
		$2 != old[$1] { print "   " $1, "+" $2 - old[$1] }' \
			$DIR/before $DIR/now
	mv $DIR/now $DIR/before
}

copy_arrived()
{
	wait $sender
	status=$?
	tap $status "the sender ended well"
	[ $status = 0 ] || tail -n 2 $DIR/send.log
	# A receiver that nobody speaks to would wait for ever.
	[ $status = 0 ] || kill $receiver
	wait $receiver
	tap $? "the receiver saw the end of the stream"
	sed 's/^/   bob: /' $DIR/recv.log
	[ "$(sha256sum <$DIR/copy)" = "$sum" ]
	tap $? "SHA-256 of both files is the same: $(echo "$sum" | cut -c1-16)..."
}

scene_box()
{
	say "a key box, made by nstkeyctl and loaded on both hosts"
	nstkeyctl genbox $DIR/box
	alice nstkeyctl load $DIR/box
	tap $? "alice has the box"
	bob nstkeyctl load $DIR/box
	tap $? "bob has the box"
	bob nstkeyctl show
}

scene_transfer()
{
	say "alice sends a file of $SIZE MiB; the attacker writes along"
	start_receiver 7001
	start_capture $DIR/pcap -s 400 -c 400 tcp port 7001
	start_sender 7001
	tail -f $DIR/send.log &
	progress=$!
	copy_arrived
	kill $dump $progress 2>/dev/null
	wait $dump $progress
	say "what the attacker has"
	nstdump $DIR/pcap 2
	tap $? "the capture has NST records"
	! grep -q "$SECRET" $DIR/pcap
	tap $? "the plaintext is not in the capture"
	grep -q "$SECRET" $DIR/file
	tap $? "it is in the file"
}

scene_tamper()
{
	say "the attacker flips one bit in flight"
	counters >/dev/null
	start_receiver 7002
	start_sender 7002
	wait_until $((SIZE / 5))
	path tc qdisc add dev bob clsact
	# Behind 20 bytes of IP, 32 of TCP, 48 of the record's header.
	path tc filter add dev bob egress protocol ip u32 \
		match ip dport 7002 0xffff \
		action pedit munge offset 200 u8 invert retain 0x01 pipe \
		action csum ip4h and tcp
	wait $sender
	# A receiver that nobody reached would wait for ever.
	! grep -q connect: $DIR/send.log || kill $receiver
	wait $receiver
	tap $((! $?)) "the receiver failed"
	path tc qdisc del dev bob clsact
	sed 's/^/   bob: /' $DIR/recv.log
	grep -q "Bad message" $DIR/recv.log
	tap $? "it was told that a record is not authentic"
	got=$(stat -c %s $DIR/copy)
	head -c "$got" $DIR/file | cmp -s - $DIR/copy
	tap $? "and was given not one wrong byte before ($got right ones)"
	echo "   bob's counters:"
	counters >$DIR/grew
	cat $DIR/grew
	grep -qi "auth.* +1$" $DIR/grew
	tap $? "counted once"
}

scene_rotate()
{
	say "alice and bob change to a new key in the middle of a transfer"
	start_receiver 7003
	start_sender 7003
	nstkeyctl genkey 2 accept $DIR/key
	wait_until $((SIZE / 5))
	for host in alice bob; do
		$host nstkeyctl add $DIR/key
	done
	for host in alice bob; do
		$host nstkeyctl activate 2
		tap $? "$host activated key 2"
	done
	wait_until $((SIZE / 2))
	echo "   alice, while the transfer goes on:"
	alice nstkeyctl show | sed 's/^/   /'
	copy_arrived
	sed 's/^/   alice: /' $DIR/send.log
	grep -q "key 1," $DIR/send.log && grep -q "key 2," $DIR/send.log
	tap $? "it began under key 1 and ended under key 2"
}

# The path sends everything twice, as an attacker could at any time.
scene_datagrams()
{
	local count=200

	say "alice sends $count datagrams; the attacker writes along, and repeats each"
	path tc qdisc replace dev bob root netem duplicate 100%
	start_capture $DIR/udp.pcap udp port 7004
	start_ready waiting bob $DIR/udp.log nstudp recv 7004 $count
	receiver=$started
	counters >/dev/null
	alice nstudp send 10.0.2.1 7004 $count "$SECRET"
	tap $? "the sender ended well"
	wait $receiver
	tap $? "the receiver got each of them once"
	sed 's/^/   bob: /' $DIR/udp.log
	path tc qdisc del dev bob root
	# tcpdump writes what it has when it is told to end.
	sleep 1
	kill $dump
	wait $dump
	nstdump $DIR/udp.pcap 1
	tap $? "each datagram is an NST record"
	! grep -q "$SECRET" $DIR/udp.pcap
	tap $? "the plaintext is not in the capture"
	echo "   bob's counters:"
	counters >$DIR/grew
	cat $DIR/grew
	grep -q "NstRxReplayed +$count$" $DIR/grew
	tap $? "every repetition was refused"
}

scene_speed()
{
	local kind best i speed

	say "throughput over loopback, MiB/s, best of 3"
	for i in 1 2 3; do
		for kind in plain tls nst; do
			speed=$(alice nstcp bench $kind 32) || speed=0
			echo "$kind $speed" >>$DIR/speed
		done
	done
	for kind in plain tls nst; do
		best=$(awk -v k=$kind '$1 == k && $2 > b { b = $2 }
			END { print b + 0 }' $DIR/speed)
		echo "   $kind $best"
		[ "$best" != 0 ]
		tap $? "measured $kind"
	done
	echo "   (an emulated processor: the order says something, the figures do not)"
}

echo 1..26
mkdir -p $DIR
chmod 700 $DIR
umask 077
make_net
alice ip link set lo up
make_file
scene_box
scene_transfer
scene_tamper
scene_rotate
scene_datagrams
scene_speed
exit $failed
