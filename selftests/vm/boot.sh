#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shellcheck disable=SC2154 # set by those who source it
#
# How a guest is booted, and what this side makes of it: sourced by run.sh and by
# selftests/programs/run.sh, after lib.sh and nst_kernel. They set $kernel, $work
# (a directory of this run), $guest_limit, $cpus, $memory, $append (more for the
# kernel's command line), $qemu_args, $interactive, and $cpu if it is to be another
# one. The guest's console goes to $work/console, its second serial line is standard
# output.

# The part of the guest that changes with the kernel and this directory only.
# Prints nothing; the result is in $base.
make_base()
{
	local key vm=$NST_TOP/selftests/vm

	base=$NST_BUILD/vm/$kernel
	mkdir -p "$base"
	exec 8>"$base.lock"
	flock 8
	key=$(echo "$nst_release"; cat "$vm/base.sh" "$vm"/guest.*)
	if [ "$(cat "$base/key" 2>/dev/null)" != "$key" ]; then
		rm -rf "$base"
		"$vm/base.sh" "$nst_release" "$nst_image" "$base/root"
		echo "$key" >"$base/key"
	fi
	if [ "$vm/runtest.c" -nt "$base/root/usr/bin/runtest" ]; then
		cc -O2 -Wall -Wextra -Werror -static \
			-o "$base/root/usr/bin/runtest" "$vm/runtest.c"
	fi
	exec 8>&-
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
			"$NST_TOP/selftests/vm/tsckhz.c" && "$NST_BUILD/vm/tsckhz" >"$f"
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
		mem="${memory:-1G}" "$@" con=null con0=null,fd:1 ssl=null \
		ssl1=null,fd:3 quiet loglevel=5 panic=-1 oops=panic \
		panic_on_warn=1 printk.devkmsg=on net.ifnames=0 \
		umid="nst$$" uml_dir="$work" $append 3>&1 >"$work/console" 2>&1
}

# Ends a guest from which nothing has come for longer than any test may take. Its
# kernel finds by itself that it hangs, but not that QEMU does: 7.2 was seen to,
# with both processors in its own locks and hardly an instruction of the guest.
end_if_quiet()
{
	local newest

	while sleep 5; do
		newest=$(stat -c %Y "$work/out" "$work/console" 2>/dev/null |
			sort -n | tail -n 1)
		if [ $(($(date +%s) - newest)) -gt "$quiet_limit" ]; then
			echo "nst: nothing for $quiet_limit s, so it is ended" \
				>>"$work/console"
			kill -9 "$(cat "$work/pid")"
			return
		fi
	done
}

# boot WHAT...: arguments that say what from
boot()
{
	local accel=tcg,thread=multi cpu=${cpu:-max,cx16=off} status=0 watcher=''

	case $kernel in
	uml*)
		boot_uml "$@"
		return
		;;
	esac
	# QEMU 7.2 emulates cmpxchg16b wrongly: 6.12 and later die of it. On a
	# loaded machine, no tick comes while the kernel waits for one to prove
	# that the timer works, and it panics (no_timer_check).
	if [ "$(accelerator)" = kvm ]; then
		accel=kvm cpu=host
	else
		# A machine that stops all of the guest is no lockup of it.
		append="watchdog_thresh=60 $(clock_rate) $append"
	fi
	if [ -z "$interactive" ]; then
		end_if_quiet </dev/null >/dev/null 2>&1 &
		watcher=$!
	fi
	# shellcheck disable=SC2086 # lists of arguments
	timeout --foreground -k 5 "$guest_limit" qemu-system-x86_64 \
		-accel $accel -cpu $cpu -smp "$cpus" -m "${memory:-1G}" \
		-nodefaults -display none -monitor none -no-reboot \
		-pidfile "$work/pid" \
		-serial "file:$work/console" \
		-chardev stdio,id=out,signal=off -serial chardev:out \
		-kernel "$nst_vmlinuz" "$@" \
		-append "console=ttyS0 quiet loglevel=5 panic=-1 oops=panic \
panic_on_warn=1 hung_task_panic=1 softlockup_panic=1 mitigations=off \
no_timer_check rcupdate.rcu_cpu_stall_timeout=60 printk.devkmsg=on net.ifnames=0 \
clocksource=tsc tsc=reliable secretmem.enable=1 $append" $qemu_args || status=$?
	if [ -n "$watcher" ]; then
		kill "$watcher" 2>/dev/null
		wait "$watcher" 2>/dev/null
	fi
	return $status
}

# verdict STATUS TESTS: a last plan of two, of what only this side can see. Tests
# that the guest did not come to get an empty section each, which fails.
verdict()
{
	local closed="ok" clean="ok" line

	while read -r _ line; do
		grep -q "^# nst: begin $line *\$" "$work/out" ||
			printf '# nst: begin %s\n# nst: end %s rc=0\n' \
				"$line" "$line"
	done <"$2"

	if [ "$1" != 0 ] || ! grep -q '^nst: all passed' "$work/out"; then
		closed="not ok"
	fi
	echo "# nst: begin run-$kernel"
	echo "1..2"
	if awk -f "$NST_TOP/selftests/vm/races.awk" "$work/console" |
		grep -E "$(echo "$NST_TROUBLE" | paste -sd '|')" \
			>"$work/trouble"; then
		clean="not ok"
		sed 's/^/# /' "$work/console" | tail -n 100
	fi
	echo "$closed 1 guest ended and said: all passed (QEMU status $1)"
	echo "$clean 2 no trouble on the console"
	echo "# nst: end run-$kernel rc=0"
}

# run_guest TESTS WHAT...: boots, tells what the guest said and the verdict, and
# ends with it; or gives a shell in there. TESTS: seconds and name of each.
run_guest()
{
	local tests=$1 status=0

	shift
	quiet_limit=$(awk '$1 > max { max = $1 } END { print max + 60 }' "$tests")
	: >"$work/console"
	if [ -n "$interactive" ]; then
		guest_limit=86400
		stty raw -echo 2>/dev/null || true
		boot "$@" || true
		stty sane 2>/dev/null || true
		exit 0
	fi
	boot "$@" </dev/null > >(tee "$work/out") || status=$?
	wait
	verdict "$status" "$tests" | tee -a "$work/out"
	"$NST_TOP/selftests/vm/summary.sh" -q "$work/out"
	exit
}
