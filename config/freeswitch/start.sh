#!/bin/sh
# Starts FreeSWITCH with this folder as its configuration, and refuses to without a password of its
# own. Logs go to the console. Writable folders are taken from FREESWITCH_STATE.
set -eu

: "${RINGFENCE_FREESWITCH_PASSWORD:?set it to a secret of your own, e.g. from: openssl rand -hex 16}"
case "$(printf %s "$RINGFENCE_FREESWITCH_PASSWORD" | tr '[:upper:]' '[:lower:]')" in
  cluecon | changeme | change-me | password | secret | admin | default | 123456)
    echo 'RINGFENCE_FREESWITCH_PASSWORD is a default that everybody knows' >&2
    exit 1
    ;;
esac
case "$RINGFENCE_FREESWITCH_PASSWORD" in
  *[!A-Za-z0-9._~-]*)
    echo 'RINGFENCE_FREESWITCH_PASSWORD may hold letters, digits and . _ ~ - only' >&2
    exit 1
    ;;
esac
if [ "${#RINGFENCE_FREESWITCH_PASSWORD}" -lt 12 ]; then
  echo 'RINGFENCE_FREESWITCH_PASSWORD is shorter than 12 characters' >&2
  exit 1
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
state=${FREESWITCH_STATE:-/var/lib/freeswitch}
umask 077
mkdir -p "$state/log" "$state/run" "$state/db" "$state/storage" "$state/recordings" "$state/temp"
# -nonat: otherwise it asks the network's router for port mappings. -nosql: nobody reads its tables.
exec "${FREESWITCH:-freeswitch}" -nf -c -nonat -nosql -nocal \
  -conf "$here" -log "$state/log" -run "$state/run" -db "$state/db" \
  -storage "$state/storage" -recordings "$state/recordings" -temp "$state/temp" \
  -cache "$state/temp" -certs "$state/run" -scripts "$state/run" -htdocs "$state/run" \
  -grammar "$state/run" -sounds "$state/run"
