# SPDX-License-Identifier: Apache-2.0
# A private PostgreSQL and Redis below $VAR, for ./dev up, the tests and the benchmarks. Source it after setting VAR and RUNAS (empty: as the current user).
PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)

as_user_exec() { if [ -n "$RUNAS" ]; then exec setpriv --reuid "$RUNAS" --regid "$RUNAS" --clear-groups -- env HOME="$VAR" "$@"; else exec "$@"; fi; }
as_user() { (as_user_exec "$@"); }

private_pg_settings() {
	cat <<-C
		listen_addresses = ''
		unix_socket_directories = '$SOCK'
		max_connections = 60
		shared_buffers = ${PG_BUFFERS:-128MB}
		jit = off
		log_min_messages = warning
		${PG_EXTRA:-}
	C
}
private_secret() { # $1 = a file: a new password for the private user, unless it exists
	[ -s "$1" ] && return 0
	(umask 077; head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1")
	[ -z "$RUNAS" ] || chown "$RUNAS:" "$1"
}
private_pg_init() { # once
	[ -s "$VAR/pg/PG_VERSION" ] && return 0
	private_secret "$VAR/secret/db"
	as_user "$PG_BIN/initdb" ${INITDB_EXTRA:-} -D "$VAR/pg" -U postgres -A scram-sha-256 --pwfile="$VAR/secret/db" -E UTF8 --locale=C.UTF-8 >"$VAR/log/initdb" 2>&1 || { tail -3 "$VAR/log/initdb" >&2; return 1; }
	private_pg_settings >>"$VAR/pg/postgresql.conf"
}
private_pg_start() {
	as_user "$PG_BIN/pg_ctl" -D "$VAR/pg" -l "$VAR/log/pg" -w -t 30 -o "-k $SOCK" start >/dev/null 2>&1 || { tail -3 "$VAR/log/pg" >&2; return 1; }
}
private_pg_stop() { as_user "$PG_BIN/pg_ctl" -D "$VAR/pg" -m "${1:-fast}" -w stop >/dev/null 2>&1 || true; }
private_redis_start() {
	as_user redis-server --port 0 --unixsocket "$SOCK/redis" --unixsocketperm 700 --save '' --appendonly no --dir "$VAR" --daemonize yes --pidfile "$VAR/redis.pid" \
		--logfile "$VAR/log/redis" --requirepass "$(cat "${REDIS_SECRET:-$VAR/secret/db}")" >/dev/null || return 1
}
private_redis_stop() { end_by_file "$VAR/redis.pid" "$SOCK/redis"; }

# Does the process whose id is in a file still have the expected command line? The id may belong to another process by now.
runs_by_file() { # $1 = the file, $2 = a part of its command line
	local pid
	pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ "$pid" != $$ ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}
end_by_file() { # end that process; $3 = seconds before it is killed
	local pid
	if runs_by_file "$1" "$2"; then
		pid=$(cat "$1")
		kill -TERM "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null
		for _ in $(seq $((20 * ${3:-10}))); do runs_by_file "$1" "$2" || break; sleep 0.05; done
		runs_by_file "$1" "$2" && kill -KILL "$pid" 2>/dev/null
	fi
	rm -f "$1"
}
end_group() { # end the process group of $VAR/group.pid, but only members with our VAR in their environment: the id may belong to another group by now
	local g p stat
	g=$(cat "$VAR/group.pid" 2>/dev/null) && [ -n "$g" ] || return 0
	for p in /proc/[0-9]*; do
		stat=$(cat "$p/stat" 2>/dev/null) || continue
		stat=${stat##*) } # state ppid pgrp
		set -- $stat
		[ "$3" = "$g" ] && { tr '\0' '\n' <"$p/environ"; } 2>/dev/null | grep -qxF "VAR=$VAR" && kill -KILL "${p#/proc/}" 2>/dev/null
	done
	rm -f "$VAR/group.pid"
}

private_settings() { # a configuration file for this place; $1 = address to listen on
	cat <<-C
		[http]
		listen = $1
		url = http://$1
		static_dir = $INST/share/sladesk/portal
		[database]
		app_url = host=$SOCK dbname=sladesk user=sladesk_app
		job_url = host=$SOCK dbname=sladesk user=sladesk_job
		app_password_file = $VAR/roles/sladesk_app.password
		job_password_file = $VAR/roles/sladesk_job.password
		[redis]
		url = unix://$SOCK/redis
		password_file = ${REDIS_SECRET:-$VAR/secret/db}
		[token]
		key_file = $VAR/secret/token.jwk
		[worker]
		path = $INST/libexec/sladesk
		[daemon]
		pid_file = $VAR/sladeskd.pid
		control = $SOCK/control
	C
}
private_schema() { # roles, database, migrations. Passwords stay in files; the daemon's user can read only those of its own roles
	mkdir -p -m 711 "$VAR/roles" || return 1
	"$INST/bin/sladesk" init --admin-url "host=$SOCK dbname=postgres user=postgres" --admin-password-file "$VAR/secret/db" --database sladesk \
		--password-dir "$VAR/roles" ${RUNAS:+--daemon-user "$RUNAS"} &&
		"$INST/bin/sladesk" migrate --owner-url "host=$SOCK dbname=sladesk user=sladesk_owner" --owner-password-file "$VAR/roles/sladesk_owner.password"
}
