#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# systemd: a listener that it hands over, so that the connection that wakes the
# service is served; and no start without keys.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MARK=NST-PLAINTEXT-SYSTEMD
PORTS=(--tcp 7000)
units=/run/systemd/system

cat >service.py <<'END'
import os, socket, sys, threading

assert os.environ["LISTEN_FDS"] == "1" and \
    int(os.environ["LISTEN_PID"]) == os.getpid()
listener = socket.socket(fileno=3)

def serve(conn):
    got = b""
    while data := conn.recv(65536):
        got += data
    conn.sendall(got.upper() + b" woken")
    conn.close()

while True:
    conn, _ = listener.accept()
    threading.Thread(target=serve, args=(conn,)).start()
END

make_units()
{
	local command="/usr/bin/python3 $WORK/service.py"

	[ "$MODE" = plain ] ||
		command="/usr/bin/nst-run ${PORTS[*]} -- $command"
	mkdir -p "$units"
	cat >"$units"/woken.socket <<-END
		[Socket]
		ListenStream=10.12.0.2:7000
		NetworkNamespacePath=/run/netns/h2
	END
	cat >"$units"/woken.service <<-END
		[Unit]
		CollectMode=inactive-or-failed
		[Service]
		ExecStart=$command
		NetworkNamespacePath=/run/netns/h2
		WorkingDirectory=$WORK
	END
	systemctl daemon-reload
	systemctl start woken.socket
}

# ask WORD: a request that ends by half a close
ask()
{
	echo -n "$1" | run h1 nc -N 10.12.0.2 7000 >said 2>&1
	[ "$(cat said)" = "${1^^} woken" ]
}

without_keys()
{
	bare h1 nstkeyctl flush
	! echo "$MARK" | run h1 nc -N 10.12.0.2 7000 >said 2>&1 &&
		grep -q '^nst-run: .*ENOKEY' said
	say $? "without keys no program begins: $(head -n 1 said)" said
}

scene()
{
	local pid

	make_units
	listening h2 tcp 7000 || return
	! systemctl -q is-active woken.service
	say $? "the service sleeps"
	ask "$MARK first"
	say $? "the connection that wakes it is answered" said
	pid=$(systemctl show -P MainPID woken.service)
	ask "$MARK second" && ask "$MARK third" &&
		[ "$(systemctl show -P MainPID woken.service)" = "$pid" ]
	say $? "and those that come later, by the same process" said
	systemctl stop woken.socket woken.service
	rm -f "$units"/woken.*
	systemctl daemon-reload
	[ "$MODE" = plain ] || without_keys
}

both 2 scene "$MARK"
finish
