# SPDX-License-Identifier: Apache-2.0
# What was confirmed is enforced after a reboot, without any network; what was on trial when the power went is not, and is tried twice at
# most; a damaged store is not believed; and the kernel's command line is the way out.
# files: tests/vm/node.sh:/test/node.sh
# reboot: yes
# timeout: 200
# append-3: lsmpull.mode=audit
# append-4: lsmpull.mode=off
. "$TESTLIB"
. /test/node.sh

B=bundles.0

on_trial() { status && [ "$(value $B.state)" = trial ]; }

# The power goes while release 2 is on trial.
power_cut_in_trial() {
        lsmpull install /test/bundles/rb-2.tar.zst --key $KEY >$T/install 2>&1 &
        ok "release 2 is on trial when the power goes" wait_for 100 on_trial || diag "$(cat $T/install)"
        reboot_guest cut
}

config "source: {bundle: 'https://localhost:1/rb.tar.zst', keys: [$KEY]}" 'confirm: {deadline: 100s, health: 90s}'
[ "$PHASE" = 1 ] || ok "nothing is enforced before the agent's first start" allowed shadow
ip link set lo down

case $PHASE in
1)
        config 'confirm: {deadline: 100s, health: 1s}'
        apply rb-1
        is "$status" 0 "release 1 installs"
        config 'confirm: {deadline: 100s, health: 90s}'
        power_cut_in_trial
        ;;
2)
        run lsmpull boot
        is "$status" 0 "the start after a power cut succeeds"
        wants $B.state '^enforcing$' "the confirmed release is enforced, with no network and no source"
        is "$(value $B.in_force.release)" 1 "it is release 1"
        ok "which denies" denied shadow
        ok "and denies no more than that" allowed gshadow
        is "$(value $B.left.release) $(value $B.left.reason)" "2 not-confirmed" "status says what became of release 2"
        is "$(value 'quarantine.*.release')" "" "one attempt is not the end"
        config 'confirm: {deadline: 100s, health: 90s}'
        power_cut_in_trial
        ;;
3)
        run lsmpull boot
        is "$status" 0 "audit, by the kernel's command line: the start succeeds"
        status
        is "$(value mode) $(value $B.state) $(value $B.in_force.release)" "audit audit 1" "audit: status says so"
        like "$(value mode_source)" 'lsmpull.mode=audit' "audit: and where it comes from"
        ok "audit: nothing is denied" allowed shadow
        wants $B.policies.0.would_deny '^[1-9]' "audit: but counted"
        is "$(value $B.policies.0.denied)" 0 "audit: not as a denial"
        is "$(value 'quarantine.*.release') $(value 'quarantine.*.reason')" "2 not-confirmed" "a second power cut in its trial: release 2 is in quarantine"
        apply rb-2
        is "$status" 3 "a third attempt is refused"
        like "$err" 'refused: .*quarantined: ' "with its reason"
        config 'confirm: {deadline: 100s, health: 1s}'
        apply rb-9
        is "$status" 0 "audit: a new release is taken"
        [ "$status" = 0 ] || diag "$err"
        ok "audit: it denies nothing either" allowed gshadow
        reboot_guest
        ;;
4)
        run lsmpull boot
        is "$status" 0 "off, by the kernel's command line: the start succeeds"
        status
        is "$(value mode) $(value $B.state)" "off off" "off: status says so"
        ok "off: nothing is denied" allowed shadow
        is "$(find /sys/fs/bpf -path "*/bundle/*")" "" "off: nothing is in the kernel"
        apply rb-1
        is "$status" 3 "off: nothing is installed"
        like "$err" 'refused: .*lsmpull.mode=off' "off: for that reason"
        reboot_guest
        ;;
5)
        cp -r /var/lib/lsmpull/store /tmp/store
        status
        member=/var/lib/lsmpull/store/$(value $B.in_force.content)/member/0000
        size=$(stat -c %s "$member")
        printf 'X' | dd of="$member" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
        fails "a byte of the kept release is another" cmp "$member" "/tmp/${member#/var/lib/lsmpull/}"
        run lsmpull boot
        is "$status" 3 "damaged store: the start fails"
        like "$err" 'refused: .*digest-mismatch: ' "damaged store: with the reason"
        like "$err" 'kept release 9 of .rb.' "damaged store: saying what is damaged"
        wants $B.state '^none$' "damaged store: status does not claim that anything is enforced"
        is "$(find /sys/fs/bpf -path "*/bundle/*")" "" "damaged store: nothing was loaded"
        cp "/tmp/${member#/var/lib/lsmpull/}" "$member"
        ok "the store is whole again" lsmpull boot
        wants $B.in_force.release '^9$' "the release that was taken in audit mode is in force"
        is "$(value mode) $(value $B.state)" "enforce enforcing" "and enforced, with nothing on the command line"
        ok "it denies" denied gshadow
        done_testing
        ;;
esac
