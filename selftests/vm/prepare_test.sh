#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prepare_test.sh [DIR]: what prepare.sh (of DIR) does on days when a mirror is
# not of one piece. apt and what else would change the machine are fakes that
# obey a list of packages; nothing is installed. TAP.
#
# Then ./demo on machines that are not what it needs (scripts/on-debian.sh): one
# line that says so, with the way out.
#
# A line of the list: package, version, state. A state is ok; pinned (known, no
# candidate); gone (a candidate, but the mirror does not have it); broken (it
# does not install).

# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. "$(dirname "$0")/../net/lib/tap.sh"
here=$(cd "${1:-$(dirname "$0")}" && pwd)
work=$(mktemp -d /var/tmp/nst-prepare.XXXXXX)
trap 'rm -rf "$work"' EXIT
export WORLD=$work/world NST_CACHE=$work/cache NST_APT_PAUSE=0

fake()
{
	cat >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}

make_fakes()
{
	mkdir -p "$work/bin"
	fake apt-cache <<-'END'
		#!/bin/bash
		case $1 in
		pkgnames) awk -v p="$2" 'index($1, p) == 1 { print $1 }' "$WORLD" ;;
		show) awk -v p="$2" '$1 == p { f = 1 } END { exit !f }' "$WORLD" ;;
		policy)
			shift
			for p; do
				awk -v p="$p" '$1 == p {
					print p ":\n  Installed: (none)"
					print "  Candidate: " ($3 == "pinned" ? "(none)" : $2)
				}' "$WORLD"
			done ;;
		esac
	END
	fake apt-get <<-'END'
		#!/bin/bash
		words=()
		while [ $# -gt 0 ]; do
			case $1 in
			-o | -t) shift ;;
			-*) ;;
			*) words+=("$1") ;;
			esac
			shift
		done
		set -- "${words[@]}"
		verb=$1
		shift
		[ "$verb" != update ] || exit 0
		for p; do
			state=$(awk -v p="$p" '$1 == p { print $3 }' "$WORLD")
			case $verb:$state in
			download:ok | download:broken) : >"$p.deb" ;;
			install:) ;;
			install:ok) echo "$p" >>"$NST_CACHE/installed" ;;
			*)
				echo "E: fake apt cannot $verb $p" >&2
				exit 100 ;;
			esac
		done
	END
	# What is asked for is installed, unless the list has it.
	fake dpkg-query <<-'END'
		#!/bin/bash
		touch "$NST_CACHE/installed"
		for p; do
			case $p in -* | *Status*) ;; *) echo "$p" ;; esac
		done | awk '
			FILENAME != "-" && FNR == NR { todo[$1] = 1; next }
			FILENAME != "-" { delete todo[$1]; next }
			!($1 in todo) { print "ii", $1 }
			' "$WORLD" "$NST_CACHE/installed" -
	END
	fake dpkg-deb <<-'END'
		#!/bin/bash
		mkdir -p "$3/boot" "$3/lib/modules"
		echo "${2##*/}" >>"$3/debs"
	END
	fake chroot <<-'END'
		#!/bin/bash
		root=$1
		shift
		exec "${@/#\/var\/tmp\/nst-debs/$root/var/tmp/nst-debs}"
	END
	for f in depmod debootstrap; do
		printf '#!/bin/sh\n' | fake $f
	done
}

# verdict RC NAME
verdict()
{
	tap "$1" "prepare $2" "$work/out"
}

# prepare ARGUMENT...: with the list on standard input, in an empty cache but for what
# would take long and is not asked about here.
prepare()
{
	cat >"$WORLD"
	rm -rf "$NST_CACHE"
	mkdir -p "$NST_CACHE/linux" "$NST_CACHE/trixie/var/tmp"
	touch "$NST_CACHE/linux/ready" "$NST_CACHE/trixie/.nst-ready"
	PATH=$work/bin:$PATH "$here/prepare.sh" "$@" >"$work/out" 2>&1
	rc=$?
}

# takes KERNEL RELEASE DEBS NAME: after prepare(), that is in place
takes()
{
	local got

	got=$(cat "$NST_CACHE/$1/release" 2>&1)/$(paste -sd ' ' \
		"$NST_CACHE/$1/debs" 2>&1)
	[ "$rc" = 0 ] && [ "$got" = "$2/$3" ] ||
		echo "exit $rc, took $got, not $2/$3" >>"$work/out"
	[ "$rc" = 0 ] && [ "$got" = "$2/$3" ]
	verdict $? "$4"
}

says()
{
	grep -qE -- "$1" "$work/out"
	verdict $? "$2"
}

cloud="cloud-amd64"
headers()
{
	echo "linux-headers-$1-$cloud 1 ${2:-ok}"
}

image()
{
	echo "linux-image-$1-$cloud${3:-} 1 ${2:-ok}"
}

kernel_6_1()
{
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99; image 6.1.0-99)"
	takes 6.1 6.1.0-99-$cloud linux-image-6.1.0-99-$cloud.deb newest
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99; image 6.1.0-99 pinned)"
	takes 6.1 6.1.0-98-$cloud linux-image-6.1.0-98-$cloud.deb image_pinned
	says "not 6.1.0-99-$cloud: no candidate for linux-image-6.1.0-99" \
		image_pinned_says
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99; image 6.1.0-99 ok -unsigned)"
	takes 6.1 6.1.0-99-$cloud linux-image-6.1.0-99-$cloud-unsigned.deb \
		unsigned
	says "kernel 6.1 is 6.1.0-99-$cloud.*unsigned" unsigned_says
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99 pinned; image 6.1.0-99)"
	takes 6.1 6.1.0-98-$cloud linux-image-6.1.0-98-$cloud.deb headers_pinned
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99; image 6.1.0-99 gone)"
	takes 6.1 6.1.0-98-$cloud linux-image-6.1.0-98-$cloud.deb image_gone
	says "E: fake apt cannot download linux-image-6.1.0-99" apt_is_heard
	prepare 6.1 <<<"$(headers 6.1.0-98; image 6.1.0-98
		headers 6.1.0-99 broken; image 6.1.0-99)"
	takes 6.1 6.1.0-98-$cloud linux-image-6.1.0-98-$cloud.deb headers_break
	says "E: fake apt cannot install linux-headers-6.1.0-99" apt_is_heard_too
	prepare 6.1 <<<"$(headers 6.1.0-99; image 6.1.0-99 pinned)"
	[ "$rc" = 2 ]
	verdict $? none
	says "no 6.1 kernel whose headers and image apt has" none_says
}

chroot_kernels()
{
	local parts="linux-base-X linux-binary-X linux-modules-X" p

	prepare 6.12 <<<"$(headers 6.12.8+deb13; image 6.12.8+deb13
		headers 6.12.10+deb13; image 6.12.10+deb13 pinned)"
	takes 6.12 6.12.8+deb13-$cloud linux-image-6.12.8+deb13-$cloud.deb 6_12
	prepare 7.3 <<<"$(headers 7.3.4+deb13; headers 7.3.10+deb13
		image 7.3.10+deb13; image 7.3.4+deb13
		for p in $parts; do
			echo "${p/X/7.3.4+deb13-$cloud} 1 ok"
			echo "${p/X/7.3.10+deb13-$cloud} 1 pinned"
		done)"
	takes 7.3 7.3.4+deb13-$cloud "$(for p in $parts; do
		echo "${p/X/7.3.4+deb13-$cloud}.deb"; done | paste -sd ' ')" 7_3
	prepare 7.3 <<<"$(headers 7.4.1+deb13; image 7.4.1+deb13)"
	takes 7.3 7.4.1+deb13-$cloud linux-image-7.4.1+deb13-$cloud.deb later
	says "no 7.3 in the package lists" later_says
}

packages()
{
	local kernel

	kernel=$(headers 6.1.0-98; image 6.1.0-98)
	prepare 6.1 <<<"$(echo "$kernel"; echo "sparse 1 ok")"
	[ "$rc" = 0 ] && grep -qsx sparse "$NST_CACHE/installed"
	verdict $? package_is_installed
	prepare 6.1 <<<"$(echo "$kernel"; echo "sparse 1 pinned")"
	[ "$rc" = 2 ]
	verdict $? package_pinned
	says "apt has no candidate for sparse" package_is_named
	prepare 6.1 <<<"$(echo "$kernel"; echo "pkg-config 1 pinned"
		echo "pkgconf 1 ok")"
	[ "$rc" = 0 ] && grep -qsx pkgconf "$NST_CACHE/installed"
	verdict $? package_other
	prepare 6.1 <<<"$(echo "$kernel"; echo "sparse 1 broken")"
	[ "$rc" = 2 ]
	verdict $? package_breaks
	says "E: fake apt cannot install.* sparse" package_apt_is_heard
}

# What the examples in Go and Rust are made with, which the rest can do without.
compilers()
{
	local kernel

	kernel=$(headers 6.1.0-98; image 6.1.0-98)
	prepare 6.1 <<<"$(echo "$kernel"; echo "gccgo-12 1 ok")"
	[ "$rc" = 0 ] && ! grep -qsx gccgo-12 "$NST_CACHE/installed"
	verdict $? compilers_are_not_asked_for
	prepare --compilers 6.1 <<<"$(echo "$kernel"; echo "gccgo-12 1 ok")"
	[ "$rc" = 0 ] && grep -qsx gccgo-12 "$NST_CACHE/installed"
	verdict $? compilers_are_installed
	prepare --compilers 6.1 <<<"$(echo "$kernel"; echo "gccgo-12 1 broken")"
	takes 6.1 6.1.0-98-$cloud linux-image-6.1.0-98-$cloud.deb compilers_break
	says "E: fake apt cannot install.* gccgo-12" compilers_apt_is_heard
	says "examples in Go and Rust are skipped" compilers_missing_says
}

# program NAME TEXT: a fake that prints that
program()
{
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$work/machine/$1"
	chmod +x "$work/machine/$1"
}

# A machine that is as it should be: its own programs, under names that can be
# taken away.
make_machine()
{
	[ -d "$work/machine" ] || {
		mkdir "$work/machine"
		ln -s /usr/sbin/* /usr/bin/* "$work/machine/" 2>/dev/null
	}
	for f in apt-get stat dpkg id; do
		rm -f "$work/machine/$f"
	done
	program apt-get ""
	program dpkg amd64
	program id 0
	printf 'ID=%s\nVERSION_ID=%s\nPRETTY_NAME="%s"\n' debian 12 \
		"a Debian 12" >"$work/os-release"
	program stat 99999
}

# stops NAME WORDS [CACHE]: that is all that is said, and nothing was begun
stops()
{
	local cache=${3:-$work/empty}

	rm -rf "$work/empty"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'mount --bind "$1" /etc/os-release &&
		exec env PATH="$2" NST_CACHE="$3" "$4" ./demo 6.1 echo begun' \
		sh "$work/os-release" "$work/machine" "$cache" \
		"$here/../../scripts/on-debian.sh" >"$work/out" 2>&1
	[ $? = 2 ] && [ "$(wc -l <"$work/out")" = 1 ] &&
		grep -qE "^./demo: .*$2" "$work/out"
	verdict $? "machine $1"
}

machines()
{
	make_machine
	printf 'ID=fedora\nVERSION_ID=44\nPRETTY_NAME="Fedora 44"\n' \
		>"$work/os-release"
	stops other_distribution "this is Fedora 44, not Debian 12 or 13: .*docker run"
	printf 'ID=debian\nVERSION_ID=11\nPRETTY_NAME="Debian 11"\n' \
		>"$work/os-release"
	stops other_debian "this is Debian 11, not Debian 12 or 13: .*docker run"
	make_machine
	rm "$work/machine/apt-get"
	stops no_apt "no apt-get.*docker run"
	make_machine
	program dpkg arm64
	stops other_architecture "machine is arm64.*on an amd64 one"
	make_machine
	program id 1000
	stops no_root "needs root.*sudo ./demo"
	make_machine
	program stat 700
	stops no_space "needs 3000 MB in .*, which has 700: make room, or NST_CACHE=DIR ./demo"
	make_machine
	stops no_cache "cannot make /proc/none \(No such file or directory\): give another, NST_CACHE=DIR ./demo" \
		/proc/none
}

# What ./demo leaves in the directory of somebody who is not root, is his.
given_back()
{
	local tree=$work/tree rc=0

	make_machine
	mkdir -p "$tree/scripts" "$tree/selftests/vm"
	cp "$here/../../scripts/on-debian.sh" "$tree/scripts/"
	cp "$here/lib.sh" "$here/apt.sh" "$tree/selftests/vm/"
	printf '#!/bin/sh\n' >"$tree/selftests/vm/prepare.sh"
	chmod +x "$tree/selftests/vm/prepare.sh"
	chown -R 65534:65534 "$tree"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'mount --bind "$1" /etc/os-release && cd / &&
		exec env -u NST_BUILD PATH="$2" NST_CACHE="$3" "$4" ./demo 6.1 \
			sh -c "mkdir -p build/a; ln -s /etc/passwd build/a/b; exit 3"' \
		sh "$work/os-release" "$work/machine" "$work/empty" \
		"$tree/scripts/on-debian.sh" >"$work/out" 2>&1 || rc=$?
	[ "$rc" = 3 ] && [ -L "$tree/build/a/b" ] &&
		[ -z "$(find "$tree" -uid 0)" ] &&
		[ -n "$(find /etc/passwd -uid 0)" ]
	verdict $? "machine what_is_built_is_given_back"
}

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP prepare.sh needs root"; exit; }
make_fakes
kernel_6_1
chroot_kernels
packages
compilers
machines
given_back
echo "1..$number"
