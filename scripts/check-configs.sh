#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-configs.sh [VARIANT[/clang]...]: builds the modules for kernels that are
# configured otherwise than Debian's: 6.1 with each option of "variants" below,
# with W=1, by gcc and clang. Compiled only, in build/configs; TAP.
#
# No kernel is built: a tree of Debian's source with a configuration and the
# generated headers (modules_prepare) is enough to compile against. So that a
# module that would not load fails here too, every symbol it wants must be one
# that Debian's kernel exports, from no file that the variant leaves out.
#
# The trees are small and kept in $NST_CACHE/configs.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR/../selftests/vm source=lib.sh
. selftests/vm/lib.sh
# shellcheck source-path=SCRIPTDIR/../selftests/net/lib source=tap.sh
. selftests/net/lib/tap.sh

# name: options that differ; files of the kernel that are not there then
variants='
all:
modules:	IPV6=m INET_DIAG=m
no-ipv6:	IPV6=n:		net/ipv6/
no-procfs:	PROC_FS=n:	fs/proc/
no-sysctl:	SYSCTL=n:	fs/proc/proc_sysctl.c net/sysctl_net.c
no-diag:	INET_DIAG=n:	net/ipv4/inet_diag.c net/ipv4/tcp_diag.c
no-netfilter:	NETFILTER=n:	net/netfilter/ net/ipv4/netfilter net/ipv6/netfilter
no-bpf:		BPF_SYSCALL=n:	kernel/bpf/
none:		IPV6=n PROC_FS=n SYSCTL=n INET_DIAG=n NETFILTER=n BPF_SYSCALL=n:net/ipv6/ fs/proc/ net/sysctl_net.c net/ipv4/inet_diag.c net/netfilter/ kernel/bpf/
'
# "all" is what the builds for Debian's kernels are.
names=$(echo "$variants" | sed -n '/^all:/d; s/:.*//p')
default=$names
for v in $names; do
	default="$default $v/clang"
done

# Of net/ipv6, what is there without IPv6 too (net/ipv6/Makefile).
always='net/ipv6/(addrconf_core|exthdrs_core|ip6_checksum|ip6_icmp|output_core|protocol|ip6_offload|tcpv6_offload|exthdrs_offload|inet6_hashtables|mcast_snoop)\.c|kernel/bpf/core\.c'

dir=$NST_CACHE/configs
source=$dir/source
log=$NST_BUILD/configs/log

# field VARIANT N
field()
{
	echo "$variants" | awk -F: -v n="$1" -v f="$2" '
		$1 == n { gsub(/^[ \t]+/, "", $f); print $f }'
}

kmake()
{
	make -s -C "$source" O="$1" ARCH=x86_64 CC="$2" "${@:3}"
}

# What is compiled against and what exports the symbols in question; the rest of
# the source is 1.2 GB that nobody reads.
unpack()
{
	local top=linux-source-6.1

	mkdir "$source" || return
	tar -xf "/usr/src/$top.tar.xz" -C "$source" --strip-components=1 \
		--wildcards "$top/Makefile" "$top/Kbuild" '*/Kconfig*' \
		"$top/arch/x86/*" "$top/arch/*/include/*" "$top/include/*" \
		"$top/scripts/*" "$top/tools/Makefile" "$top/tools/arch/x86/*" \
		"$top/tools/build/*" "$top/tools/include/*" \
		"$top/tools/lib/*" "$top/tools/objtool/*" "$top/tools/scripts/*" \
		"$top/kernel/bounds.c" \
		"$top/kernel/time/timeconst.bc" "$top/kernel/bpf/*" \
		"$top/fs/proc/*" "$top/net/*" ||
		return
	(cd "$source" && grep -roE --include='*.c' \
		'EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([a-zA-Z0-9_]+' kernel net fs) |
		sed 's/:.*(/ /' >"$dir/exports"
	rm -rf "$source"/net/*/*.c "$source"/kernel/bpf/*.c "$source"/fs/proc/*.c
}

# Unpacks and configures, once for each source version, compiler and list.
prepare_base()
{
	local key

	key=$( (nst_source_version; gcc --version
		declare -f unpack; cat scripts/configs.config) | sha256sum)
	[ "$(cat "$dir/key" 2>/dev/null)" = "$key" ] && return
	rm -rf "$dir" && mkdir -p "$dir" && unpack || return
	kmake "$dir/base" gcc KCONFIG_ALLCONFIG="$PWD/scripts/configs.config" \
		allnoconfig &&
		kmake "$dir/base" gcc -j"$(nproc)" modules_prepare &&
		[ -x "$dir/base/tools/objtool/objtool" ] &&
		echo "$key" >"$dir/key"
}

# prepare_tree VARIANT CC: a copy of the base, configured otherwise. What was
# compiled there knows nothing of these options.
prepare_tree()
{
	local tree=$dir/$1-$2 option

	[ ! -e "$tree/ready" ] || return 0
	rm -rf "$tree"
	cp -a "$dir/base" "$tree"
	for option in $(field "$1" 2); do
		sed -i "s/^CONFIG_${option%=*}=.*/CONFIG_$option/" "$tree/.config"
	done
	yes '' | kmake "$tree" "$2" syncconfig || return
	for option in $(field "$1" 2); do
		case $option in
		*=n) ! grep -q "^CONFIG_${option%=n}=" "$tree/.config" ;;
		*) grep -qx "CONFIG_$option" "$tree/.config" ;;
		esac || { echo "the kernel does not take $option"; return 1; }
	done
	touch "$tree/ready"
}

# missing SRC VARIANT: symbols that no kernel exports, or not this one
missing()
{
	local gone

	gone=$(field "$2" 3 | tr ' ' '|')
	find "$1" -name 'nst_*.ko' -exec nm -u {} + |
		awk '$1 == "U" { print $2 }' | sort -u |
		awk -v gone="^(${gone:-none})" -v always="^($always)" '
			FILENAME == ARGV[1] { known[$2] = 1; next }
			FILENAME == ARGV[2] {
				if ($1 ~ gone && $1 !~ always)
					lost[$2] = $1
				next
			}
			$1 in lost { print $1 " is of " lost[$1] }
			!($1 in known) { print $1 " is exported by nobody" }
		' "$symvers" "$dir/exports" - | grep .
}

# modules VARIANT CC
modules()
{
	local src=$NST_BUILD/configs/$1-$2 module

	prepare_tree "$1" "$2" || return
	mkdir -p "$src"
	rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*' --exclude='*.order' \
		--exclude='*.symvers' Kbuild nst_ulp nst_sm include "$src/"
	rm -f "$src"/*/*.ko
	# kernel-doc is lint's.
	make -C "$dir/$1-$2" ARCH=x86_64 CC="$2" M="$src" W=1 -j"$(nproc)" \
		cmd_checkdoc= KCFLAGS=-Werror KBUILD_MODPOST_WARN=1 modules || return
	for module in nst_ulp nst_sm; do
		[ -e "$src/$module/$module.ko" ] || return
	done
	! missing "$src" "$1"
}

mkdir -p "$NST_BUILD/configs"
exec 9>"$NST_CACHE/configs.lock"
flock 9
nst_kernel 6.1
symvers=$nst_tree/Module.symvers
prepare_base >"$log" 2>&1 || { cat "$log"; nst_die "no tree to compile against"; }
# shellcheck disable=SC2086 # a list
[ $# -gt 0 ] || set -- $default
for v; do
	name=${v%/*} cc=gcc
	[ "$name" = "$v" ] || cc=${v#*/}
	field "$name" 1 | grep -q . || nst_die "no variant '$name'"
	rc=0
	modules "$name" "$cc" >"$log" 2>&1 || rc=1
	sed -i -E '/undefined!|Module.symvers is missing/d' "$log"
	tap $rc "configs $name by $cc" "$log"
done
echo "1..$number"
exit "$failed"
