#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-doc.sh: what Documentation/nst.rst says must be true of the sources: its
# programs compile, its tables of counters, sysctls, limits and events are those
# of the code, every name in it exists, and both it and the manual pages pass
# their formatters. TAP; on the host.
#
# shellcheck disable=SC2317 # most functions are called by result()

set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

doc=Documentation/nst.rst
plan=Documentation/hacking.rst
pages=("$doc" Documentation/man/*.[37])
uapi=include/uapi/linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each code block behind ".. example: FILE" becomes $work/FILE.
extract()
{
	awk -v dir="$work" '
	/^\.\. example: / { file = dir "/" $3; next }
	file && /^\.\. code-block:: c$/ { code = 1; next }
	code && /^[^ ]/ { code = 0; close(file); file = "" }
	code { sub(/^  /, ""); print >file }' "$doc"
}

compile()
{
	local out=-c

	if grep -q '^int main(' "$1"; then
		out=
	fi
	# shellcheck disable=SC2086 # an option or none
	"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE \
		-isystem include/uapi -Iuserspace/libnst/include \
		-Iuserspace/libnst-exchange/include \
		-Iuserspace/libnst-tls/include $out -o "${1%.c}.out" "$1"
}

# Every block of C is an example that is compiled.
all_marked()
{
	[ "$(grep -c '^\.\. code-block::' "$doc")" = \
		"$(find "$work" -name '*.c' | wc -l)" ]
}

# part NAME: the lines between ".. begin NAME" and ".. end NAME"
part()
{
	awk -v name="$1" '
	$1 == ".." && $2 == "begin" && $3 == name { on = 1; next }
	$1 == ".." && $2 == "end" && $3 == name { on = 0 }
	on' "$doc"
}

# rows NAME COLUMNS: the first columns of a table, for rows that name something
rows()
{
	part "$1" | awk -v n="$2" '
	/^ *===/ { indent = match($0, /=/) }
	indent && match($0, /``/) == indent {
		gsub(/``/, "")
		for (i = 1; i <= n; i++)
			printf "%s%s", $i, i < n ? " " : "\n"
	}'
}

# xlist FILE MACRO: arguments of the X() lines of a list, a row each
xlist()
{
	awk -v macro="$2" '
	$1 == "#define" && index($2, macro "(") == 1 { on = 1; next }
	on && /X\(/ {
		line = $0
		sub(/.*X\(/, "", line)
		sub(/\).*/, "", line)
		gsub(/[",]/, " ", line)
		print line
	}
	on && !/\\$/ { on = 0 }' "$1"
}

# same NAME: $work/NAME.code and $work/NAME.doc agree and are not empty
same()
{
	[ -s "$work/$1.code" ] || { echo "nothing found in the code"; return 1; }
	diff -u --label code --label "$doc" "$work/$1.code" "$work/$1.doc"
}

causes()
{
	xlist nst_ulp/drop.h NST_DROP_LIST | awk '{ print $2, $3 }' \
		>"$work/causes.code"
	rows causes 2 >"$work/causes.doc"
	same causes
}

counters()
{
	xlist nst_ulp/stats.h NST_MIB_LIST | awk '{ print $2 }' \
		>"$work/counters.code"
	rows counters 1 >"$work/counters.doc"
	same counters
}

sysctls()
{
	sed -n 's/.*\.procname[[:space:]]*= "\(.*\)".*/\1/p' nst_ulp/admin/sysctl.c \
		>"$work/sysctls.code"
	rows sysctls 1 >"$work/sysctls.doc"
	same sysctls
}

# Values as numbers: both sides say 2^20, one of them as (1UL << 20).
numbers()
{
	sed -E 's/\(?1U?L?L? *<< *([0-9]+)\)?/2^\1/; s/([0-9])U?L?L?$/\1/'
}

limits()
{
	sed -n 's/^#define[[:space:]]\+\(NST_[A-Z_]*\)[[:space:]]\+/\1 /p' \
		nst_ulp/limits.h | numbers >"$work/limits.code"
	rows limits 2 >"$work/limits.doc"
	same limits
}

# number NAME: a value of limits.h
number()
{
	local value

	value=$(sed -n "s/^#define[[:space:]]\+$1[[:space:]]\+\([^/]*\).*/\1/p" \
		nst_ulp/limits.h | sed 's/UL*//g')
	echo $((value))
}

# Defaults and upper bounds of the sysctls that limits.h has.
sysctl_values()
{
	{
		echo "timestamp_window $(number NST_TIME_WINDOW) $(number NST_TIME_WINDOW_MAX)"
		echo "start_cache_max $(number NST_START_CACHE) $(number NST_START_CACHE_MAX)"
		echo "rekey_records $(number NST_REKEY_RECORDS) $(number NST_REKEY_RECORDS)"
		echo "rekey_bytes $(number NST_REKEY_BYTES) $(number NST_REKEY_BYTES)"
	} >"$work/values.code"
	part sysctls | tr -d '`' | awk '
	$1 == "timestamp_window" || $1 == "start_cache_max" ||
	$1 == "rekey_records" || $1 == "rekey_bytes" {
		name = $1; value = $2; max = $5
		if (max !~ /^[0-9]/) {
			getline
			max = $1
		}
		print name, value, max
	}' >"$work/values.doc"
	same values
}

options()
{
	awk '/^\/\* Socket options/ { on = 1 } /^$/ { on = 0 }
	on && /^#define/ { print $2, $3 }' "$uapi/nst.h" >"$work/options.code"
	rows options 2 >"$work/options.doc"
	same options
}

# What nst-run takes, but for help and version.
nst_run()
{
	sed -n 's/^\t{ "\([a-z-]*\)", [a-z]*_argument.*/--\1/p' \
		userspace/nst-run/options.c | grep -vE '^--(help|version)$' |
		sort >"$work/nst_run.code"
	part nst-run | grep -oE "^\`\`--.*\`\`" | grep -oE -- '--[a-z-]+' | sort \
		>"$work/nst_run.doc"
	same nst_run
}

suites()
{
	awk '/NST_CIPHER_[A-Z0-9_]*\] = {/ { n++ }
	/\.name = / { gsub(/[",]/, ""); print n, $3 }' nst_ulp/core/suite.c \
		>"$work/suites.code"
	part suites | awk '/^[0-9]/ { gsub(/``/, ""); print $1, $2 }' \
		>"$work/suites.doc"
	same suites
}

# What nstkeyctl calls the events is what the YNL file calls them.
events()
{
	awk '
	/^    name: / { on = $2 == "event" }
	/^attribute-sets:/ { exit }
	on && /^        name: / { print $2 }' \
		Documentation/netlink/specs/nst.yaml >"$work/events.code"
	rows events 1 >"$work/events.doc"
	same events
}

# The states of a receiver: the table that states.c tries, cell for cell.
states()
{
	awk '/^} rows/ { on = 1 } /^};/ { on = 0 } on' selftests/net/tcp/states.c |
		tr -d '\n' | sed 's/\[[A-Z_]*\] = /\n/g' | grep -o '"[^"]*".*' |
		while read -r line; do
			grep -o '"[^"]*"' <<<"$line" | tr -d '"' | paste -sd'|'
		done >"$work/states.code"
	part states | awk '/^===/ { n++; next } n == 2' |
		sed -E '/^$/d; s/  +/|/g' >"$work/states.doc"
	same states
}

# Words of standard input that FILE... does not have; none is not a success.
missing_in()
{
	local name some='' bad=0

	while read -r name; do
		some=1
		grep -rqw -- "$name" "$@" || { echo "no $name in $*"; bad=1; }
	done
	[ -n "$some" ] || { echo "nothing to look for"; bad=1; }
	return "$bad"
}

# All of the interface is explained, but a length that a structure shows.
uapi_named()
{
	sed -n 's/^#define[[:space:]]\+\(\(SOL_\)\?NST[A-Z0-9_]*\)[[:space:]].*/\1/p' \
		"$uapi/nst.h" | grep -vx NST_KEY_SIZE | missing_in "$doc"
}

tracepoints()
{
	sed -n 's/^\(DEFINE_EVENT(nst_record, \|TRACE_EVENT(\)\(nst_[a-z_]*\),.*/nst:\2/p' \
		nst_ulp/trace.h | missing_in "$doc"
}

# Names in the pages that the sources do not have. NstRxHdr stands for several.
names_exist()
{
	grep -hv '^\.TH ' "${pages[@]}" |
		grep -owE 'NST_[A-Z0-9_]+|Nst(Rx|Tx|S)[A-Za-z]+|nst_[a-z_]+' |
		sort -u | grep -vx NstRxHdr |
		missing_in nst_ulp nst_sm include userspace/libnst \
			userspace/libnst-exchange userspace/libnst-tls
}

# Files of this tree that the pages name.
files_exist()
{
	local name some='' bad=0

	while read -r name; do
		some=1
		[ -e "$name" ] || { echo "$name does not exist"; bad=1; }
	done < <(grep -ohP '(?<!/)(selftests|nst_ulp|nst_sm|include|Documentation)/[A-Za-z0-9_./-]+[A-Za-z0-9]' \
		"${pages[@]}" | sort -u)
	[ -n "$some" ] && return "$bad"
}

# The ways of hacking.rst: each function is in the file that stands before it.
ways()
{
	local file names name bad=0 some=''

	while read -r file names; do
		for name in $names; do
			some=1
			grep -qs "^[a-zA-Z].*\b${name%()}\b" "nst_ulp/$file" || {
				echo "$name is not in $file"
				bad=1
			}
		done
	done < <(sed -n 's,^  \([a-z]*/[a-z_]*\.c\)  *\(.*()\)$,\1 \2,p' "$plan")
	[ -n "$some" ] && return "$bad"
}

# Names in double quotes of hacking.rst are files of nst_ulp/, of the tree, or
# names that the sources have.
plan_names()
{
	local name bad=0

	while read -r name; do
		[ -e "$name" ] || [ -e "nst_ulp/$name" ] ||
			[ -e "userspace/nst-run/$name" ] ||
			grep -rqwF -- "${name%()}" nst_ulp || {
			echo "$name does not exist"
			bad=1
		}
	done < <(grep -oE "\`\`[A-Za-z0-9_./()-]+\`\`" "$plan" |
		tr -d "\`" | sort -u |
		grep -vE '^unit_X\.c$|^core/X\.c$')
	return "$bad"
}

rst()
{
	rst2html --halt=warning --syntax-highlight=none "$1" /dev/null
}

no_long_lines()
{
	! awk 'length > 80 { print FILENAME ":" FNR }' "$1" | grep .
}

# groff writes warnings and ends with success
manual()
{
	local out

	out=$(groff -man -Tutf8 -ww -z "$1" 2>&1) || return 1
	[ -z "$out" ] || { echo "$out"; return 1; }
	lexgrog "$1" >/dev/null || { echo "apropos cannot read its NAME"; return 1; }
	! command -v mandoc >/dev/null || mandoc -T lint -W warning "$1"
}

# Functions that the libraries promise, which are those of their version scripts.
functions()
{
	sed -n 's/^\t\(nst_[a-z_]*\);$/\1/p' userspace/libnst*/*.map
}

# Each has a page of its name, which says that it is about it.
functions_have_pages()
{
	local name page bad=0 some=''

	for name in $(functions); do
		some=1
		page=Documentation/man/$name.3
		lexgrog "$page" 2>&1 | grep -qF "\"$name - " || {
			echo "no page of $name"
			bad=1
		}
	done
	[ -n "$some" ] && return "$bad"
}

# Declarations, one a line, in the order of their names.
declarations()
{
	tr -s ' \t\n' ' ' | tr ';{}' '\n' | sed 's/^ *//; s/ *$//; s/ \*/\*/g' |
		grep -E '^[a-z_0-9]+( [a-z_]+)*[ *]+nst_[a-z_]+\(.*\)$' | sort
}

# The pages declare what the headers do; OpenSSL has two names for one type.
synopses()
{
	local page

	cat userspace/libnst*/include/nst/*.h |
		"${CC:-cc}" -fpreprocessed -dD -E -P - | grep -v '^#' |
		sed 's/struct ssl_st\b/SSL/g' | declarations >"$work/calls.code"
	for page in Documentation/man/*.3; do
		[ -L "$page" ] || [ "$page" = Documentation/man/libnst.3 ] ||
			groff -man -Tascii -P-cbou -rLL=400n "$page"
	done | awk '/^[A-Z]/ { on = /^SYNOPSIS/; next } on && !/#include/' |
		declarations >"$work/calls.doc"
	same calls && diff <(functions | sort) \
		<(grep -oE 'nst_[a-z_]+\(' "$work/calls.code" | tr -d '(' | sort)
}

# What a page has to tell of functions.
complete()
{
	local part bad=0

	for part in NAME LIBRARY SYNOPSIS DESCRIPTION "RETURN VALUE" EXAMPLES \
		"SEE ALSO"; do
		grep -qxE "\.SH \"?$part\"?" "$1" ||
			{ echo "$1 has no $part"; bad=1; }
	done
	return "$bad"
}

all_complete()
{
	local page bad=0

	for page in Documentation/man/nst_*.3; do
		complete "$page" || bad=1
	done
	return "$bad"
}

extract
for f in server client control datagram private info library exchange \
	family tls; do
	result "compile $f.c" compile "$work/$f.c"
done
result "every example is compiled" all_marked
result "causes, in order, with their errno" causes
result "counters" counters
result "sysctls" sysctls
result "values of sysctls" sysctl_values
result "limits" limits
result "options" options
result "options of nst-run" nst_run
result "suites" suites
result "events" events
result "states of a receiver" states
result "tracepoints" tracepoints
result "the interface is explained" uapi_named
result "names exist" names_exist
result "files exist" files_exist
result "$doc is well-formed" rst "$doc"
result "$plan is well-formed" rst "$plan"
result "ways of $plan" ways
result "names of $plan" plan_names
result "$doc has no long lines" no_long_lines "$doc"
result "$plan has no long lines" no_long_lines "$plan"
result "every function of the libraries has a page" functions_have_pages
result "the pages declare what the headers do" synopses
result "pages of functions are complete" all_complete
for f in Documentation/man/*.[1-8]; do
	result "$f is well-formed" manual "$f"
done
echo "1..$number"
exit $failed
