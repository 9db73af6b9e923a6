#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [PREFIX]: completion of nstkeyctl and nst-run in bash, and in zsh if
# there is one: each command and option that --help names is offered, and what
# stands behind some of them. Of the sources, or as installed in PREFIX. TAP.
# The tools are those in $PATH.

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
	offers sm4-gcm nst-run --cipher sm4
	offers --tcp nst-run enable x --t
	offered nst-run disable x --t >"$work/said"
	! grep -q . "$work/said"
	tap $? "bash: disable takes no option" "$work/said"
}

in_zsh()
{
	local file word

	for file in _nstkeyctl _nst-run; do
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
	for word in $(options_of nst-run); do
		grep -qE -- "['*]$word\\[" "$zsh_dir/_nst-run"
		tap $? "zsh: nst-run: $word"
	done
}

in_bash
if command -v zsh >/dev/null; then
	in_zsh
else
	echo "# there is no zsh here: its completion was not tried"
fi
echo "1..$number"
exit "$failed"
