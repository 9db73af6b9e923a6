# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of nstkeyctl(8) for bash. Names of namespaces are anybody's words: none
# is given to "compgen -W", which would expand it.

# _nstkeyctl_match CUR: offers those lines of standard input that begin so, quoted
_nstkeyctl_match()
{
	local word quoted

	while IFS= read -r word; do
		[ -n "$word" ] || continue
		printf -v quoted %q "$word"
		if [[ $word = "$1"* || $quoted = "$1"* ]]; then
			COMPREPLY+=("$quoted")
		fi
	done
}

_nstkeyctl_files()
{
	if declare -F _filedir >/dev/null; then
		_filedir
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$1")
	fi
}

_nstkeyctl_kids()
{
	nstkeyctl show 2>/dev/null | awk '$1 + 0 { print $1 }'
}

_nstkeyctl_namespaces()
{
	ip -brief netns 2>/dev/null | cut -d ' ' -f 1
}

_nstkeyctl_commands()
{
	printf '%s\n' genkey genbox load add activate retire del flush show guard \
		sockets owners caps stats monitor doctor help
}

# _nstkeyctl_words COMMAND N: what may stand at its argument N
_nstkeyctl_words()
{
	case $1-$2 in
	activate-1 | retire-1 | del-1 | show-1) _nstkeyctl_kids ;;
	genkey-2) printf '%s\n' accept active retired ;;
	guard-1) printf '%s\n' add del load flush show ;;
	guard-2) printf '%s\n' tcp udp ;;
	guard-4) echo dry-run ;;
	help-1) _nstkeyctl_commands ;;
	esac
}

_nstkeyctl_options()
{
	case $1 in
	genkey) echo --force ;;
	genbox) printf '%s\n' --force --keys ;;
	retire) echo --force ;;
	show | sockets | owners | caps | doctor) echo --json ;;
	guard | stats) printf '%s\n' --json --prometheus ;;
	monitor) printf '%s\n' --json --journal ;;
	esac
	printf '%s\n' --netns --help
}

# _nstkeyctl_argument CUR ARGUMENT...: those before it, with the command
_nstkeyctl_argument()
{
	local cur=$1

	shift
	case ${1-}-$#-${2-} in
	-0-) _nstkeyctl_match "$cur" < <(_nstkeyctl_commands) ;;
	load-1-* | add-1-* | genbox-1-* | genkey-3-* | guard-2-load)
		_nstkeyctl_files "$cur" ;;
	*) _nstkeyctl_match "$cur" < <(_nstkeyctl_words "$1" $#) ;;
	esac
}

_nstkeyctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=() i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--netns | --keys) ((i++)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--netns) _nstkeyctl_match "$cur" < <(_nstkeyctl_namespaces) ;;
	--keys) ;;
	*)
		case $cur in
		-*) _nstkeyctl_match "$cur" < <(_nstkeyctl_options "${words[0]-}") ;;
		*) _nstkeyctl_argument "$cur" "${words[@]}" ;;
		esac
		;;
	esac
}

complete -F _nstkeyctl nstkeyctl
