#!/usr/bin/env bash
# Streams the write-ahead log as it is written, for ever: what is in FOLDER/wal is never more than a moment behind, and is there
# when the server's disk is not. Run it as a service, on another machine, and one only:
#
#   DATABASE_DIRECT_URL=postgres://user:password@host:5432/proximal receive-wal.sh /srv/backup
#
# Its slot keeps what it has not got yet on the server (max_slot_wal_keep_size is the bound). With `proximal_backup` in
# synchronous_standby_names an append is not acknowledged before it is in FOLDER too: nothing is lost, and posting stops where
# this stops.
set -euo pipefail

folder="${1:?usage: receive-wal.sh FOLDER}"
url="${DATABASE_DIRECT_URL:?DATABASE_DIRECT_URL: a role that may replicate, past any pooler}"
slot=proximal_backup

mkdir -p "$folder/wal"
separator='?'
[[ "$url" == *\?* ]] && separator='&'
named="$url${separator}application_name=$slot"
pg_receivewal -d "$url" --slot="$slot" --create-slot --if-not-exists
exec pg_receivewal -d "$named" -D "$folder/wal" --slot="$slot" --synchronous
