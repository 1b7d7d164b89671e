#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # backticks of Markdown
# Metrics, as operators get them: the agent's text, read by a real node_exporter, scraped by a real Prometheus, with the alert rules
# that are shipped, and every expression of the dashboard.
#
#   make cli-progs && prove tests/cli/metrics.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
top=$PWD
prog=$top/build/${LSM_VARIANT:-release}/tests/progs/metrics-sample
for p in prometheus promtool prometheus-node-exporter curl jq; do
        command -v $p >/dev/null || { echo "1..0 # SKIP $p is not installed"; exit 0; }
done
[ -x "$prog" ] || { echo "Bail out! $prog is not built: make cli-progs"; exit 1; }

tmp=$(mktemp -d) exporter='' prometheus=''
cleanup() {
        for p in $exporter $prometheus; do kill "$p" 2>/dev/null; done
        wait 2>/dev/null
        rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

count=0 out=''
result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf '%s\n' "$out" | head -n 40 | sed 's/^/#   /'
        fi
}

# ---- the text, the rules, the dashboard -----------------------------------------------------------------------------

mkdir "$tmp/text"
prom=$tmp/text/lsmpull.prom
out=$("$prog" tests/data/metrics/status.json "$prom" 2>&1)
result $? "a status document becomes metrics"
out=$(promtool check metrics <"$prom" 2>&1) && [ -z "$out" ]
result $? "promtool has nothing to say about them"

sed -n 's/^# TYPE \([a-z_]*\) \([a-z]*\)$/\1 \2/p' "$prom" | sort >"$tmp/written"
sed -n 's/^| `\(lsmpull_[a-z_]*\)` | \([a-z]*\) |.*/\1 \2/p' docs/metrics.md | sort >"$tmp/documented"
out=$(diff "$tmp/written" "$tmp/documented") && [ -s "$tmp/written" ]
result $? "metrics.md has every metric with its type, and no other"
# The labels, too.
sed -n 's/^\(lsmpull_[a-z_]*\)\({.*}\)\{0,1\} .*/\1 \2/p' "$prom" | sed 's/="[^"]*"//g; s/[{},]/ /g; s/  */ /g; s/ $//' | sort -u >"$tmp/labels"
sed -n 's/^| `\(lsmpull_[a-z_]*\)` | [a-z]* | \([^|]*\)|.*/\1 \2/p' docs/metrics.md | tr -d '`' | sed 's/  */ /g; s/ $//' | sort -u >"$tmp/labels-documented"
out=$(diff "$tmp/labels" "$tmp/labels-documented") && [ -s "$tmp/labels" ]
result $? "and its labels"

out=$(promtool check rules docs/metrics/alerts.yaml 2>&1)
result $? "the alert rules are rules"
cp docs/metrics/alerts.yaml tests/data/metrics/alerts-test.yaml "$tmp"
out=$(cd "$tmp" && promtool test rules alerts-test.yaml 2>&1)
result $? "they fire when they should, and not when they should not"

cut -d' ' -f1 "$tmp/written" >"$tmp/names"
unknown() { grep -ohE '\blsmpull_[a-z_]+' "$1" | sort -u | grep -vxFf "$tmp/names"; }
out=$(unknown docs/metrics/alerts.yaml)
[ -z "$out" ] && grep -q lsmpull_ docs/metrics/alerts.yaml
result $? "they use metrics that exist, and no others"
jq -r '.panels[].targets[].expr' docs/metrics/dashboard.json >"$tmp/expressions"
out=$(unknown "$tmp/expressions")
[ -z "$out" ] && [ "$(wc -l <"$tmp/expressions")" -gt 20 ]
result $? "so does the dashboard"

# ---- a real Prometheus ----------------------------------------------------------------------------------------------

port() { echo $((20000 + RANDOM % 20000)); }
# Started again with another port when somebody has that one. The exporter has nothing else to tell.
answers() { # PORT PATH
        local _
        for _ in $(seq 100); do
                curl -sf "http://127.0.0.1:$1$2" >/dev/null && return 0
                sleep 0.2
        done
        return 1
}
for _ in 1 2 3; do
        exporter_port=$(port)
        prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory="$tmp/text" \
                --web.listen-address="127.0.0.1:$exporter_port" >"$tmp/exporter.log" 2>&1 &
        exporter=$!
        if answers "$exporter_port" /metrics && kill -0 $exporter; then break; fi
        kill $exporter 2>/dev/null
        exporter=''
done
out=$(cat "$tmp/exporter.log")
[ -n "$exporter" ]
result $? "node_exporter runs"
out=$(curl -s "http://127.0.0.1:$exporter_port/metrics" | grep -E '^(lsmpull_|node_textfile_scrape_error)')
# Times are written in another form there.
plain() { grep '^lsmpull_' | grep -v '_duration_\|timestamp' | sort; }
grep -qx 'node_textfile_scrape_error 0' <<<"$out" && [ "$(plain <<<"$out")" = "$(plain <"$prom")" ] && [ "$(plain <"$prom" | wc -l)" -gt 50 ]
result $? "it reads the file without an error, all of it"

cat >"$tmp/prometheus.yml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$top/docs/metrics/alerts.yaml]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:$exporter_port"]}]
END
for _ in 1 2 3; do
        prometheus_port=$(port)
        prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" --web.listen-address="127.0.0.1:$prometheus_port" \
                >"$tmp/prometheus.log" 2>&1 &
        prometheus=$!
        if answers "$prometheus_port" /-/ready && kill -0 $prometheus; then break; fi
        kill $prometheus 2>/dev/null
        prometheus=''
done
out=$(tail -n 20 "$tmp/prometheus.log")
[ -n "$prometheus" ]
result $? "Prometheus runs with the alert rules"

ask() { curl -s --data-urlencode "query=$1" "http://127.0.0.1:$prometheus_port/api/v1/query"; }
# gives VALUE EXPRESSION NAME: within 20 seconds
gives() {
        local _ got
        for _ in $(seq 100); do
                out=$(ask "$2")
                got=$(jq -r '.data.result[0].value[1]' <<<"$out" 2>/dev/null)
                if [ "$got" = "$1" ]; then result 0 "$3"; return; fi
                sleep 0.2
        done
        result 1 "$3"
}
gives 41 'lsmpull_bundle_release{bundle="baseline"}' "it has the release in force"
gives 17 'lsmpull_denials_total{bundle="baseline",policy="shadow"}' "the denials of a policy"
gives 0.8 'lsmpull_bake_would_be_denials / lsmpull_bake_allowed' "the health of a bake"
gives 1 'sum by (ring) (lsmpull_rollout_state{state="baking"} * on (instance, bundle) group_left (ring) lsmpull_rollout_info{ring="canary"})' \
        "nodes of a ring that bake"
gives 1 'ALERTS{alertname="LsmpullReleaseFailed",bundle="baseline",reason="health-failed",alertstate="firing"}' "an alert fires for a release that failed"
gives 1 'ALERTS{alertname="LsmpullBakeDenials",bundle="baseline",alertstate="firing"}' "and for a bake that shows denials"

# The next release is in force, and what was wrong is over.
jq '.bundles[0].in_force.release = 42 | .bundles[0].rollout = {ring: "canary", why: "current", release: 42} | .quarantine = []' \
        tests/data/metrics/status.json >"$tmp/status.json"
"$prog" "$tmp/status.json" "$prom"
gives 42 'lsmpull_bundle_release{bundle="baseline"}' "the next release arrives"
gives null 'lsmpull_bake_release' "the bake has ended"
gives null 'ALERTS{alertname=~"LsmpullReleaseFailed|LsmpullBakeDenials"}' "no alert is left"

bad=''
while read -r expression; do
        # As Grafana fills them in.
        query=${expression//\$bundle/.*} query=${query//\$instance/.*} query=${query//\$__rate_interval/1m}
        answer=$(ask "$query")
        [ "$(jq -r .status <<<"$answer")" = success ] || bad+="$query: $answer"$'\n'
done <"$tmp/expressions"
out=$bad
[ -z "$bad" ]
result $? "every expression of the dashboard is one"
# Most panels show something for this one node.
shown=0
while read -r expression; do
        query=${expression//\$bundle/.*} query=${query//\$instance/.*} query=${query//\$__rate_interval/1m}
        [ "$(ask "$query" | jq '.data.result | length')" = 0 ] || shown=$((shown + 1))
done <"$tmp/expressions"
out="$shown of $(wc -l <"$tmp/expressions")"
[ $shown -ge 20 ]
result $? "and shows something"

echo "1..$count"
