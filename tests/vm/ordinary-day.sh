# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What a Debian server does on an ordinary day, for tests that want to know what a policy makes of it. After lib.sh, with
# "# root: debian". Each step is a check: a policy that breaks one is noticed.

day_packages() {
        export DEBIAN_FRONTEND=noninteractive
        ok "apt-get update" sh -c 'apt-get -q update >$T/day 2>&1'
        ok "packages are installed" sh -c 'apt-get -q -y install hello tcpdump >$T/day 2>&1 && hello >/dev/null'
        ok "one with scripts and units, again" sh -c 'apt-get -q -y --reinstall install logrotate >$T/day 2>&1'
        ok "and purged" sh -c 'apt-get -q -y purge hello tcpdump >$T/day 2>&1'
}

# A person logs in, with a key and over the network's loopback, and becomes root.
day_login() {
        rm -rf /root/.ssh/day /root/.ssh/day.pub /home/person/.ssh
        mkdir -p /root/.ssh /home/person/.ssh
        ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/day
        cp /root/.ssh/day.pub /home/person/.ssh/authorized_keys
        chown -R person:person /home/person/.ssh
        chmod 0700 /home/person/.ssh
        echo 'person ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/day
        systemctl start ssh.service
        into='ssh -q -i /root/.ssh/day -o StrictHostKeyChecking=accept-new -o BatchMode=yes person@localhost'
        is "$($into id -un)" person "somebody logs in by ssh"
        is "$($into sudo id -un)" root "and becomes root"
        ok "copies a file" sh -c "echo copied | $into 'cat >day.txt' && $into cat day.txt | grep -q copied"
        ok "changes a password" sh -c "echo 'person:correct horse' | chpasswd"
        ok "makes a user, and removes it" sh -c 'useradd -m guest && passwd -l guest >/dev/null && userdel -r guest 2>/dev/null'
}

day_units() {
        cat >/etc/systemd/system/day.service <<-'END'
		[Service]
		Type=oneshot
		DynamicUser=yes
		StateDirectory=day
		PrivateTmp=yes
		ProtectSystem=strict
		ProtectHome=yes
		PrivateDevices=yes
		SystemCallFilter=@system-service
		ExecStart=/bin/sh -c 'date >/var/lib/day/ran; echo ran >/tmp/ran; cat /tmp/ran'
	END
        systemctl daemon-reload
        ok "a confined unit" systemctl start day.service
        ok "has run" grep -q . /var/lib/day/ran
        ok "a transient one" systemd-run -q --wait -p User=nobody true
        ok "logs are rotated" logrotate -f /etc/logrotate.conf
        ok "temporary files are made and cleaned" sh -c 'systemd-tmpfiles --create --clean'
        ok "the journal is read" sh -c 'journalctl -n 5 --no-pager >/dev/null'
        ok "processes are looked at" sh -c 'ps auxww >/dev/null && ss -lntp >/dev/null && lsmod >/dev/null && dmesg >/dev/null'
        ok "clock and name are asked" sh -c 'timedatectl >/dev/null; hostnamectl >/dev/null'
}

# cron's own clock: at the next minute.
day_cron_begin() {
        rm -f /run/day-cron /run/day-cron-person
        printf '* * * * * root touch /run/day-cron\n* * * * * person id -un >/tmp/day-cron-person\n' >/etc/cron.d/day
        systemctl start cron.service
}
day_cron_end() {
        ok "cron's job as root" wait_for 90 [ -e /run/day-cron ]
        ok "and as a person" wait_for 10 grep -q person /tmp/day-cron-person
        rm /etc/cron.d/day
}

# day_container NAME COMMAND...: in a container of its own, on overlayfs, as crun does it by itself.
day_container() {
        day_name=$1
        shift
        b=/var/lib/day-containers/$day_name
        [ -d /var/lib/day-containers/image ] || {
                mkdir -p /var/lib/day-containers/image
                for d in bin dev etc proc sys tmp usr var; do mkdir -p /var/lib/day-containers/image/$d; done
                cp /usr/bin/busybox /var/lib/day-containers/image/bin/
                for a in sh cat echo id ls mount touch ps sleep; do ln -s busybox /var/lib/day-containers/image/bin/$a; done
                echo 'root:x:0:0:root:/:/bin/sh' >/var/lib/day-containers/image/etc/passwd
        }
        mkdir -p $b/rootfs $b/upper $b/work
        mount -t overlay -o "lowerdir=/var/lib/day-containers/image,upperdir=$b/upper,workdir=$b/work" overlay $b/rootfs
        for day_arg; do printf '%s' "$day_arg" | jq -Rs .; done | jq -s . >$b/args
        (cd $b && rm -f config.json && crun spec) &&
                jq --slurpfile args $b/args '.process.terminal = false | .root.readonly = false | .process.args = $args[0]' \
                        $b/config.json >$b/config.new && mv $b/config.new $b/config.json
        crun run --bundle $b "$day_name" </dev/null
        r=$?
        umount $b/rootfs
        return $r
}
day_containers() {
        is "$(day_container day-1 sh -c 'echo hello >/tmp/x; cat /tmp/x; id -u')" "hello
0" "a container runs"
        is "$(day_container day-2 cat /etc/passwd | cut -c 1-4)" root "and another, from the same image"
}

ordinary_day() {
        day_cron_begin
        day_packages
        day_login
        day_units
        day_containers
        day_cron_end
}
