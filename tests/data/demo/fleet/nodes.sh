# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $top, $work: ci/demo-fleet
# The demo's nodes: virtual machines that pull from the server on this machine, and take commands. After tell.sh.
#
#   node_start NAME RING SOURCE KERNEL    boots one, in the background
#   nodes_stop                            ends all of them; fails when one of them had died
#   ask NAME COMMAND                      runs it there, prints what it prints, ends as it ends
#   at NAME COMMAND                       the same as a step of the story
#   fleet                                 one line a node, from `lsmpull status --json` of each
#   until_node NAME MEANING JQ            waits until the node's status is so: a check of the story

declare -A node_pid=() node_ring=() node_source=() node_fd=()
node_names=()

node_start() {
        local name=$1 kernel=$4 d=$work/nodes/$1 fd
        node_names+=("$name") node_ring[$name]=$2 node_source[$name]=https
        case $3 in git:*) node_source[$name]=git ;; esac
        mkdir -p "$d/root/etc/lsmpull/tls"
        sed "s,@NODE@,$name,; s,@RING@,$2,; s,@SOURCE@,$3," "$story/lsmpull.yaml" >"$d/root/etc/lsmpull/lsmpull.yaml"
        certificate "$name" && cp "$work/tls/$name.pem" "$d/root/etc/lsmpull/tls/node.pem" &&
                install -m 0600 "$work/tls/$name.key" "$d/root/etc/lsmpull/tls/node.key" || return
        # What is its own follows what all have.
        { cat "$work/node.cpio" && (cd "$d/root" && find etc | cpio -o -H newc -R 0:0 --quiet); } >"$d/initrd" || return
        mkfifo "$d/in"
        exec {fd}<>"$d/in"      # open at both ends: the node's input does not end with each command
        node_fd[$name]=$fd
        "$top/ci/vm" --kernel "$kernel" --cpus 1 --mem 512 --net "$port" --stdin --timeout 3600 --console "$d/console" \
                "$d/initrd" <"$d/in" >"$d/out" 2>"$d/err" &
        node_pid[$name]=$!
}

node_died() {
        printf '%s: %s\n' "$1" "$2" >&2
        tail -n 40 "$work/nodes/$1/err" >&2
}

nodes_stop() {
        local name r=0
        for name in "${node_names[@]}"; do answer "$name" '^ready$' >/dev/null && echo end >&"${node_fd[$name]}"; done
        for name in "${node_names[@]}"; do wait "${node_pid[$name]}" || { node_died "$name" "did not end well"; r=1; }; done
        node_pid=()
        return $r
}

# answer NAME REGEX: the first line of that form that comes from there
answer() {
        local tries=0
        until grep -m 1 "$2" "$work/nodes/$1/out"; do
                kill -0 "${node_pid[$1]}" 2>/dev/null || { node_died "$1" "it is not running any more"; return 1; }
                tries=$((tries + 1))
                [ $tries -lt 3000 ] || { node_died "$1" "no answer within ten minutes"; return 1; }
                sleep 0.2
        done
}

ask() {
        local id=$BASHPID.$SRANDOM end
        answer "$1" '^ready$' >/dev/null || return 125
        echo "$id $2" >&"${node_fd[$1]}"
        end=$(answer "$1" "^$id=") || return 125
        sed -n "s/^$id //p" "$work/nodes/$1/out"
        return "${end#*=}"
}

at() { PROMPT="$1#" show "$2" ask "$1"; }

status_of() { ask "$1" 'lsmpull status --json'; }

fleet() {
        local name pids=() r=0
        for name in "${node_names[@]}"; do status_of "$name" >"$work/nodes/$name/status" & pids+=($!); done
        for name in "${pids[@]}"; do wait "$name" || r=1; done
        printf '%-10s %-8s %-7s %-7s %-11s %-11s %s\n' NODE RING SOURCE KERNEL 'IN FORCE' STATE ROLLOUT
        for name in "${node_names[@]}"; do
                jq -r --arg name "$name" --arg ring "${node_ring[$name]}" --arg source "${node_source[$name]}" '
                        (.bundles[0] // {}) as $b | $b.in_force as $f | $b.rollout as $r |
                        [$name, $ring, $source, (.kernel | split(".")[:2] | join(".")),
                         if $f then "\($f.release) (\($f.version))" else "-" end, $b.state // "-",
                         ([$r.why // "-", $r.reason // ""] | map(select(. != "")) | join(": "))] | @tsv' \
                        "$work/nodes/$name/status" |
                        awk -F'\t' '{ printf "%-10s %-8s %-7s %-7s %-11s %-11s %s\n", $1, $2, $3, $4, $5, $6, $7 }' || r=1
        done
        return $r
}

until_node() {
        local until=$((SECONDS + 600)) why=
        until status_of "$1" 2>/dev/null | jq -e "$3" >/dev/null 2>&1; do
                if ! kill -0 "${node_pid[$1]}" 2>/dev/null; then
                        why='this node is not running any more'
                        tail -n 40 "$work/nodes/$1/err"
                elif [ $SECONDS -ge $until ]; then
                        why="not so within ten minutes: $3"
                        status_of "$1" | jq -c .
                        ask "$1" 'tail -n 30 /var/log/lsmpull.log'
                fi
                [ -z "$why" ] || bad "$1: $2" "$why"
                sleep 1
        done
        good "$1: $2"
}
