#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# icount.sh [option...] [LOAD:SIZE[:COUNT]...]: counts the instructions that a
# guest spends on plain TCP, kTLS and NST, or on plain UDP, WireGuard and NST, and
# prints a table and where they go. It builds the modules and the programs from
# the tree as it is.
#
#   selftests/bench/icount.sh send:16384          after a change: 10 seconds
#   selftests/bench/icount.sh -t 30 ping:64       the 30 dearest functions
#   selftests/bench/icount.sh -n 5                all loads, medians of 5 seeds
#
#   -n SEEDS   runs, each with another seed of QEMU's random numbers (default 1)
#   -m MODES   of TCP, default "plain ktls nst"; there is ktls-nopad too
#   -u MODES   of datagrams, default "plain wg nst nst-chacha"
#   -t TOP     functions to print for each mode (default 0)
#   -k KERNEL  6.1 (default), 6.12 or 7.3
#   -M DIR     modules from there (see build-modules.sh), not built
#   -o DIR     keeps results there (default build/bench/icount-KERNEL)
#
# As documents of nstperf they are in build/bench/documents (nstperf report).
#
# The guest has one CPU and no clock but the count of its instructions, so the
# load of this machine does not matter. The same seed gives the same figures
# within 1 %, with one exception: under TCP_NODELAY small sends run in one of two
# ways, by chance. Either each is a segment and a wakeup of its own, or the window
# is full and TCP merges them; the groups net and sched tell. nagle has no such
# trouble. Loads are send, nagle, sendfile, ping, setup, wake and idle, and of
# datagrams dgram, gso, gro and refuse (see load.c).

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR source=loads.sh
. "$here/loads.sh"

command="selftests/bench/icount.sh $*"
seeds=1 modes="plain ktls nst" udp_modes="plain wg nst nst-chacha"
top=0 kernel=6.1 mods='' results=''
while getopts n:m:u:t:k:M:o: opt; do
	case $opt in
	n) seeds=$OPTARG ;;
	m) modes=$OPTARG ;;
	u) udp_modes=$OPTARG ;;
	t) top=$OPTARG ;;
	k) kernel=$OPTARG ;;
	M) mods=$OPTARG ;;
	o) results=$OPTARG ;;
	*) nst_die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- nagle:256 nagle:1024 send:256 send:1024 \
	send:16384 send:65536 send:262144 sendfile:65536 ping:64 \
	setup:64 wake:64 idle \
	dgram:64 dgram:512 dgram:1400 gso:1400 gro:1400
nst_kernel "$kernel"
bench=$NST_BUILD/bench
results=${results:-$bench/icount-$kernel}
mkdir -p "$bench"

# count_of LOAD SIZE: 4 MiB, in at least 16 calls, 1 MiB of small ones, 200 round
# trips or connections, 100 that are woken, 1000 idle ones, 4096 datagrams
count_of()
{
	case $1 in
	ping | setup) echo 200 ;;
	wake) echo 100 ;;
	idle) echo 1000 ;;
	dgram | gso | gro | refuse) echo 4096 ;;
	*) if [ "$2" -lt 1024 ]; then echo $(((1 << 20) / $2))
		else echo $(((4 << 20) / $2)); fi ;;
	esac
}

build()
{
	make -s -C "$here" O="$bench" all
	if [ -z "$mods" ]; then
		NST_BUILD=$bench "$here/../../scripts/build-modules.sh" \
			"$kernel" -s modules >"$bench/build.log" 2>&1 ||
			{ cat "$bench/build.log" >&2; exit 2; }
		mods=$bench/$kernel/src
	fi
	if [ ! -e "$bench/root-$kernel/ready-sha" ]; then
		rm -rf "$bench/root-$kernel"
		"$here/../vm/base.sh" "$nst_release" "$nst_image" \
			"$bench/root-$kernel"
		add_module wireguard
		! has_sha256_module || add_module sha256-ssse3
		touch "$bench/root-$kernel/ready-sha"
	fi
}

# SHA-256 in assembly: a module on 6.1 and 6.12, part of the hash on 7.3
has_sha256_module()
{
	modinfo -b "$nst_image" -k "$nst_release" sha256-ssse3 >/dev/null 2>&1
}

# add_module NAME: with what it depends on, which not all guests need
add_module()
{
	local path rel

	modprobe -d "$nst_image" -S "$nst_release" --show-depends "$1" |
		awk '$1 == "insmod" { print $2 }' |
	while read -r path; do
		rel=$bench/root-$kernel/lib/modules/${path##*/lib/modules/}
		mkdir -p "${rel%/*}"
		case $path in
		*.xz) xz -dc "$path" >"${rel%.xz}" ;;
		*) cp "$path" "$rel" ;;
		esac
	done
}

# What the guest loads. First what a real boot loads for the processor: else
# gcm(aes) would be made of generic parts, and hmac(sha256) of generic C.
make_base()
{
	local root=$work/root
	local dir=$root/lib/modules/$nst_release/updates

	cp -al "$bench/root-$kernel" "$root"
	mkdir -p "$dir" "$root/t"
	cp "$mods"/nst_ulp/nst_ulp.ko "$dir/"
	depmod -b "$root" "$nst_release"
	cp "$here/init" "$root/init"
	cp "$bench/load" "$root/t/"
	{
		echo aesni_intel
		! has_sha256_module || echo sha256-ssse3
		printf '%s\n' tls nst_ulp veth wireguard
	} >"$root/t/modules"
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/base"
}

# make_initrd ALL-SYMBOLS LOAD...: a second archive behind the first
make_initrd()
{
	local more=$work/more

	rm -rf "$more"
	mkdir -p "$more/t"
	list_loads "${@:2}" >"$more/t/loads"
	cat >"$more/t/config" <<-END
		PORT=/dev/ttyS1
		SYMBOLS=/dev/ttyS2
		ALL_SYMBOLS=$1
		SETTLE=30
		END=reboot
	END
	(cd "$more" && find t -type f | cpio -o -H newc --quiet) |
		cat "$work/base" - >"$work/initrd"
}

# boot NAME SEED: -erms because a rep movsb counts as an instruction per byte;
# noreplace-smp keeps lock prefixes; cx16: QEMU 7.2 breaks it.
boot()
{
	local status=0

	timeout -k 5 900 qemu-system-x86_64 \
		-accel tcg,thread=single -icount shift=0,sleep=off \
		-cpu max,-erms,-fsrm,cx16=off -smp 1 -m 1G -seed "$2" \
		-rtc base=2026-01-01,clock=vm \
		-plugin "$bench/count.so,out=$work/$1.blocks" \
		-nodefaults -display none -monitor none -no-reboot \
		-serial "file:$work/$1.console" -serial "file:$work/$1.out" \
		-serial "file:$work/$1.symbols" \
		-kernel "$nst_vmlinuz" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet panic=-1 oops=panic nokaslr \
norandmaps nowatchdog noreplace-smp mitigations=off tsc=reliable \
clocksource=tsc cryptomgr.notests=1 net.ifnames=0 random.trust_cpu=on" \
		</dev/null >&2 || status=$?
	if ! grep -q '^bench: done' "$work/$1.out" ||
		grep '^bench: failed' "$work/$1.out" >&2; then
		tail -n 30 "$work/$1.console" "$work/$1.out" >&2
		nst_die "guest failed (QEMU status $status)"
	fi
}

# measure NAME SEED LOAD...: one guest
measure()
{
	local all=

	[ -s "$symbols" ] || all=1
	make_initrd "$all" "${@:3}"
	boot "$1" "$2"
	gzip -dc "$work/$1.symbols" >"$work/symbols"
	[ -z "$all" ] || grep -v ' \[' "$work/symbols" >"$symbols"
	{ cat "$symbols"; grep ' \[' "$work/symbols"; } \
		>"$work/results/$1.symbols"
	cp "$work/$1".{out,blocks} "$work/results/"
}

work=$(mktemp -d /var/tmp/nst-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
build
make_base
symbols=$bench/symbols-$nst_release
mkdir "$work/results"
loads=() idle=()
for spec; do
	case $spec in
	idle*) idle+=("$spec") ;;
	*) loads+=("$spec") ;;
	esac
done
for ((seed = 1; seed <= seeds && ${#loads[@]}; seed++)); do
	measure "$seed" "$seed" "${loads[@]}"
done
# Memory that one mode gave back would serve the next, so each has its guest.
for spec in "${idle[@]}"; do
	all_modes=$modes
	for modes in $all_modes; do
		measure "$modes" 1 "$spec"
	done
	modes=$all_modes
done
"$here/fold.py" -t "$top" -j "$bench/documents" -c "$command" \
	-k "$nst_release" "$work/results" | tee "$work/results/report"
rm -rf "$results"
cp -r "$work/results" "$results"
