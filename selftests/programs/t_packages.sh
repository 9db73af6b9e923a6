#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages of check-packages (which is to have run before) where systemd runs,
# the module is loaded and sockets have NST: installed, upgraded, removed and purged
# under a connection and a service, whose data must go on. DKMS is Debian's; what it
# calls to build gives it the modules of this kernel. (That they build is
# check-packages's.) Not in "tests": the tools of the guest go with the packages.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MODE=packages
kernel=$(uname -r)
modules=/lib/modules/$kernel

# What a kernel's headers are to DKMS.
headers()
{
	mkdir -p "$modules/build/include" /root/ko
	mv "$modules"/updates/nst_*.ko /root/ko/
	# Makefiles want tabs.
	# shellcheck disable=SC2016 # of make
	printf '%s:\n\tcp /root/ko/nst_ulp.ko %s\n\tcp /root/ko/nst_sm.ko %s\nclean:\n' \
		modules '$(M)/nst_ulp/' '$(M)/nst_sm/' >"$modules/build/Makefile"
	: >"$modules/build/.config"
	depmod "$kernel"
}

debs() { dpkg -i /t/debs/{nst-{utils,dkms},libnst{0,-exchange0,-tls0}}_0.1.0-"$1"_*.deb; }

# What was installed without dpkg would hide what the packages lack.
no_tools()
{
	rm -rf /usr/lib/nst /usr/lib/systemd/system/nst-* /usr/share/nst \
		/usr/{sbin/nstkeyctl,bin/nst-run,bin/nstperf} \
		/usr/lib/libnst* /usr/lib/*/libnst*
	ldconfig
	hash -r
}

says() { grep -qF -- "$1" said; }

cat >pair.py <<'END'
import os, socket, sys
# A connection and two UDP sockets; they speak when asked to.
open("pair.pid", "w").write(str(os.getpid()))
stream = socket.create_server(("127.0.0.1", 7200))
a = socket.create_connection(("127.0.0.1", 7200))
b, _ = stream.accept()
u, v = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "uv")
u.bind(("127.0.0.1", 7201))
v.connect(("127.0.0.1", 7201))
for s in a, b, u, v:
    s.settimeout(60)
for line in sys.stdin:
    word = line.strip().encode()
    try:
        a.sendall(word)
        v.send(word)
        said = b.recv(100) == word and u.recv(100) == word
        if word == b"more":
            c = socket.create_connection(("127.0.0.1", 7200))
            d, _ = stream.accept()
            c.sendall(word)
            said = said and d.recv(100) == word
    except OSError as e:
        said = repr(e)
    print("ok" if said is True else said, flush=True)
END

# speaks WORD NAME: over the open sockets, and they have NST
speaks()
{
	local said before

	before=$(sealed)
	echo "$1" >&"${PAIR[1]}"
	read -r -t 120 said <&"${PAIR[0]}"
	[ "$said" = ok ] && [ "$(sealed)" -gt "$before" ]
	say $? "$2: ${said:-nothing}" pair.err
}

sealed() { awk '$1 == "NstTxRecords" { print $2 }' /proc/net/nst_stat; }
box_is() { nstkeyctl show | awk '$1 == 1 { print $3 }'; }
active() { systemctl is-active --quiet "$@"; }
answers() { [ "$(echo hi | nst-run --tcp 7300 -- nc -N 127.0.0.1 7300)" = HI ]; }

a_service()
{
	cat >/etc/systemd/system/echo7300.service <<-END
		[Service]
		ExecStart=/usr/bin/python3 $WORK/c.py
	END
	cat >c.py <<-'END'
		import socket
		l = socket.create_server(("127.0.0.1", 7300))
		while True:
		    c, _ = l.accept()
		    c.sendall(c.recv(100).upper().strip())
		    c.close()
	END
	systemctl daemon-reload
	nstkeyctl genbox /etc/nst.box
	try "nst-box.service is enabled and starts" systemctl enable --now nst-box.service
	try "and nst-events" systemctl enable --now nst-events.service
	try "a service is given NST" nst-run enable echo7300.service --tcp 7300
	try "it starts" systemctl start echo7300
	try "and answers" until_true 60 answers
}

installs()
{
	debs 1 >said 2>&1
	say $? "install" said
	says "nst_ulp is loaded as it was"
	say $? "says that the loaded module stays" said
	modinfo -n nst_ulp | grep -q updates/dkms/nst_ulp
	say $? "the next one is DKMS's"
	[ -d /sys/module/nst_ulp ] && ! active nst-box && ! active nst-events
	say $? "nothing is started or unloaded by itself"
}

upgrades()
{
	local pid

	box_is >box
	pid=$(systemctl show -P MainPID echo7300)
	systemctl show -P MainPID nst-events >events
	debs 2 >said 2>&1
	say $? "upgrade" said
	speaks upgraded "sockets go on"
	[ "$(systemctl show -P MainPID echo7300)" = "$pid" ] && answers
	say $? "so does the service, not started anew"
	[ "$(box_is)" = "$(cat box)" ] && active nst-box
	say $? "the box is as it was"
	active nst-events && [ "$(systemctl show -P MainPID nst-events)" != "$(cat events)" ]
	say $? "nst-events is of the new version"
	dkms status nst >said
	grep -q "0.1.0-2.*installed" said && ! grep -q 0.1.0-1 said
	say $? "and so are the modules" said
}

removes()
{
	dpkg -r nst-utils >said 2>&1
	say $? "remove of nst-utils" said
	says "zz-nst.conf stays: this service does not start without nst-run"
	say $? "says which services do not start any more" said
	! active nst-events
	say $? "nst-events has ended"
	speaks removed "sockets go on without the tools"
	! systemctl restart echo7300 2>said && ! active echo7300
	say $? "the service does not start in plaintext" said
	! ss -Hltn sport = 7300 | grep -q .
	say $? "nobody listens"
}

left_on_disk()
{
	find "$modules/updates" /usr/src /var/lib/dkms /usr/lib/modules-load.d \
		-name '*nst*' 2>/dev/null
}

purges()
{
	dpkg -P nst-dkms >said 2>&1
	say $? "purge of nst-dkms with sockets open" said
	says "nst_ulp stays loaded, and sockets go on"
	say $? "says what becomes of them" said
	speaks purged "sockets go on without the module's file"
	speaks more "a new connection, too"
	! rmmod nst_ulp 2>said
	say $? "the module is in use" said
	left_on_disk >said
	[ ! -s said ]
	say $? "nothing of it is left on the disk" said
	dpkg -P nst-utils libnst0 libnst-exchange0 libnst-tls0 >said 2>&1
	say $? "purge of the others" said
	says "/etc/nst.box stays"
	say $? "says that the keys stay" said
	! find /etc/systemd -xtype l -name '*nst*' | grep .
	say $? "no link to a unit that is gone"
	speaks all "sockets go on without any file of NST"
}

# The module goes when the last one has, and a new install begins anew.
once_more()
{
	local pid=$PAIR_PID

	kill "$(cat pair.pid)"
	wait "$pid"
	until_true 60 rmmod nst_ulp
	say $? "without sockets the module goes"
	! modprobe nst_ulp 2>said
	say $? "and there is none" said
	debs 2 >said 2>&1
	say $? "install once more" said
	modprobe nst_ulp
	say $? "there is one again"
	try "the box that was left is loaded" systemctl restart nst-box
	try "the service starts again" systemctl restart echo7300
	try "with NST" until_true 60 answers
}

compgen -G '/t/debs/nst-utils_0.1.0-2_*' >said
say $? "there are packages (scripts/check-packages.sh bookworm makes them)"
no_tools
headers
installs
a_service
coproc PAIR { exec nst-run --tcp 7200 --udp 7201 -- python3 "$WORK/pair.py" 2>"$WORK/pair.err"; }
speaks first "sockets have NST"
upgrades
removes
purges
once_more
systemctl disable --now nst-box >/dev/null 2>&1
systemctl stop echo7300
dpkg -P nst-dkms nst-utils libnst0 libnst-exchange0 libnst-tls0 >/dev/null 2>&1
rm -rf /etc/nst.box /etc/systemd/system/echo7300.service*
finish
