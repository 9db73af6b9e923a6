#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [PREFIX]: completion of nstkeyctl, nst-run and nstperf in bash, and in
# zsh if there is one: each command and option that --help names is offered, and
# what stands behind some of them; names that others choose are neither run nor
# changed. Of the sources, or as installed in PREFIX. TAP. The tools are those in
# $PATH, and nstperf's is not looked at where it is not built.

set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR/../net/lib source=tap.sh
. selftests/net/lib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -gt 0 ]; then
	bash_dir=$1/share/bash-completion/completions suffix=''
	zsh_dir=$1/share/zsh/vendor-completions
else
	bash_dir=packaging/completions suffix=.bash
	zsh_dir=packaging/completions
fi

# offered WORD...: what bash offers for the last of these words
offered()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	"_${1//-/_}"
	printf '%s\n' "${COMPREPLY[@]}"
}

# offers WORD WORD...: the first one is offered
offers()
{
	offered "${@:2}" >"$work/said"
	grep -qxF -- "$1" "$work/said"
	tap $? "bash: ${*:2} -> $1" "$work/said"
}

options_of() { "$@" --help | grep -oE -- '--[a-z]+(-[a-z]+)*' | sort -u; }
commands_of() { nstkeyctl help | sed -n 's/^  \([a-z]*\)\( .*\)\?$/\1/p'; }

# fake COMMAND OUTPUT: says that
fake()
{
	mkdir -p "$work/bin"
	printf '#!/bin/sh\ncat <<"END"\n%s\nEND\n' "$2" >"$work/bin/$1"
	chmod 755 "$work/bin/$1"
}

# What others have named: each word must come back from a shell as it was.
# shellcheck disable=SC2120 # "set" makes its arguments
names_of_others()
{
	local PATH=$work/bin:$PATH dir=$PWD

	cd "$work" || return
	# shellcheck disable=SC2016 # not expanded: that is the point
	fake ip 'x$(touch pwned) up
x`touch pwned`
xa*
y'
	fake systemctl 'a\x2db.service enabled enabled
a\x2dc.socket disabled enabled'
	offered nstkeyctl --netns x >said
	[ ! -e pwned ]
	tap $? "bash: a namespace's name is not run" said
	[ "$(wc -l <said)" = 3 ] && eval "set -- $(head -n 1 said)" &&
		[ "$*" = "x\$(touch" ]
	tap $? "bash: and comes back as it was" said
	[ ! -e pwned ]
	tap $? "bash: nor is it when the line is" said
	offered nst-run enable a >said
	# shellcheck disable=SC2294 # as a shell reads it
	eval "set -- $(tr '\n' ' ' <said)"
	[ "$*" = 'a\x2db.service a\x2dc.socket' ]
	tap $? "bash: a unit's backslash stays" said
	offered nst-run enable 'a\\x2db' >said
	[ "$(wc -l <said)" = 1 ] && grep -qF 'a\\x2db.service' said
	tap $? "bash: and what was completed so far is known" said
	touch "a file"
	offered nstkeyctl load a >said
	grep -qx "a file" said
	tap $? "bash: a file with a blank" said
	cd "$dir" || return
}

of_nstperf()
{
	local word

	# shellcheck source=/dev/null
	. "$bash_dir/nstperf$suffix"
	for word in $(nstperf help | sed -n 's/^  \(--[a-z0-9-]*\) .*/\1/p'); do
		{ offered nstperf server --; offered nstperf client x --; } >"$work/said"
		grep -qx -- "$word" "$work/said"
		tap $? "bash: nstperf: $word" "$work/said"
	done
	for word in server client local report; do
		offers $word nstperf ""
	done
	offers --output nstperf report --
	offers --once nstperf server --
	offered nstperf client x -- >"$work/said"
	! grep -qx -- --once "$work/said"
	tap $? "bash: --once is the server's alone" "$work/said"
	offers connect-keepalive nstperf client x --scenario con
	offers ping,dgram-gso nstperf local --scenario ping,dgram
	offers nst-sm4-gcm nstperf local --mode nst-sm
	offers ktls-all nstperf local --mode ktls
}

in_bash()
{
	local word command

	# shellcheck source=/dev/null # of the tree, or installed
	. "$bash_dir/nstkeyctl$suffix"
	# shellcheck source=/dev/null
	. "$bash_dir/nst-run$suffix"
	for command in $(commands_of); do
		offers "$command" nstkeyctl ""
		for word in $(nstkeyctl "$command" --help | sed -n 3p |
			grep -oE -- '--[a-z]+'); do
			offers "$word" nstkeyctl "$command" --
		done
	done
	for word in $(options_of nst-run); do
		offers "$word" nst-run --
	done
	for word in enable disable status; do
		offers "$word" nst-run ""
	done
	offers --netns nstkeyctl show --
	offers activate nstkeyctl --netns x act
	offers accept nstkeyctl genkey 5 ac
	offers udp nstkeyctl guard add ""
	offers dry-run nstkeyctl guard add tcp 80 ""
	offers notify nst-run --engine n
	offers x25519mlkem768 nst-run --forward-secret = x25519m
	offers sm4-gcm nst-run --cipher sm4
	offers --tcp nst-run enable x --t
	offered nst-run disable x --t >"$work/said"
	! grep -q . "$work/said"
	tap $? "bash: disable takes no option" "$work/said"
	# shellcheck disable=SC2119
	names_of_others
	if nstperf --version >/dev/null 2>&1; then
		of_nstperf
	fi
}

# zoffered LINE: what a zsh that somebody types into offers at its end
zoffered()
{
	timeout 60 zsh -f selftests/completion/offered.zsh "$zsh_dir" "$1" </dev/null
}

# zoffers LINE WORD...: these, and perhaps others
zoffers()
{
	local word rc=0

	zoffered "$1" >"$work/said" 2>&1
	for word in "${@:2}"; do
		grep -qxF -- "$word" "$work/said" || rc=1
	done
	tap $rc "zsh: $1<TAB> -> ${*:2}" "$work/said"
}

# zonly LINE WORD...: these and no other
zonly()
{
	zoffered "$1" >"$work/said" 2>&1
	printf '%s\n' "${@:2}" | grep . | sort | cmp -s - "$work/said"
	tap $? "zsh: $1<TAB> -> ${*:2} alone" "$work/said"
}

# By each command's own help, as in bash.
# shellcheck disable=SC2016 # not expanded: that is the point
typed_in_zsh()
{
	local command words PATH=$work/bin:$PATH

	# shellcheck disable=SC2046 # words
	zonly "nstkeyctl " help $(commands_of)
	for command in $(commands_of); do
		words=$(nstkeyctl "$command" --help | sed -n 3p |
			grep -oE -- '--[a-z]+' | sort -u)
		# shellcheck disable=SC2086 # words
		[ -z "$words" ] || zoffers "nstkeyctl $command --" $words
	done
	zonly "nstkeyctl --netns x act" activate
	zonly "nstkeyctl genkey 5 ac" accept active
	zonly "nstkeyctl guard add " tcp udp
	zonly "nstkeyctl guard add tcp 80 " dry-run
	# shellcheck disable=SC2046 # words
	zoffers "nst-run --" $(options_of nst-run)
	zoffers "nst-run dis" disable
	zonly "nst-run --engine " preload notify
	zonly "nst-run --cipher sm" sm4-cbc sm4-gcm
	zonly "nst-run --forward-secret=" x25519 x25519mlkem768
	zoffers "nst-run --forward-secret --ci" --cipher
	fake ip 'x$(touch pwned) up
y'
	fake systemctl 'a\x2db.service enabled enabled
other.socket disabled enabled'
	zonly "nstkeyctl --netns x" 'x\$\(touch'
	zonly "nst-run status a" 'a\\x2db.service'
	zonly "nst-run disable --"
	[ ! -e pwned ]
	tap $? "zsh: names of others are not run"
	! nstperf --version >/dev/null 2>&1 || {
		zonly "nstperf " server client local report help --version
		zoffers "nstperf local --scenario ping,dgr" dgram dgram-gso
	}
}

in_zsh()
{
	local file word

	for file in _nstkeyctl _nst-run _nstperf; do
		zsh -n "$zsh_dir/$file"
		tap $? "zsh: $file is well-formed"
		head -n 1 "$zsh_dir/$file" | grep -q '^#compdef'
		tap $? "zsh: $file says what it is for"
	done
	for word in $(commands_of) $(nstkeyctl help | grep -oE -- '--[a-z]+' | sort -u |
		grep -vx -e --version -e --help); do
		grep -qE -- "['(]${word}(:|\\[)" "$zsh_dir/_nstkeyctl"
		tap $? "zsh: nstkeyctl: $word"
	done
	for word in $(nstperf help | sed -n 's/^  \(--[a-z0-9-]*\) .*/\1/p'); do
		grep -qE -- "[')]${word}\\[|[{,]${word}[},]" "$zsh_dir/_nstperf"
		tap $? "zsh: nstperf: $word"
	done
	for word in $(options_of nst-run); do
		grep -qE -- "['*]$word(=-)?\\[" "$zsh_dir/_nst-run"
		tap $? "zsh: nst-run: $word"
	done
	typed_in_zsh
}

in_bash
if command -v zsh >/dev/null; then
	in_zsh
else
	echo "# there is no zsh here: its completion was not tried"
fi
echo "1..$number"
exit "$failed"
