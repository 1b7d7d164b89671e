# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of lsmbundle for bash: commands, options, and files by their kind.

_lsmbundle_words() { # WORD...: those that begin like what has been typed
        mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

_lsmbundle_files() { # [EXTENSION...]: directories, and files whose names end so; without any, directories alone
        local extension
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(
                compgen -d -- "$cur"
                for extension; do compgen -f -X "!*$extension" -- "$cur"; done | sort -u
        )
}

_lsmbundle() {
        local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} options=''
        COMPREPLY=()

        if [ "$COMP_CWORD" = 1 ]; then
                _lsmbundle_words keygen lint build sign verify inspect diff --help --version
                return
        fi

        case $command:$previous in
        build:-k | build:--key | sign:-k | sign:--key) _lsmbundle_files .key .pem; return ;;
        verify:-k | verify:--key) _lsmbundle_files .pub .pem; return ;;
        build:-o | build:--output) _lsmbundle_files .tar.zst; return ;;
        keygen:-d | keygen:--dir) _lsmbundle_files; return ;;
        build:-j | build:--jobs | build:--release | build:--bundle-version | verify:-t | verify:--threshold) return ;;
        esac

        case $command in
        keygen) options='--dir' ;;
        lint) ;;
        build) options='--output --key --jobs --release --bundle-version --no-cache' ;;
        sign) options='--key' ;;
        verify) options='--key --threshold --json' ;;
        inspect) options='--json' ;;
        diff) options='--json --markdown --exit-code' ;;
        *) return ;;
        esac
        case $cur in
        -*) _lsmbundle_words "$options" --help; return ;;
        esac
        case $command in
        lint | build) _lsmbundle_files ;;
        sign | verify | inspect | diff) _lsmbundle_files .tar.zst ;;
        esac
}

complete -F _lsmbundle lsmbundle
