#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nginx with curl, ab and wrk: sendfile, uploads, keepalive, many at once.
#   NGINX_MB   size of the files that go down and up (50)
#   NGINX_AB   requests in parallel (1000)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${NGINX_MB:=50}" "${NGINX_AB:=1000}"
MARK=NST-PLAINTEXT-NGINX
PORTS=(--tcp 80)
url=http://10.12.0.2

cat >nginx.conf <<'END'
user root;
worker_processes 2;
worker_rlimit_nofile 20000;
pid /var/tmp/work/nginx.pid;
error_log /var/tmp/work/error.log warn;
events { worker_connections 8000; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_timeout 65;
	keepalive_requests 100000;
	client_max_body_size 0;
	client_body_temp_path /var/tmp/work/body;
	server {
		listen 80 backlog=4096 reuseport;
		root /var/tmp/work/www;
		dav_methods PUT;
		location /copied/ { sendfile off; alias /var/tmp/work/www/; }
	}
}
END

# get NAME URL
get()
{
	rm -f got
	run h1 curl -sS -f -o got "$2" >said 2>&1 && same got www/big
	say $? "$1" said
}

# reused: three requests need one connection
reused()
{
	run h1 curl -sS -f -w '%{num_connects}\n' -o /dev/null -o /dev/null \
		-o /dev/null "$url"/small "$url"/small "$url"/small >said 2>&1
	[ "$(paste -sd ' ' said)" = "1 0 0" ]
	say $? "three requests on one connection (keepalive)" said
}

# load NAME REQUESTS OPTION...: ab, and what it says of failures
load()
{
	local name=$1 n=$2

	shift 2
	run h1 ab -q -r -s 300 -n "$n" "$@" "$url"/small >said 2>&1 &&
		grep -q "^Complete requests: *$n\$" said &&
		grep -q '^Failed requests: *0$' said &&
		! grep -q '^Non-2xx' said
	say $? "$name: $(grep -E '^(Complete|Failed)' said | tr -s ' ' | paste -sd ' ')" said
}

scene()
{
	local mb server

	mb=$(size "$NGINX_MB")
	rm -rf www body
	mkdir www body
	bare h2 sysctl -qw net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192
	marked "$MARK" $((mb << 20)) www/big
	marked "$MARK" 4000 www/small
	run h2 nginx -c "$WORK/nginx.conf" -g 'daemon off;' >nginx.log 2>&1 &
	server=$!
	listening h2 tcp 80 || return
	get "$mb MB down by sendfile are the same" "$url"/big
	get "$mb MB down without sendfile are the same" "$url"/copied/big
	run h1 curl -sS -f -T www/big "$url"/up >said 2>&1 && same www/big www/up
	say $? "$mb MB up are the same" said
	reused
	load "$NGINX_AB requests in parallel, a connection each" \
		$((NGINX_AB * 2)) -c "$NGINX_AB"
	load "$NGINX_AB in parallel with keepalive" $((NGINX_AB * 4)) -k \
		-c "$NGINX_AB"
	run h1 wrk -t 2 -c 50 -d 3 --timeout 60 "$url"/small >said 2>&1 &&
		grep -q 'requests in' said && ! grep -qE 'Socket errors|Non-2xx' said
	say $? "wrk with 50 connections: $(grep -o '[0-9]* requests in' said)" said
	kill -QUIT "$(cat nginx.pid)"
	wait "$server"
	say $? "nginx ends in order" nginx.log
	! grep -E 'alert|crit|emerg' error.log
	say $? "nginx complains of nothing" error.log nginx.log
}

both 2 scene "$MARK"
finish
