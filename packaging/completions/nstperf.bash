# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of nstperf(1) for bash. What there is, its help tells.

# _nstperf_match CUR [BEFORE]: offers those lines of standard input that begin so,
# behind what was typed before
_nstperf_match()
{
	local word

	while IFS= read -r word; do
		if [[ -n $word && ${2-}$word = "$1"* ]]; then
			COMPREPLY+=("${2-}$word")
		fi
	done
}

_nstperf_files()
{
	if declare -F _filedir >/dev/null; then
		_filedir
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$1")
	fi
}

# _nstperf_names SECTION: those that the help has there
_nstperf_names()
{
	echo all
	[ "$1" != Modes ] || printf '%s\n' {nst,ktls,tls,dtls}{,-all}
	nstperf help 2>/dev/null | sed -n "/^$1/,/^\$/s/^  \([a-z0-9-]*\).*/\1/p"
}

# _nstperf_options COMMAND: a server has few, report one
_nstperf_options()
{
	local server='/\[server\]/!d'

	case $1 in
	report) echo --output; return ;;
	server) printf '%s\n' --port --ipv4 --ipv6 ;;
	*) server='/\[server\]/d' ;;
	esac
	nstperf help 2>/dev/null |
		sed -n -e "$server" -e 's/^  \(--[a-z0-9-]*\).*/\1/p'
}

# _nstperf_list CUR SECTION: the last one behind commas
_nstperf_list()
{
	local before=''

	case $1 in *,*) before=${1%,*}, ;; esac
	_nstperf_match "$1" "$before" < <(_nstperf_names "$2")
}

_nstperf()
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_nstperf_match "$cur" < <(printf '%s\n' server client local report \
			help --version)
		return
	fi
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--scenario) _nstperf_list "$cur" Scenarios ;;
	--mode) _nstperf_list "$cur" Modes ;;
	--json | --rc | --output) _nstperf_files "$cur" ;;
	--file-dir) compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	--port | --bind | --data-port | --size | --time | --count | --warmup | \
		--repeat | --streams | --requests | --file-size | --cpu | \
		--timeout) ;;
	*)
		case ${COMP_WORDS[1]}-$cur in
		report-[!-]* | report-) _nstperf_files "$cur" ;;
		*) _nstperf_match "$cur" < <(_nstperf_options "${COMP_WORDS[1]}") ;;
		esac
		;;
	esac
}

complete -F _nstperf nstperf
