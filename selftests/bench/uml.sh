#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# uml.sh [option...] [LOAD:SIZE[:COUNT]...]: throughput of plain TCP, kTLS and
# NST, and of plain UDP, WireGuard and NST, in User Mode Linux, best of many
# rounds. There the kernel is a process of this machine, so its cycles are real,
# with AES-NI (umlkmod/gcm.c), but ChaCha20-Poly1305 in C; all modes take turns
# in one guest. Best, because other work of the machine only slows.
#
#   selftests/bench/uml.sh batch:16384            after a change: 15 seconds
#   selftests/bench/uml.sh                        all loads, 2 boots
#
#   -n ROUNDS  of each load in each mode (default 12)
#   -b BOOTS   guests one after the other (default 1, all loads: 2)
#   -m MODES   of TCP, default "plain ktls nst"; there is ktls-nopad too
#   -u MODES   of datagrams, default "plain wg nst nst-chacha"
#   -o DIR     keeps results there (default build/bench/uml)
#
# As documents of nstperf they are in build/bench/documents (nstperf report).
#
# Loads are those of load.c; batch is send without the cost of system calls,
# which in User Mode Linux go through ptrace. Datagrams have none either.
#
# The kernel is built once (6 minutes of CPU time) from Debian's source package
# in $NST_CACHE/uml, or in the build tree NST_UML names (make O=), where only
# what uml.config changes is built.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR source=loads.sh
. "$here/loads.sh"

command="selftests/bench/uml.sh $*"
rounds=12 boots='' modes="plain ktls nst" results=$NST_BUILD/bench/uml
udp_modes="plain wg nst nst-chacha"
while getopts n:b:m:u:o: opt; do
	case $opt in
	n) rounds=$OPTARG ;;
	b) boots=$OPTARG ;;
	m) modes=$OPTARG ;;
	u) udp_modes=$OPTARG ;;
	o) results=$OPTARG ;;
	*) nst_die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
if [ $# = 0 ]; then
	: "${boots:=2}"
	set -- batch:256 batch:1024 batch:16384 batch:65536 batch:262144 \
		send:16384 sendfile:65536 ping:64 \
		dgram:64 dgram:512 dgram:1400 gso:1400 gro:1400
fi
: "${boots:=1}"
tree=${NST_UML:-$NST_CACHE/uml}
bench=$NST_BUILD/bench
dir=$bench/umlsrc
mkdir -p "$bench" "$dir"

# count_of LOAD SIZE: about 10 ms of it, so that some rounds have a CPU and its
# caches for themselves
count_of()
{
	case $1 in
	ping) echo 100 ;;
	dgram | gso | gro) echo 8192 ;;
	*) if [ "$2" -le 1024 ]; then echo $(((2 << 20) / $2))
		else echo $(((8 << 20) / $2)); fi ;;
	esac
}

list_rounds()
{
	local i

	for ((i = 0; i < rounds; i++)); do
		list_loads "$@"
	done
}

kernel_source()
{
	local src=$NST_CACHE/uml-source

	if [ -e "$tree/source" ]; then
		readlink -f "$tree/source"
		return
	fi
	if [ ! -e "$src/ready" ]; then
		rm -rf "$src"
		mkdir -p "$src"
		tar -xf /usr/src/linux-source-6.1.tar.xz -C "$src" \
			--strip-components=1
		touch "$src/ready"
	fi
	echo "$src"
}

# The configuration counts as applied only when the build is done.
build_kernel()
{
	local src

	exec 9>"$NST_CACHE/uml.lock"
	flock 9
	if [ -x "$tree/linux" ] &&
		cmp -s "$here/uml.config" "$tree/nst.config"; then
		exec 9>&-
		return
	fi
	echo "uml: building the kernel in $tree" >&2
	src=$(kernel_source)
	mkdir -p "$tree"
	{
		[ -e "$tree/.config" ] || make -C "$src" "O=$tree" ARCH=um \
			x86_64_defconfig
		cat "$here/uml.config" >>"$tree/.config"
		make -C "$tree" ARCH=um olddefconfig
		nice make -C "$tree" ARCH=um "-j$(nproc)" linux modules
	} </dev/null >"$NST_CACHE/uml.log" 2>&1 ||
		nst_die "UML does not build, see $NST_CACHE/uml.log"
	while read -r line; do
		grep -qx "$line" "$tree/.config" ||
			nst_die "the kernel did not take $line"
	done < <(grep '^CONFIG' "$here/uml.config")
	cp "$here/uml.config" "$tree/nst.config"
	exec 9>&-
}

build_modules()
{
	rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*' --exclude='*.order' \
		--exclude='*.symvers' "$NST_TOP/nst_ulp" "$NST_TOP/include" \
		"$here/umlkmod" "$dir/"
	# Of all architectures only this one does not get irqflags.h along
	# with the per-CPU counters.
	for m in nst_ulp umlkmod; do
		make -s -C "$tree" ARCH=um "M=$dir/$m" \
			KCFLAGS='-include linux/irqflags.h' modules
	done >"$bench/uml.log" 2>&1 ||
		{ cat "$bench/uml.log" >&2; nst_die "modules do not build"; }
}

make_initrd()
{
	local root=$work/root applet

	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,t}
	cp /bin/busybox "$root/bin/"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -s /bin/busybox \
			"$root/usr/bin/$applet"
	done
	ln -s busybox "$root/bin/sh"
	cp "$here/init" "$root/init"
	cp "$bench/load" "$tree/net/tls/tls.ko" "$dir/nst_ulp/nst_ulp.ko" \
		"$dir"/umlkmod/bench_*.ko "$root/t/"
	printf '/t/%s.ko\n' bench_gcm bench_batch tls nst_ulp \
		>"$root/t/modules"
	list_rounds "$@" >"$root/t/loads"
	cat >"$root/t/config" <<-END
		PORT=/dev/ttyS1
		SYMBOLS=
		SETTLE=1
		END=poweroff
	END
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initrd"
}

# boot N: console on descriptor 1, the second serial line on 3. Memory is a
# file in TMPDIR.
boot()
{
	local status=0

	TMPDIR=/dev/shm timeout -k 5 900 "$tree/linux" mem=768M \
		"initrd=$work/initrd" rdinit=/init con=null con0=null,fd:1 \
		ssl=null ssl1=null,fd:3 quiet "umid=bench$$" "uml_dir=$work" \
		</dev/null >"$work/console" 2>&1 3>"$work/$1.out" || status=$?
	if ! grep -q '^bench: done' "$work/$1.out" ||
		grep '^bench: failed' "$work/$1.out" >&2; then
		tail -n 30 "$work/console" "$work/$1.out" >&2
		nst_die "guest failed (status $status)"
	fi
}

work=$(mktemp -d /var/tmp/nst-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
make -s -C "$here" O="$bench" all
build_kernel
build_modules
make_initrd "$@"
mkdir "$work/results"
for ((b = 1; b <= boots; b++)); do
	boot "$b"
	cp "$work/$b.out" "$work/results/"
done
"$here/best.py" "$work/results" "$bench/documents" "$command" | tee "$work/results/report"
rm -rf "$results"
cp -r "$work/results" "$results"
