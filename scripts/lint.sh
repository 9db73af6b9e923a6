#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh [-s COMMIT] [CHECK...]: the checkers, as TAP with one result per file; all
# of layers, spdx, checkpatch, kerneldoc, shellcheck, sparse, circles without an
# argument. The kernel's own come from its source package (prepare.sh), sparse runs
# over a build for 6.1. -s: only files that changed since COMMIT, to be sure of the
# last commit before it goes out.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

linux=$NST_CACHE/linux/scripts
since=

# of the files that come in: all, or those that changed
chosen()
{
	if [ "$since" ]; then
		grep -Fxf <(git diff --name-only "$since") || true
	else
		cat
	fi
}

sources()
{
	find "$@" -name '*.[ch]' ! -name '*.mod.c' | sort | chosen
}

scripts_of_ours()
{
	find .ci check demo scripts selftests userspace packaging -type f 2>/dev/null |
		while read -r f; do
			if head -n 1 "$f" | grep -qE '^#! ?/bin/(ba)?sh'; then
				echo "$f"
			fi
		done | sort | chosen
}

spdx_of()
{
	head -n 2 "$1" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
		{ echo "no SPDX line"; return 1; }
}

check_layers()
{
	scripts/check-layers.sh || failed=1
}

check_spdx()
{
	local f

	for f in $(sources include nst_ulp nst_sm userspace selftests examples) \
		$(scripts_of_ours); do
		result "$f" spdx_of "$f"
	done
	echo "1..$number"
}

# Left out everywhere: what wants a MAINTAINERS file; rules that X-macro tables
# and designated initializers in them cannot satisfy; BIT(), which core/ does
# not have in user space; comments at locks inside a struct, where kernel-doc
# above the struct describes them. In user space also what is the kernel's own
# habit, or misreads the macros of the kselftest harness.
IGNORE=FILE_PATH_CHANGES,SPDX_LICENSE_TAG,EMBEDDED_FILENAME,COMPLEX_MACRO
IGNORE=$IGNORE,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,BRACKET_SPACE,BIT_MACRO
IGNORE=$IGNORE,UNCOMMENTED_DEFINITION
IGNORE_USER=STRCPY,STRLCPY,STRNCPY,SSCANF_TO_KSTRTO,PREFER_KERNEL_TYPES,VOLATILE
IGNORE_USER=$IGNORE_USER,PREFER_DEFINED_ATTRIBUTE_MACRO,CONST_STRUCT,ARRAY_SIZE
IGNORE_USER=$IGNORE_USER,AVOID_EXTERNS,SPACING,CAMELCASE,LEADING_SPACE
IGNORE_USER=$IGNORE_USER,MULTIPLE_ASSIGNMENTS,MULTISTATEMENT_MACRO_USE_DO_WHILE
IGNORE_USER=$IGNORE_USER,USE_NEGATIVE_ERRNO,BRACES,TRAILING_SEMICOLON

checkpatch_file()
{
	local ignore=$IGNORE

	case $1 in
	# what a filter of system calls says of those it does not have
	userspace/nst-run/notify/* | selftests/net/run/run_notify*)
		ignore=$ignore,$IGNORE_USER,ENOSYS ;;
	userspace/* | selftests/* | examples/*) ignore=$ignore,$IGNORE_USER ;;
	# copies of TCP's proto_ops are written once, at load
	*/tcp/ops.[ch] | */tcp/ulp.c | */udp/attach.c) ignore=$ignore,CONST_STRUCT ;;
	# each of its macros makes a function
	*/debug/fault.c) ignore=$ignore,MULTISTATEMENT_MACRO_USE_DO_WHILE ;;
	# tracing macros are laid out in a way of their own
	*/trace.h) ignore=$ignore,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
	esac
	# It keeps a list of names in the directory where it runs.
	(cd "$NST_BUILD" && perl "$linux/checkpatch.pl" --no-tree --strict \
		--terse --show-types --no-summary --ignore "$ignore" \
		-f "$NST_TOP/$1")
}

# selftests/unit/include stands for kernel headers and must look like them.
check_checkpatch()
{
	local f

	for f in $(sources include nst_ulp nst_sm userspace selftests examples |
		sed '/^selftests\/unit\/include\//d'); do
		result "$f" checkpatch_file "$f"
	done
	echo "1..$number"
}

check_kerneldoc()
{
	local f

	for f in $(sources nst_ulp nst_sm include userspace/libnst \
		userspace/libnst-exchange userspace/libnst-tls); do
		result "$f" perl "$linux/kernel-doc" -none -Werror "$f"
	done
	echo "1..$number"
}

check_shellcheck()
{
	local f

	for f in $(scripts_of_ours); do
		# dash knows "local", POSIX does not. SC2317 takes functions
		# whose name is an argument for dead code.
		case $(head -n 1 "$f") in
		*bash) result "$f" shellcheck -x -e SC2317 "$f" ;;
		*) result "$f" shellcheck -x -e SC2317 -s dash "$f" ;;
		esac
	done
	echo "1..$number"
}

sparse_file()
{
	! grep -E "(^|/)src/$1:[0-9]+(:[0-9]+)?: (warning|error)" "$2"
}

# Kernel headers have warnings of their own, so only lines about our files
# count, and a log without any "CHECK" line is a failure. What only debug builds have
# (nst_ulp/debug) is not built there.
check_sparse()
{
	local f log=$NST_BUILD/sparse.log

	result build sh -c "scripts/build-modules.sh 6.1 C=2 modules >$log 2>&1 ||
		{ tail -n 20 $log; exit 1; }"
	result "every file seen" test "$(grep -c ' CHECK ' "$log")" -ge \
		"$(find nst_ulp nst_sm -name '*.c' ! -name '*.mod.c' \
			! -path '*/debug/*' | wc -l)"
	for f in $(sources nst_ulp nst_sm); do
		result "$f" sparse_file "$f" "$log"
	done
	echo "1..$number"
}

# Who calls whom is seen in what the build before has made.
check_circles()
{
	scripts/check-layers.sh nst_ulp "$NST_BUILD/6.1/src/nst_ulp" || failed=1
}

# all CHECK...: each in order
all()
{
	local check

	for check; do
		number=0
		echo "# nst: begin lint-$check"
		"check_$check"
		echo "# nst: end lint-$check rc=0"
	done
}

while getopts s: opt; do
	case $opt in
	s) since=$(git rev-parse --verify "$OPTARG^{commit}") ;;
	*) nst_die "usage: lint.sh [-s COMMIT] [CHECK...]" ;;
	esac
done
shift $((OPTIND - 1))
mkdir -p "$NST_BUILD"
[ -e "$linux/checkpatch.pl" ] || nst_die "run selftests/vm/prepare.sh first"
if [ $# -gt 0 ]; then
	all "$@"
	exit "$failed"
fi
(all sparse circles shellcheck; exit "$failed") >"$NST_BUILD/lint-beside" &
all layers spdx checkpatch kerneldoc
wait $! || failed=1
cat "$NST_BUILD/lint-beside"
exit "$failed"
