#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What systemd starts in the guest (image.sh): loads the module, runs the tests of
# /t/list, looks for trouble, and says on the second serial port how it went, as
# selftests/vm/init does.

export PATH=/t/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=linux
# shellcheck source=/dev/null # made by run.sh
. /t/config

stty -F /dev/ttyS1 raw -echo
exec </dev/null >/dev/ttyS1 2>&1
cd /t || exit

cp -a /t/root/. / && ldconfig
passed=yes
number=0

# result STATUS WORD...: one line of the guest's own plan
result()
{
	local verdict="ok"

	[ "$1" = 0 ] || verdict="not ok" passed=no
	shift
	number=$((number + 1))
	echo "$verdict $number $*"
}

leave()
{
	case $NST_KERNEL in uml) poweroff -ff ;; *) reboot -ff ;; esac
	sleep 60
}

# Each is a unit of its own: what it leaves running dies with it.
run_tests()
{
	local seconds name rc ns

	while read -r seconds name; do
		echo "# nst: begin $name"
		echo "nst: begin $name" >/dev/kmsg
		systemd-run --quiet --wait --pipe --collect --unit="t_$name" \
			-p RuntimeMaxSec="$seconds" -p TimeoutStopSec=5 \
			-p TasksMax=infinity -p LimitNOFILE=65536 \
			-p EnvironmentFile=/run/nst-env \
			/bin/bash "/t/t_$name.sh" </dev/null
		rc=$?
		for ns in $(ip -brief netns | cut -d ' ' -f 1); do
			ip netns pids "$ns" | xargs -r kill -9
			ip netns del "$ns"
		done
		echo "# nst: end $name rc=$rc"
		case $rc in 0 | 4) ;; *) passed=no ;; esac
	done </t/list
}

# Namespaces die in a worker, so the last reference may go a little later.
unload()
{
	local m tries=0

	for m in $UNLOAD; do
		[ -d "/sys/module/$m" ] || continue
		until [ "$(cat "/sys/module/$m/refcnt")" = 0 ]; do
			tries=$((tries + 1))
			if [ $tries -gt 300 ]; then
				echo "# $m: refcnt $(cat "/sys/module/$m/refcnt")"
				return 1
			fi
			sleep 0.1
		done
		rmmod "$m" || return 1
	done
}

echo "# nst: guest $(uname -r), up for $(cut -d' ' -f1 /proc/uptime) s," \
	"init is $(cat /proc/1/comm), Debian $(cat /etc/debian_version)"
echo "nst: guest ready" >/dev/kmsg
modprobe nst_ulp || { echo "# modprobe nst_ulp failed"; passed=no; }
# shellcheck disable=SC2016
env | grep -vE '^(_|SHLVL|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|PWD|OLDPWD)=' \
	>/run/nst-env

if [ -n "$INTERACTIVE" ]; then
	stty -F /dev/ttyS1 sane
	setsid -c bash </dev/ttyS1 >/dev/ttyS1 2>&1
	leave
fi

run_tests

echo "# nst: begin guest"
[ "$(cat /proc/1/comm)" = systemd ]
result $? systemd is the first process
unload
result $? modules unloaded
! dmesg | grep -E -f /t/trouble | sed 's/^/# /' | grep .
result $? no trouble in the kernel log
echo "1..$number"
echo "# nst: end guest rc=0"
echo "# nst: up for $(cut -d' ' -f1 /proc/uptime) s"
[ $passed = no ] || echo "nst: all passed"
sleep 1
leave
