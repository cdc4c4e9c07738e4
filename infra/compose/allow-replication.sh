#!/bin/sh
# Run once by the image of PostgreSQL, when it makes its data folder: replicas may connect, with the password.
echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
