#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh [--update] [KERNEL...]: makes a Debian 12 machine ready to build
# NST and to boot it in QEMU. KERNEL is 6.1 (default), 6.12, 7.3, debug or uml.
#
# Needs root and the machine's own apt sources, nothing else. Kernels to boot
# are unpacked under $NST_CACHE (default /var/tmp/nst-cache) and never installed:
# the machine's boot loader is not touched. What is in place already is not
# fetched again, unless --update asks for the newest packages.

set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

# Flavour of the kernels: small, and all that a guest needs is in it.
FLAVOUR=cloud-amd64

HOST_PACKAGES="
	bc bison build-essential busybox-static ca-certificates clang cpio
	debootstrap flex groff-base iproute2 ipxe-qemu kmod libcap-dev
	libclang-rt-14-dev libelf-dev libgcrypt20-dev libmnl-dev libssl-dev
	linux-source-6.1 linux-headers-$FLAVOUR man-db nftables perl pkg-config
	python3 python3-docutils qemu-system-x86 rsync seabios shellcheck sparse
	tcpdump xz-utils"
CHROOT_PACKAGES="ca-certificates gcc-14 kmod libelf1t64 make perl"

export DEBIAN_FRONTEND=noninteractive LC_ALL=C

step()
{
	echo "prepare: $*"
}

# Prints "URI SUITE" of every deb entry of the machine's apt sources, in the
# one-line format and in deb822.
apt_entries()
{
	local f

	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] || continue
		sed -n 's/#.*//; s/^[[:space:]]*deb[[:space:]]\+\(\[[^]]*\]\)\?[[:space:]]*//p' "$f" |
			awk 'NF >= 2 { print $1, $2 }'
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] || continue
		awk '
		function flush_stanza(   u, s, i, j, nu, ns) {
			nu = split(field["uris"], u)
			ns = split(field["suites"], s)
			if (field["types"] ~ /(^| )deb( |$)/ &&
			    field["enabled"] !~ /^ *no/)
				for (i = 1; i <= nu; i++)
					for (j = 1; j <= ns; j++)
						print u[i], s[j]
			split("", field)
		}
		/^#/ { next }
		/^[[:space:]]*$/ { flush_stanza(); next }
		/^[[:space:]]/ { field[name] = field[name] " " $0; next }
		{
			name = tolower(substr($0, 1, index($0, ":") - 1))
			field[name] = substr($0, index($0, ":") + 1)
		}
		END { flush_stanza() }' "$f"
	done
}

# mirror_of SUITE: the first URI that serves it. Cloud images point to a list
# of mirrors in a file (mirror+file:), of which the first is taken.
mirror_of()
{
	local uri

	uri=$(apt_entries | awk -v s="$1" '$2 == s { print $1; exit }')
	case $uri in
	mirror+file:*)
		uri=$(awk '!/^#/ && NF { print $1; exit }' "${uri#mirror+file:}") ;;
	esac
	echo "${uri%/}"
}

installed()
{
	dpkg-query -W -f '${db:Status-Abbrev}\n' "$@" 2>/dev/null |
		awk -v n=$# '$1 == "ii" { n-- } END { exit n != 0 }'
}

host_packages()
{
	# shellcheck disable=SC2086 # a list
	if [ -z "$update" ] && installed $HOST_PACKAGES; then
		return
	fi
	step "packages of this machine"
	apt-get -qq update
	# shellcheck disable=SC2086 # a list
	apt-get -qq install -y --no-install-recommends $HOST_PACKAGES >/dev/null
}

# Single files of the kernel's source: the kselftest harness and the checkers.
# Named by hand, because unpacking all takes longer than a build.
kernel_files()
{
	local dir=$NST_CACHE/linux files=

	[ -z "$update" ] && [ -e "$dir/ready" ] && return
	step "files of linux-source-6.1"
	rm -rf "$dir"
	mkdir -p "$dir"
	for f in scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} \
		scripts/kernel-doc tools/testing/selftests/kselftest.h \
		tools/testing/selftests/kselftest_harness.h; do
		files="$files linux-source-6.1/$f"
	done
	# shellcheck disable=SC2086 # a list
	tar -xf /usr/src/linux-source-6.1.tar.xz -C "$dir" \
		--strip-components=1 $files
	touch "$dir/ready"
}

# in_root_of KERNEL COMMAND...: runs a command where the packages of that kernel come from.
in_root_of()
{
	local k=$1

	shift
	if [ "$k" = 6.1 ]; then
		"$@"
	else
		chroot "$NST_CHROOT" "$@"
	fi
}

# newest_release KERNEL: the newest one that has headers, as uname -r says it.
newest_release()
{
	local series=${1//./\\.}

	in_root_of "$1" apt-cache pkgnames linux-headers- |
		sed -n "s/^linux-headers-\($series\.[0-9].*-$FLAVOUR\)\$/\1/p" |
		sort -V | tail -n 1
}

chroot_sources()
{
	local mirror=$1 security=$2 suite proxy

	for suite in trixie trixie-updates trixie-backports; do
		echo "deb $mirror $suite main"
	done
	[ -z "$security" ] || echo "deb $security trixie-security main"
	proxy=$(apt-config shell P Acquire::http::Proxy | sed "s/^P='\(.*\)'/\1/")
	[ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" \
		>"$NST_CHROOT/etc/apt/apt.conf.d/90nst-proxy"
}

# The chroot that builds for 6.12 and 7.3.
make_chroot()
{
	local codename mirror security

	[ -e "$NST_CHROOT/.nst-ready" ] && return
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=$(mirror_of "$codename")
	[ -n "$mirror" ] || nst_die "no mirror of $codename in the apt sources"
	security=$(mirror_of "$codename-security")
	step "trixie chroot in $NST_CHROOT"
	rm -rf "$NST_CHROOT"
	# shellcheck disable=SC2086 # a list
	debootstrap --variant=minbase \
		--include="$(echo $CHROOT_PACKAGES | tr ' ' ,)" \
		trixie "$NST_CHROOT" "$mirror" >"$NST_CACHE/debootstrap.log" ||
		nst_die "debootstrap failed, see $NST_CACHE/debootstrap.log"
	chroot_sources "$mirror" "$security" >"$NST_CHROOT/etc/apt/sources.list"
	chroot "$NST_CHROOT" apt-get -qq update
	touch "$NST_CHROOT/.nst-ready"
}

# fetch_headers KERNEL RELEASE
fetch_headers()
{
	local target=

	[ "$1" != 7.3 ] || target="-t trixie-backports"
	in_root_of "$1" test -e "/lib/modules/$2/build/Makefile" && return
	# shellcheck disable=SC2086 # may be empty
	in_root_of "$1" apt-get -qq install -y --no-install-recommends $target \
		"linux-headers-$2" >"$NST_CACHE/apt.log" 2>&1 ||
		nst_die "cannot install linux-headers-$2, see $NST_CACHE/apt.log"
}

# fetch_image KERNEL RELEASE: unpacks kernel and modules. Up to 6.12 one package
# has all; later that is a meta package, and base has the lists of modules.
fetch_image()
{
	local dir=$NST_CACHE/$1 tmp deb p debs=

	for p in "linux-base-$2" "linux-binary-$2" "linux-modules-$2"; do
		in_root_of "$1" apt-cache show "$p" >/dev/null 2>&1 &&
			debs="$debs $p"
	done
	[ -n "$debs" ] || debs=linux-image-$2
	rm -rf "$dir"
	mkdir -p "$dir"
	tmp=/var/tmp/nst-debs.$$
	in_root_of "$1" mkdir "$tmp"
	# shellcheck disable=SC2086 # a list
	in_root_of "$1" sh -c "cd $tmp && apt-get -qq download $debs" 2>/dev/null
	if [ "$1" = 6.1 ]; then p=$tmp; else p=$NST_CHROOT$tmp; fi
	for deb in "$p"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$p"
	[ -e "$dir/lib" ] || ln -s usr/lib "$dir/lib"
	depmod -b "$dir" "$2"
	echo "$2" >"$dir/release"
}

prepare_kernel()
{
	local release

	if [ -z "$update" ] && nst_kernel_present "$1"; then
		nst_kernel "$1"
		[ -L "$nst_headers/lib/modules/$nst_release/build" ] && return
	fi
	if [ "$1" != 6.1 ]; then
		make_chroot
		[ -z "$update" ] || chroot "$NST_CHROOT" apt-get -qq update
	fi
	release=$(newest_release "$1")
	[ -n "$release" ] || nst_die "no headers of a $1 kernel in the package lists"
	step "kernel $release"
	fetch_headers "$1" "$release"
	fetch_image "$1" "$release"
}

update=
kernels=
for arg; do
	case $arg in
	--update) update=1 ;;
	-*) nst_die "usage: prepare.sh [--update] [KERNEL...]" ;;
	*) kernels="$kernels $arg" ;;
	esac
done
for k in ${kernels:=6.1}; do
	case " $NST_KERNELS debug uml " in
	*" $k "*) ;;
	*) nst_die "unknown kernel '$k' (there are: $NST_KERNELS debug uml)" ;;
	esac
done
[ "$(id -u)" = 0 ] || nst_die "needs root (it installs packages)"

mkdir -p "$NST_CACHE"
exec 9>"$NST_CACHE/lock"
flock 9
host_packages
kernel_files
for k in $kernels; do
	case $k in debug | uml) ;; *) prepare_kernel "$k" ;; esac
done
exec 9>&-
# take long, and have locks of their own
case " $kernels " in
*" debug "*) "$here/debug.sh" ;;
esac
case " $kernels " in
*" uml "*) "$here/uml.sh" ;;
esac
step "ready:$kernels"
