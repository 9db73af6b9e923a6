#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-layers.sh [DIR [OBJECTS]]: the order of nst_ulp/ (or DIR). A folder
# includes only those above it in $folders; no file includes one that includes
# it, over whatever way; what a .c defines, the header of its own name declares;
# core/ alone uses the crypto API, compat*.h alone knows kernel versions. TAP, a
# result per file. With OBJECTS, where DIR was built, the same is asked of them
# instead: no object and no folder calls one that calls it.

set -u
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. "$(dirname "$0")/../selftests/net/lib/tap.sh"
# The root twice: what is for everybody, and what puts all together.
folders='common debug core tcp udp guard admin top'
top='main af_nst'

dir=${1:-$(dirname "$0")/../nst_ulp}
objects=${2:+$(realpath "$2")}
cd "$dir" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# result's: the lines of FILE are what is wrong
nothing_in()
{
	! grep . "$1"
}

sources()
{
	find . -name '*.[ch]' ! -name '*.mod.c' | sed 's,^\./,,' | sort
}

# What a file may not include, or name.
included_too_high()
{
	# shellcheck disable=SC2046 # file names of ours have no blanks
	awk -v folders="$folders" -v top="$top" '
	function folder(path,   name, n, w, i) {
		if (path ~ /\//)
			return substr(path, 1, index(path, "/") - 1)
		name = path
		sub(/\.[ch]$/, "", name)
		n = split(top, w, " ")
		for (i = 1; i <= n; i++)
			if (w[i] == name)
				return "top"
		return "common"
	}
	function bad(why) {
		print FILENAME "\t" FILENAME ":" FNR ": " why
	}
	BEGIN {
		n = split(folders, w, " ")
		for (i = 1; i <= n; i++)
			rank[w[i]] = i
	}
	FNR == 1 && !(folder(FILENAME) in rank) {
		bad("is in a folder without a place")
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\"")
		me = folder(FILENAME)
		its = folder(part[2])
		if (!(its in rank))
			bad("includes " part[2] ", which has no place")
		else if (rank[its] > rank[me])
			bad(me " includes " its " (" part[2] ")")
	}
	/^[ \t]*#[ \t]*include[ \t]*<crypto\/(aead|hash|skcipher|akcipher|rng)\.h>/ &&
	FILENAME !~ /^(core|debug)\// { bad("only core/ uses the crypto API") }
	/LINUX_VERSION_CODE|KERNEL_VERSION/ && FILENAME !~ /^compat/ {
		bad("knows kernel versions")
	}' $(sources)
}

# What a .c defines, and the header of its name does not declare.
declared_elsewhere()
{
	local c

	for c in $(sources | grep '\.c$'); do
		awk -v c="$c" -v h="${c%c}h" '
		BEGIN {
			while ((getline line < h) > 0)
				header = header line "\n"
		}
		# A definition begins at the margin and has a body.
		/^[a-z].*[ *][a-z0-9_]+\(/ && !/^(static|typedef|module|late)/ &&
		!/;$/ {
			name = $0
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
			if (header !~ "[ *]" name "\\(")
				print c "\t" c ":" FNR ": " name \
					"() is not declared in " h
		}' "$c"
	done
}

# circles NAME: in pairs of input; tsort names who is in one
circles()
{
	tsort >/dev/null 2>"$work/loop"
	sed -n 's/^tsort: \([^-].*\)$/\1/p' "$work/loop" | sort -u \
		>"$work/circle"
	result "$1" nothing_in "$work/circle"
}

include_pairs()
{
	# shellcheck disable=SC2046 # as above
	awk '/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\""); print FILENAME, part[2] }' $(sources)
}

# WHO NEEDS: of objects, by the symbols that one lacks and another has
object_pairs()
{
	local o

	for o in $(sources | sed -n 's/\.c$/.o/p'); do
		[ ! -e "$objects/$o" ] ||
			nm "$objects/$o" | sed "s,^,${o%.o} ,"
	done | awk '
	$NF ~ /^(init_module|cleanup_module|__)/ { next }
	$(NF - 1) ~ /^[TDBRVW]$/ { has[$NF] = $1 }
	$(NF - 1) == "U" { needs[$1 " " $NF] = 1 }
	END {
		for (n in needs) {
			split(n, w, " ")
			if (w[2] in has && has[w[2]] != w[1])
				print w[1], has[w[2]]
		}
	}' | sort
}

# The same of folders; the root stands for two, which are no folder.
folder_pairs()
{
	awk '$1 ~ /\// && $2 ~ /\// {
		sub(/\/.*/, "", $1); sub(/\/.*/, "", $2)
		if ($1 != $2) print $1, $2 }' | sort -u
}

check_sources()
{
	local f

	included_too_high >"$work/bad"
	declared_elsewhere >>"$work/bad"
	for f in $(sources); do
		awk -F '\t' -v f="$f" '$1 == f { print $2 }' "$work/bad" \
			>"$work/one"
		result "layers of $f" nothing_in "$work/one"
	done
	include_pairs >"$work/pairs"
	circles "no circle of includes" <"$work/pairs"
}

check_objects()
{
	object_pairs >"$work/pairs"
	: >"$work/none"
	[ -s "$work/pairs" ] || echo "no objects in $objects" >"$work/none"
	result "objects were built" nothing_in "$work/none"
	circles "no circle of objects" <"$work/pairs"
	folder_pairs <"$work/pairs" >"$work/folders"
	circles "no circle of folders" <"$work/folders"
}

if [ -n "$objects" ]; then
	check_objects
else
	check_sources
fi
echo "1..$number"
exit $failed
