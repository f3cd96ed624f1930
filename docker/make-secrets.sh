#!/usr/bin/env bash
# Makes what is missing of the secrets that compose.yaml mounts, one file each, readable by their owner only.
#
#   docker/make-secrets.sh [FOLDER]          (docker/secrets when left out)
#
# Also writes docker/.env, which tells compose who owns the secrets: the containers run as that user. Run it as
# the user who runs docker compose. What exists is kept, so it may run again after an upgrade.
set -euo pipefail
umask 077

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
secrets=${1:-$here/secrets}
environment=${WAREHOUSE_ENV_FILE:-$here/.env}
mkdir -p "$secrets"
chmod 700 "$secrets"

# Without a line end: Airflow takes the output of its *_CMD options as it is.
keep() { [[ -s $secrets/$1 ]] || printf '%s' "$2" >"$secrets/$1"; }
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }
word() { random | tr -d '=\n'; }
of() { cat "$secrets/$1"; }

# PostgreSQL: the server's administrator, the warehouse's owner, the warehouse's five roles, Airflow's role.
for role in postgres owner loader builder auditor publisher reader airflow; do
    keep "$role" "$(word)"
done
keep warehouse_database_url "postgresql://owner:$(of owner)@postgres:5432/warehouse"
keep airflow_database_url "postgresql+psycopg2://airflow:$(of airflow)@postgres:5432/warehouse_airflow"

# Redis, which carries Celery's messages.
keep redis "$(word)"
keep redis.conf "requirepass $(of redis)"
keep celery_broker_url "redis://:$(of redis)@redis:6379/0"
keep celery_result_backend "redis://:$(of redis)@redis:6379/1"

# Airflow: first user's password, signing keys, and the key that its connections are encrypted with.
keep airflow_admin "$(word)"
keep airflow_api "$(word)"
keep airflow_jwt "$(word)$(word)"
keep airflow_fernet_key "$(random | tr -d '\n')"

chmod 600 "$secrets"/*

if [[ ! -e $environment ]]; then
    # Containers never run as root: root's secrets go to the image's own user.
    if [[ $(id -u) == 0 ]]; then owner=10001 group=10001; else owner=$(id -u) group=$(id -g); fi
    printf 'WAREHOUSE_UID=%s\nWAREHOUSE_GID=%s\n' "$owner" "$group" >"$environment"
fi
if [[ $(id -u) == 0 ]]; then
    owner=$(sed -n 's/^WAREHOUSE_UID=//p' "$environment")
    group=$(sed -n 's/^WAREHOUSE_GID=//p' "$environment")
    chown "$owner:$group" "$secrets"/*
fi

echo "Secrets are in $secrets, their owner in $environment. Keep a copy of the folder with your backups, apart from them."
