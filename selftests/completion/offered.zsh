#!/bin/zsh
# SPDX-License-Identifier: GPL-2.0
#
# offered.zsh DIR LINE: what a zsh that a user types into offers at the end of this
# line, with the completion functions of DIR. One word a line, as it would come
# into the line.

emulate -R zsh
zmodload zsh/zpty || exit 2
dir=$1 line=$2
list=$(mktemp) || exit 2

# All that is offered goes through compadd; with -O, -A and -D it only looks.
# What PREFIX and SUFFIX filter out it leaves away itself, and it quotes.
start='
PROMPT= RPROMPT= LISTMAX=100000
unsetopt prompt_cr prompt_sp
fpath=('${(q)dir:A}' $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
	local -a hits
	if (( ! ${@[(I)-[OAD]*]} )); then
		builtin compadd -A hits "$@"
		print -rl -- $hits >>'${(q)list}'
	fi
	builtin compadd "$@"
}
'
zpty shell zsh -f -i
zpty -w shell "$start"
zpty -w shell 'print re""ady'
zpty -r shell said '*ready*' || exit 2
zpty -w -n shell "$line"$'\t\C-u'
zpty -w shell 'print e""nded'
zpty -r shell said '*ended*' || exit 2
zpty -d shell
grep . "$list" | sort -u
rm -f "$list"
