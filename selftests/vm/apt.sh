#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shellcheck disable=SC2034 # used by those who source it
#
# What prepare.sh and others ask of apt; sourced, after lib.sh. Mirrors are not
# of one piece every day: an index may name what is not there yet, or no more.
# So nothing is taken for granted but what apt has a candidate for, a choice is
# told with its reason, and what apt complains of is always shown.

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
NST_APT_LOG=$NST_CACHE/apt.log

step()
{
	echo "prepare: $*"
}

# in_root ROOT COMMAND... In a chroot nothing is booted: what headers bring along
# (6.12's want the image, and that tools for an initrd) makes none there.
in_root()
{
	local root=$1

	shift
	if [ "$root" = / ]; then
		"$@"
	else
		chroot "$root" env INITRD=No "$@"
	fi
}

# apt_get ROOT ARGUMENT...: errors to the screen, the rest to the log. Waits for
# another apt; downloads as root, because _apt may not see where they go. A chroot
# may have no /dev/pts: with a terminal for dpkg apt says "E: Can not write log".
apt_get()
{
	local root=$1

	shift
	in_root "$root" apt-get -qq -o DPkg::Lock::Timeout=900 \
		-o APT::Sandbox::User=root -o DPkg::Use-Pty=0 "$@" \
		>>"$NST_APT_LOG" </dev/null
}

# The lock of the lists knows no waiting.
apt_update()
{
	local tries=0

	until apt_get "$1" update; do
		tries=$((tries + 1))
		[ $tries -lt 4 ] || return 1
		sleep "${NST_APT_PAUSE:-20}"
	done
}

# candidate ROOT PACKAGE...: apt would install each of them
candidate()
{
	local root=$1

	shift
	in_root "$root" apt-cache policy "$@" | awk -v n=$# '
		$1 == "Candidate:" && $2 != "(none)" { n-- }
		END { exit n != 0 }'
}

installed()
{
	dpkg-query -W -f '${db:Status-Abbrev}\n' "$@" 2>/dev/null |
		awk -v n=$# '$1 == "ii" { n-- } END { exit n != 0 }'
}

# choose_packages WANTED...: prints a package for each, which is a name or a|b:
# the first that is installed, or that apt has. Fails and names what is neither.
choose_packages()
{
	local names=${*//|/ }

	# shellcheck disable=SC2086 # a list
	{
		dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $names \
			2>/dev/null | awk '$1 == "ii"'
		apt-cache policy $names | awk '
			/^[^ ]/ { name = substr($1, 1, length($1) - 1) }
			$1 == "Candidate:" && $2 != "(none)" { print "apt", name }'
	} | awk -v wanted="$*" '
		function first(list, where,   i, n, name) {
			n = split(list, name, "|")
			for (i = 1; i <= n; i++)
				if ((where, name[i]) in there)
					return name[i]
		}
		{ there[$1, $2] = 1 }
		END {
			n = split(wanted, want, " ")
			for (i = 1; i <= n; i++) {
				name = first(want[i], "ii")
				if (!name)
					name = first(want[i], "apt")
				if (name)
					print name
				else
					missing = missing " " want[i]
			}
			if (!missing)
				exit 0
			print "prepare: apt has no candidate for" missing >"/dev/stderr"
			exit 1
		}'
}

# install_packages WANTED...: WANTED is a package, or a|b. An index that is
# ahead of the mirror, or behind, is fetched anew once.
install_packages()
{
	local list try

	for try in 1 2; do
		apt_update / || echo "prepare: apt-get update failed" >&2
		list=$(choose_packages "$@") || continue
		# shellcheck disable=SC2086 # a list
		apt_get / install -y --no-install-recommends $list && return
		[ $try = 2 ] || step "once more, with fresh lists"
	done
	nst_die "packages are missing (above; log: $NST_APT_LOG): 'apt-cache policy PACKAGE' tells if a pin or a missing suite is to blame; else try again when the mirror is of one piece"
}

# releases ROOT PATTERN: kernels that have headers, as uname -r says it, newest
# first
releases()
{
	in_root "$1" apt-cache pkgnames linux-headers- |
		sed -n "s/^linux-headers-\($2\.[0-9].*-$FLAVOUR\)\$/\1/p" |
		sort -rV
}

# image_of ROOT RELEASE: the packages that have kernel and modules. Up to 6.12 it
# is one, signed or not; later that is a meta package, and base has the lists of
# modules. Fails and says what is not there.
image_of()
{
	local set last='' names

	names=$(in_root "$1" apt-cache pkgnames "linux-modules-$2")
	if echo "$names" | grep -qx "linux-modules-$2"; then
		set -- "$1" "linux-base-$2 linux-binary-$2 linux-modules-$2"
	else
		set -- "$1" "linux-image-$2" "linux-image-$2-unsigned"
	fi
	for set in "${@:2}"; do
		last=$set
		# shellcheck disable=SC2086 # a list
		candidate "$1" $set && { echo "$set"; return; }
	done
	echo "no candidate for ${*:2}"
	return 1
}

# Prints "URI SUITE" of every deb entry of the machine's apt sources, in the
# one-line format and in deb822.
apt_entries()
{
	local f

	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] || continue
		sed -n 's/#.*//; s/^[[:space:]]*deb[[:space:]]\+\(\[[^]]*\]\)\?[[:space:]]*//p' "$f" |
			awk 'NF >= 2 { print $1, $2 }'
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] || continue
		awk '
		function flush_stanza(   u, s, i, j, nu, ns) {
			nu = split(field["uris"], u)
			ns = split(field["suites"], s)
			if (field["types"] ~ /(^| )deb( |$)/ &&
			    field["enabled"] !~ /^ *no/)
				for (i = 1; i <= nu; i++)
					for (j = 1; j <= ns; j++)
						print u[i], s[j]
			split("", field)
		}
		/^#/ { next }
		/^[[:space:]]*$/ { flush_stanza(); next }
		/^[[:space:]]/ { field[name] = field[name] " " $0; next }
		{
			name = tolower(substr($0, 1, index($0, ":") - 1))
			field[name] = substr($0, index($0, ":") + 1)
		}
		END { flush_stanza() }' "$f"
	done
}

# mirror_of SUITE: the first URI that serves it. Cloud images point to a list
# of mirrors in a file (mirror+file:), of which the first is taken.
mirror_of()
{
	local uri

	uri=$(apt_entries | awk -v s="$1" '$2 == s { print $1; exit }')
	case $uri in
	mirror+file:*)
		uri=$(awk '!/^#/ && NF { print $1; exit }' "${uri#mirror+file:}") ;;
	esac
	echo "${uri%/}"
}

# debian_chroot SUITE DIR PACKAGE...: a Debian of its own, from the mirror of
# this machine. $DIR/.nst-ready is there when it is complete.
debian_chroot()
{
	local suite=$1 dir=$2 codename mirror security proxy log

	shift 2
	[ -e "$dir/.nst-ready" ] && return
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	mirror=$(mirror_of "$codename")
	[ -n "$mirror" ] || nst_die "no mirror of $codename in the apt sources"
	security=$(mirror_of "$codename-security")
	step "$suite chroot in $dir"
	log=$NST_CACHE/debootstrap-$suite.log
	rm -rf "$dir"
	debootstrap --variant=minbase --include="$(echo "$*" | tr ' ' ,)" \
		"$suite" "$dir" "$mirror" >"$log" 2>&1 || {
		tail -n 15 "$log" "$dir/debootstrap/debootstrap.log" >&2 || true
		nst_die "debootstrap failed (above, and $log)"
	}
	{
		echo "deb $mirror $suite main"
		echo "deb $mirror $suite-updates main"
		[ "$suite" != trixie ] || echo "deb $mirror $suite-backports main"
		[ -z "$security" ] || echo "deb $security $suite-security main"
	} >"$dir/etc/apt/sources.list"
	proxy=$(apt-config shell P Acquire::http::Proxy | sed "s/^P='\(.*\)'/\1/")
	[ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" \
		>"$dir/etc/apt/apt.conf.d/90nst-proxy"
	apt_update "$dir" || nst_die "apt-get update fails in $dir (above)"
	touch "$dir/.nst-ready"
}
