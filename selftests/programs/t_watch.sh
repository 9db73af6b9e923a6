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

# The directory is the exporter's, who puts links there, and root writes all the same.
textfile_of_another()
{
	local there=/root/there

	rm -rf $dir $there
	mkdir -p $dir $there
	chown 65534:65534 $dir
	chmod 700 $dir
	ln -s $there $dir/nst.prom
	try "a directory of another user's" systemctl start nst-textfile
	[ "$(stat -c '%u %a %F' $dir/nst.prom)" = "65534 644 regular file" ]
	say $? "has the counters, and they are his"
	[ -z "$(ls -A $there)" ]
	say $? "a link leads nothing elsewhere"
	chmod 1777 $there
	try "a directory for everybody" /usr/lib/nst/nst-textfile $there
	[ "$(stat -c %u $there/nst.prom)" = 65534 ]
	say $? "nobody writes there"
	rm -rf $dir $there
	mkdir $there
	ln -s $there $dir
	! /usr/lib/nst/nst-textfile $dir 2>said && [ -z "$(ls -A $there)" ]
	say $? "nothing comes into a directory of root's behind a link" said
	rm -rf $dir
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
	cp /etc/nst/web.box /etc/nst/1.box
	box_of 1 >before
	! systemctl start nst-box@1 2>/dev/null && [ "$(box_of 1)" = "$(cat before)" ]
	say $? "digits are no process, whose box would be the host's"
	rm /etc/nst/1.box
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
	[ $? = 1 ] && grep -q "no line of /etc/nst/containers" said
	say $? "no container has a box that none may have" said
	echo webb >/etc/nst/containers
	state $pid "$box" | $hook hook >said 2>&1
	[ $? = 1 ] && [ -z "$(box_of $pid)" ]
	say $? "nor has one that is named alike" said
	printf '# a comment\nweb\nnone\n' >/etc/nst/containers
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
	state 4194999 "$box" | $hook hook >said 2>&1
	[ $? = 1 ]
	say $? "a process that is not there" said
	state $pid "$box" | unshare -m sh -c \
		"mount -t tmpfs x /proc/1/ns; exec $hook hook" >said 2>&1
	[ $? = 1 ]
	say $? "the host's namespace cannot be told: it is not loaded" said
	state $$ "$box" | unshare -m sh -c \
		"mount -t tmpfs x /proc/1; exec $hook hook" >said 2>&1
	[ $? = 1 ]
	say $? "and not where only /proc/1 cannot be looked at" said
	echo rubbish | $hook hook >said 2>&1
	[ $? = 1 ] && grep -q "no pid" said
	say $? "rubbish" said
	kill $pid
}

# bundle ANNOTATIONS: a container by hand, with the hooks of hooks.d that its
# annotations call for, as Podman and CRI-O add them
bundle()
{
	mkdir -p bundle/rootfs/{usr,proc,tmp,dev,etc}
	for d in bin lib lib64 sbin; do
		ln -sfn usr/$d bundle/rootfs/$d
	done
	python3 - "$1" "$WORK" <<-'END'
		import glob, json, re, sys
		annotations = json.loads(sys.argv[1])
		hooks = {}
		for name in glob.glob("/usr/share/containers/oci/hooks.d/*.json"):
		    hook = json.load(open(name))
		    if all(any(re.search(k, n) and re.search(v, annotations[n]) for n in annotations)
		           for k, v in hook["when"]["annotations"].items()):
		        for stage in hook["stages"]:
		            hooks.setdefault(stage, []).append(hook["hook"])
		caps = ["CAP_KILL"]
		json.dump({
		    "ociVersion": "1.0.2", "annotations": annotations, "hooks": hooks,
		    "root": {"path": "rootfs"}, "hostname": "c",
		    "process": {"cwd": "/", "user": {"uid": 0, "gid": 0},
		        "args": ["/bin/sh", "-c", "while :; do nst-run --tcp 7300 -- "
		                 "python3 /tmp/c.py 2>/tmp/said; sleep 1; done"],
		        "env": ["PATH=/usr/sbin:/usr/bin"],
		        "capabilities": {s: caps for s in ("bounding", "effective", "permitted")}},
		    "mounts": [
		        {"destination": "/proc", "type": "proc", "source": "proc"},
		        {"destination": "/usr", "type": "none", "source": "/usr", "options": ["rbind", "ro"]},
		        {"destination": "/tmp", "type": "none", "source": sys.argv[2] + "/inside", "options": ["rbind"]}],
		    "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts", "network")]},
		}, open("bundle/config.json", "w"))
	END
}

mkdir -p inside
cat >inside/c.py <<'END'
import socket
l = socket.create_server(("127.0.0.1", 7300))
while True:
    c, _ = l.accept()
    c.sendall(c.recv(100).upper())
    c.close()
END

# in_container COMMAND...: in its network namespace, with the files of here
in_container() { nsenter --net="/proc/$(cat pid)/ns/net" "$@"; }
speaks() { [ "$(echo hello | in_container nst-run --tcp 7300 -- nc -N 127.0.0.1 7300)" = HELLO ]; }

# What a runtime makes of the hook, and not what we think that it does.
runtime()
{
	echo web >/etc/nst/containers
	bundle '{"nst.box": "web"}'
	crun --cgroup-manager=disabled run --detach --pid-file "$WORK/pid" \
		--bundle bundle nst1 </dev/null >said 2>&1
	say $? "crun starts a container with a box" said
	[ "$(box_of "$(cat pid)")" = "$(box_of web)" ] && [ "$(box_of web)" ]
	say $? "which is that of the annotation"
	in_container ip link set lo up
	try "a program in it has NST" until_true 60 speaks
	in_container nstkeyctl stats | grep -E 'NstTxRecords +[1-9]' >said
	say $? "by the box of its namespace" said
	crun exec nst1 true && ! crun exec nst1 nstkeyctl flush >said 2>&1
	say $? "which it cannot change" said
	crun delete --force nst1
	bundle '{"nst.box": "none"}'
	! crun --cgroup-manager=disabled run --detach --bundle bundle nst2 \
		</dev/null >said 2>&1 && grep -q hook said
	say $? "without its box crun starts none" said
	crun delete --force nst2 2>/dev/null
	bundle '{"x": "web"}'
	crun --cgroup-manager=disabled run --detach --pid-file "$WORK/pid" \
		--bundle bundle nst3 </dev/null >said 2>&1 &&
		[ -z "$(box_of "$(cat pid)")" ]
	say $? "without the annotation it has none" said
	crun delete --force nst3
}

nstkeyctl genbox --force /root/b
nstkeyctl load /root/b
systemctl daemon-reload
try "units are well-formed" units_are_well
textfile
textfile_of_another
events
namespaces
containers
runtime
retires
systemctl stop nst-box@web
ip netns del web
rm -rf /etc/nst $dir
nstkeyctl flush
finish
