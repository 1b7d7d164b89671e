#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ci/install-data: what `make install` puts beside the programs must be accepted by those who read it: systemd, and lsmpull itself.
#
#   prove tests/cli/install.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

count=0
ok() { # NAME COMMAND...: passes when the command does
        local name=$1 out
        shift
        count=$((count + 1))
        if out=$("$@" 2>&1); then
                echo "ok $count - $name"
        else
                echo "not ok $count - $name"
                echo "# ${out//$'\n'/$'\n'# }"
        fi
}
skip() { # NAME WHY
        count=$((count + 1))
        echo "ok $count - $1 # SKIP $2"
}
silent() { # passes when the command succeeds and has nothing to say
        local out
        if out=$(timeout 60 "$@" 2>&1) && [ -z "$out" ]; then return 0; fi
        echo "$out"
        return 1
}
loud() { # passes when it has something to say
        ! silent "$@" >/dev/null
}
refuses() { # exit code 2, and nothing is made
        timeout 60 "$@"
        [ $? = 2 ]
}
mode() { [ "$(stat -c %a "$1")" = "$2" ]; }

# ---- for a distribution: into a folder of its own -------------------------------------------------------------------

d=$tmp/package
ok "into DESTDIR" silent ci/install-data "$d" /usr /etc /usr/lib/systemd/system
for f in usr/lib/systemd/system/lsmpull.service usr/lib/systemd/system/lsmpull-boot.service usr/lib/sysusers.d/lsmpull.conf \
        usr/lib/tmpfiles.d/lsmpull.conf etc/lsmpull/lsmpull.yaml usr/share/doc/lsmbundle/lsmpull.yaml usr/share/lsmpull/oci-hook.json; do
        ok "$f" mode "$d/$f" 644
done
ok "the program's place" grep -qx "ExecStart=/usr/sbin/lsmpull run" "$d/usr/lib/systemd/system/lsmpull.service"
ok "and at boot" grep -qx "ExecStart=/usr/sbin/lsmpull boot" "$d/usr/lib/systemd/system/lsmpull-boot.service"
for page in docs/man/*.[1-8]; do
        [ -e "$page" ] || continue
        ok "$page" cmp "$page" "$d/usr/share/man/man${page##*.}/${page##*/}"
done

# ---- again: a configuration that somebody has changed ----------------------------------------------------------------

echo 'mode: audit' >"$d/etc/lsmpull/lsmpull.yaml"
ok "installed again" ci/install-data "$d" /usr /etc /usr/lib/systemd/system
ok "the configuration stays" grep -qx 'mode: audit' "$d/etc/lsmpull/lsmpull.yaml"

# ---- elsewhere, and what reads it ------------------------------------------------------------------------------------

p=$tmp/elsewhere
ok "into another prefix" ci/install-data "" "$p" "$p/etc" "$p/lib/systemd/system"
ok "the unit names its configuration" grep -qx "ExecStart=$p/sbin/lsmpull run --config $p/etc/lsmpull/lsmpull.yaml" \
        "$p/lib/systemd/system/lsmpull.service"
ok "so does the hook of container runtimes" grep -qx ".*\"lsmpull\", \"oci-hook\", \"--config\", \"$p/etc/lsmpull/lsmpull.yaml\".*" \
        "$p/share/lsmpull/oci-hook.json"
ok "and its program" grep -q "\"path\": \"$p/sbin/lsmpull\"" "$p/share/lsmpull/oci-hook.json"
install -D -m 0755 /bin/true "$p/sbin/lsmpull"
if command -v systemd-analyze >/dev/null; then
        for unit in lsmpull lsmpull-boot; do
                # The same program finds a mistake, or its silence would say nothing.
                sed 's/^Type=.*/Type=nonsense/' "$p/lib/systemd/system/$unit.service" >"$tmp/$unit.service"
                ok "$unit.service: systemd accepts it" silent systemd-analyze verify --man=no "$p/lib/systemd/system/$unit.service"
                ok "$unit.service: and would say what is wrong" loud systemd-analyze verify --man=no "$tmp/$unit.service"
        done
else
        skip "units" "no systemd-analyze"
fi
if command -v systemd-sysusers >/dev/null; then
        mkdir -p "$tmp/root/etc"
        ok "systemd-sysusers makes the users" timeout 60 systemd-sysusers --root="$tmp/root" "$p/lib/sysusers.d/lsmpull.conf"
        for user in fetch load report; do
                ok "lsmpull-$user" grep -q "^lsmpull-$user:" "$tmp/root/etc/passwd"
        done
else
        skip "users" "no systemd-sysusers"
fi
if command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
        mkdir -p "$tmp/root"
        ok "systemd-tmpfiles makes the folders" timeout 60 systemd-tmpfiles --create --root="$tmp/root" "$p/lib/tmpfiles.d/lsmpull.conf"
        ok "state, for root alone" mode "$tmp/root/var/lib/lsmpull" 700
        ok "run, for all to see" mode "$tmp/root/run/lsmpull" 755
else
        skip "folders" "no systemd-tmpfiles, or not root"
fi

# ---- refusals --------------------------------------------------------------------------------------------------------

ok "too few arguments" refuses ci/install-data "$tmp/no" /usr /etc
ok "a relative prefix" refuses ci/install-data "$tmp/no" usr /etc /usr/lib/systemd/system
ok "a prefix that a unit would read otherwise" refuses ci/install-data "$tmp/no" '/usr/%h x' /etc /usr/lib/systemd/system
ok "nothing was made" test ! -e "$tmp/no"

echo "1..$count"
