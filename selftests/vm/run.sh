#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [option...] KERNEL [TEST...]: boots KERNEL (6.1, 6.12, 7.3, debug or uml) in
# QEMU (uml: as a process) and runs tests there. TEST is a program or script of
# selftests/net, by its name alone, with its arguments in the same word: run.sh 6.1
# 'peer_vectors vectors/vectors.json'. Without one, all of selftests/net/tests run.
# make vm KERNEL=6.1 TEST=... builds all before.
#
#   -i         an interactive shell in the guest instead of tests
#   -n         do not load the module first, leave it to autoloading
#   -k         keep the guest's files and say where they are
#   -t SEC     time limit of a test that names none (default 300)
#   -T SEC     time limit of the guest (default: of all tests, and 60)
#   -x N       all time limits N times as long (default 1, debug: 8)
#   -d         debug: the slowest detectors too (kmemleak, SLUB, debug objects)
#   -s I/N     of the list, every Nth program from the Ith on
#   -m SIZE    memory (default 1G, debug: 2G)
#   -c N       processors (default 2)
#   -a ARGS    more for the kernel's command line
#   -q ARGS    more for QEMU
#   -M DIR     modules from there, not from build/KERNEL/src
#   -l FILE    keep the console here
#
# It prints TAP as the guest does, and passes only by positive evidence: all
# plans complete, the guest's own closing line, and not one line of trouble in
# the kernel's log. Exit status: 0 passed, 1 failed, 2 could not run.

set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

interactive='' preload=nst_ulp keep='' test_limit=300 guest_limit='' memory=''
cpus=2 append='' qemu_args='' mods='' console='' times='' detect=''
share=1/1
while getopts int:T:x:ds:m:c:a:q:M:l:k opt; do
	case $opt in
	i) interactive=1 ;;
	n) preload='' ;;
	k) keep=1 ;;
	t) test_limit=$OPTARG ;;
	T) guest_limit=$OPTARG ;;
	x) times=$OPTARG ;;
	d) detect=1 ;;
	s) share=$OPTARG ;;
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	a) append=$OPTARG ;;
	q) qemu_args=$OPTARG ;;
	M) mods=$OPTARG ;;
	l) console=$OPTARG ;;
	*) nst_die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || nst_die "usage: run.sh [option...] KERNEL [TEST...]"
kernel=$1
shift
nst_kernel "$kernel"
mods=${mods:-$NST_BUILD/$kernel/src}
if [ "$kernel" = debug ]; then
	: "${times:=8}" "${memory:=2G}"
	append="watchdog_thresh=60 $append"
	[ -n "$detect" ] ||
		append="kmemleak=off slub_debug=- no_debug_objects $append"
elif [ -n "$detect" ]; then
	nst_die "-d is for the debug kernel"
fi

# The part of the guest that changes with the kernel and this directory only.
# Prints nothing; the result is in $base.
make_base()
{
	local key f

	base=$NST_BUILD/vm/$kernel
	mkdir -p "$base"
	exec 8>"$base.lock"
	flock 8
	key=$(echo "$nst_release"; cat "$here/base.sh" "$here"/guest.*)
	if [ "$(cat "$base/key" 2>/dev/null)" != "$key" ]; then
		rm -rf "$base"
		"$here/base.sh" "$nst_release" "$nst_image" "$base/root"
		echo "$key" >"$base/key"
	fi
	if [ "$here/runtest.c" -nt "$base/root/usr/bin/runtest" ]; then
		cc -O2 -Wall -Wextra -Werror -static \
			-o "$base/root/usr/bin/runtest" "$here/runtest.c"
	fi
	exec 8>&-
}

# seconds_of NAME: what selftests/net/tests allows it
seconds_of()
{
	awk -v n="$1" -v d="$test_limit" '
		$1 + 0 > 0 && $2 == n { d = $1; exit }
		END { print d }' "$NST_TOP/selftests/net/tests" 2>/dev/null ||
		echo "$test_limit"
}

# Writes /t/tests; what was asked for and is not there fails at once, not in
# the guest.
list_tests()
{
	local t

	if [ $# = 0 ] && [ -z "$interactive" ]; then
		awk -v i="${share%/*}" -v n="${share#*/}" '
			$1 + 0 > 0 && number++ % n == i - 1
			' "$NST_TOP/selftests/net/tests"
	else
		for t; do
			echo "$(seconds_of "${t%% *}") $t"
		done
	fi | awk -v n="${times:-1}" '{ $1 *= n; print }'
}

# The files of this run, on top of the base: links where nothing is changed.
make_root()
{
	local f unload='' dir=$root/lib/modules/$nst_release/updates

	cp -al "$base/root" "$root"
	mkdir -p "$root/t" "$dir"
	for f in "$mods"/selftests/net/*/*/*.ko "$mods"/*.ko "$mods"/*/*.ko; do
		[ -e "$f" ] || continue
		cp "$f" "$dir/"
		f=${f##*/}
		[ "$f" = nst_sm.ko ] || unload="$unload ${f%.ko}"
	done
	rm -f "$root/lib/modules/$nst_release"/modules.{dep,alias,softdep,symbols,builtin.bin,builtin.alias,devname}*
	depmod -b "$root" "$nst_release"
	cp "$here/init" "$root/init"
	for f in "$NST_BUILD"/{selftests/net,selftests/demo,tools}; do
		[ ! -d "$f" ] || find "$f" -maxdepth 1 -type f -perm -u+x \
			-exec cp -t "$root/t" {} +
	done
	find "$NST_TOP"/selftests/{net,demo} -name '*.sh' \
		-exec cp -t "$root/t" {} +
	for f in "$NST_TOP/selftests/net/data" "$NST_TOP/selftests/vectors"; do
		[ ! -d "$f" ] || cp -r "$f" "$root/t/"
	done
	printf '%s\n' "$NST_TROUBLE" >"$root/t/trouble"
	list_tests "$@" >"$root/t/tests"
	cat >"$root/t/config" <<-END
		MODULES="$preload"
		UNLOAD="$unload nst_sm"
		INTERACTIVE="$interactive"
		UML="$([ "$kernel" != uml ] || echo yes)"
		export NST_TIMES="${times:-1}"
	END
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initrd"
}

missing_tests()
{
	local name bad=

	while read -r _ name _; do
		[ -x "$root/t/$name" ] || { echo "no test $name" >&2; bad=1; }
	done <"$root/t/tests"
	[ -z "$bad" ]
}

accelerator()
{
	# A /dev/kvm that opens may still boot no kernel; so it is tried, once
	# per boot of this machine.
	local f

	f=$NST_BUILD/vm/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$f" ]; then
		echo tcg >"$f"
		if [ -w /dev/kvm ] && timeout 20 qemu-system-x86_64 \
			-accel kvm -cpu host -m 512 -nodefaults -display none \
			-no-reboot -kernel "$nst_vmlinuz" -serial stdio \
			-append "console=ttyS0 panic=-1" </dev/null 2>&1 |
			grep -q "Unable to mount root"; then
			echo kvm >"$f"
		fi
	fi
	cat "$f"
}

# The rate of the time stamp counter, which an emulated processor takes from this
# machine. On a busy one the guest's kernel finds another, and its clock may run
# twenty times too fast: all limits are met then, and tasks are called hung.
clock_rate()
{
	local f

	f=$NST_BUILD/vm/tsc-$(cat /proc/sys/kernel/random/boot_id)
	exec 8>"$f.lock"
	flock 8
	if [ ! -s "$f" ]; then
		cc -O2 -Wall -Wextra -Werror -o "$NST_BUILD/vm/tsckhz" \
			"$here/tsckhz.c" && "$NST_BUILD/vm/tsckhz" >"$f"
	fi
	exec 8>&-
	echo "tsc_early_khz=$(cat "$f")"
}

# Console on descriptor 1, the second serial line on 3. Memory is a file in
# TMPDIR.
boot_uml()
{
	# shellcheck disable=SC2086 # a list of arguments
	TMPDIR=/dev/shm timeout --foreground -k 5 "$guest_limit" "$nst_vmlinuz" \
		mem="${memory:-1G}" initrd="$work/initrd" rdinit=/init con=null \
		con0=null,fd:1 ssl=null ssl1=null,fd:3 quiet loglevel=5 \
		panic=-1 oops=panic panic_on_warn=1 printk.devkmsg=on net.ifnames=0 \
		umid="nst$$" uml_dir="$work" $append 3>&1 >"$work/console" 2>&1
}

boot()
{
	local accel=tcg,thread=multi cpu=max,cx16=off

	if [ "$kernel" = uml ]; then
		boot_uml
		return
	fi
	# QEMU 7.2 emulates cmpxchg16b wrongly: 6.12 and later die of it. On a
	# loaded machine, no tick comes while the kernel waits for one to prove
	# that the timer works, and it panics (no_timer_check).
	if [ "$(accelerator)" = kvm ]; then
		accel=kvm cpu=host
	else
		# A machine that stops all of the guest is no lockup of it.
		append="watchdog_thresh=60 $(clock_rate) $append"
	fi
	# shellcheck disable=SC2086 # lists of arguments
	timeout --foreground -k 5 "$guest_limit" qemu-system-x86_64 \
		-accel $accel -cpu $cpu -smp "$cpus" -m "${memory:-1G}" \
		-nodefaults -display none -monitor none -no-reboot \
		-serial "file:$work/console" \
		-chardev stdio,id=out,signal=off -serial chardev:out \
		-kernel "$nst_vmlinuz" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet loglevel=5 panic=-1 oops=panic \
panic_on_warn=1 hung_task_panic=1 softlockup_panic=1 mitigations=off \
no_timer_check rcupdate.rcu_cpu_stall_timeout=60 printk.devkmsg=on net.ifnames=0 \
clocksource=tsc tsc=reliable $append" $qemu_args
}

# verdict STATUS: a last plan of two, of what only this side can see. Tests
# that the guest did not come to get an empty section each, which fails.
verdict()
{
	local closed="ok" clean="ok" line

	while read -r _ line; do
		grep -q "^# nst: begin $line *\$" "$work/out" ||
			printf '# nst: begin %s\n# nst: end %s rc=0\n' \
				"$line" "$line"
	done <"$root/t/tests"

	if [ "$1" != 0 ] || ! grep -q '^nst: all passed' "$work/out"; then
		closed="not ok"
	fi
	echo "# nst: begin run-$kernel"
	echo "1..2"
	if grep -E "$(echo "$NST_TROUBLE" | paste -sd '|')" "$work/console" \
		>"$work/trouble"; then
		clean="not ok"
		sed 's/^/# /' "$work/console" | tail -n 100
	fi
	echo "$closed 1 guest ended and said: all passed (QEMU status $1)"
	echo "$clean 2 no trouble on the console"
	echo "# nst: end run-$kernel rc=0"
}

# Beside the base, because links do not cross file systems.
mkdir -p "$NST_BUILD/vm"
work=$(mktemp -d "$NST_BUILD/vm/run.XXXXXX")
# shellcheck disable=SC2154 # set by lib.sh
root=$work/root
# shellcheck disable=SC2317 # called by the trap
cleanup()
{
	[ -z "$console" ] || cp "$work/console" "$console" 2>/dev/null || true
	if [ -n "$keep" ]; then
		echo "# kept: $work" >&2
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT

# One function, read as a whole before it starts: a run takes minutes, and this
# file may be edited meanwhile.
main()
{
	local status=0

	make_base
	make_root "$@"
	missing_tests || exit 2
	: "${guest_limit:=$(awk '{ s += $1 } END { print s + 60 }' \
		"$root/t/tests")}"
	: >"$work/console"
	if [ -n "$interactive" ]; then
		guest_limit=86400
		stty raw -echo 2>/dev/null || true
		boot || true
		stty sane 2>/dev/null || true
		exit 0
	fi
	boot </dev/null > >(tee "$work/out") || status=$?
	wait
	verdict "$status" | tee -a "$work/out"
	"$here/summary.sh" -q "$work/out"
	exit
}

main "$@"
