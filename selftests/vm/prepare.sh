#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh [--update] [--compilers] [KERNEL...]: makes a Debian 12 machine ready
# to build NST and to boot it in QEMU. KERNEL is 6.1 (default), 6.12, 7.3, debug,
# debug-7.3, kcsan, uml or uml-fault. --compilers: with those of the examples in Go and Rust.
#
# Needs root and the machine's own apt sources, nothing else. Kernels to boot
# are unpacked under $NST_CACHE (default /var/tmp/nst-cache) and never installed:
# the machine's boot loader is not touched. What is in place already is not
# fetched again, unless --update asks for the newest packages.

set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=apt.sh
. "$here/apt.sh"

# Flavour of the kernels: small, and all that a guest needs is in it.
FLAVOUR=cloud-amd64
# Releases of a kernel that are tried, before it is given up.
TRIES=6

HOST_PACKAGES="
	bc bison build-essential busybox-static ca-certificates clang cpio
	debootstrap flex groff-base iproute2 ipxe-qemu kmod libcap-dev
	libclang-rt-14-dev libelf-dev libgcrypt20-dev libgnutls28-dev libjson-c-dev libmnl-dev
	libssl-dev liburing-dev linux-source-6.1 man-db nftables perl pkg-config|pkgconf
	python3 python3-docutils python3-jsonschema qemu-system-x86 rsync seabios shellcheck sparse
	tcpdump xz-utils"
# gccgo is half of what Go's own compiler is (43 MB to fetch, 58 for Rust's, and 7 for
# the crates of tls-rustls).
COMPILERS="
	cargo gccgo-12 librust-libc-dev librust-rustls-dev librust-rustls-pemfile-dev"
CHROOT_PACKAGES="ca-certificates gcc-14 kmod libelf1t64 make perl"

host_packages()
{
	local list

	# shellcheck disable=SC2086 # a list
	if [ -z "$update" ] && list=$(choose_packages $HOST_PACKAGES 2>&1) &&
		installed $list; then
		return
	fi
	step "packages of this machine"
	# shellcheck disable=SC2086 # a list
	install_packages $HOST_PACKAGES
}

# Without them two examples are skipped, and nothing else.
example_compilers()
{
	# shellcheck disable=SC2086 # a list
	[ -z "$compilers" ] || installed $COMPILERS ||
		(step "compilers for the examples"; install_packages $COMPILERS) ||
		step "goes on without: the examples in Go and Rust are skipped"
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

# root_of KERNEL: where the packages of that kernel come from
root_of()
{
	if [ "$1" = 6.1 ]; then echo /; else echo "$NST_CHROOT"; fi
}

# offered KERNEL: its releases, newest first. Backports have one series at a
# time: if 7.3 is there no more, the one that came after it.
offered()
{
	local root list

	root=$(root_of "$1")
	list=$(releases "$root" "${1//./\\.}")
	if [ -z "$list" ] && [ "$1" = 7.3 ]; then
		list=$(releases "$root" '[7-9]\.[0-9]*')
		[ -z "$list" ] ||
			step "no 7.3 in the package lists: a later series instead" >&2
	fi
	echo "$list" | head -n "$TRIES"
}

# fetch_headers KERNEL RELEASE
fetch_headers()
{
	local root target=

	root=$(root_of "$1")
	[ -e "${root%/}/lib/modules/$2/build/Makefile" ] && return
	[ "$1" != 7.3 ] || target="-t trixie-backports"
	# shellcheck disable=SC2086 # may be empty
	apt_get "$root" install -y --no-install-recommends $target \
		"linux-headers-$2"
}

# has_headers KERNEL RELEASE
has_headers()
{
	local root

	root=$(root_of "$1")
	[ -e "${root%/}/lib/modules/$2/build/Makefile" ] ||
		candidate "$root" "linux-headers-$2"
}

# fetch_image KERNEL RELEASE PACKAGE...: unpacks kernel and modules.
fetch_image()
{
	local k=$1 release=$2 root dir=$NST_CACHE/$1.new tmp deb rc=0

	shift 2
	root=$(root_of "$k")
	tmp=/var/tmp/nst-debs.$$
	rm -rf "$dir" "${root%/}$tmp"
	mkdir -p "$dir" "${root%/}$tmp"
	# shellcheck disable=SC2016 # expanded by the inner shell
	apt_download='cd "$0" && exec apt-get -qq -o APT::Sandbox::User=root download "$@"'
	in_root "$root" sh -c "$apt_download" "$tmp" "$@" \
		>>"$NST_APT_LOG" </dev/null || rc=1
	for deb in "${root%/}$tmp"/*.deb; do
		[ $rc = 0 ] && dpkg-deb -x "$deb" "$dir" || rc=1
	done
	rm -rf "${root%/}$tmp"
	[ $rc = 0 ] || return
	[ -e "$dir/lib" ] || ln -s usr/lib "$dir/lib"
	depmod -b "$dir" "$release" || return
	echo "$release" >"$dir/release"
	rm -rf "${NST_CACHE:?}/$k"
	mv "$dir" "$NST_CACHE/$k"
}

# take KERNEL RELEASE: headers and image of that release, or the reason why not
take()
{
	local image

	if ! has_headers "$1" "$2"; then
		step "not $2: no candidate for linux-headers-$2"
		return 1
	fi
	if ! image=$(image_of "$(root_of "$1")" "$2"); then
		step "not $2: $image"
		return 1
	fi
	step "kernel $1 is $2, the newest that has headers and image ($image)"
	# shellcheck disable=SC2086 # a list
	if ! fetch_image "$1" "$2" $image; then
		step "not $2: its image cannot be fetched (what apt says is above)"
		return 1
	fi
	fetch_headers "$1" "$2" ||
		{ step "not $2: its headers cannot be installed (above)"; return 1; }
}

prepare_kernel()
{
	local release root

	if [ -z "$update" ] && nst_kernel_present "$1"; then
		nst_kernel "$1"
		[ -L "${nst_headers%/}/lib/modules/$nst_release/build" ] && return
	fi
	root=$(root_of "$1")
	if [ "$1" != 6.1 ]; then
		# shellcheck disable=SC2086 # a list
		debian_chroot trixie "$NST_CHROOT" $CHROOT_PACKAGES
	fi
	# The lists of a chroot may be of another day.
	apt_update "$root" || step "goes on with the package lists that are there"
	for release in $(offered "$1"); do
		take "$1" "$release" && return
	done
	nst_die "no $1 kernel whose headers and image apt has (above): see 'apt-cache policy linux-headers-$FLAVOUR' for pins, or try again another day"
}

# The sources that debug-7.3 is built of, from the chroot's suites.
sources_73()
{
	local dir=$NST_CACHE/debug-7.3 tmp=/var/tmp/nst-source.$$ deb rc=0

	[ -z "$update" ] && [ -s "$dir/source.fetched" ] && return
	# shellcheck disable=SC2086 # a list
	debian_chroot trixie "$NST_CHROOT" $CHROOT_PACKAGES
	apt_update "$NST_CHROOT" || step "goes on with the package lists that are there"
	step "linux-source-7.3"
	mkdir -p "$dir" "$NST_CHROOT$tmp"
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_root "$NST_CHROOT" sh -c 'cd "$0" && exec apt-get -qq \
		-o APT::Sandbox::User=root download linux-source-7.3' "$tmp" \
		>>"$NST_APT_LOG" </dev/null || rc=1
	deb=$(find "$NST_CHROOT$tmp" -name '*.deb')
	[ $rc = 0 ] && dpkg-deb -x "$deb" "$NST_CHROOT$tmp" &&
		mv "$NST_CHROOT$tmp/usr/src/linux-source-7.3.tar.xz" \
			"$dir/linux-source.tar.xz" || rc=1
	[ $rc != 0 ] || dpkg-deb -f "$deb" Version >"$dir/source.fetched"
	rm -rf "${NST_CHROOT:?}$tmp"
	[ $rc = 0 ] || nst_die "no linux-source-7.3 can be fetched (log: $NST_APT_LOG)"
}

update=
compilers=
kernels=
for arg; do
	case $arg in
	--update) update=1 ;;
	--compilers) compilers=1 ;;
	-*) nst_die "usage: prepare.sh [--update] [--compilers] [KERNEL...]" ;;
	*) kernels="$kernels $arg" ;;
	esac
done
for k in ${kernels:=6.1}; do
	case " $NST_KERNELS $NST_OWN_KERNELS " in
	*" $k "*) ;;
	*) nst_die "unknown kernel '$k' (there are: $NST_KERNELS $NST_OWN_KERNELS)" ;;
	esac
done
[ "$(id -u)" = 0 ] || nst_die "needs root (it installs packages): sudo $0"
nst_need_bookworm

mkdir -p "$NST_CACHE"
exec 9>"$NST_CACHE/lock"
flock 9
host_packages
example_compilers
kernel_files
for k in $kernels; do
	case " $NST_OWN_KERNELS " in
	*" $k "*) ;;
	*) prepare_kernel "$k" ;;
	esac
done
case " $kernels " in
*" debug-7.3 "*) sources_73 ;;
esac
exec 9>&-
# take long, and have locks of their own
case " $kernels " in
*" debug "*) "$here/debug.sh" debug ;;
esac
case " $kernels " in
*" debug-7.3 "*) "$here/debug.sh" debug-7.3 ;;
esac
case " $kernels " in
*" kcsan "*) "$here/debug.sh" kcsan ;;
esac
case " $kernels " in
*" uml "* | *" uml-fault "*) "$here/uml.sh" ;;
esac
case " $kernels " in
*" uml-fault "*) "$here/uml-fault.sh" ;;
esac
step "ready:$kernels"
