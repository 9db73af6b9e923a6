#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does check-layers.sh find what it looks for? A small tree that is in order, and
# one fault after the other in it. TAP.

set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
out=$(mktemp)
trap 'rm -rf "$dir" "$out"' EXIT
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. "$here/../selftests/net/lib/tap.sh"

# file NAME LINE...
file()
{
	local name=$1

	shift
	mkdir -p "$dir/$(dirname "$name")"
	printf '%s\n' "$@" >"$dir/$name"
}

in_order()
{
	rm -rf "${dir:?}"/*
	file limits.h
	file core/wire.h '#include "limits.h"' 'int wire(int x);'
	file core/wire.c '#include "core/wire.h"' 'int wire(int x)' '{' \
		'	return x;' '}'
	file tcp/tx.h 'int tx(void);'
	file tcp/tx.c '#include "core/wire.h"' '#include "tcp/tx.h"' \
		'int tx(void)' '{' '	return wire(1);' '}'
	file main.c '#include "tcp/tx.h"' 'static int start(void)' '{' \
		'	return tx();' '}'
}

# expect NAME WORDS [OBJECTS]: one complaint with these words, or none
expect()
{
	local name=$1 words=$2 status=0

	"$here/check-layers.sh" "$dir" ${3:+"$3"} | grep '^# ' >"$out"
	case $(cat "$out") in
	"# "*"$words"*) [ -n "$words" ] || status=1 ;;
	*) [ -z "$words" ] && [ ! -s "$out" ] || status=1 ;;
	esac
	tap $status "layers__$name" "$out"
}

build()
{
	local c

	for c in core/wire tcp/tx tcp/rx; do
		[ ! -e "$dir/$c.c" ] || gcc -I"$dir" -c -o "$dir/$c.o" \
			"$dir/$c.c" || return
	done
}

echo 1..10
in_order
expect in_order ""
in_order
file core/wire.h '#include "tcp/tx.h"' 'int wire(int x);'
expect upwards "core includes tcp"
in_order
file else/where.c
expect unknown_folder "folder without a place"
in_order
file tcp/tx.h 'int tx(void);' 'int wire(int x);'
file core/wire.h '#include "limits.h"'
expect declared_above "wire() is not declared in core/wire.h"
in_order
file tcp/tx.h '#include "tcp/rx.h"' 'int tx(void);'
file tcp/rx.h '#include "tcp/tx.h"'
expect circle_of_includes "tcp/rx.h"
in_order
file tcp/rx.h '#include <crypto/aead.h>'
expect crypto "only core/ uses the crypto API"
in_order
file tcp/rx.h '#if LINUX_VERSION_CODE > 1' '#endif'
expect version "knows kernel versions"
in_order
build
expect objects "" "$dir"
file tcp/rx.h 'int rx(void);'
file tcp/rx.c '#include "tcp/tx.h"' '#include "tcp/rx.h"' 'int rx(void)' '{' \
	'	return tx();' '}'
file tcp/tx.c '#include "tcp/rx.h"' '#include "tcp/tx.h"' 'int tx(void)' '{' \
	'	return rx();' '}'
build
expect circle_of_objects "tcp/rx" "$dir"
rm -f "$dir"/*/*.o
expect no_objects "no objects" "$dir"
