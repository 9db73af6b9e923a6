#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# on-debian.sh NAME "ARGUMENT..." COMMAND...: makes a machine ready by prepare.sh with
# these arguments, most of them kernels, and runs the command there; what ./check and
# ./demo are made of. It needs Debian 12 or 13 with apt and root, and nothing else.
# NAME is what the user called.
#
# 6.1, its sources and the compiler that goes with it are of Debian 12. On
# Debian 13 all is done in a chroot of Debian 12 ($NST_CACHE/bookworm), which
# has this directory, the cache and the devices of the machine, in a mount
# namespace of its own: nothing stays mounted. Both machines so do the same.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=apt.sh
. selftests/vm/apt.sh

name=$1 kernels=$2
shift 2

# What it comes to, and some air. MiB.
SPACE_CACHE=3000
SPACE_PACKAGES=3000

stop()
{
	echo "$name: $*" >&2
	exit 2
}

# need_space DIR MIB: for something that is not there yet
need_space()
{
	local free

	# df wants /proc, which a chroot may lack.
	free=$(($(stat -f -c '%a * %S / 1048576' "$1")))
	[ "$free" -ge "$2" ] ||
		stop "needs $2 MB in $1, which has $free: make room${3:-}"
}

check_machine()
{
	local ID=unknown VERSION_ID='' PRETTY_NAME="an unknown system"
	local debian="in a container or a virtual machine of Debian 12: docker run --privileged -it -v '$PWD:$PWD' -w '$PWD' debian:12 $name"

	[ ! -r /etc/os-release ] || . /etc/os-release
	debian_version=$ID-$VERSION_ID
	case $debian_version in
	debian-12 | debian-13) ;;
	*) stop "this is $PRETTY_NAME, not Debian 12 or 13: run it $debian" ;;
	esac
	command -v apt-get >/dev/null ||
		stop "there is no apt-get here to install packages with: run it $debian"
	[ "$(dpkg --print-architecture)" = amd64 ] ||
		stop "the guests are amd64, this machine is $(dpkg --print-architecture): run it on an amd64 one"
	[ "$(id -u)" = 0 ] ||
		stop "needs root, to install packages and to boot guests: sudo $name"
}

check_space()
{
	local cache="$NST_CACHE" why

	why=$(mkdir -p "$cache" 2>&1) ||
		stop "cannot make $cache (${why##*: }): give another, NST_CACHE=DIR $name"
	[ -e "$cache/space" ] && return
	need_space "$cache" $SPACE_CACHE ", or NST_CACHE=DIR $name"
	[ "$debian_version" = debian-13 ] || need_space /usr $SPACE_PACKAGES
	: >"$cache/space"
}

own_proc=
leave_mount()
{
	if umount -R "/run/nst-root.$$"; then
		rmdir "/run/nst-root.$$"
	fi
	[ -z "$own_proc" ] || umount /proc
}

# In a chroot, / is no mount, and without that there is no mount namespace of
# one's own: "unshare -m" fails in what builds for 6.12 and 7.3. So all is done
# once more from here, with / mounted where nothing else is. /proc may be missing
# there too, and /dev/pts.
on_a_mount()
{
	local root=/run/nst-root.$$ rc=0

	mkdir -p "$root"
	if ! mount --bind / "$root" || ! mount --make-private "$root"; then
		rmdir "$root"
		stop "needs to mount: a container must be --privileged"
	fi
	# umount(8) reads /proc, of which it must have one to the end.
	[ -e /proc/self ] || { mount -t proc proc /proc && own_proc=1; }
	trap leave_mount EXIT
	trap 'exit 130' INT TERM HUP
	mount -t proc proc "$root/proc"
	mkdir -p "$root/dev/pts"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	# shellcheck disable=SC2016 # expanded by the inner shell
	chroot "$root" sh -c 'cd "$0" && exec "$@"' "$PWD" \
		scripts/on-debian.sh "$name" "$kernels" "$@" || rc=$?
	exit $rc
}

# make_bookworm: the chroot, once
make_bookworm()
{
	(
		flock 9
		[ -e "$1/.nst-ready" ] || {
			need_space "$NST_CACHE" $((SPACE_CACHE + SPACE_PACKAGES)) \
				", or NST_CACHE=DIR $name"
			command -v debootstrap >/dev/null ||
				install_packages debootstrap
		}
		debian_chroot bookworm "$1" ca-certificates
	) 9>"$NST_CACHE/bookworm.lock"
}

# in_bookworm COMMAND...: there, in this directory
in_bookworm()
{
	local root=$NST_CACHE/bookworm

	make_bookworm "$root" || exit
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	mkdir -p "$root$PWD" "$root$NST_CACHE" "$root$NST_BUILD"
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec unshare -m sh -ec '
		root=$1 top=$2 cache=$3 build=$4
		shift 4
		mount --bind "$root" "$root"
		mount --rbind /dev "$root/dev"
		mount -t sysfs sys "$root/sys"
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmp "$root/tmp"
		mkdir -p "$build" "$root$top"
		mount --bind "$top" "$root$top"
		mkdir -p "$root$cache" "$root$build"
		mount --bind "$cache" "$root$cache"
		mount --bind "$build" "$root$build"
		exec chroot "$root" env NST_CACHE="$cache" NST_BUILD="$build" \
			sh -c "cd \"\$0\" && exec \"\$@\"" "$top" "$@"
		' sh "$root" "$PWD" "$NST_CACHE" "$NST_BUILD" "$@"
}

# Who has this directory goes on in it without sudo: 'make', behind './demo'. What
# root has built is his, too. If it cannot be, that is no failure of the tests.
give_back()
{
	case $NST_BUILD in
	"$NST_TOP"/*) ;;
	*) return ;;
	esac
	[ ! -d "$NST_BUILD" ] ||
		chown -R -h --reference="$NST_TOP" "$NST_BUILD" || true
}

check_machine
check_space
unshare -m true 2>/dev/null || on_a_mount "$@"
if [ "$debian_version" = debian-13 ]; then
	in_bookworm scripts/on-debian.sh "$name" "$kernels" "$@"
fi
trap give_back EXIT
start=$SECONDS
# shellcheck disable=SC2086 # a list
selftests/vm/prepare.sh $kernels
echo "# nst: prepared in $((SECONDS - start)) s"
"$@" || exit
