# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of programs share; to be sourced by them, in the guest.
#
# Hosts are network namespaces, h1 and h2 (and h3), each with a box of its own
# kernel's, joined by veth: h1 10.12.0.1 - 10.12.0.2 h2 10.23.0.2 - 10.23.0.3 h3.
# What passes on each link is kept by tcpdump, and searched.
#
# A test is a function that plays a scene with $MODE "plain" or "nst" and calls
# its programs by run(); both() has it played in both, and judges the wire. In
# the first the marks that all data carries must be found on the wire, or the
# search proves nothing; in the second not one may be there.

# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. /t/tap.sh

WORK=/var/tmp/work
MODE=plain
HOSTS=""
LINKS=""
PORTS=()
# The engine, by its name, if nst-run is not to choose (run.sh -e ENGINE=notify)
OPTIONS_OF_RUN=${ENGINE:+--engine=$ENGINE}

# addr N M: the address of host N on the link to host M
addr()
{
	if [ "$1" -lt "$2" ]; then
		echo "10.$1$2.0.$1"
	else
		echo "10.$2$1.0.$1"
	fi
}

link()
{
	ip link add "w$1$2" netns "h$1" type veth peer name "w$1$2" netns "h$2"
	ip -n "h$1" addr add "$(addr "$1" "$2")/24" dev "w$1$2"
	ip -n "h$2" addr add "$(addr "$2" "$1")/24" dev "w$1$2"
	ip -n "h$1" link set "w$1$2" up
	ip -n "h$2" link set "w$1$2" up
	LINKS="$LINKS $1$2"
}

# hosts_up N: N hosts in a row, a key box in each
hosts_up()
{
	local n

	HOSTS="" LINKS=""
	[ -e "$WORK/box" ] || nstkeyctl genbox "$WORK/box"
	for n in $(seq "$1"); do
		ip netns add "h$n"
		ip -n "h$n" link set lo up
		ip netns exec "h$n" nstkeyctl load "$WORK/box"
		HOSTS="$HOSTS h$n"
		[ "$n" = 1 ] || link $((n - 1)) "$n"
	done
}

hosts_down()
{
	local h

	for h in $HOSTS; do
		ip netns pids "$h" | xargs -r kill 2>/dev/null
	done
	sleep 0.5
	for h in $HOSTS; do
		ip netns pids "$h" | xargs -r kill -9 2>/dev/null
		ip netns del "$h"
	done
	wait
	HOSTS=""
}

# run HOST COMMAND...: there; with NST on $PORTS (arguments of nst-run) if this is
# the mode, else as it is
run()
{
	local host=$1

	shift
	if [ "$MODE" = nst ]; then
		# shellcheck disable=SC2086 # may be empty
		ip netns exec "$host" nst-run $OPTIONS_OF_RUN "${PORTS[@]}" -- "$@"
	else
		ip netns exec "$host" "$@"
	fi
}

# bare HOST COMMAND...: there, never with NST
bare()
{
	ip netns exec "$@"
}

# pids_of HOST NAME: processes of that name there
pids_of()
{
	local p

	for p in $(ip netns pids "$1"); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != "$2" ] || echo "$p"
	done
}

# stop HOST NAME: what run() has started in the background is a child of a shell
stop()
{
	pids_of "$@" | xargs -r kill
	until_true 60 none_of "$@"
}

# shellcheck disable=SC2317
none_of()
{
	[ -z "$(pids_of "$@")" ]
}

# until_true SECONDS COMMAND...: waits until it is
until_true()
{
	local end=$((SECONDS + $1 * ${NST_TIMES:-1}))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# listening HOST tcp|udp PORT [LOG]: waits for somebody who does
listening()
{
	until_true 120 has_listener "$@" && return
	ip netns exec "$1" ss -an | sed 's/^/# /'
	tap 1 "$MODE: somebody listens on $2 port $3 of $1" "${@:4}"
	return 1
}

# shellcheck disable=SC2317
has_listener()
{
	ip netns exec "$1" ss -Hln "--$2" "sport = $3" | grep -q .
}

# marked MARK BYTES FILE: lines, each of which has MARK and its own number
marked()
{
	seq -f "$1 %010.0f" 1 $(($2 / (${#1} + 12) + 1)) >"$3"
	truncate -s "$2" "$3"
}

sha()
{
	sha256sum "$@" | cut -d ' ' -f 1
}

same()
{
	[ "$(sha "$1")" = "$(sha "$2")" ]
}

# say STATUS NAME [FILE...]: a result of a scene
say()
{
	local status=$1 name=$2

	shift 2
	tap "$status" "$MODE: $name" "$@"
}

# try NAME COMMAND...: its status is a result, its output shown if it failed
try()
{
	local name=$1 rc=0

	shift
	"$@" >"$WORK/said" 2>&1 || rc=$?
	say $rc "$name" "$WORK/said"
}

wire_on()
{
	local l

	for l in $LINKS; do
		# What is started may empty it too late: it must not say
		# "listening" for the last one.
		: >"$WORK/tcpdump.$l"
		ip netns exec "h${l%?}" tcpdump -Z root -i "w$l" -s 0 -B 65536 \
			-w "$WORK/wire.$l" 2>"$WORK/tcpdump.$l" &
		echo $! >"$WORK/tcpdump.pid.$l"
		until_true 60 grep -q listening "$WORK/tcpdump.$l"
	done
}

# shellcheck disable=SC2317
wire_still()
{
	local before

	before=$(cat "$WORK"/wire.* | wc -c)
	sleep 2
	[ "$(cat "$WORK"/wire.* | wc -c)" = "$before" ]
}

# A result for each link: nothing may have been missed.
wire_off()
{
	local l pid

	# The kernel hands packets over within a second, and then they are written.
	until_true 120 wire_still
	for l in $LINKS; do
		pid=$(cat "$WORK/tcpdump.pid.$l")
		kill -INT "$pid"
		wait "$pid"
		grep -q '^0 packets dropped by kernel' "$WORK/tcpdump.$l"
		say $? "the watcher of link $l saw all: $(paste -sd ' ' "$WORK/tcpdump.$l")"
	done
}

# on_wire LINK MARK: how often it passed there
on_wire()
{
	grep -a -o -F -e "$2" "$WORK/wire.$1" | wc -l
}

# stat_of HOST NAME: a counter
stat_of()
{
	# shellcheck disable=SC2016 # of awk
	ip netns exec "$1" awk -v n="$2" '$1 == n { print $2 }' /proc/net/nst_stat
}

# Sealed and opened bytes of every host, as the kernel has counted them. What was
# opened the watchers must have seen, in as many bytes at least: hosts of a scene
# do not talk to themselves by NST.
judge_counters()
{
	local h tx rx opened=0 seen

	for h in $HOSTS; do
		tx=$(stat_of "$h" NstTxBytes)
		rx=$(stat_of "$h" NstRxBytes)
		if [ "$MODE" = nst ]; then
			[ "$tx" -gt 0 ] && [ "$rx" -gt 0 ]
		else
			[ "$tx" = 0 ] && [ "$rx" = 0 ]
		fi
		say $? "NST of $h sealed $tx bytes and opened $rx"
		opened=$((opened + rx))
	done
	seen=$(cat "$WORK"/wire.* | wc -c)
	[ "$seen" -gt "$opened" ]
	say $? "the wire has $seen bytes, opened were $opened"
}

# judge_wire MARK...: each on every link, or with NST on none
judge_wire()
{
	local l mark n

	for l in $LINKS; do
		for mark; do
			n=$(on_wire "$l" "$mark")
			if [ "$MODE" = nst ]; then
				[ "$n" = 0 ]
			else
				[ "$n" -gt 0 ]
			fi
			say $? "$mark is $n times on link $l"
		done
		rm -f "$WORK/wire.$l"
	done
}

# both HOSTS SCENE MARK...: SCENE plain, to see that the search finds the marks,
# then with NST
both()
{
	local hosts=$1 scene=$2 start

	shift 2
	for MODE in plain nst; do
		start=$SECONDS
		hosts_up "$hosts"
		wire_on
		$scene
		wire_off
		judge_counters
		judge_wire "$@"
		hosts_down
		echo "# $MODE took $((SECONDS - start)) s"
	done
}

# size NORMAL: what a scene moves; a part of it where NST is not what is tried
size()
{
	if [ "$MODE" = nst ]; then echo "$1"; else echo $((($1 + 9) / 10)); fi
}

# finish: the plan, and the exit status
finish()
{
	echo "1..$number"
	exit "$failed"
}

rm -rf "$WORK"
mkdir -p "$WORK"
chmod 755 "$WORK"
cd "$WORK" || exit

# sshd_files: keys, and an sshd_config of its own in the directory of the test
sshd_files()
{
	ssh-keygen -q -t ed25519 -N '' -f hostkey
	ssh-keygen -q -t ed25519 -N '' -f userkey
	cp userkey.pub authorized
	mkdir -p /run/sshd
	cat >sshd_config <<-END
		Port 22
		HostKey $WORK/hostkey
		AuthorizedKeysFile $WORK/authorized
		PermitRootLogin yes
		StrictModes no
		UsePAM no
		UseDNS no
		PidFile none
		Subsystem sftp internal-sftp
	END
}
