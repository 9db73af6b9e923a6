#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-arm64.sh: nst-run and libnst for arm64, where system calls have other
# numbers and are made otherwise: built by Debian's cross compiler with warnings as
# errors, and started in QEMU's emulation of a process as far as that goes. It has
# neither NST nor seccomp, so what can be seen is what nst-run says of that. TAP.
#
# shellcheck disable=SC2317 # functions are called by result()

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=apt.sh
. selftests/vm/apt.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

out=$NST_BUILD/arm64
cross=aarch64-linux-gnu
packages="gcc-$cross libc6-dev-arm64-cross qemu-user-static"
run="qemu-aarch64-static -L /usr/$cross"

build()
{
	make -s -C "userspace/$1" O="$out" CC="$cross-gcc" AR="$cross-ar" \
		WERROR=-Werror
}

is_arm64()
{
	"$cross-readelf" -h "$out/$1" | grep -q 'Machine: *AArch64'
}

# says STATUS WORDS ARGUMENT...: nst-run ends so
says()
{
	local status=$1 words=$2 said rc=0

	shift 2
	said=$($run "$out/nst-run" "$@" 2>&1) || rc=$?
	if [ "$rc" != "$status" ] || ! grep -qF -- "$words" <<<"$said"; then
		echo "$rc: $said"
		return 1
	fi
}

# Its constructor runs, and finds nothing to do.
preloaded()
{
	$run -E LD_PRELOAD="$out/libnst-preload.so" "$out/nst-run" --version |
		grep -q '^nst-run '
}

# shellcheck disable=SC2086 # a list
installed $packages || install_packages $packages
rm -rf "$out"
result "libnst is built" build libnst
result "nst-run is built" build nst-run
for f in nst-run libnst-preload.so libnst.so.0; do
	result "$f is for arm64" is_arm64 $f
done
result "it starts" says 0 "nst-run " --version
result "it asks the kernel for NST" says 125 "TCP cannot have NST here" \
	--tcp 7000 -- "$out/nst-run" --version
result "it asks the kernel for seccomp" says 125 "no user notification of seccomp" \
	--tcp 7000 --engine notify -- "$out/nst-run" --version
result "it knows a program of another machine" says 125 "is for another machine" \
	--tcp 7000 --engine preload -- /bin/true
result "its library is loaded" preloaded
echo "1..$number"
exit "$failed"
