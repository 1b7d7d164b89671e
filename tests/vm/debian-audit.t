# SPDX-License-Identifier: Apache-2.0
# The baseline on a Debian server that has an ordinary day: what it would have denied, nothing else than what its pages explain.
# root: debian
# mem: 1536
# timeout: 600
# kernels: 6.12
# files: tests/vm/node.sh:/test/node.sh tests/vm/ordinary-day.sh:/test/ordinary-day.sh puller/systemd/lsmpull.service:/test/units/lsmpull.service puller/systemd/lsmpull-boot.service:/test/units/lsmpull-boot.service puller/systemd/lsmpull.sysusers.conf:/test/units/lsmpull.sysusers.conf
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/ordinary-day.sh
exec </dev/null

ln -s /usr/sbin/lsmpull /usr/local/sbin/lsmpull
cp /test/units/*.service /etc/systemd/system/
cp /test/units/lsmpull.sysusers.conf /usr/lib/sysusers.d/lsmpull.conf
systemd-sysusers
config 'mode: audit' 'events: {file: {path: /var/log/lsmpull/events.json}}'
install -d -o lsmpull-report -m 0750 /var/log/lsmpull
systemctl daemon-reload
run systemctl enable --now lsmpull.service
is "$status" 0 "the agent's unit is started"
diag "$err"
apply baseline
is "$status" 0 "the baseline is installed, in audit"
diag "$err"

ordinary_day

# A check that finds nothing proves something only if it finds what is there.
cp /bin/busybox /tmp/day-probe
/tmp/day-probe true
sleep 2
lsmpull events --json >$T/events
ok "a program in /tmp is noticed" grep -q '"policy":"no-exec-writable".*day-probe' $T/events
is "$(jq -r 'select(.type == "denied") | .policy' $T/events | sort | uniq -c)" "" "nothing is denied in audit"
# POLICY RULE-OR-WHY COMM: in the pages' tables.
cat >$T/explained <<-'END'
	container-capabilities|uses a capability that leads out of its container|sh
	critical-files|settings|rm
	critical-files|settings|sh
	password-files|read|dpkg-preconfigu
END
jq -r 'select(.type == "would-deny") | select((.object // "") | endswith("day-probe") | not) |
        [.policy, .rule // .why, .comm] | join("|")' $T/events | sort -u >$T/found
is "$(grep -vxFf $T/explained $T/found)" "" "nothing that the pages do not explain would have been denied"
is "$(grep -vxFf $T/found $T/explained)" "" "and what they explain would have been"
lsmpull status | sed 's/^/# /'
done_testing
