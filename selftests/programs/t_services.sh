#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Services: nst-run enable, disable and status, nst-box.service, and what is
# refused. All in the guest's own network namespace, with units of our own and with
# nginx and redis as Debian starts them.
#
# shellcheck disable=SC2317 # functions are called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MODE=services
# of all that has a meaning for systemd
odd="a b%c\$d\"e\\"
units=/run/systemd/system
etc=/etc/systemd/system
dropin=$etc/svc.service.d/zz-nst.conf

cat >server.py <<'END'
import os, socket, sys

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 7100))
listener.listen()
if "NOTIFY_SOCKET" in os.environ:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    conn, _ = listener.accept()
    conn.recv(100)
    conn.sendall(repr(sys.argv[1:]).encode())
    conn.close()
END

# unit NAME LINE...: its section Service, where systemd's generators put theirs
unit()
{
	mkdir -p "$units"
	{
		echo "[Service]"
		printf '%s\n' "${@:2}"
	} >"$units/$1"
	systemctl daemon-reload
}

ask() { echo hello | nst-run --tcp 7100 "$@" -- nc -N 127.0.0.1 7100; }
answers() { [ "$(ask 2>/dev/null)" = "$1" ]; }
plain_answers() { echo hello | timeout 20 nc -N 127.0.0.1 7100 | grep -q .; }
started() { systemctl start svc && until_true 60 has_listener_here 7100; }
has_listener_here() { ss -Hltn "sport = $1" | grep -q .; }
# refuses TEXT COMMAND...: fails, with these words and one line, and no more
refuses()
{
	local text=$1

	shift
	! "$@" >said 2>&1 && grep -qF -- "$text" said && [ "$(wc -l <said)" = 1 ]
}
says() { local text=$1; shift; "$@" >said 2>&1; grep -qF -- "$text" said; }
# all that there is of units, to see that nothing stays
files() { find /etc/systemd "$units" -printf '%p %y %s %m\n' | sort; }
journal() { journalctl -q --no-pager -o cat -u "$1" -n 30 >said; grep -qF -- "$2" said; }

enables_and_disables()
{
	unit svc.service "# a comment" "ExecStart=/usr/bin/false" "ExecStart=" \
		"ExecStart=/usr/bin/python3 $WORK/server.py one \\" \
		"# another \\" "  'two three' %%n \$\$HOME \${GREETING}" \
		"Environment=GREETING=hail"
	files >before
	sha "$units/svc.service" >sum
	try "enable" nst-run enable svc --tcp 7100 --context "$odd"
	systemctl show -P Before nst-box.service | grep -w sysinit.target |
		grep -w network-pre.target >said
	say $? "guard and box come before the network and any listener" said
	try "the drop-in is the last one" [ -f "$dropin" ]
	try "a second time it is so already" says "already" \
		nst-run enable svc.service --tcp 7100 --context "$odd"
	try "start" started
	try "nst-box.service was started before" systemctl -q is-active nst-box
	try "guard and box are there" guard_and_box
	[ "$(ask --context "$odd")" = "['one', 'two three', '%n', '\$HOME', 'hail']" ]
	say $? "with NST and the arguments as they were"
	! ask --context other >said 2>&1 || ! grep -q one said
	say $? "not with another context"
	! plain_answers
	say $? "not in plaintext"
	try "status" nst-run status svc
	nst-run status | sed -n 's/^  options: //p' >said
	eval "pasted $(cat said)"
	say $? "status says the options so that a shell takes them" said
	try "disable" nst-run disable svc.service
	files | diff before - >said
	say $? "no trace is left" said
	[ "$(sha "$units/svc.service")" = "$(cat sum)" ]
	say $? "the unit's own file is as it was"
	systemctl restart svc && until_true 60 has_listener_here 7100 && plain_answers
	say $? "without NST after a restart, where no guard is" said
	systemctl stop svc
}

pasted() { [ "$*" = "--tcp 7100 --context $odd" ] && [ $# = 4 ]; }

guard_and_box()
{
	nstkeyctl guard show | grep -q 7199 && nstkeyctl show 1 | grep -q active
}

# What is running, and what the unit has become.
status_tells()
{
	unit svc.service "ExecStart=/usr/bin/python3 $WORK/server.py a"
	started
	try "enable while it runs" says "systemctl restart" nst-run enable svc --tcp 7100
	nst-run status svc >said
	[ $? = 1 ] && grep -q "WITHOUT NST" said
	say $? "status: still without NST" said
	systemctl restart svc && until_true 60 has_listener_here 7100
	try "status: all is well" nst-run status svc
	unit svc.service "ExecStart=/usr/bin/python3 $WORK/server.py b"
	nst-run status svc >said
	[ $? = 1 ] && grep -q "NOT THE UNIT'S" said
	say $? "status: the unit has another command now" said
	try "enable takes that one" nst-run enable svc --tcp 7100
	systemctl restart svc && until_true 60 answers "['b']"
	say $? "and it runs"
	rm "$units/svc.service"
	systemctl daemon-reload
	systemctl stop svc 2>/dev/null
	nst-run status svc >said
	[ $? = 1 ] && grep -q "NOT LOADED" said
	say $? "status: the unit is gone" said
	try "and can be disabled" nst-run disable svc
	nst-run status nst-box >said
	[ $? = 3 ]
	say $? "status of what is not enabled" said
}

# box WORDS CHANGE...: a box that cannot be had
without_box()
{
	local words=$1

	shift
	systemctl stop svc nst-box
	systemctl reset-failed svc nst-box 2>/dev/null
	nstkeyctl flush
	nstkeyctl genbox --force /etc/nst.box
	"$@"
	! systemctl start svc 2>/dev/null
	say $? "no start: $words"
	until_true 60 journal svc.service "$words"
	say $? "the service's journal says why" said
	! has_listener_here 7100
	say $? "and nobody listens: $words"
	nstkeyctl guard show | grep -q 7199
	say $? "the guard is there though"
}

bad_boxes()
{
	unit svc.service "ExecStart=/usr/bin/python3 $WORK/server.py"
	nst-run enable svc --tcp 7100 >/dev/null
	without_box "belongs to user" chown nobody /etc/nst.box
	without_box "others have access" chmod 644 /etc/nst.box
	without_box "/etc/nst.box:1:" sh -c 'echo rubbish >/etc/nst.box'
	without_box "no key in it" sh -c ': >/etc/nst.box'
	without_box "ENOKEY" rm /etc/nst.box
	without_box "No such file" sh -c 'ln -sf /nowhere /etc/nst.box'
	rm /etc/nst.box
	nstkeyctl genbox /etc/nst.box
	try "with a box that is well it starts" started
	echo rubbish >/etc/nst.box
	! systemctl reload nst-box 2>/dev/null && nstkeyctl show 1 >said
	say $? "a reload of a bad box leaves the old one"
	try "and the service" answers "[]"
	systemctl stop svc nst-box
	nstkeyctl flush
}

# credential LINE...: nst-box.service has these lines, and nothing was loaded
credential()
{
	systemctl stop svc nst-box
	systemctl reset-failed svc nst-box 2>/dev/null
	nstkeyctl flush
	nstkeyctl guard flush
	mkdir -p "$1"
	printf '%s\n' "[Service]" "${@:2}" >"$1/credential.conf"
	systemctl daemon-reload
}

# Neither a file of the guard nor of the box is in /etc.
credentials()
{
	local here=$etc/nst-box.service.d there=$units/nst-box.service.d

	mv /etc/nst.guard "$WORK/rules"
	rm /etc/nst.box
	nstkeyctl genbox --keys 3 /root/far.box
	credential "$there" "LoadCredential=nst.box:/root/far.box"
	started && nstkeyctl show 3 | grep -q accept
	say $? "LoadCredential=: the box comes from there"
	nstkeyctl guard show | grep -q "No port"
	say $? "and no rule from nowhere"
	credential "$there" "LoadCredential=nst.box:/root/far.box" \
		"LoadCredential=nst.guard:$WORK/rules"
	started && guard_and_box
	say $? "and the guard's rules"
	rm -r "$there"
	systemd-creds encrypt --with-key=host --name=nst.box /root/far.box sealed \
		>said 2>&1
	say $? "systemd-creds encrypts a box" said
	credential "$here" "LoadCredentialEncrypted=nst.box:$WORK/sealed"
	started && nstkeyctl show 3 | grep -q accept
	say $? "LoadCredentialEncrypted=, as systemctl edit writes it"
	echo rubbish >/root/bad.box
	credential "$here" "LoadCredential=nst.box:/root/bad.box"
	! systemctl start svc 2>/dev/null && until_true 60 journal svc.service "nst.box:1:"
	say $? "a credential that is no box: no start, and why" said
	credential "$here" "LoadCredential=nst.box:/root/nowhere"
	! systemctl start svc 2>/dev/null && until_true 60 journal svc.service "redential"
	say $? "one that is not there, too" said
	credential "$here" "TimeoutStartSec=30"
	! systemctl start svc 2>/dev/null && until_true 60 journal svc.service "no such credential"
	say $? "nor any of all" said
	! has_listener_here 7100
	say $? "and nobody listens"
	rm -r "$here"
	systemctl daemon-reload
	systemctl reset-failed svc nst-box
	! systemctl start svc 2>/dev/null && until_true 60 journal svc.service "ENOKEY" &&
		! systemctl -q is-failed nst-box
	say $? "without a drop-in nst-box is skipped, and there is no key" said
	mv "$WORK/rules" /etc/nst.guard
	nstkeyctl genbox --force /etc/nst.box
	systemctl reset-failed svc
}

refusals()
{
	local d=${dropin%/*}

	try "no such unit" refuses "there is no unit nothing.service" nst-run enable nothing --tcp 80
	ln -s /dev/null "$units/hidden.service"
	systemctl daemon-reload
	try "masked" refuses "masked" nst-run enable hidden --tcp 80
	try "a target" refuses "only services" nst-run enable basic.target --tcp 80
	try "rubbish" refuses "no unit's name" nst-run enable ../../passwd --tcp 80
	try "what loads the keys" refuses "loads the keys" nst-run enable nst-box --tcp 80
	try "no ports" refuses "nothing to protect" nst-run enable svc
	try "two units" refuses "more than one" nst-run enable svc nginx --tcp 80
	unit odd.service "ExecStart=@/bin/sleep other 5"
	try "another name for the program" refuses "ExecStart=@" nst-run enable odd --tcp 80
	unit odd.service "Type=oneshot" "ExecStart=/bin/true ; /bin/false"
	try "commands in one line" refuses "several commands" nst-run enable odd --tcp 80
	unit odd.service "ExecStart=/bin/sh -c 'true ; exec sleep 9'"
	try "a quoted semicolon parts no commands" nst-run enable odd --tcp 80
	systemctl start odd && nst-run status odd >said
	say $? "and it starts" said
	systemctl stop odd
	nst-run disable odd >/dev/null
	unit odd.service "ExecStart=-/usr/bin/nst-run --tcp 1 -- /bin/true"
	try "nst-run twice" refuses "already" nst-run enable odd --tcp 80
	unit odd.service "Type=nonsense"
	try "a unit that systemd cannot load" refuses "odd.service" nst-run enable odd --tcp 80
	unit odd.service "ExecStart=/bin/sleep 9"
	mkdir -p "$etc/common.d"
	ln -s common.d "$etc/odd.service.d"
	try "a directory that is a link to another's" refuses "symbolic link" nst-run enable odd --tcp 80
	[ -z "$(ls "$etc/common.d")" ]
	say $? "and nothing was put there"
	sed 's/7100/80/' "$dropin" >"$etc/common.d/zz-nst.conf"
	systemctl daemon-reload
	try "what an older one put there is removed" nst-run disable odd
	systemctl show -P DropInPaths odd >said
	! grep -q zz-nst said && [ -L "$etc/odd.service.d" ]
	say $? "and systemd knows, the link stays" said
	rm -r "$etc/odd.service.d" "$etc/common.d"
	mkdir -p "$d"
	printf '[Service]\nExecStart=\nExecStart=/bin/sleep 9\n' >"$d/zzz.conf"
	systemctl daemon-reload
	files >before
	try "a drop-in behind ours" refuses "another drop-in" nst-run enable svc --tcp 7777
	files | diff before - >said
	say $? "and what was before is there again" said
	rm "$d/zzz.conf"
	cp "$dropin" "$WORK/ours"
	echo "[Service]" >"$dropin"
	try "a file of another's in its place" refuses "not made by nst-run" nst-run enable svc --tcp 80
	try "nor is it removed" refuses "not made by nst-run" nst-run disable svc
	cp "$WORK/ours" "$dropin"
	try "no rights" refuses "ermission denied" setpriv --reuid=nobody --clear-groups \
		nst-run enable svc --tcp 7101
	try "not enabled" refuses "is not enabled" nst-run disable nginx
}

# nst-run where no file can be written, to a pipe
no_file()
{
	(
		set -o pipefail
		(ulimit -f 0 && exec nst-run "$@") 2>&1 | cat
	)
}

full_disk()
{
	local d=${dropin%/*}

	cp "$dropin" "$WORK/ours"
	mount -t tmpfs -o size=8k tmp "$d"
	cp "$WORK/ours" "$dropin"
	dd if=/dev/zero of="$d/fill" bs=4k 2>/dev/null
	try "a full disk" refuses "No space left" nst-run enable svc --tcp 7105
	same "$WORK/ours" "$dropin" && [ "$(find "$d" -type f | wc -l)" = 2 ]
	say $? "the old one stays, and nothing beside it"
	umount "$d"
	try "a limit of size" refuses "File too large" no_file enable svc --tcp 7105
	same "$WORK/ours" "$dropin"
	say $? "the old one stays"
	touch "$d/.zz-nst.conf.abcdef"
	nst-run disable svc >/dev/null
	! [ -e "$d" ]
	say $? "what one that was killed has left goes, too"
}

templates()
{
	unit many@.service "ExecStart=/usr/bin/python3 $WORK/server.py %i"
	try "enable a template" nst-run enable many@ --tcp 7100
	systemctl start many@x && until_true 60 answers "['x']"
	say $? "its instances have NST"
	try "status of a template" nst-run status many@.service
	systemctl stop many@x
	try "disable it" nst-run disable many@.service
	try "enable an instance alone" nst-run enable many@y --tcp 7100
	systemctl start many@y && until_true 60 answers "['y']" && nst-run status many@y >said
	say $? "it has NST" said
	systemctl stop many@y
	nst-run disable many@y >/dev/null
	systemctl start many@y && until_true 60 plain_answers
	say $? "and has none any more"
	systemctl stop many@y
}

# The listener is systemd's, and the service's the NST.
sockets()
{
	cat >"$units/inet.socket" <<-END
		[Socket]
		ListenStream=127.0.0.1:7100
		Accept=yes
	END
	unit inet@.service "ExecStart=/usr/bin/head -c 5" "StandardInput=socket"
	try "enable a socket with Accept=yes" says "inet@.service" nst-run enable inet.socket --tcp 7100
	systemctl start inet.socket
	# The attach comes when systemd has accepted: no half close before.
	[ "$(echo hello | nst-run --tcp 7100 -- nc 127.0.0.1 7100 2>/dev/null)" = hello ]
	say $? "each connection has NST"
	! plain_answers
	say $? "or nothing is said to it"
	systemctl stop inet.socket
	nst-run disable inet.socket >/dev/null
	[ ! -e /etc/systemd/system/inet@.service.d ]
	say $? "disable by the socket's name"
}

notifying()
{
	unit svc.service "Type=notify" "NotifyAccess=main" \
		"ExecStart=/usr/bin/python3 $WORK/server.py notified"
	nst-run enable svc --tcp 7100 --engine notify >/dev/null
	systemctl start svc && answers "['notified']" && nst-run status svc >said
	say $? "Type=notify under the notify engine" said
	systemctl stop svc
	nst-run disable svc >/dev/null
}

# As Debian ships them.
debian()
{
	local id

	nst-run enable redis-server --tcp 6379 >/dev/null
	systemctl start redis-server && nst-run --tcp 6379 -- redis-cli ping | grep -q PONG
	say $? "redis-server"
	id=$(timeout 10 redis-cli ping 2>&1)
	[ "$id" != PONG ]
	say $? "not in plaintext"
	nst-run status redis-server >said
	say $? "its status" said
	nst-run enable nginx --tcp 80 >/dev/null
	systemctl start nginx && nst-run --tcp 80 -- curl -s http://127.0.0.1/ | grep -q nginx
	say $? "nginx"
	nst-run status >said
	say $? "status of both" said
	systemctl reload nginx && sleep 1 &&
		nst-run --tcp 80 -- curl -s http://127.0.0.1/ | grep -q nginx
	say $? "nginx reloads"
	systemctl stop nginx redis-server
	nst-run disable nginx >/dev/null
	nst-run disable redis-server >/dev/null
}

printf 'tcp 7199\n' >/etc/nst.guard
nstkeyctl genbox --force /etc/nst.box
systemctl daemon-reload
files >"$WORK/first"
enables_and_disables
status_tells
bad_boxes
credentials
refusals
full_disk
templates
sockets
notifying
debian
rm -f "$units"/{svc,odd,hidden,many@,inet@}.service "$units/inet.socket" /etc/nst.*
systemctl daemon-reload
systemctl stop nst-box
nstkeyctl flush
nstkeyctl guard flush
files | diff "$WORK/first" - >said
say $? "all is as it was" said
finish
