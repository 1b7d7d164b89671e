# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For tests that make storms of denials and account for each one. After lib.sh and node.sh, with an agent that writes events to $EVENTS.
#
#   storm ARGS...         tests/vm/progs/storm: what it says in $T/storm, how fast it was in $T/storm-speed
#   quiet                 nothing is written any more; takes the status for what follows here
#   counter POLICY KEY    of a policy
#   rule_counter RULE KEY of a rule
#   all_lost              events_lost of all policies
#   sink_dropped          events that the file has missed
#   count_of              denials that the events on stdin stand for
#   told PATTERN          the same of those in the file

EVENTS=/var/log/lsmpull/events.json

storms_begin() {
        mkdir -p /etc/lsmpull /var/log/lsmpull
        chmod 0777 /var/log/lsmpull
        rm -f $EVENTS* # what another test has left
        cat >/etc/lsmpull/lsmpull.yaml <<EOF
confirm: {health: 1s, deadline: 200s}
events:
  file: {path: $EVENTS, max_size: 256MiB}
EOF
}

storm() {
        /test/progs/storm "$@" >$T/storm 2>$T/storm-speed
        _r=$?
        diag "storm $*: $(cat $T/storm $T/storm-speed | tr '\n' ' ')"
        return $_r
}

# of LIST NAME KEY: a member of what is called NAME in a list of the last status
of() {
        _at=$(sed -n "s/^\(.*$1\.[0-9]*\.\)[a-z]*=$2\$/\1/p" $T/status | head -n 1)
        value "$_at$3"
}
counter() { of policies "$1" "$2"; }
rule_counter() { of rules "$1" "$2"; }
all_lost() { sed -n 's/.*\.events_lost=//p' $T/status | awk '{ n += $1 } END { printf "%d", n }'; }
sink_dropped() { of sinks file dropped; }

count_of() { sed -n 's/.*"count":\([0-9]*\).*/\1/p; t; s/.*/1/p' | awk '{ n += $1 } END { printf "%d", n }'; }
told() { grep "$1" $EVENTS | count_of; }
quiet() { _a=$(wc -l <$EVENTS) && sleep 4 && [ "$(wc -l <$EVENTS)" = "$_a" ] && status; }
