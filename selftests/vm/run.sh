#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [option...] KERNEL [TEST...]: boots KERNEL (6.1, 6.12, 7.3, debug, debug-7.3,
# kcsan, uml or uml-fault) in QEMU (uml: as a process) and runs tests there. TEST is a program or script of
# selftests/net, by its name alone, with its arguments in the same word: run.sh 6.1
# 'peer_vectors vectors/vectors.json'. Without one, all of selftests/net/tests run.
# make vm KERNEL=6.1 TEST=... builds all before.
#
#   -i         an interactive shell in the guest instead of tests
#   -n         do not load the module first, leave it to autoloading
#   -k         keep the guest's files and say where they are
#   -t SEC     time limit of a test that names none (default 300)
#   -T SEC     time limit of the guest (default: of all tests, and 60)
#   -x N       all time limits N times as long (default 1; debug, kcsan: 8)
#   -d         debug, debug-7.3: the slowest detectors too (kmemleak, SLUB, debug objects)
#   -s I/N     of the list, every Nth program from the Ith on
#   -m SIZE    memory (default 1G; debug, kcsan: 2G)
#   -c N       processors (default 2)
#   -a ARGS    more for the kernel's command line
#   -q ARGS    more for QEMU
#   -M DIR     modules from there, not from build/KERNEL/src
#   -l FILE    keep the console here
#   -g DIR     uml-fault: what gcov has counted goes there
#
# It prints TAP as the guest does, and passes only by positive evidence: all
# plans complete, the guest's own closing line, and not one line of trouble in
# the kernel's log. Exit status: 0 passed, 1 failed, 2 could not run.

set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=boot.sh
. "$here/boot.sh"

interactive='' preload=nst_ulp keep='' test_limit=300 guest_limit='' memory=''
cpus=2 append='' qemu_args='' mods='' console='' times='' detect=''
share=1/1 gcov=''
while getopts int:T:x:ds:m:c:a:q:M:l:g:k opt; do
	case $opt in
	i) interactive=1 ;;
	n) preload='' ;;
	k) keep=1 ;;
	t) test_limit=$OPTARG ;;
	T) guest_limit=$OPTARG ;;
	x) times=$OPTARG ;;
	d) detect=1 ;;
	s) share=$OPTARG ;;
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	a) append=$OPTARG ;;
	q) qemu_args=$OPTARG ;;
	M) mods=$OPTARG ;;
	l) console=$OPTARG ;;
	g) gcov=$(realpath "$OPTARG") ;;
	*) nst_die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || nst_die "usage: run.sh [option...] KERNEL [TEST...]"
kernel=$1
shift
nst_kernel "$kernel"
mods=${mods:-$NST_BUILD/$kernel/src}
if [ "${kernel%-7.3}" = debug ]; then
	: "${times:=8}" "${memory:=2G}"
	append="watchdog_thresh=60 $append"
	[ -n "$detect" ] ||
		append="kmemleak=off slub_debug=- no_debug_objects $append"
elif [ "$kernel" = kcsan ]; then
	: "${times:=8}" "${memory:=2G}"
	# A report ends nothing: most are of others, see races.awk. An emulated
	# processor does little in the 80 us for which an access is watched.
	append="watchdog_thresh=60 panic_on_warn=0 kcsan.udelay_task=800 \
kcsan.udelay_interrupt=200 $append"
elif [ "$kernel" = uml-fault ]; then
	: "${times:=4}" "${memory:=2G}"
elif [ -n "$detect" ]; then
	nst_die "-d is for the debug kernels"
fi

# seconds_of TEST: what selftests/net/tests allows it; with arguments that are not
# there it is another test
seconds_of()
{
	awk -v n="$1" -v d="$test_limit" '
		$1 + 0 > 0 && (n == $2 || n == $2 " " $3) { d = $1; exit }
		END { print d }' "$NST_TOP/selftests/net/tests" 2>/dev/null ||
		echo "$test_limit"
}

# Writes /t/tests; what was asked for and is not there fails at once, not in
# the guest.
list_tests()
{
	local t

	if [ $# = 0 ] && [ -z "$interactive" ]; then
		awk -v i="${share%/*}" -v n="${share#*/}" '
			$1 + 0 > 0 && number++ % n == i - 1
			' "$NST_TOP/selftests/net/tests"
	else
		for t; do
			echo "$(seconds_of "$t") $t"
		done
	fi | awk -v n="${times:-1}" '{ $1 *= n; print }'
}

# The files of this run, on top of the base: links where nothing is changed.
make_root()
{
	local f unload='' dir=$root/lib/modules/$nst_release/updates

	cp -al "$base/root" "$root"
	mkdir -p "$root/t" "$dir"
	for f in "$mods"/selftests/net/*/*/*.ko "$mods"/*.ko "$mods"/*/*.ko; do
		[ -e "$f" ] || continue
		cp "$f" "$dir/"
		f=${f##*/}
		[ "$f" = nst_sm.ko ] || unload="$unload ${f%.ko}"
	done
	rm -f "$root/lib/modules/$nst_release"/modules.{dep,alias,softdep,symbols,builtin.bin,builtin.alias,devname}*
	depmod -b "$root" "$nst_release"
	cp "$here/init" "$root/init"
	for f in "$NST_BUILD"/{selftests/net,selftests/demo,tools}; do
		[ ! -d "$f" ] || find "$f" -maxdepth 1 -type f -perm -u+x \
			-exec cp -t "$root/t" {} +
	done
	find "$NST_TOP"/selftests/{net,demo} -name '*.sh' \
		-exec cp -t "$root/t" {} +
	for f in "$NST_TOP/selftests/net/data" "$NST_TOP/selftests/vectors"; do
		[ ! -d "$f" ] || cp -r "$f" "$root/t/"
	done
	printf '%s\n' "$NST_TROUBLE" >"$root/t/trouble"
	cp "$here/races.awk" "$root/t/"
	list_tests "$@" >"$root/t/tests"
	cat >"$root/t/config" <<-END
		MODULES="$preload"
		UNLOAD="$unload nst_sm"
		INTERACTIVE="$interactive"
		UML="$(case $kernel in uml*) echo yes ;; esac)"
		GCOV="$gcov"
		export NST_TIMES="${times:-1}"
	END
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"
}

missing_tests()
{
	local name bad=

	while read -r _ name _; do
		[ -x "$root/t/$name" ] || { echo "no test $name" >&2; bad=1; }
	done <"$root/t/tests"
	[ -z "$bad" ]
}

# Beside the base, because links do not cross file systems.
mkdir -p "$NST_BUILD/vm"
work=$(mktemp -d "$NST_BUILD/vm/run.XXXXXX")
# shellcheck disable=SC2154 # set by lib.sh
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

# One function, read as a whole before it starts: a run takes minutes, and this
# file may be edited meanwhile.
main()
{
	local from=(-initrd "$work/initrd")

	case $kernel in
	uml*) from=("initrd=$work/initrd" rdinit=/init) ;;
	esac
	make_base
	make_root "$@"
	missing_tests || exit 2
	: "${guest_limit:=$(awk '{ s += $1 } END { print s + 60 }' \
		"$root/t/tests")}"
	run_guest "$root/t/tests" "${from[@]}"
}

main "$@"
