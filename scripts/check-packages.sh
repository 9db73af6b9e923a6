#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-packages.sh [-a] [SUITE...]: the packages of packaging/debian, of what is
# committed, on bookworm and on trixie: built, looked at by lintian, installed,
# upgraded (also to one that does not build), a kernel update, removed, purged. All
# in copies of chroots under an overlay in memory: nothing of it stays but the
# chroots ($NST_CACHE/packages) and build/packages/SUITE with packages and log.
# -a: instead of all behind the build, Debian's autopkgtest (in the chroot, with its
# runner "null") with all tests of packaging/debian/tests, the demo among them; what
# stays is in build/packages/SUITE-autopkgtest.
# TAP. Needs root and the network.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=apt.sh
. selftests/vm/apt.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

# What the build and the test need.
NEEDED="build-essential debhelper libgnutls28-dev libjson-c-dev libmnl-dev libssl-dev
	pkg-config dkms lintian zsh bash-completion man-db"

# A chroot with all that, and the headers of the newest kernel but one.
make_base()
{
	local suite=$1 root=$NST_CACHE/packages/$1 pattern=6.1 kernel

	[ "$(cat "$root/.nst-packages" 2>/dev/null)" != "$NEEDED" ] || return 0
	[ "$suite" = bookworm ] || pattern=6.12
	debian_chroot "$suite" "$root" ca-certificates >&2
	[ -e "$root/.nst-kernel" ] ||
		FLAVOUR=cloud-amd64 releases "$root" "$pattern" | sed -n 2p >"$root/.nst-kernel"
	kernel=$(cat "$root/.nst-kernel")
	[ -n "$kernel" ] || nst_die "$suite has no two kernels"
	mount -t proc proc "$root/proc"
	# shellcheck disable=SC2086 # a list
	apt_get "$root" install -y --no-install-recommends $NEEDED \
		"linux-headers-$kernel" || {
		umount "$root/proc"
		nst_die "packages are missing (log: $NST_APT_LOG)"
	}
	umount "$root/proc"
	echo "$NEEDED" >"$root/.nst-packages"
}

# on_overlay BASE: runs /out/steps there; $out is /out, and the cache is where it is
# by default
on_overlay()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -ec '
		base=$1 out=$2 top=$3 cache=$4
		mount -t tmpfs tmp /mnt
		mkdir /mnt/upper /mnt/work /mnt/root /mnt/upper2 /mnt/work2
		mount -t overlay -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" \
			overlay /mnt/root
		root=/mnt/root
		mkdir -p "$root/out" "$root/root/nst-0.1.0"
		mount --bind "$out" "$root/out"
		mkdir -p "$root/var/tmp/nst-cache"
		mount -t overlay -o "lowerdir=$cache,upperdir=/mnt/upper2,workdir=/mnt/work2" \
			overlay "$root/var/tmp/nst-cache"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmp "$root/tmp"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf"
		git -c safe.directory="*" -C "$top" archive HEAD |
			tar -x -C "$root/root/nst-0.1.0"
		exec chroot "$root" bash /out/steps
		' sh "$1" "$out" "$NST_TOP" "$NST_CACHE"
}

# What all steps begin with
write_head()
{
	cat >"$out/steps" <<'END'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root DEBIAN_FRONTEND=noninteractive
kernel=$(cat /.nst-kernel)
exec >/out/log 2>&1
set -x

step()
{
	local rc=0

	"${@:2}" || rc=1
	echo "$rc $1" >>/out/results
}

# build VERSION OPTION...: debs of that version in /root/VERSION
build()
{
	local dir=/root/$1/nst-0.1.0

	mkdir -p "/root/$1"
	cp -a /root/nst-0.1.0 "$dir"
	tar -C "/root/$1" -cJf "/root/$1/nst_0.1.0.orig.tar.xz" nst-0.1.0
	cp -a "$dir/packaging/debian" "$dir/debian"
	sed -i "1s/(.*)/($1)/" "$dir/debian/changelog"
	(cd "$dir" && dpkg-buildpackage -us -uc "${@:2}") &&
		cp "/root/$1"/*.deb /out/
}

END
}

write_autopkgtest()
{
	cat >>"$out/steps" <<'END'
# As Debian does it: packages that were built, and their source. 0 is "all passed",
# and nothing was skipped.
autopkgtests()
{
	apt-get -qq update &&
		apt-get -qq install -y --no-install-recommends autopkgtest &&
		autopkgtest -B --output-dir=/out/autopkgtest /root/0.1.0-1/*.deb \
			/root/0.1.0-1/nst-0.1.0/ -- null
}
both_ran()
{
	cat /out/autopkgtest/summary
	[ "$(grep -cE '^(tools|demo) +PASS' /out/autopkgtest/summary)" = 2 ]
}

step "build" build 0.1.0-1
step "autopkgtest" autopkgtests
step "its tests are tools and demo" both_ran
step "end" true
END
}

write_steps()
{
	cat >>"$out/steps" <<'END'
# It has run if it shows the overrides, which are explained.
looks_well()
{
	lintian --allow-root --show-overrides --tag-display-limit 0 \
		/root/0.1.0-1/*.changes >/out/lintian 2>&1
	cat /out/lintian
	grep -q '^O: ' /out/lintian && ! grep '^[EW]: ' /out/lintian
}

says() { "${@:2}" >/out/said 2>&1; cat /out/said; grep -qF -- "$1" /out/said; }
debs() { dpkg -i "/root/$1"/{nst-{utils,doc,dkms},libnst{-dev,0,-exchange0,-tls0}}_$1_*.deb; }
has_modules() { modinfo -k "$1" nst_ulp nst_sm >/dev/null; }
described() { modinfo -F description -k "$kernel" nst_ulp | grep -qF "$1"; }
one_version() { [ "$(dkms status nst | cut -d , -f 1 | sort -u)" = "nst/$1" ]; }
completes() { cd /root/nst-0.1.0 && selftests/completion/check.sh /usr; }
man_pages() { for p in nst nst-run nstkeyctl nst_tcp; do man -w $p || return; done; }
drop_in() { mkdir -p /etc/systemd/system/x.service.d &&
	echo >/etc/systemd/system/x.service.d/zz-nst.conf; }
# As "systemctl enable" does, which this chroot lacks.
enabled()
{
	local wants=/etc/systemd/system/sysinit.target.wants

	mkdir -p $wants
	ln -s /usr/lib/systemd/system/nst-box.service $wants/
	ln -s /usr/lib/systemd/system/nst-box@.service $wants/nst-box@web.service
}
nothing_enabled() { ! find /etc/systemd -name '*nst-box*' | grep .; }
# What DKMS built breaks on the way: unpacked and changed before it is configured.
reinstall_broken()
{
	dpkg --unpack /root/0.1.0-2/nst-dkms_*.deb &&
		echo '#error' >>/usr/src/nst-0.1.0-2/nst_ulp/main.c &&
		dpkg --configure nst-dkms
}
configure_broken()
{
	echo '#error' >>/usr/src/nst-0.1.0-2/nst_ulp/main.c
	dpkg --configure nst-dkms
}
# What DKMS calls fails, or kills the script that called DKMS, and no other's does;
# depmod fails under all of dpkg, as DKMS may not heed it.
make_bad()
{
	mkdir -p /root/bad
	cat >/root/bad/lib <<-'EOF'
		# above NAME: prints the processes between this one and the next of that
		# name above it; fails if there is none. A chroot sees all processes,
		# so nothing is guessed.
		above()
		{
			pid=$$ pids=''
			while [ "$pid" -gt 1 ] && read -r comm <"/proc/$pid/comm"; do
				[ "$comm" != "$1" ] || { echo "$pids"; return 0; }
				[ "$pid" = $$ ] || pids="$pids $pid"
				pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
				[ -n "$pid" ] || return 1
			done
			return 1
		}
	EOF
	cat >/root/bad/depmod <<-'EOF'
		#!/bin/sh
		. /root/bad/lib
		[ "$BAD" != depmod ] || ! above dpkg >/dev/null || exit 1
		exec /usr/sbin/depmod "$@"
	EOF
	cat >/root/bad/cp <<-'EOF'
		#!/bin/sh
		. /root/bad/lib
		for last; do :; done
		case "$BAD $last" in
		cp\ */updates/dkms/* | kill\ */updates/dkms/*)
			above dkms >/dev/null || exec /usr/bin/cp "$@"
			echo half >"$last"
			[ "$BAD" != kill ] || ! pids=$(above dpkg) || kill -9 $pids
			exit 1 ;;
		esac
		exec /usr/bin/cp "$@"
	EOF
	chmod 755 /root/bad/*
}
with_bad() { BAD=$1 PATH=/root/bad:$PATH "${@:2}"; }
unconfused() { ! dkms status 2>&1 | grep -i error; }
# What is installed of a version whose sources went with its package
linked() { [[ $(readlink "/var/lib/dkms/nst/kernel-$kernel-x86_64") = "$1/"* ]]; }
# Nothing is beside what was there before.
no_copies() { ! find /lib/modules /var/lib/dkms/nst -name '.*before*' | grep .; }
cut_off() { ! with_bad kill dpkg -i /root/0.1.0-2/nst-dkms_*.deb &&
	find /lib/modules -name '.nst_ulp.ko*.before' | grep .; }
mend() { sed -i '$d' /usr/src/nst-0.1.0-2/nst_ulp/main.c; }
install_headers() { apt-get -qq install -y --no-install-recommends "$1"; }
not_yet() { ! modinfo -k "$newest" nst_ulp >/dev/null 2>&1; }
all="nst-dkms nst-utils libnst-dev libnst0 libnst-exchange0 libnst-tls0 nst-doc"
# What the packages have, and what DKMS makes of it.
files() { dpkg -L $all | sort -u >/root/files; }
nothing_left()
{
	local f left=0

	while read -r f; do
		[ -d "$f" ] && [ ! -L "$f" ] && continue
		[ ! -e "$f" ] || { echo "left: $f"; left=1; }
	done </root/files
	for f in /usr/src/nst-* /var/lib/dkms/nst /lib/modules/*/updates/dkms/nst_* \
		/usr/lib/nst /usr/share/nst /usr/share/doc/{lib,}nst*; do
		[ ! -e "$f" ] || { echo "left: $f"; left=1; }
	done
	return $left
}

step "build" build 0.1.0-1
step "lintian" looks_well
sed -i 's/MODULE_DESCRIPTION("NST/MODULE_DESCRIPTION("Newer NST/' /root/nst-0.1.0/nst_ulp/main.c
step "build of a newer one" build 0.1.0-2
echo '#error' >>/root/nst-0.1.0/nst_ulp/main.c
step "build of one whose modules do not" build 0.1.0-3 -A
sed -i '$d' /root/nst-0.1.0/nst_ulp/main.c
step "install" debs 0.1.0-1
step "modules are there" has_modules "$kernel"
step "and of DKMS" one_version 0.1.0-1
step "tests of the packages" sh -c "cd /root/nst-0.1.0 && packaging/debian/tests/tools"
step "nst-run finds its library" says "TCP cannot have NST here" \
	nst-run --tcp 80 --engine preload -- true
step "completion" completes
step "man pages" man_pages
step "upgrade" debs 0.1.0-2
step "modules are the new ones" described "Newer NST"
step "the old ones are gone" one_version 0.1.0-2
step "upgrade to one whose modules do not build says so" says "does not build for $kernel" \
	dpkg -i /root/0.1.0-3/nst-dkms_*.deb
step "the old modules stay" described "Newer NST"
step "DKMS goes on without the old sources" unconfused
step "back" says "Setting up" dpkg -i /root/0.1.0-2/nst-dkms_*.deb
step "the modules are well" one_version 0.1.0-2
make_bad
step "another that builds and cannot be installed says so" \
	says "cannot be installed for $kernel" with_bad depmod dpkg -i /root/0.1.0-1/nst-dkms_*.deb
step "what was there stays, too" described "Newer NST"
step "as DKMS is to know" linked 0.1.0-2
step "one that is not copied says so" \
	says "cannot be installed for $kernel" with_bad cp dpkg -i /root/0.1.0-1/nst-dkms_*.deb
step "nor is what was there half another" described "Newer NST"
step "DKMS is not confused" unconfused
step "nothing is left of the attempts" no_copies
step "the same version once more" dpkg -i /root/0.1.0-2/nst-dkms_*.deb
step "has its modules" described "Newer NST"
step "once more with sources that do not build says so" says "does not build for $kernel" \
	reinstall_broken
step "what was there stays" described "Newer NST"
step "and DKMS knows of it" says "$kernel, x86_64: installed" dkms status nst
step "one that was cut off while it was installed" cut_off
step "and does not build the next time" says "does not build for $kernel" \
	configure_broken
step "what was there before both stays" described "Newer NST"
step "and DKMS knows of that" says "0.1.0-2, $kernel, x86_64: installed" dkms status nst
apt-get -qq update
newest=$(apt-cache pkgnames linux-headers-${kernel%%.*}. |
	sed -n "s/^linux-headers-\(.*-cloud-amd64\)\$/\1/p" | grep -F "${kernel%.*-*-*}." |
	sort -V | tail -n 1)
step "a kernel update whose rebuild fails says so" says "make.log" \
	install_headers "linux-headers-$newest"
step "it has no modules" not_yet
step "the old kernel's stay" described "Newer NST"
step "and DKMS knows of them" says "$kernel, x86_64: installed" dkms status nst
mend
step "the next try" dkms autoinstall -k "$newest"
dpkg --configure -a
step "has its modules" has_modules "$newest"
step "a kernel update without trouble" sh -c "apt-get -qq remove -y linux-headers-$newest &&
	rm -rf /lib/modules/$newest/updates && dkms remove nst/0.1.0-2 -k $newest;
	apt-get -qq install -y --no-install-recommends linux-headers-$newest"
step "has its modules, too" has_modules "$newest"
apt-get -qq remove -y "linux-headers-$newest"
step "an upgrade without headers of a kernel says so" says "no headers of $newest are here" \
	dpkg -i /root/0.1.0-1/nst-dkms_*.deb
step "it keeps its modules" has_modules "$newest"
drop_in
enabled
echo x >/etc/nst.box
files
step "remove tells of services" says "zz-nst.conf stays" dpkg -r nst-utils
step "remove" dpkg -r nst-dkms libnst-dev libnst0 libnst-exchange0 libnst-tls0 nst-doc
step "keys that stay are named" says "/etc/nst.box stays" dpkg -P nst-utils
step "purge" dpkg -P $all
step "nothing is enabled" nothing_enabled
step "nothing is left" nothing_left
step "end" true
END
}

try_suite()
{
	local rc what

	out=$NST_BUILD/packages/$1${autopkgtest:+-autopkgtest}
	rm -rf "$out"
	mkdir -p "$out"
	make_base "$1"
	write_head
	if [ "$autopkgtest" ]; then
		write_autopkgtest
	else
		write_steps
	fi
	on_overlay "$NST_CACHE/packages/$1" >"$out/outer" 2>&1 || true
	while read -r rc what; do
		tap "$rc" "$1: $what" "$out/log"
	done <"$out/results"
	grep -q '^0 end$' "$out/results"
	tap $? "$1: all steps" "$out/outer"
}

autopkgtest=
if [ "${1:-}" = -a ]; then
	autopkgtest=1
	shift
fi
[ "$(id -u)" = 0 ] || nst_die "needs root: sudo $0"
command -v debootstrap >/dev/null || install_packages debootstrap
[ $# -gt 0 ] || set -- bookworm trixie
for suite; do
	try_suite "$suite"
done
echo "1..$number"
exit "$failed"
