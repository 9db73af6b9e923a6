#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# nstkeyctl --netns: the box and guard of another network namespace, named as ip
# does or by a process in it; and what is none. TAP.

# shellcheck source-path=SCRIPTDIR source=../lib/libtap.sh
. "$(dirname "$0")/libtap.sh"
umask 077

fingerprint()
{
	nstkeyctl "$@" show 1 2>/dev/null | awk '$1 == 1 { print $3 }'
}

in_namespace()
{
	nstkeyctl genbox "$dir/box"
	nstkeyctl genbox "$dir/own"
	nstkeyctl load "$dir/own"
	ip netns add there
	does load nstkeyctl --netns there load "$dir/box"
	does load_stdin sh -c "nstkeyctl load --netns=there - <$dir/box"
	a=$(fingerprint --netns there)
	is "$a" "$(ip netns exec there nstkeyctl show 1 |
		awk '$1 == 1 { print $3 }')" box_is_there
	[ "$a" ] && [ "$a" != "$(fingerprint)" ]
	verdict $? own_box_is_another
	does guard nstkeyctl guard add tcp 7000 --netns there
	does guard_is_there sh -c \
		"ip netns exec there nstkeyctl guard show | grep -q 7000"
	does guard_is_not_here sh -c "! nstkeyctl guard show | grep -q 7000"
	does stats nstkeyctl --netns there stats --prometheus
	does sysctl_is_there ip netns exec there sysctl -qw net.nst.enabled=0
	check doctor_looks_there sh -c "! nstkeyctl --netns there doctor"
	says doctor_says_so "net.nst.enabled"
}

of_process()
{
	ip netns exec there sleep 1000 &
	children="$children $!"
	# ip becomes sleep, when it is there
	until [ "$(cat /proc/$!/comm)" = sleep ]; do
		sleep 0.1
	done
	is "$(fingerprint --netns $!)" "$a" process
	is "$(fingerprint --netns /proc/$!/ns/net)" "$a" path
	ip netns add 1
	refuses digits_are_a_name_first 1 "" nstkeyctl --netns 1 show 1
	ip netns del 1
	is "$(fingerprint --netns 1)" "$(fingerprint)" digits_are_a_process
}

none()
{
	for name in nothing 4194999 -1 ../nothing "$(printf '%0600d' 1)"; do
		refuses "none '$(echo "$name" | cut -c 1-20)'" 1 "--netns" \
			nstkeyctl --netns "$name" show
	done
	refuses none_of_a_file 1 "no network namespace" \
		nstkeyctl --netns /etc/passwd show
	mkfifo "$dir/pipe"
	refuses none_of_a_pipe 1 "no network namespace" \
		timeout 60 nstkeyctl --netns "$dir/pipe" show
	refuses none_of_another_kind 1 "no network namespace" \
		nstkeyctl --netns /proc/self/ns/mnt show
	refuses no_value 2 "needs a name" nstkeyctl show --netns
	refuses empty_value 2 "needs a name" nstkeyctl --netns= show
	refuses no_rights 1 "CAP_SYS_ADMIN" as_nobody nstkeyctl --netns there show
}

in_namespace
of_process
none
ip netns del there
finish
