#!/usr/bin/env bash
# Holds the systemd units to systemd's own checkers, and serin to the units: what it calls is what they allow, and a
# socket passed by systemd is served. Needs Debian's systemd, strace and curl. Usage: deploy/check.sh ./serin
set -euo pipefail
serin=$(realpath "$1")
units=$(realpath "$(dirname "$0")/systemd")
dir=$(mktemp -d)
children=()
# shellcheck disable=SC2317
finish() { for c in "${children[@]}"; do kill -KILL "$c" 2>/dev/null || true; done; rm -rf "$dir"; }
trap finish EXIT

echo "== units"
cp "$units"/serin.* "$dir"
sed -i "s#/usr/local/bin/serin#$serin#" "$dir/serin.service"
systemd-analyze verify "$dir/serin.service" "$dir/serin.socket"
systemd-analyze security --offline=true --threshold=20 "$dir/serin.service" | tail -n 1

port=$((20000 + RANDOM % 10000))
cat >"$dir/serin.toml" <<TOML
[listen]
address = "fd:serin"
[admin]
address = "127.0.0.1:$((port + 1))"
[state]
dir = "$dir/state"
[upstream.v1]
servers = ["127.0.0.1:1"]
[route.all]
upstream = "v1"
TOML

echo "== socket activation"
systemd-socket-activate -l "127.0.0.1:$port" --fdname=serin \
	strace -D -f -qq -o "$dir/trace" "$serin" run -c "$dir/serin.toml" >"$dir/log" 2>&1 &
children+=($!)
for _ in {1..50}; do # until systemd-socket-activate listens
	answer=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/") && break
	sleep 0.2
done
[ "$answer" = 503 ] || { echo "a request on the passed socket answered $answer, want 503 of the upstream that is not there"; cat "$dir/log"; exit 1; }
curl -s -o /dev/null -X POST -H 'Content-Type: application/json' "http://127.0.0.1:$((port + 1))/v1/reload"
kill -TERM "${children[0]}"
wait "${children[0]}"
echo "served, reloaded, drained"

echo "== system calls"
expand() {
	systemd-analyze syscall-filter "$1" | tail -n +2 | sed 's/#.*//; s/ //g' | while read -r name; do
		case "$name" in @*) expand "$name" ;; ?*) echo "$name" ;; esac
	done
}
{ expand @privileged; expand @resources; } | sort -u >"$dir/denied"
expand @system-service | sort -u | comm -23 - "$dir/denied" >"$dir/allowed"
grep -oE '^[0-9]+ +[a-z_0-9]+\(' "$dir/trace" | sed -E 's/^[0-9]+ +//; s/\($//' | sort -u >"$dir/used"
refused=$(comm -23 "$dir/used" "$dir/allowed")
[ -z "$refused" ] || { echo "the unit's filter refuses: $refused"; exit 1; }
echo "$(wc -l <"$dir/used") different ones, all allowed"
