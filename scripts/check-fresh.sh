#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-fresh.sh [-q] [SUITE[/COMMAND]...]: the first ten minutes of a newcomer:
# on a Debian of its own, just installed, with git and nothing else, with an
# empty cache, the commands of README.md. SUITE is bookworm or trixie, COMMAND
# demo (./demo; on bookworm then prepare.sh on a day when the newest kernel has no
# image) or ci-run (.ci/run, which is ./check); all of them without an argument.
# -q: of the tests in the guest one only. Needs root; takes as long as all of
# that does. TAP, and a log of each command in build/fresh.
#
# What is committed is tried. Each command has a chroot for itself, a copy of
# $NST_CACHE/fresh-SUITE; both are removed at the end.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=apt.sh
. selftests/vm/apt.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

quick=
logs=$NST_BUILD/fresh

# fresh ROOT COMMAND...: there, in /root/nst, with what debootstrap leaves and an
# environment as after a login
fresh()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	chroot "$1" env -i HOME=/root TERM=linux \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'cd /root/nst && exec "$@"' sh "${@:2}"
}

# run ROOT SUITE NAME COMMAND...
run()
{
	local root=$1 suite=$2 name=$3 log=$logs/$2-$3 start=$SECONDS rc=0

	shift 3
	fresh "$root" "$@" >"$log" 2>&1 </dev/null || rc=$?
	tap $rc "$suite: $name in $((SECONDS - start)) s: $(tail -n 1 "$log")" \
		"$log"
	rc=0
	! grep '^E: ' "$log" >"$logs/apt" || rc=1
	tap $rc "$suite: $name: apt complains of nothing" "$logs/apt"
}

# holds NAME COMMAND...: one line of TAP; set -e must not end it all
holds()
{
	local name=$1 rc=0

	shift
	"$@" || rc=$?
	tap $rc "$name"
}

# pinned ROOT SUITE: a day when the newest kernel has headers and no signed image;
# an empty cache. What is taken instead is told.
pinned()
{
	cat >"$1/root/pinned" <<-'END'
		set -e
		newest=$(apt-cache pkgnames linux-headers-6.1. |
			sed -n 's/^linux-headers-\(.*-cloud-amd64\)$/\1/p' |
			sort -V | tail -n 1)
		printf 'Package: linux-image-%s\nPin: version *\nPin-Priority: -1\n' \
			"$newest" >/etc/apt/preferences.d/nst
		NST_CACHE=/var/tmp/nst-pinned selftests/vm/prepare.sh 6.1
		[ "$(cat /var/tmp/nst-pinned/6.1/release)" ]
		rm -r /etc/apt/preferences.d/nst /var/tmp/nst-pinned
	END
	run "$1" "$2" pinned sh /root/pinned
	sed -nE '/^prepare: (not 6|kernel 6.1 is)/s/^/# /p' "$logs/$2-pinned"
	holds "$2: what is taken instead is told" grep -qE \
		'^prepare: kernel 6.1 is .*-unsigned\)|^prepare: not 6.1' \
		"$logs/$2-pinned"
}

# try_command SUITE COMMAND
try_command()
{
	local suite=$1 root=$NST_CACHE/fresh-$1-try

	rm -rf --one-file-system "$root"
	cp -a "$NST_CACHE/fresh-$suite" "$root"
	case $2 in
	ci-run)
		# shellcheck disable=SC2086 # may be empty
		run "$root" "$suite" ci-run .ci/run ${quick:+-t sockopt}
		tail -n 1 "$logs/$suite-ci-run" >"$logs/sum"
		holds "$suite: the last line of .ci/run is the sum" grep -qE \
			'^[0-9]+ passed, 0 failed, [0-9]+ skipped$' "$logs/sum"
		;;
	demo)
		run "$root" "$suite" demo ./demo
		# On Debian 13 apt of the chroot inside is asked, which is the same.
		[ "$suite" != bookworm ] || pinned "$root" "$suite"
		;;
	esac
	echo "# $suite: $2: $(du -sm "$root" | cut -f 1) MB"
	rm -rf --one-file-system "$root"
}

# try_suite SUITE COMMAND...
try_suite()
{
	local suite=$1 root=$NST_CACHE/fresh-$1 command

	shift
	rm -rf --one-file-system "$root"
	debian_chroot "$suite" "$root" git ca-certificates >&2
	git clone -q --no-hardlinks "$NST_TOP" "$root/root/nst"
	cp -L /etc/resolv.conf "$root/etc/"
	holds "$suite has neither make nor a compiler" \
		chroot "$root" sh -c '! command -v make && ! command -v cc'
	for command; do
		try_command "$suite" "$command"
	done
	rm -rf --one-file-system "$root"
}

while getopts q opt; do
	case $opt in
	q) quick=1 ;;
	*) nst_die "usage: check-fresh.sh [-q] [SUITE[/COMMAND]...]" ;;
	esac
done
shift $((OPTIND - 1))
[ "$(id -u)" = 0 ] || nst_die "needs root: sudo $0"
command -v debootstrap >/dev/null || install_packages debootstrap
mkdir -p "$logs" "$NST_CACHE"
[ $# -gt 0 ] || set -- bookworm trixie
for suite; do
	case $suite in
	bookworm | trixie) ;;
	bookworm/ci-run | bookworm/demo | trixie/ci-run | trixie/demo) ;;
	*) nst_die "there is no '$suite' to try" ;;
	esac
done
for suite; do
	case $suite in
	*/*) try_suite "${suite%/*}" "${suite#*/}" ;;
	*) try_suite "$suite" demo ci-run ;;
	esac
done
echo "1..$number"
exit "$failed"
