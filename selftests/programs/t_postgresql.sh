#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# PostgreSQL with psql and pgbench: transactions, COPY both ways, a standby that
# is made from the primary and follows it.
#   COPY_MB   size of what is copied (100)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${COPY_MB:=100}"
MARK=NST-PLAINTEXT-POSTGRESQL
PORTS=(--tcp 5432)
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)

# as HOST COMMAND...: run there, as the database's user
as()
{
	local host=$1

	shift
	run "$host" setpriv --reuid=postgres --regid=postgres --init-groups \
		env HOME="$WORK" "$@"
}

sql()
{
	as h1 psql -h 10.12.0.2 -d postgres -v ON_ERROR_STOP=1 -qAt "$@"
}

# standby_sql: the same of the standby
standby_sql()
{
	as h2 psql -h 10.12.0.1 -d postgres -v ON_ERROR_STOP=1 -qAt "$@"
}

primary()
{
	rm -rf primary
	as h2 initdb -D "$WORK/primary" -A trust -N >said 2>&1 ||
		{ say 1 "initdb" said; return 1; }
	cat >>primary/postgresql.conf <<-'END'
		listen_addresses = '*'
		unix_socket_directories = ''
		fsync = off
		max_connections = 60
		wal_level = replica
		max_wal_size = 2GB
		ssl = off
	END
	echo 'host all,replication all 10.0.0.0/8 trust' >>primary/pg_hba.conf
	as h2 postgres -D "$WORK/primary" >postgres.h2 2>&1 &
	listening h2 tcp 5432 && until_true 60 sql -c 'select 1'
}

bench()
{
	local n=$1

	as h1 pgbench -h 10.12.0.2 -i -q -s 2 postgres >said 2>&1
	say $? "pgbench makes its tables" said
	as h1 pgbench -h 10.12.0.2 -c 10 -j 2 -t "$n" postgres >said 2>&1 &&
		grep -q "^number of transactions actually processed: $((10 * n))/" said
	say $? "pgbench, 10 clients: $(grep 'actually processed' said)" said
	as h1 pgbench -h 10.12.0.2 -C -S -c 10 -j 2 -t 10 postgres >said 2>&1 &&
		grep -q '^number of transactions actually processed: 100/' said
	say $? "pgbench, a connection for each: $(grep 'actually processed' said)" said
}

# The copies are compared with what went in, so order counts.
copied()
{
	local mb=$1

	marked "$MARK" $((mb << 20)) rows
	# the last line is cut off
	sed -i '$d' rows
	chmod 644 rows
	sql -c 'create table rows (line text)' \
		-c "\\copy rows from $WORK/rows" >said 2>&1
	say $? "COPY of $mb MB in" said
	sql -c 'copy rows to stdout' >got 2>said
	same rows got
	say $? "COPY out gives the same" said
}

standby()
{
	rm -rf standby
	as h1 pg_basebackup -h 10.12.0.2 -D "$WORK/standby" -R -X stream \
		-c fast >said 2>&1 || { say 1 "pg_basebackup" said; return; }
	say 0 "pg_basebackup"
	as h1 postgres -D "$WORK/standby" >postgres.h1 2>&1 &
	listening h1 tcp 5432 || return
	until_true 120 streaming
	say $? "the standby streams" postgres.h1
}

# shellcheck disable=SC2317
streaming()
{
	sql -c 'select state from pg_stat_replication' | grep -q streaming
}

# shellcheck disable=SC2317
replayed()
{
	local lsn

	lsn=$(sql -c 'select pg_current_wal_lsn()')
	[ "$(standby_sql -c "select pg_last_wal_replay_lsn() >= '$lsn'")" = t ]
}

# The same answer from both
# shellcheck disable=SC2317
caught_up()
{
	[ "$(standby_sql -c "$1")" = "$(sql -c "$1")" ]
}

followed()
{
	local sum="select count(*), sum(hashtext(line)::bigint) from rows"

	until_true 600 replayed
	caught_up "$sum"
	say $? "the standby has the same rows: $(standby_sql -c 'select count(*) from rows')"
	sql -c "insert into rows values ('$MARK last')"
	until_true 60 caught_up "$sum"
	say $? "and one that came later"
}

scene()
{
	primary || { say 1 "the primary runs" postgres.h2; return; }
	standby
	bench "$(size 100)"
	copied "$(size "$COPY_MB")"
	followed
	kill -INT "$(head -n 1 standby/postmaster.pid)" \
		"$(head -n 1 primary/postmaster.pid)"
	until_true 60 test ! -e primary/postmaster.pid
	say $? "PostgreSQL ends in order" postgres.h2
}

chown postgres .
both 2 scene "$MARK"
finish
