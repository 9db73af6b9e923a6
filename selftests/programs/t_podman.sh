#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's podman with the hook of packaging/containers: containers of a directory,
# no image and no registry; their network namespaces are podman's. (t_watch.sh tries
# the hook itself, and crun by hand.)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MODE=podman

# box_of NAMESPACE: its fingerprint
box_of() { nstkeyctl --netns "$1" show 1 2>/dev/null | awk '$1 == 1 { print $3 }'; }

# No image store but podman's simplest, and nothing of cgroups or a network.
pod() { podman --storage-driver vfs --events-backend none --cgroup-manager cgroupfs "$@"; }

# start NAME OPTION...: a container with an echo server under nst-run
start()
{
	local name=$1

	shift
	pod run --detach --name "$name" --cgroups disabled --log-driver none \
		--volume /usr:/usr:ro --volume "$WORK/inside:/tmp" "$@" \
		--rootfs "$WORK/rootfs" \
		/bin/sh -c 'while :; do nst-run --tcp 7300 -- python3 /tmp/c.py; sleep 1; done'
}

pid_of() { pod inspect --format '{{.State.Pid}}' "$1"; }
in_container() { nsenter --net="/proc/$(pid_of "$1")/ns/net" "${@:2}"; }
speaks()
{
	[ "$(echo hello | in_container "$1" nst-run --tcp 7300 -- nc -N 127.0.0.1 7300)" = HELLO ]
}

logged() { journalctl -q --no-pager -o cat -t nst-box | grep -F -- "$1"; }

# fails NAME WORDS OPTION...: does not start, and the journal has why: podman says
# only that the hook has failed
fails()
{
	local name=$1 words=$2

	shift 2
	! start bad "$@" >said 2>&1 && grep -q nst-box said &&
		[ "$(pid_of bad 2>/dev/null || echo 0)" = 0 ]
	say $? "$name: the container does not start" said
	try "and the journal has why" until_true 60 logged "$words"
	pod rm --force bad >/dev/null 2>&1
}

files()
{
	mkdir -p rootfs/{usr,proc,tmp,dev,etc,sys,run} inside /etc/nst
	for d in bin lib lib64 sbin; do
		ln -sfn usr/$d rootfs/$d
	done
	cat >inside/c.py <<-'END'
		import socket
		l = socket.create_server(("127.0.0.1", 7300))
		while True:
		    c, _ = l.accept()
		    c.sendall(c.recv(100).upper())
		    c.close()
	END
	nstkeyctl genbox /etc/nst/web.box
	echo "tcp 80" >/etc/nst/web.guard
	ip netns add web
	/usr/lib/nst/nst-box load web
}

with_box()
{
	start one --network none --annotation nst.box=web >said 2>&1
	say $? "$(podman --version) starts a container with a box" said
	[ "$(box_of web)" ] && [ "$(box_of "$(pid_of one)")" = "$(box_of web)" ]
	say $? "which is that of the annotation"
	nstkeyctl --netns "$(pid_of one)" guard show | grep -q 80
	say $? "and the guard"
	in_container one ip link set lo up
	try "a program in it has NST" until_true 60 speaks one
	in_container one nstkeyctl stats | grep -E 'NstTxRecords +[1-9]' >said
	say $? "by the box of its namespace" said
	pod exec one true && ! pod exec one nstkeyctl flush >said 2>&1
	say $? "which it cannot change" said
	! pod exec one ls /etc/nst >said 2>&1
	say $? "nor see the keys" said
	try "it is started again" pod restart --time 1 one
	[ "$(box_of "$(pid_of one)")" = "$(box_of web)" ]
	say $? "with the box"
	# Another one in the same namespace, as containers of a pod are
	try "a second one in its namespace" start two --network container:one \
		--annotation nst.box=web
	[ "$(box_of "$(pid_of two)")" = "$(box_of web)" ]
	say $? "has the same box"
	pod rm --force --time 1 two >/dev/null 2>&1
	pod rm --force --time 1 one >/dev/null 2>&1
}

without()
{
	fails "a box that no container may have" "no line of /etc/nst/containers" \
		--network none --annotation nst.box=other
	fails "a box that is not there" "/etc/nst/none.box" \
		--network none --annotation nst.box=none
	box_of 1 >before
	fails "the host's own namespace" "the host's network namespace" \
		--network host --annotation nst.box=web
	[ "$(box_of 1)" = "$(cat before)" ] && [ -s before ]
	say $? "whose box stays"
	chmod 644 /etc/nst/web.box
	fails "a box that others can read" "the box of /etc/nst/web.box was not loaded" \
		--network none --annotation nst.box=web
	chmod 600 /etc/nst/web.box
	start plain --network none >said 2>&1 && [ -z "$(box_of "$(pid_of plain)")" ]
	say $? "without the annotation there is none" said
	pod rm --force --time 1 plain >/dev/null 2>&1
}

nstkeyctl genbox --force /root/b
nstkeyctl load /root/b
files
printf 'web\nnone\n' >/etc/nst/containers
with_box
without
pod ps --all --quiet >said 2>&1 && [ ! -s said ]
say $? "no container is left" said
ip netns del web
rm -rf /etc/nst
nstkeyctl flush
finish
