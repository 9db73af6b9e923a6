#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh install RELEASE: gives the modules to DKMS (make dkms) and has it build
# for that kernel; whatever version DKMS had before goes when the new one is in
# place. dkms.sh remove: takes all versions back. With DESTDIR only the sources
# are put there, for who makes a package.
#
# DKMS takes a version that it has for done, whatever its sources are now. So the
# version ends in a digest of the sources. A package has a version of its own
# (NST_DKMS_VERSION).

set -eu
cd "$(dirname "$0")/.."

die()
{
	echo "make dkms: $*" >&2
	exit 1
}

# versions: those that DKMS or /usr/src has
versions()
{
	local d

	for d in /usr/src/nst-* /var/lib/dkms/nst/*; do
		case ${d##*/} in
		'nst-*' | '*' | kernel-* | original_module) ;;
		nst-*) [ -e "$d/dkms.conf" ] && echo "${d##*/nst-}" ;;
		*) [ -d "$d" ] && echo "${d##*/}" ;;
		esac
	done | sort -u
}

# remove_all_but VERSION
remove_all_but()
{
	local v

	for v in $(versions); do
		[ "$v" != "$1" ] || continue
		dkms remove "nst/$v" --all >/dev/null 2>&1 ||
			rm -rf "/var/lib/dkms/nst/$v"
		rm -rf "/usr/src/nst-$v"
		echo "removed nst/$v from DKMS"
	done
}

sources()
{
	find Kbuild include nst_ulp nst_sm packaging/dkms.conf -type f \
		\( -name '*.[chS]' -o -name Kbuild -o -name dkms.conf \) \
		! -name '*.mod.c' | LC_ALL=C sort
}

# copy DIR VERSION
copy()
{
	local f

	rm -rf "$1"
	for f in $(sources); do
		[ "$f" != packaging/dkms.conf ] || continue
		install -D -m 644 "$f" "$1/$f"
	done
	sed "s/@VERSION@/$2/" packaging/dkms.conf >"$1/dkms.conf"
}

install_version()
{
	local release=$1 version log

	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' nst_ulp/main.c)
	version=${NST_DKMS_VERSION:-$version.$(sources | xargs cat |
		sha256sum | cut -c 1-10)}
	copy "${DESTDIR:-}/usr/src/nst-$version" "$version"
	[ -z "${DESTDIR:-}" ] || return 0
	command -v dkms >/dev/null ||
		die "needs DKMS: apt-get install dkms"
	[ -e "/lib/modules/$release/build/Makefile" ] ||
		die "needs the kernel's headers: apt-get install linux-headers-$release"
	log=/var/lib/dkms/nst/$version/build/make.log
	if dkms status "nst/$version" -k "$release" | grep -q ': installed'; then
		echo "nst/$version is there, of the same sources"
		remove_all_but "$version"
		return
	fi
	# What a build that was cut off has left.
	dkms remove "nst/$version" -k "$release" >/dev/null 2>&1 || true
	[ -e "/var/lib/dkms/nst/$version/source" ] || dkms add "nst/$version"
	dkms build "nst/$version" -k "$release" ||
		die "the modules do not build, see $log; what was installed still is"
	dkms install --force "nst/$version" -k "$release"
	remove_all_but "$version"
}

case ${1:-} in
install) install_version "$2" ;;
remove) ! command -v dkms >/dev/null || remove_all_but none ;;
*) die "usage: dkms.sh install RELEASE|remove" ;;
esac
