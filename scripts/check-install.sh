#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-install.sh [KERNEL...]: "Use it" of README.md as a user does it, where
# the headers of each kernel are: make install, make dkms (twice, and once with
# sources that do not build), make uninstall; then the modules that DKMS made in
# a guest of that kernel. All under an overlay in memory: nothing of it stays.
# TAP. Needs root; installs dkms from the network, in the overlay.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=apt.sh
. selftests/vm/apt.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

verdict()
{
	tap "$1" "install $2" "$log"
}

# on_overlay BASE COMMAND...: there, in /root/nst, a copy of what is committed;
# $out is /out
on_overlay()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -ec '
		base=$1 out=$2 top=$3
		shift 3
		mount -t tmpfs tmp /mnt
		mkdir /mnt/upper /mnt/work /mnt/root
		mount -t overlay -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" \
			overlay /mnt/root
		root=/mnt/root
		mkdir -p "$root/out" "$root/root/nst"
		mount --bind "$out" "$root/out"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmp "$root/tmp"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf"
		git -c safe.directory="*" -C "$top" archive HEAD | tar -x -C "$root/root/nst"
		exec chroot "$root" bash -c "cd /root/nst && . /out/steps" bash "$@"
		' sh "$1" "$out" "$NST_TOP" "${@:2}"
}

# What happens there. Each step's name and result goes to /out/results.
write_steps()
{
	cat >"$out/steps" <<'END'
release=$1
export KDIR=/lib/modules/$release/build PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
modules=/lib/modules/$release
exec >/out/log 2>&1
set -x

step()
{
	local rc=0

	"${@:2}" || rc=1
	echo "$rc $1" >>/out/results
}

has() { grep -qF -- "$1" /out/said; }
says() { "${@:2}" >/out/said 2>&1; [ $? != 0 ] && has "$1"; }
ours() { find "$modules" -name 'nst_*.ko*'; }
left_out() { make -C userspace/nstperf PKG_CONFIG=false >/out/said 2>&1 &&
	has "nstperf is left out"; }
one() { [ "$(ours | grep -c "/nst_$1")" = 1 ]; }
described() { modinfo -F description -k "$release" nst_ulp | grep -qF "$1"; }
versions() { dkms status nst | cut -d , -f 1 | sort -u | wc -l; }
gone() { [ -z "$(ours; ls -d /usr/src/nst-* /etc/modules-load.d/nst.conf \
	/usr/local/sbin/nstkeyctl /usr/local/bin/nst-run /usr/local/lib/nst \
	/usr/local/bin/nstperf \
	/usr/local/share/man/man?/nst* \
	/usr/local/share/man/man3/libnst* /usr/local/lib/libnst* \
	/usr/local/lib/pkgconfig/libnst* /usr/local/include/nst \
	/usr/local/include/linux/nst* /usr/local/lib/systemd/*/nst* \
	/usr/local/share/nst /usr/local/share/*/*/nst* \
	/usr/local/share/*/*/*/nst* /usr/local/share/*/*/_nst* 2>/dev/null)" ]; }
# As a user would, with nothing but what is installed.
with_library() { cc -Wall -Werror -o /tmp/client examples/echo-client.c \
	$(pkg-config --cflags --libs libnst); }

mkdir /tmp/bin
ln -s /usr/bin/* /tmp/bin/
rm -f /tmp/bin/rsync
step rsync_missing says "apt-get install rsync" env PATH=/tmp/bin make modules
step libmnl_missing says "apt-get install libmnl-dev" \
	make -C userspace/nstkeyctl PKG_CONFIG=false
step json_missing left_out
step libcrypto_missing says "apt-get install libssl-dev" make PKG_CONFIG=false tools
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=900 install -y \
	--no-install-recommends build-essential dkms libgnutls28-dev libjson-c-dev libmnl-dev libssl-dev \
	pkg-config rsync
step make make
step make_install make install
step module_is_found modinfo -k "$release" nst_ulp nst_sm
step tool nstkeyctl genbox /tmp/box
step nstperf /usr/local/bin/nstperf --version
step nst_run says "no PROGRAM" /usr/local/bin/nst-run --tcp 80
step nst_run_finds_its_library says "TCP cannot have NST here" \
	/usr/local/bin/nst-run --tcp 80 --engine preload -- true
step loaded_at_boot grep -qx nst_ulp /etc/modules-load.d/nst.conf
step library_builds with_library
step library_is_found sh -c "ldd /tmp/client | grep -qF /usr/local/lib/libnst.so.0"
step make_dkms make dkms
step dkms_alone one ulp
sed -i 's/MODULE_DESCRIPTION("NST/MODULE_DESCRIPTION("Newer NST/' nst_ulp/main.c
step dkms_again make dkms
step dkms_replaces described "Newer NST"
step dkms_one_version [ "$(versions)" = 1 ]
echo '#error' >>nst_ulp/main.c
step dkms_broken says "what was installed still is" make dkms
step dkms_keeps described "Newer NST"
sed -i '$d' nst_ulp/main.c
step dkms_same make dkms
for f in $(ours); do
	cp "$f" /out/
done
step make_uninstall make uninstall
step nothing_left gone
END
}

try_kernel()
{
	local root rc what

	nst_kernel "$1"
	out=$NST_BUILD/install/$1
	log=$out/log
	rm -rf "$out"
	mkdir -p "$out"
	write_steps
	root=$nst_headers
	on_overlay "$root" "$nst_release" >"$out/outer" 2>&1 || true
	grep -q nothing_left "$out/results" 2>/dev/null || {
		log=$out/outer
		verdict 1 "$1: all steps"
	}
	while read -r rc what; do
		verdict "$rc" "$1: $what"
	done <"$out/results"
	find "$out" -name '*.ko.xz' -exec xz -d {} +
	log=$out/guest
	rc=0
	selftests/vm/run.sh -M "$out" "$1" sockopt >"$log" 2>&1 || rc=1
	verdict $rc "$1: the module in a guest"
}

[ "$(id -u)" = 0 ] || nst_die "needs root: sudo $0"
# shellcheck disable=SC2086 # a list
[ $# -gt 0 ] || set -- $NST_KERNELS
for k; do
	try_kernel "$k"
done
echo "1..$number"
exit "$failed"
