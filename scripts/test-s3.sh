#!/usr/bin/env bash
# Runs the object store suite against a real S3 server: Ceph's radosgw with one in-memory disk, on loopback only.
# Debian's packages are installed if they are missing (needs root and apt). Everything else, data and logs included,
# lives in a temporary folder and is gone at the end. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "test-s3: $*" >&2; }

for program in ceph-mon ceph-osd radosgw radosgw-admin; do
  command -v "$program" >/dev/null && continue
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    say "$program is not installed. As root on Debian or Ubuntu this script installs it; elsewhere install Ceph's mon, osd and radosgw first."
    exit 2
  fi
  say 'installing radosgw'
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ceph-mon ceph-osd ceph-common radosgw >/dev/null
  break
done

folder=$(mktemp -d -t nightmill-s3-XXXXXX)
daemons=()
stop() {
  status=$?
  trap - EXIT INT TERM
  if [ "$status" != 0 ]; then tail -n 5 "$folder"/log/*.out >&2 2>/dev/null || true; fi
  # The newest first: the gateway waits for its disk when it ends.
  for ((index = ${#daemons[@]} - 1; index >= 0; index--)); do
    kill "${daemons[$index]}" 2>/dev/null || true
    wait "${daemons[$index]}" 2>/dev/null || true
  done
  rm -rf "$folder"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

start() {
  local name=$1
  shift
  "$@" >"$folder/log/$name.out" 2>&1 &
  daemons+=($!)
}

read -r monitor_port gateway_port < <(node --input-type=module -e '
  import { createServer } from "node:net";
  const servers = [createServer(), createServer()];
  const ports = [];
  for (const server of servers) await new Promise((done) => server.listen(0, "127.0.0.1", done));
  for (const server of servers) ports.push(server.address().port);
  for (const server of servers) server.close();
  console.log(ports.join(" "));')

mkdir "$folder"/{log,run,monitor,disk,gateway}
cluster=$(cat /proc/sys/kernel/random/uuid)
disk=$(cat /proc/sys/kernel/random/uuid)
cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $cluster
mon host = v2:127.0.0.1:$monitor_port/0
public addr = 127.0.0.1
keyring = $folder/keyring
auth allow insecure global id reclaim = false
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
run dir = $folder/run
admin socket = $folder/run/\$name.\$pid.asok
pid file = $folder/run/\$name.pid
log file = $folder/log/\$name.log
[mon.a]
mon data = $folder/monitor
[osd.0]
osd data = $folder/disk
osd objectstore = memstore
memstore device bytes = 2147483648
[client.admin]
rgw data = $folder/gateway
rgw frontends = beast endpoint=127.0.0.1:$gateway_port
CONF
export CEPH_CONF="$folder/ceph.conf"

say 'starting radosgw'
{
  ceph-authtool --create-keyring "$folder/keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool "$folder/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
  ceph-authtool "$folder/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  monmaptool --create --fsid "$cluster" --addv a "[v2:127.0.0.1:$monitor_port/0]" "$folder/monitors"
  ceph-mon --mkfs -i a --monmap "$folder/monitors" --keyring "$folder/keyring" --no-mon-config
} >"$folder/log/setup.out" 2>&1
start monitor ceph-mon -f -i a
timeout 60 ceph osd new "$disk" 0 >>"$folder/log/setup.out" 2>&1
ceph-osd -i 0 --mkfs --osd-uuid "$disk" >>"$folder/log/setup.out" 2>&1
start disk ceph-osd -f -i 0

new_user() {
  timeout 60 radosgw-admin user create --uid "$1" --display-name "$1" --access-key "$1-key" --secret-key "$1-secret" \
    >>"$folder/log/setup.out" 2>&1
}
new_user owner
new_user stranger
start gateway radosgw -f -n client.admin

endpoint="http://127.0.0.1:$gateway_port"
for attempt in $(seq 300); do
  if curl -sf -o /dev/null "$endpoint"; then break; fi
  if [ "$attempt" = 300 ] || ! kill -0 "${daemons[-1]}" 2>/dev/null; then
    say "radosgw does not answer at $endpoint"
    exit 1
  fi
  sleep 0.1
done

say "testing against radosgw at $endpoint"
NIGHTMILL_TEST_S3_ENDPOINT="$endpoint" node_modules/.bin/vitest run test/s3-lane "$@"
