# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of lsmpull for bash: commands, options, files by their kind, and the bundles that this node has (for root, who may
# see them).

_lsmpull_words() { # WORD...: those that begin like what has been typed
        mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

_lsmpull_files() { # [EXTENSION...]: directories, and files whose names end so; without any, directories alone
        local extension
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(
                compgen -d -- "$cur"
                for extension; do compgen -f -X "!*$extension" -- "$cur"; done | sort -u
        )
}

_lsmpull_bundles() {
        local state=/var/lib/lsmpull i names=()
        for ((i = 1; i < COMP_CWORD - 1; i++)); do
                if [ "${COMP_WORDS[i]}" = --state ]; then state=${COMP_WORDS[i + 1]}; fi
        done
        mapfile -t names < <(compgen -G "$state/journal/*.json")
        names=("${names[@]##*/}")
        _lsmpull_words "${names[@]%.json}"
}

_lsmpull() {
        local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' own='' i
        local common='--config --state --run --bpffs --cgroup --help'
        COMPREPLY=()

        for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                -*) ;;
                *)
                        command=${COMP_WORDS[i]}
                        break
                        ;;
                esac
        done
        if [ -z "$command" ]; then
                _lsmpull_words run once install status doctor events rollback remove retry pause resume boot oci-hook --help --version
                return
        fi

        case $previous in
        --config) _lsmpull_files .yaml .yml; return ;;
        --state | --run | --bpffs | --cgroup) _lsmpull_files; return ;;
        --key) _lsmpull_files .pub .pem; return ;;
        --for) _lsmpull_words 15m 30m 1h 2h 8h 1d; return ;;
        --threshold | --policy) return ;;
        esac

        case $command in
        install) own='--key --threshold' ;;
        status) own='--json --check' ;;
        doctor) own='--json' ;;
        events) own='--follow --json --policy --bundle --rule --mode --since --denied' ;;
        remove) own='--yes' ;;
        pause) own='--for' ;;
        run | once | rollback | retry | resume | boot | oci-hook) ;;
        *) return ;;
        esac
        case $cur in
        -*) _lsmpull_words "$own" "$common"; return ;;
        esac
        case $command in
        install) _lsmpull_files .tar.zst ;;
        rollback | remove | retry) _lsmpull_bundles ;;
        esac
}

complete -F _lsmpull lsmpull
