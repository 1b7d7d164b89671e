# SPDX-License-Identifier: Apache-2.0
# The agent as what it is on a node: two units of a Debian system that was booted by systemd.
# root: debian
# mem: 1536
# kernels: 6.1 6.12
# timeout: 300
# files: tests/vm/node.sh:/test/node.sh puller/systemd/lsmpull.service:/test/units/lsmpull.service puller/systemd/lsmpull-boot.service:/test/units/lsmpull-boot.service puller/systemd/lsmpull.sysusers.conf:/test/units/lsmpull.sysusers.conf
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

# ---- installed ---------------------------------------------------------------------------------------------------------

# Units name /usr/local/sbin, where `make install` puts it. Programs that only this test brings are not confined with it.
ln -s /usr/sbin/lsmpull /usr/local/sbin/lsmpull
cp /test/units/*.service /etc/systemd/system/
cp /test/units/lsmpull.sysusers.conf /usr/lib/sysusers.d/lsmpull.conf
run systemd-sysusers
is "$status" 0 "users are made"
config 'confirm: {deadline: 60s, health: 1s}'
run systemd-analyze verify --man=no /etc/systemd/system/lsmpull.service /etc/systemd/system/lsmpull-boot.service
is "$status$err" 0 "systemd finds nothing wrong with the units"
systemctl daemon-reload
run systemctl enable --now lsmpull.service
is "$status" 0 "enabled and started"
is "$(systemctl is-active lsmpull.service)" active "it says when it is ready"
is "$(systemctl is-enabled lsmpull-boot.service)" enabled "the boot unit comes with it"

# ---- enforcing -----------------------------------------------------------------------------------------------------------

apply rb-1
is "$status" 0 "a bundle is installed, by the unit's agent in its unit's confinement"
diag "$err"
fails "it is enforced" allowed shadow
ok "and no more than that" allowed other
like "$(journalctl -u lsmpull.service --no-pager -o cat)" 'confirmed' "the journal has it"
systemctl stop lsmpull.service
fails "a stopped agent: enforced all the same" allowed shadow
systemctl start lsmpull.service
fails "started again: enforced" allowed shadow
is "$(lsmpull status --json | jq -r '.bundles[0].state')" enforcing "and taken over as it was"

# ---- what systemd does to units -------------------------------------------------------------------------------------------

main=$(systemctl show -P MainPID lsmpull.service)
kill -9 "$main"
ok "killed: systemd starts another" wait_for 20 sh -c "p=\$(systemctl show -P MainPID lsmpull.service); [ \$p != 0 ] && [ \$p != $main ] && [ \$(systemctl is-active lsmpull.service) = active ]"
fails "and it is enforced" allowed shadow
main=$(systemctl show -P MainPID lsmpull.service)
run systemctl reload lsmpull.service
is "$status" 0 "reload"
ok "reads the configuration again" wait_for 10 sh -c "journalctl -u lsmpull.service --no-pager -o cat | grep -q 'configuration read again'"
is "$(systemctl show -P MainPID lsmpull.service)" "$main" "and is still the same process"
# A wedged agent: the watchdog's turn comes after a minute, which is shortened here.
mkdir -p /etc/systemd/system/lsmpull.service.d
printf '[Service]\nWatchdogSec=3\nWatchdogSignal=SIGKILL\n' >/etc/systemd/system/lsmpull.service.d/t.conf
systemctl daemon-reload
systemctl restart lsmpull.service
main=$(systemctl show -P MainPID lsmpull.service)
sleep 5
is "$(systemctl show -P MainPID lsmpull.service)" "$main" "a watchdog of three seconds is fed"
kill -STOP "$main"
ok "and ends an agent that hangs" wait_for 30 sh -c "p=\$(systemctl show -P MainPID lsmpull.service); [ \$p != 0 ] && [ \$p != $main ]"
fails "enforced all the while" allowed shadow

# ---- the boot unit ----------------------------------------------------------------------------------------------------------

systemctl stop lsmpull.service lsmpull-boot.service
find /sys/fs/bpf -name link -exec rm {} +
find /sys/fs/bpf -mindepth 1 -depth -delete
ok "nothing pinned, nothing enforced" wait_for 10 allowed shadow
run systemctl start lsmpull-boot.service
is "$status" 0 "the boot unit"
fails "enforces what was confirmed" allowed shadow
run systemctl start lsmpull.service
is "$(lsmpull status --json | jq -r '.bundles[0].state')" enforcing "and the agent takes it over"
done_testing
