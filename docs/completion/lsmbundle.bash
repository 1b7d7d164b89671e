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
        local roles='root targets bundles rollouts snapshot timestamp'
        COMPREPLY=()

        if [ "$COMP_CWORD" = 1 ]; then
                _lsmbundle_words keygen lint build sign verify inspect diff test repo import --help --version
                return
        fi
        if [ "$command" = repo ]; then
                if [ "$COMP_CWORD" = 2 ]; then
                        _lsmbundle_words init stage publish promote refresh rotate show --help
                        return
                fi
                command="repo ${COMP_WORDS[2]}"
        fi
        if [ "$command" = import ]; then
                if [ "$COMP_CWORD" = 2 ]; then
                        _lsmbundle_words kubearmor tetragon --help
                        return
                fi
                command="import ${COMP_WORDS[2]}"
        fi

        case $command:$previous in
        build:-k | build:--key | sign:-k | sign:--key | repo*:-k | repo*:--key) _lsmbundle_files .key .pem; return ;;
        verify:--root | sign:--root) _lsmbundle_files .json; return ;;
        verify:--ca) _lsmbundle_files .pem .crt; return ;;
        verify:-r | verify:--repo | sign:-[rs] | sign:--repo | sign:--source) _lsmbundle_files; return ;;
        repo*:-r | repo*:--repo | 'repo stage':-o | 'repo stage':--output) _lsmbundle_files; return ;;
        'repo init':--*-key | 'repo rotate':--add) _lsmbundle_files .pub .pem; return ;;
        'repo init':-t | 'repo init':--threshold | 'repo init':--expires)
                compopt -o nospace 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -W "${roles// /= }=" -- "$cur")
                return
                ;;
        'repo promote':--bake) _lsmbundle_words 10m 30m 1h 4h 1d; return ;;
        'repo promote':--else) _lsmbundle_words none; return ;;
        repo*:--git | repo*:--branch | repo*:--floor | repo*:--keep | repo*:--ring | repo*:-p | repo*:--percent | repo*:--waves) return ;;
        repo*:--allow | repo*:--remove | repo*:-t | repo*:--threshold) return ;;
        verify:-k | verify:--key) _lsmbundle_files .pub .pem; return ;;
        test:--kernel) _lsmbundle_words 6.1 6.12 latest; return ;;
        test:--lsmpull) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        test:-j | test:--jobs | test:--release | test:--timeout) return ;;
        build:-o | build:--output) _lsmbundle_files .tar.zst; return ;;
        import*:-o | import*:--output) _lsmbundle_files; return ;;
        import*:--mode) _lsmbundle_words audit enforce; return ;;
        import*:--name) return ;;
        keygen:-d | keygen:--dir) _lsmbundle_files; return ;;
        build:-j | build:--jobs | build:--release | build:--bundle-version | verify:-t | verify:--threshold) return ;;
        esac

        case $command in
        keygen) options='--dir' ;;
        lint) ;;
        build) options='--output --key --jobs --release --bundle-version --no-cache' ;;
        sign) options='--key --source --repo --root' ;;
        verify) options='--key --threshold --root --repo --ca --json' ;;
        inspect) options='--json' ;;
        diff) options='--json --markdown --exit-code' ;;
        test) options='--kernel --release --lsmpull --jobs --timeout --json' ;;
        'repo init')
                options='--key --root-key --targets-key --bundles-key --rollouts-key --snapshot-key --timestamp-key'
                options+=' --threshold --expires --git --branch'
                ;;
        'repo stage') options='--repo --floor --output' ;;
        'repo publish') options='--repo --key --keep' ;;
        'repo promote') options='--repo --key --ring --percent --waves --bake --allow --else --hold --resume' ;;
        'repo refresh') options='--repo --key --all' ;;
        'repo rotate') options='--repo --key --add --remove --threshold' ;;
        'repo show') options='--repo --json' ;;
        'import kubearmor' | 'import tetragon') options='--output --name --mode --whole-node' ;;
        *) return ;;
        esac
        case $cur in
        -*) _lsmbundle_words "$options" --help; return ;;
        esac
        case $command in
        lint | build | 'repo init' | 'repo publish') _lsmbundle_files ;;
        sign | verify | inspect | diff | test | 'repo stage') _lsmbundle_files .tar.zst ;;
        'repo rotate') _lsmbundle_words "$roles" ;;
        import*) _lsmbundle_files .yaml .yml ;;
        esac
}

complete -F _lsmbundle lsmbundle
