#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# examples/ in Go, Rust, Python and C, each with each, without nst-run: they have
# NST by themselves. Those that begin with TLS (rustls, GnuTLS, OpenSSL), each with
# each, and peers that rustls must not go on with. And one that systemd starts.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

MARK=NST-PLAINTEXT-EXAMPLE
units=/run/systemd/system

cat >plain.py <<'END'
import socket, sys
if sys.argv[1] == "listen":
    s = socket.create_server(("", int(sys.argv[2])))
    while True:
        conn, _ = s.accept()
        while data := conn.recv(65536):
            conn.sendall(data)
        conn.close()
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(sys.argv[3].encode())
s.shutdown(socket.SHUT_WR)
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
END

# serve NAME PORT
serve()
{
	case $MODE-$1 in
	plain-*) set -- "$1" "$2" python3 "$WORK/plain.py" listen "$2" ;;
	nst-go) set -- "$1" "$2" echo-go listen ":$2" ;;
	nst-rust) set -- "$1" "$2" echo-rust listen "10.12.0.2:$2" ;;
	nst-python) set -- "$1" "$2" /t/bin/echo.py listen "$2" ;;
	*) set -- "$1" "$2" echo-server "$2" ;;
	esac
	bare h2 "${@:3}" >"$1.log" 2>&1 &
	listening h2 tcp "$2" "$1.log"
}

# ask NAME PORT TEXT
ask()
{
	local name=$1 port=$2

	case $MODE-$name in
	plain-*) set -- python3 "$WORK/plain.py" 10.12.0.2 "$port" "$3" ;;
	nst-go) set -- echo-go "10.12.0.2:$port" "$3" ;;
	nst-rust) set -- echo-rust "10.12.0.2:$port" "$3" ;;
	nst-python)
		echo -n "$3" >text
		set -- /t/bin/echo.py 10.12.0.2 "$port" text ;;
	*) set -- echo-client 10.12.0.2 "$port" "$3" ;;
	esac
	bare h1 "$@" >said 2>&1
}

# each_with_each
each_with_each()
{
	local server client port=7100

	for server in go rust python c; do
		port=$((port + 1))
		serve "$server" "$port" || return
		for client in go rust python c; do
			ask "$client" "$port" "$MARK $client" &&
				[ "$(cat said)" = "$MARK $client" ]
			say $? "$client to $server" said "$server.log"
		done
	done
}

# authority NAME: a certificate that others trust, and one that it has signed
authority()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$1.key" -out "$1.pem" >said 2>&1 &&
		openssl req -newkey rsa:2048 -nodes -subj /CN=server.example \
			-keyout key.pem -out request.pem >>said 2>&1 &&
		openssl x509 -req -in request.pem -CA "$1.pem" -CAkey "$1.key" \
			-CAcreateserial -days 2 -out cert.pem -extfile - \
			<<<"subjectAltName=DNS:server.example" >>said 2>&1
}

# tls CLIENT PORT AUTHORITY: it asks for $MARK
tls()
{
	bare h1 "tls-$1" server.example "$2" "$3.pem" "$MARK $1" >said 2>&1
}

# From TLS to NST. In plaintext there is nothing to compare.
tls_each()
{
	local server client port=7200

	grep -q server.example /etc/hosts ||
		echo "10.12.0.2 server.example" >>/etc/hosts
	authority other && authority ours
	say $? "certificates" said
	for server in rustls gnutls openssl; do
		port=$((port + 1))
		bare h2 "tls-$server" listen "$port" cert.pem key.pem \
			>"$server.log" 2>&1 &
		listening h2 tcp "$port" "$server.log" || return
		for client in rustls gnutls openssl; do
			tls "$client" "$port" ours &&
				[ "$(cat said)" = "$MARK $client" ]
			say $? "TLS: $client to $server" said "$server.log"
			! tls "$client" "$port" other && grep -q "TLS: " said
			say $? "TLS: $client to $server, not trusted" said
		done
	done
	tls_strangers
}

# Peers that go on in TLS, or that have no TLS at all
tls_strangers()
{
	bare h2 openssl s_server -accept 7210 -cert cert.pem -key key.pem -quiet \
		</dev/zero >s_server.log 2>&1 &
	bare h2 python3 -c "$RUBBISH" 7211 >rubbish.log 2>&1 &
	listening h2 tcp 7210 && listening h2 tcp 7211 || return
	! tls rustls 7210 ours && ! grep -qF "$MARK" s_server.log
	say $? "TLS: rustls to one that stays with TLS" said s_server.log
	! tls rustls 7211 ours && grep -q "TLS: " said
	say $? "TLS: rustls to rubbish" said
	bare h1 timeout 60 openssl s_client -connect 10.12.0.2:7201 -quiet \
		-CAfile ours.pem <<<"$MARK s_client" >said 2>&1
	! grep -qF "$MARK" said
	say $? "TLS: one that stays with TLS to rustls" said
	tls rustls 7201 ours && [ "$(cat said)" = "$MARK rustls" ]
	say $? "TLS: rustls goes on to serve" said rustls.log
}

RUBBISH='
import socket, sys
s = socket.create_server(("", int(sys.argv[1])))
while True:
    conn, _ = s.accept()
    conn.sendall(b"\x16\x03\x03\xff\xff" + b"rubbish" * 10000)
    conn.close()
'

make_units()
{
	local command=/t/bin/activated

	[ "$MODE" = nst ] || command="/usr/bin/python3 $WORK/woken.py"
	cat >woken.py <<-'END'
		import socket
		s = socket.socket(fileno=3)
		while True:
		    conn, _ = s.accept()
		    while data := conn.recv(65536):
		        conn.sendall(data)
		    conn.close()
	END
	mkdir -p "$units"
	cat >"$units"/activated.socket <<-END
		[Socket]
		ListenStream=10.12.0.2:7000
		NetworkNamespacePath=/run/netns/h2
	END
	cat >"$units"/activated.service <<-END
		[Unit]
		CollectMode=inactive-or-failed
		[Service]
		ExecStart=$command
		NetworkNamespacePath=/run/netns/h2
	END
	systemctl daemon-reload
	systemctl start activated.socket
}

scene()
{
	each_with_each
	[ "$MODE" = plain ] || tls_each
	make_units
	listening h2 tcp 7000 || return
	! systemctl -q is-active activated.service
	say $? "the service sleeps"
	for word in first second; do
		ask c 7000 "$MARK $word" && [ "$(cat said)" = "$MARK $word" ]
		say $? "the $word connection is answered" said
	done
	systemctl stop activated.socket activated.service
	rm -f "$units"/activated.*
	systemctl daemon-reload
}

both 2 scene "$MARK"
finish
