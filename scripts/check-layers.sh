#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# check-layers.sh [DIR]: what a file of nst_ulp/ may include is decided by its
# layer. TAP, one result per file.
#
# A file includes its own header, leaves, and headers of lower ranks. A rank is
# a layer of the module's design and, behind the point, the order of those of
# one layer that build on each other; two of the same rank do not see each
# other. A name with ".h" is the header alone: what the parts of a socket share
# is below them, what puts them together above. A file that is not in the table has no place yet and fails.

dir=${1:-$(dirname "$0")/../nst_ulp}
cd "$dir" || exit 2

# rank  names
table='
leaf drop limits stats event trace orphans
0    wire replay budget
1.0  cipher fingerprint
1.1  kdf
2.0  starts member sessions
2.005 dgram
2.01 memory.h
2.02 owner
2.025 claim
2.027 forget
2.03 memory
2.04 keybox
2.1  epoch netns
2.2  conf
3    stream session
4.0  txrec rxrec
4.1  tcp_ulp.h udp.h
4.15 tcp_sock udp_queue
4.17 tcp_head tcp_mem
4.2  tcp_tx tcp_rx udp_epoch udp_wait udp_err udp_pages
4.3  tcp_recv tcp_work udp_rx udp_tx udp_sock
4.4  udp_recv tcp_attach
4.45 tcp_accept
4.46 tcp_close
4.5  tcp_ulp udp
5.0  guard_judge diag sysctl proc
5.1  guard.h sockopt udp_opt af_nst
5.2  guard_hook
5.3  guard
5.4  guard_nl socket_nl owner_nl
5.5  netlink
6    main
'

# shellcheck disable=SC2046 # file names of ours have no blanks
grep -n -E '^[[:space:]]*#[[:space:]]*(include|if)|LINUX_VERSION_CODE|KERNEL_VERSION' /dev/null \
	$(ls -- *.[ch]) | awk -v table="$table" -v files="$(ls -- *.[ch])" '
function base(path) {
	sub(/.*\//, "", path)
	sub(/\.[ch]$/, "", path)
	return path
}
function bad(file, line, why) {
	errors[file] = errors[file] "# " file ":" line ": " why "\n"
}
function rank_of(file,   header) {
	header = base(file) ".h"
	return file ~ /\.h$/ && header in rank ? rank[header] : rank[base(file)]
}
function check_own(file, line, name,   me, mine, its) {
	me = base(file)
	mine = rank_of(file)
	its = rank_of(name ".h")
	if (name == me || name ~ /^compat/ || rank[name] == "leaf")
		return
	if (!(name in rank))
		bad(file, line, "includes " name ".h, which has no layer")
	else if (me ~ /^compat/ || mine == "leaf")
		bad(file, line, "a leaf or compat includes " name ".h")
	else if (its + 0 >= mine + 0)
		bad(file, line, "layer " mine " includes " name ".h (" its ")")
}
BEGIN {
	n = split(table, lines, "\n")
	for (i = 1; i <= n; i++) {
		m = split(lines[i], w, " ")
		for (j = 2; j <= m; j++)
			rank[w[j]] = w[1]
	}
	count = split(files, list, "\n")
	for (i = 1; i <= count; i++) {
		name = base(list[i])
		if (name !~ /^compat/ && !(name in rank))
			bad(list[i], 1, "not in the table of layers")
	}
}
{
	file = $0
	sub(/:.*/, "", file)
	line = $0
	sub(/^[^:]*:/, "", line)
	text = line
	sub(/:.*/, "", line)
	sub(/^[^:]*:/, "", text)
	me = base(file)
}
text ~ /include[ \t]*"/ {
	name = text
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	check_own(file, line, base(name))
	next
}
text ~ /include[ \t]*<crypto\/(aead|hash|skcipher|akcipher|rng)\.h>/ &&
rank[me] !~ /^1/ {
	bad(file, line, "only layer 1 uses the crypto API")
}
text ~ /LINUX_VERSION_CODE|KERNEL_VERSION/ {
	if (me !~ /^compat/)
		bad(file, line, "knows kernel versions")
}
END {
	print "1.." count
	for (i = 1; i <= count; i++) {
		verdict = "ok"
		if (list[i] in errors) {
			verdict = "not ok"
			printf "%s", errors[list[i]]
			failed = 1
		}
		print verdict, i, "layers of " list[i]
	}
	exit failed
}'
