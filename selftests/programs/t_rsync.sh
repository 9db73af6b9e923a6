#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rsync with its own daemon: many small files and a large one, up, down, and what
# has changed of them.
#   RSYNC_MB      size of the large file (50)
#   RSYNC_FILES   number of the others (1000)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${RSYNC_MB:=50}" "${RSYNC_FILES:=1000}"
MARK=NST-PLAINTEXT-RSYNC
PORTS=(--tcp 873)

cat >rsyncd.conf <<'END'
use chroot = no
uid = root
gid = root
[tree]
path = /var/tmp/work/there
read only = no
END

make_files()
{
	local n=$1

	mkdir -p here/many
	marked "$MARK" 3000 one
	for i in $(seq "$n"); do
		{ echo "$i"; cat one; } >"here/many/$i"
	done
}

moved()
{
	run h1 rsync -a --delete "$2" "$3" >said 2>&1 && diff -r here "$4" >said
	say $? "$1" said
}

scene()
{
	local mb

	mb=$(size "$RSYNC_MB")
	rm -rf here there back
	mkdir here there back
	make_files "$(size "$RSYNC_FILES")"
	marked "$MARK" $((mb << 20)) here/big
	run h2 rsync --daemon --no-detach --config="$WORK/rsyncd.conf" \
		>rsyncd.log 2>&1 &
	listening h2 tcp 873 || return
	moved "a tree goes up" here/ rsync://10.12.0.2/tree there
	moved "and comes down" rsync://10.12.0.2/tree/ back/ back
	echo "$MARK more" >>here/big
	rm here/many/1
	moved "what has changed goes up" here/ rsync://10.12.0.2/tree there
	run h1 rsync -a --checksum --bwlimit=100000 -z here/ \
		rsync://10.12.0.2/tree >said 2>&1
	say $? "checksums and compression" said
}

both 2 scene "$MARK"
finish
