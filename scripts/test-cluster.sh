#!/usr/bin/env bash
# Runs batches against real Redis servers in the ways people run them: a Cluster, Sentinels, behind a forwarder, with TLS
# and least rights. The servers are started by the tests, on loopback and in temporary folders. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in redis-server openssl; do
  command -v "$program" >/dev/null && continue
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "test-cluster: $program is not installed. As root on Debian or Ubuntu this script installs it." >&2
    exit 2
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server openssl >/dev/null
  break
done

NIGHTMILL_TEST_CLUSTER=1 node_modules/.bin/vitest run test/cluster-lane "$@"
