#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# HAProxy in the middle, in tcp mode, with splice: h1 - HAProxy on h2 - nginx on h3,
# NST on both links, each a stream of its own.
#   HAPROXY_MB   size of the files that go down and up (50)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${HAPROXY_MB:=50}"
MARK=NST-PLAINTEXT-HAPROXY
PORTS=(--tcp 80)
url=http://10.12.0.2

cat >nginx.conf <<'END'
user root;
worker_processes 1;
pid /var/tmp/work/nginx.pid;
error_log /var/tmp/work/error.log warn;
events { worker_connections 4000; }
http {
	access_log off;
	sendfile on;
	client_max_body_size 0;
	client_body_temp_path /var/tmp/work/body;
	server {
		listen 80 backlog=2048;
		root /var/tmp/work/www;
		dav_methods PUT;
	}
}
END
cat >haproxy.cfg <<'END'
global
	maxconn 4000
	nbthread 2
	stats socket /var/tmp/work/haproxy.sock level admin
defaults
	mode tcp
	timeout connect 300s
	timeout client 600s
	timeout server 600s
	option splice-auto
	option splice-request
	option splice-response
listen http
	bind 10.12.0.2:80
	server nginx 10.23.0.3:80
END

# info NAME: of HAProxy's own figures
info()
{
	echo 'show info' | socat - UNIX-CONNECT:haproxy.sock |
		sed -n "s/^$1: *//p"
}

scene()
{
	local mb

	mb=$(size "$HAPROXY_MB")
	rm -rf www body
	mkdir www body
	marked "$MARK" $((mb << 20)) www/big
	marked "$MARK" 4000 www/small
	bare h2 sysctl -qw net.core.somaxconn=8192
	bare h3 sysctl -qw net.core.somaxconn=8192
	run h3 nginx -c "$WORK/nginx.conf" -g 'daemon off;' >nginx.log 2>&1 &
	listening h3 tcp 80 nginx.log || return
	run h2 haproxy -f haproxy.cfg >haproxy.log 2>&1 &
	listening h2 tcp 80 haproxy.log || return
	run h1 curl -sS -f -o got "$url"/big >said 2>&1 && same got www/big
	say $? "$mb MB down are the same" said haproxy.log
	run h1 curl -sS -f -T www/big "$url"/up >said 2>&1 && same www/big www/up
	say $? "$mb MB up are the same" said haproxy.log
	[ "$(info 'TotalSpli.*BytesOut')" -ge $((mb << 20)) ]
	say $? "HAProxy spliced $(info 'TotalSpli.*BytesOut') bytes"
	run h1 ab -q -r -s 300 -n "$(size 2000)" -c "$(size 200)" -k \
		"$url"/small >said 2>&1 && grep -q '^Failed requests: *0$' said &&
		! grep -q '^Non-2xx' said
	say $? "$(size 200) requests in parallel through it" said
	kill -QUIT "$(cat nginx.pid)"
	! grep -E 'alert|crit|emerg|ALERT' error.log haproxy.log
	say $? "neither complains" error.log haproxy.log
}

both 3 scene "$MARK"
finish
