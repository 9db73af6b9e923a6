#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-claims.sh: what "make install" installs and what packaging/debian packages,
# compared, as the build of the packages itself (make check-packages) takes an
# hour: each file is claimed by one package, each claim finds a file, and what the
# tools are built with is in Build-Depends. And each example builds with what is
# installed, by the line in its head, and the certificates for those with TLS by those
# of their README. TAP, in a few seconds once the tools are built.

set -u
cd "$(dirname "$0")/.." || exit 2
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

debian=packaging/debian
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A package has its libraries where its architecture does, and modules-load.d of
# its own, which debian/rules puts there.
installed()
{
	make -s install-user WERROR=-Werror DESTDIR="$work/root" PREFIX=/usr \
		>"$work/log" 2>&1 || return
	(cd "$work/root" && find . ! -type d | sed 's,^\./,,') |
		sed -e '/^etc\/modules-load\.d\/nst\.conf$/d' \
			-e 's,^usr/lib/\(libnst\|pkgconfig/\),usr/lib/x86_64-linux-gnu/\1,' |
		sort >"$work/files"
}

# Its patterns, each behind the list that it is of.
claims()
{
	local list line

	for list in "$debian"/*.install "$debian"/*.manpages; do
		while read -r line; do
			line=${line#debian/tmp/}
			[ -z "$line" ] || echo "$list $line"
		done <"$list"
	done >"$work/claims"
}

# claimants FILE: the lists that have it, as dh_install takes a pattern: whole
# directories, too
claimants()
{
	local list pattern

	while read -r list pattern; do
		# shellcheck disable=SC2053 # a pattern
		if [[ $1 = $pattern || $1 = $pattern/* ]]; then
			echo "$list"
		fi
	done <"$work/claims"
}

claimed_once()
{
	local found

	found=$(claimants "$1")
	[ "$(echo "$found" | grep -c .)" = 1 ] && return
	echo "$1 is in these lists of $debian: ${found:-none}"
	return 1
}

finds_a_file()
{
	local file

	while read -r file; do
		# shellcheck disable=SC2053 # a pattern
		[[ $file != $1 && $file != $1/* ]] || return 0
	done <"$work/files"
	echo "make install installs no $1"
	return 1
}

needed()
{
	sed -n 's/.*apt-get install \([a-z0-9.+ -]*\).*/\1/p' userspace/*/Makefile \
		userspace/*.mk | tr ' ' '\n' | grep . | grep -vx pkg-config | sort -u
}

build_depends() { sed -n 's/^Build-Depends: //p' "$debian/control" | grep -qwF -- "$1"; }

# What a newcomer types.
builds_by_its_head()
{
	local line

	line=$(sed -n 's/^ \*  *\(cc .*\)/\1/p' "$1")
	[ "$line" ] || { echo "no line that builds it in the head of $1"; return 1; }
	mkdir -p "$work/examples"
	cp "$1" "$work/examples/"
	(cd "$work/examples" && PKG_CONFIG_PATH=$work/root/usr/lib/pkgconfig \
		C_INCLUDE_PATH=$work/root/usr/include \
		LIBRARY_PATH=$work/root/usr/lib sh -ec "$line")
}

# The certificates by the lines of their README: they are what its text says.
certificates()
{
	mkdir -p "$work/tls"
	sed -n '/^  openssl req -x509/,/^  .*-out cert\.pem$/p' examples/README \
		>"$work/tls/lines"
	cd "$work/tls" || return
	sh -e lines >log 2>&1 || { cat log; return 1; }
	openssl verify -CAfile trusted.pem -purpose sslserver \
		-verify_hostname localhost cert.pem &&
		! openssl verify -CAfile trusted.pem -verify_hostname other \
			cert.pem >log 2>&1 &&
		[ "$(openssl pkey -in key.pem -pubout)" = \
			"$(openssl x509 -in cert.pem -noout -pubkey)" ]
}

result "make install-user" installed
[ -s "$work/files" ] || { cat "$work/log" >&2; echo "1..$number"; exit 1; }
claims
while read -r file; do
	result "packaged: $file" claimed_once "$file"
done <"$work/files"
while read -r list pattern; do
	result "${list##*/}: $pattern" finds_a_file "$pattern"
done <"$work/claims"
for package in $(needed); do
	result "Build-Depends: $package" build_depends "$package"
done
for file in examples/*.c; do
	result "$file by the line in its head" builds_by_its_head "$file"
done
result "certificates by the lines of examples/README" certificates
echo "1..$number"
# shellcheck disable=SC2154 # of tap.sh
exit "$failed"
