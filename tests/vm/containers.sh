# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Containers of crun on overlayfs, one after the other, whose entrypoint itself tries what is denied. After lib.sh, with "# root: debian".
#
#   containers_prepare       the image, with /secret/{boxed,named,pods,free}, and a configuration for each kind
#   containers_run N ID      N containers, one after the other, of all kinds; a line each: KIND STATUS and what could be read
#   containers_count FILE    of these lines: "RUN N leaks L denied-wrongly W broken B"
#   container_crun KIND ID VERB...   crun VERB, as that kind is run; ID is the container's

C=/var/lib/containers-test
KINDS='libpod pods named plain spaced'
CRUN='crun --root /run/containers-test'

# What a kind's cgroup is, whether it has a PID namespace, and what is denied in it. ID stands for the container's.
kind_cgroup() {
        case $1 in
        libpod) echo machine.slice:libpod:ID ;;
        named) echo machine.slice:machine:named ;;
        pods) echo /pods.slice/ID ;;
        *) echo /other/ID ;;
        esac
}
kind_denied() {
        case $1 in
        libpod | spaced) echo boxed ;;
        named) echo boxed named ;;
        pods) echo pods ;;
        esac
}
kind_namespaces() {
        case $1 in
        named | spaced) echo . ;;
        *) echo 'map(select(.type != "pid"))' ;;
        esac
}

containers_prepare() {
        mkdir -p $C/image /secret
        for d in bin dev etc proc sys secret; do mkdir -p $C/image/$d; done
        cp "$(command -v busybox)" $C/image/bin/busybox
        for a in sh cat sleep; do ln -sf busybox $C/image/bin/$a; done
        for f in boxed named pods free; do echo "$f" | tee /secret/$f >$C/image/secret/$f; done
        (cd $C && rm -f config.json && crun spec)
        for k in $KINDS; do
                jq --arg cgroup "$(kind_cgroup "$k")" ".linux.namespaces |= $(kind_namespaces "$k") | .linux.cgroupsPath = \$cgroup"'
                        | .process.terminal = false | .root.readonly = false
                        | .process.args = ["cat", "/secret/boxed", "/secret/named", "/secret/pods", "/secret/free"]' \
                        $C/config.json >$C/$k.json
        done
}

container_crun() { # KIND ID VERB ARGS...
        _kind=$1 _id=$2 _verb=$3
        shift 3
        case $_kind in
        libpod | named) $CRUN --systemd-cgroup "$_verb" "$@" "$_id" ;;
        *) $CRUN "$_verb" "$@" "$_id" ;;
        esac
}

# Its bundle, on an overlay of its own.
container_make() { # KIND ID
        mkdir -p "$C/$2/rootfs" "$C/$2/upper" "$C/$2/work"
        sed "s/ID\"/$2\"/" "$C/$1.json" >"$C/$2/config.json"
        mount -t overlay -o "lowerdir=$C/image,upperdir=$C/$2/upper,workdir=$C/$2/work" overlay "$C/$2/rootfs"
}
container_remove() { # ID
        umount "$C/$1/rootfs"
        rm -rf --one-file-system "${C:?}/$1"
}

containers_run() {
        made=0
        while [ $made -lt "$1" ]; do
                for k in $KINDS; do
                        # A name is one container's at a time.
                        case $k-$2 in named-[!1]*) continue ;; esac
                        [ $made -lt "$1" ] || break
                        made=$((made + 1))
                        container_make "$k" "w$2n$made"
                        read=$(container_crun "$k" "w$2n$made" run --bundle "$C/w$2n$made" 2>"$C/w$2n$made/err" </dev/null)
                        # shellcheck disable=SC2086
                        echo "$k" $? $read
                        # What cat says is denied; the rest is why a container did not run.
                        grep -v '^cat: can.t open' "$C/w$2n$made/err"
                        container_remove "w$2n$made"
                done
        done
}

# A line that does not end in "free" is of a container that has not got as far.
containers_count() {
        for k in $KINDS; do echo "$k" "$(kind_denied "$k")"; done | awk '
                FNR == NR { known[$1] = 1; for (i = 2; i <= NF; i++) denied[$1, $i] = 1; next }
                !known[$1] || $NF != "free" { broken++; next }
                {
                        run++
                        split("boxed named pods", files, " ")
                        for (f in files) {
                                got = 0
                                for (i = 3; i < NF; i++) got += $i == files[f]
                                if (got && denied[$1, files[f]]) leaks++
                                if (!got && !denied[$1, files[f]]) wrong++
                        }
                }
                END { printf "run %d leaks %d denied-wrongly %d broken %d\n", run, leaks, wrong, broken }' - "$1"
}
