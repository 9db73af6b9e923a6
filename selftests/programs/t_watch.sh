#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Watching: nst-textfile for Prometheus's node exporter, events in the journal with
# their catalogue; containers: boxes of other network namespaces, by units and by the
# hook of an OCI runtime; and what retire says of streams.
#
# shellcheck disable=SC2317 # functions are called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MODE=watch
dir=/var/lib/prometheus/node-exporter
hook=/usr/lib/nst/nst-box

units_are_well()
{
	systemd-analyze verify --man=no /usr/lib/systemd/system/nst-*.service \
		/usr/lib/systemd/system/nst-*.timer 2>&1 | grep nst | tee said
	! [ -s said ]
}

textfile()
{
	! systemctl start nst-textfile 2>/dev/null
	say $? "nst-textfile without the directory fails"
	mkdir -p $dir
	try "with it" systemctl start nst-textfile
	grep -q '^nst_up 1$' $dir/nst.prom && grep -q ^nst_sockets $dir/nst.prom
	say $? "the counters are there" $dir/nst.prom
	[ "$(stat -c %a $dir/nst.prom)" = 644 ] && [ "$(ls -A $dir)" = nst.prom ]
	say $? "for everybody to read, and nothing beside"
	mount -t tmpfs -o size=16k tmp $dir
	/usr/lib/nst/nst-textfile $dir
	cp $dir/nst.prom "$WORK/last"
	dd if=/dev/zero of=$dir/fill bs=4k 2>/dev/null
	! /usr/lib/nst/nst-textfile $dir 2>said && same "$WORK/last" $dir/nst.prom
	say $? "on a full disk the last one stays" said
	[ "$(find $dir -type f | wc -l)" = 2 ]
	say $? "and nothing beside it"
	umount $dir
}

logged() { journalctl -q --no-pager -x "NST_EVENT=$1" >said; grep -qF -- "$2" said; }

events()
{
	journalctl --update-catalog
	systemctl start nst-events
	# It has begun when it notices something.
	until_true 60 sh -c 'nstkeyctl genbox --force /root/b && nstkeyctl load /root/b &&
		journalctl -q NST_EVENT=box-loaded | grep -q .'
	say $? "an event is in the journal"
	try "with what the catalogue says of it" until_true 60 logged box-loaded \
		"A box of keys was loaded"
	rm -f /root/k && nstkeyctl genkey 7 accept /root/k && nstkeyctl add /root/k
	try "its kid is a field" until_true 60 journalctl -q NST_KID=7 --grep added
	logged key-added "The key 7 is in the box now"
	say $? "which the catalogue names" said
	systemctl stop nst-events
}

# box_of NAMESPACE: its fingerprint
box_of() { nstkeyctl --netns "$1" show 1 2>/dev/null | awk '$1 == 1 { print $3 }'; }

namespaces()
{
	mkdir -p /etc/nst
	nstkeyctl genbox /etc/nst/web.box
	echo "tcp 80" >/etc/nst/web.guard
	ip netns add web
	systemctl daemon-reload
	try "nst-box@NAME" systemctl start nst-box@web
	[ "$(box_of web)" ] && [ "$(box_of web)" != "$(box_of 1)" ] &&
		nstkeyctl --netns web guard show | grep -q 80
	say $? "box and guard are there and not here"
	! systemctl start nst-box@none 2>/dev/null
	say $? "no such namespace"
}

cat >pair.py <<'END'
import socket, time
l = socket.socket()
l.bind(("127.0.0.1", 7200))
l.listen()
c = socket.create_connection(("127.0.0.1", 7200))
s, _ = l.accept()
c.sendall(b"x")
s.recv(1)
time.sleep(1000)
END

streams_of() { nstkeyctl show "$1" | awk -v k="$1" '$1 == k { print $4 + $5 }'; }
not_in_use() { ! in_use; }
in_use() { [ "$(streams_of 1)" -gt 0 ]; }

# A key that a connection last used is not retired by the way.
retires()
{
	local pid

	nstkeyctl genbox --keys 2 --force /root/b && nstkeyctl load /root/b
	nst-run --tcp 7200 -- python3 pair.py &
	pid=$!
	until_true 60 in_use
	say $? "a connection uses key 1"
	nstkeyctl activate 2
	nstkeyctl retire 1 >said 2>&1
	[ $? = 1 ] && grep -q "live streams" said && nstkeyctl show 1 | grep -q accept
	say $? "retire warns and does nothing" said
	try "with --force it does" nstkeyctl retire --force 1
	nstkeyctl show 1 | grep -q retired
	say $? "the key is retired"
	kill $pid
	wait $pid
	until_true 60 not_in_use
	nstkeyctl load /root/b && nstkeyctl activate 2
	try "without streams it takes no force" nstkeyctl retire 1
}

# state PID [ANNOTATIONS]: what an OCI runtime says of a container
state()
{
	printf '{\n "ociVersion": "1.0.2", "id": "\\"pid\\": 1", "pid": %s, "status": "created",\n' "$1"
	printf ' "annotations": {%s}, "bundle": "/b"}\n' "$2"
}

containers()
{
	local pid box='"a": "nst.box", "pid": "2", "nst.box": "web"'

	unshare -n sleep 1000 &
	pid=$!
	until_true 60 [ ! "/proc/$pid/ns/net" -ef /proc/self/ns/net ]
	state $pid "$box" | $hook hook >said 2>&1
	say $? "the hook loads a container's box" said
	[ "$(box_of $pid)" = "$(box_of web)" ]
	say $? "it is that of the annotation"
	nstkeyctl --netns $pid guard show | grep -q 80
	say $? "and the guard"
	state $pid '"nst.box": "none"' | $hook hook >said 2>&1
	[ $? = 1 ] && grep -q /etc/nst/none.box said
	say $? "no such box: the container does not start" said
	state $pid '"nst.box": "../web"' | $hook hook >said 2>&1
	[ $? = 1 ] && grep -q letters said
	say $? "no way out of the directory" said
	state 1 "$box" | $hook hook >said 2>&1
	[ $? = 1 ] && grep -q "the host's network namespace" said
	say $? "the host's own namespace" said
	echo rubbish | $hook hook >said 2>&1
	[ $? = 1 ] && grep -q "no pid" said
	say $? "rubbish" said
	kill $pid
}

nstkeyctl genbox --force /root/b
nstkeyctl load /root/b
systemctl daemon-reload
try "units are well-formed" units_are_well
textfile
events
namespaces
containers
retires
systemctl stop nst-box@web
ip netns del web
rm -rf /etc/nst $dir
nstkeyctl flush
finish
