#!/bin/sh
# One database a service, and one role a service that may use that database only and change no tables (security S14).
# The role clerk_owner owns the tables: with it `clerk migrate` runs. The postgres image runs this at its first start.
set -eu

in_psql() { psql --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres "$@"; }

password_of() { # NAME -> NAME_DATABASE_PASSWORD, or what is in the file NAME_DATABASE_PASSWORD_FILE; never empty
    variable="$(printf %s "$1" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD"
    value="$(printenv "$variable" || true)"
    file="$(printenv "${variable}_FILE" || true)"
    if [ -n "$file" ]; then
        value="$(cat "$file")"
    fi
    if [ -z "$value" ]; then
        echo "$variable is not set" >&2
        exit 1
    fi
    printf %s "$value"
}

PASSWORD="$(password_of owner)"
export PASSWORD
in_psql <<'SQL'
\getenv password PASSWORD
CREATE ROLE clerk_owner LOGIN PASSWORD :'password';
SQL

for service in shop_manager shop risk payment fulfillment; do
    PASSWORD="$(password_of "$service")"
    in_psql --set service="$service" <<'SQL'
\getenv password PASSWORD
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER clerk_owner;
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"service";
\connect :"service"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE clerk_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE clerk_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"service";
SQL
done
