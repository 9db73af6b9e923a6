#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# uninstall.sh: takes away what "make install" and "make dkms" have put there, of
# all kernels; DESTDIR and PREFIX as there. A file that an administrator has
# changed (modules-load.d) stays. With "modules" only the modules go.

set -eu
cd "$(dirname "$0")/.."
DESTDIR=${DESTDIR:-}
PREFIX=${PREFIX:-/usr/local}

remove_modules()
{
	local dir

	for dir in "$DESTDIR"/lib/modules/*; do
		[ -d "$dir" ] || continue
		find "$dir" -path '*/dkms' -prune -o \
			\( -name 'nst_ulp.ko*' -o -name 'nst_sm.ko*' \) -print |
		while read -r f; do
			rm "$f"
			rmdir -p --ignore-fail-on-non-empty "${f%/*}" 2>/dev/null || true
		done
		[ -n "$DESTDIR" ] || [ ! -e "$dir/modules.dep" ] ||
			depmod "${dir##*/}"
	done
}

remove_files()
{
	local f load=$DESTDIR/etc/modules-load.d/nst.conf

	for f in Documentation/man/*.[1-8]; do
		rm -f "$DESTDIR$PREFIX/share/man/man${f##*.}/${f##*/}"
	done
	for f in include/uapi/linux/*.h; do
		rm -f "$DESTDIR$PREFIX/include/linux/${f##*/}"
	done
	rm -f "$DESTDIR$PREFIX/sbin/nstkeyctl" "$DESTDIR$PREFIX/bin/nst-run" \
		"$DESTDIR$PREFIX/bin/nstperf" \
		"$DESTDIR$PREFIX/share/nst/nstperf.schema.json" \
		"$DESTDIR$PREFIX/lib/nst/libnst-preload.so"
	make -s -C packaging DESTDIR="$DESTDIR" PREFIX="$PREFIX" uninstall
	rmdir "$DESTDIR$PREFIX/lib/nst" 2>/dev/null || true
	for f in libnst libnst-exchange libnst-tls; do
		rm -f "$DESTDIR$PREFIX/lib/$f.a" "$DESTDIR$PREFIX/lib/$f.so" \
			"$DESTDIR$PREFIX/lib/$f.so.0" \
			"$DESTDIR$PREFIX/lib/pkgconfig/$f.pc"
	done
	rm -f "$DESTDIR$PREFIX/include/nst/nst.h" \
		"$DESTDIR$PREFIX/include/nst/exchange.h" \
		"$DESTDIR$PREFIX/include/nst/tls.h"
	rmdir "$DESTDIR$PREFIX/include/nst" 2>/dev/null || true
	[ -n "$DESTDIR" ] || PATH=$PATH:/sbin ldconfig
	if cmp -s packaging/modules-load.conf "$load"; then
		rm "$load"
	fi
}

[ -n "$DESTDIR" ] || [ "${1:-}" = modules ] || scripts/dkms.sh remove
remove_modules
[ "${1:-}" = modules ] || remove_files
