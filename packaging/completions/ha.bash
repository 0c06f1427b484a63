# SPDX-License-Identifier: ISC
# Completion of ha(8) for bash. What there is to complete, ha itself tells: its commands, their options and, if
# the daemon runs, its groups. So it knows every command that the installed ha knows.

_ha_commands()
{
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Z].*/\1/p'
}

_ha_options()
{
	"$1" "$2" --help 2>/dev/null | sed '/^Example/,$d' | grep -o -- '--[a-z][a-z-]*' | sort -u
	echo --help
}

_ha_groups()
{
	"$1" status --json 2>/dev/null | grep -o '{"name":"[^"]*","state"' | sed 's/{"name":"\(.*\)","state"/\1/'
}

_ha()
{
	local ha=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$(_ha_commands "$ha")" -- "$word"))
		return
	fi
	case $before in
	-c | --configuration | --key-file | --on-*) COMPREPLY=($(compgen -f -- "$word")); return ;;
	--*-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
	--interface) COMPREPLY=($(compgen -W "$(ls /sys/class/net)" -- "$word")); return ;;
	--policy) COMPREPLY=($(compgen -W 'worthiest sticky' -- "$word")); return ;;
	esac
	case $word in
	-*) COMPREPLY=($(compgen -W "$(_ha_options "$ha" "$command")" -- "$word")); return ;;
	esac
	case $command in
	help) COMPREPLY=($(compgen -W "$(_ha_commands "$ha")" -- "$word")) ;;
	status | history | yield) COMPREPLY=($(compgen -W "$(_ha_groups "$ha")" -- "$word")) ;;
	check-config | keygen) COMPREPLY=($(compgen -f -- "$word")) ;;
	esac
}

complete -o filenames -o bashdefault -F _ha ha
