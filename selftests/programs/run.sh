#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [option...] KERNEL [PROGRAM...]: boots KERNEL (6.1, 6.12, 7.3, debug or
# uml) with a Debian 12 and systemd in QEMU (uml: as a process), and tries there
# real programs under nst-run: PROGRAM is nginx for t_nginx.sh. Without one, all
# that are listed in "tests". make check-programs builds all before.
#
#   -i         an interactive shell in the guest instead of tests
#   -k         keep the run's files and say where they are
#   -t SEC     time limit of a program that is not in the list (default 600)
#   -x N       all time limits N times as long (default 1, debug: 8)
#   -e NAME=V  set in the tests' environment (sizes: see the head of each)
#   -m SIZE    memory (default 2G)
#   -c N       processors (default 2)
#   -a ARGS    more for the kernel's command line
#   -l FILE    keep the console here
#
# Output, verdict and exit status are those of selftests/vm/run.sh.
#
# shellcheck disable=SC2034 # of boot.sh

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm source=boot.sh
. "$here/../vm/boot.sh"

memory=2G cpus=2 append='' qemu_args=''
interactive='' keep='' test_limit=600 times='' console='' settings=()
while getopts ikt:x:e:m:c:a:l: opt; do
	case $opt in
	i) interactive=1 ;;
	k) keep=1 ;;
	t) test_limit=$OPTARG ;;
	x) times=$OPTARG ;;
	e) settings+=("$OPTARG") ;;
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	a) append=$OPTARG ;;
	l) console=$OPTARG ;;
	*) nst_die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || nst_die "usage: run.sh [option...] KERNEL [PROGRAM...]"
kernel=$1
shift
nst_kernel "$kernel"
[ "$kernel" != debug ] || : "${times:=8}"
disk=$NST_CACHE/programs/disk
[ -e "$disk" ] || nst_die "no $disk: run selftests/programs/image.sh"

# seconds, then the program, as in "tests"
list_tests()
{
	local t

	if [ $# = 0 ] && [ -z "$interactive" ]; then
		sed 's/#.*//' "$here/tests" | awk 'NF'
	else
		for t; do
			[ -e "$here/t_$t.sh" ] || nst_die "no t_$t.sh"
			awk -v t="$t" -v d="$test_limit" '
				$2 == t { d = $1 }
				END { print d, t }' "$here/tests"
		done
	fi | awk -v n="${times:-1}" '{ $1 *= n; print }'
}

# The second disk: modules of this kernel, what make install installs, tests.
make_second()
{
	local f unload='' mods=$root/lib/modules/$nst_release

	mkdir -p "$root/lib/modules"
	cp -a "$base/root/lib/modules/$nst_release" "$mods"
	mkdir -p "$mods/updates"
	for f in "$NST_BUILD/$kernel/src"/*.ko "$NST_BUILD/$kernel/src"/*/*.ko; do
		[ -e "$f" ] || continue
		cp "$f" "$mods/updates/"
		f=${f##*/}
		[ "$f" = nst_sm.ko ] || unload="$unload ${f%.ko}"
	done
	ln -s lib/modules "$root/modules"
	depmod -b "$root" "$nst_release"
	make -s -C "$NST_TOP" install-user WERROR=-Werror DESTDIR="$root/root" \
		PREFIX=/usr >&2
	cp -r "$here" "$NST_TOP/selftests/net/lib/tap.sh" "$root/"
	cp "$NST_TOP/packaging/ansible/README.md" "$root/ansible.md"
	mv "$root"/programs/* "$root/"
	# for t_packages.sh; without, it says what to do
	mkdir "$root/debs"
	cp "$NST_BUILD/packages/bookworm"/*_0.1.0-[12]_*.deb "$root/debs/" \
		2>/dev/null || true
	[ ! -d "$NST_BUILD/programs" ] || cp -r "$NST_BUILD/programs" "$root/bin"
	printf '%s\n' "$NST_TROUBLE" >"$root/trouble"
	cp "$work/tests" "$root/list"
	{
		echo "UNLOAD='$unload nst_sm' INTERACTIVE='$interactive'"
		echo "export NST_TIMES=${times:-1} NST_KERNEL=$kernel"
		[ ${#settings[@]} = 0 ] || printf 'export %q\n' "${settings[@]}"
	} >"$root/config"
	truncate -s 256M "$work/second"
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$work/second"
}

mkdir -p "$NST_BUILD/vm"
work=$(mktemp -d "$NST_BUILD/vm/programs.XXXXXX")
root=$work/root
# shellcheck disable=SC2317 # called by the trap
cleanup()
{
	[ -z "$console" ] || cp "$work/console" "$console" 2>/dev/null || true
	if [ -n "$keep" ]; then
		echo "# kept: $work" >&2
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT

# One function, read as a whole before it starts, as in vm/run.sh
main()
{
	local from

	list_tests "$@" >"$work/tests"
	make_base
	make_second
	# Both disks as namespaces of one NVMe, for which every kernel has the
	# driver built in and which comes in a certain order. What is written
	# goes to files of this run; guests share the first, which none changes.
	# shellcheck disable=SC2054
	from=(-drive "if=none,id=one,format=raw,snapshot=on,file.driver=file,file.locking=off,file.filename=$disk"
		-drive "if=none,id=two,file=$work/second,format=raw,snapshot=on"
		-device nvme,id=nvme,serial=nst
		-device nvme-ns,drive=one,bus=nvme,nsid=1
		-device nvme-ns,drive=two,bus=nvme,nsid=2)
	append="root=/dev/nvme0n1 rw rootfstype=ext4 rootwait $append"
	if [ "$kernel" = uml ]; then
		from=("ubd0=$work/cow,$disk" "ubd1=$work/second")
		append=${append/nvme0n1/ubda}
	fi
	# HAProxy has cmpxchg16b in it and dies without. QEMU is wrong about that
	# instruction in kernels from 6.12 on only (vm/boot.sh).
	[ "$kernel" != 6.1 ] || cpu=max
	append="systemd.show_status=0 systemd.log_target=journal $append"
	export TMPDIR=$work
	guest_limit=$(awk -v n="${times:-1}" '{ s += $1 }
		END { print s + 180 * n }' "$work/tests")
	run_guest "$work/tests" "${from[@]}"
}

main "$@"
