#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An operator's hour: doc/ops.md from the installation to the restored backup, played on a machine of its own.
#   t/ops/hour.sh           in a copy of this machine that is thrown away (as root; a layer over /, without a network)
#   t/ops/hour.sh --here    on this machine, which is changed: only on one that has nothing else to do
# Exits with 77 where it cannot be played. FROM=COMMIT: the version that is installed first, and upgraded.
set -u
TOP=$(cd "${0%/*}/../.." && pwd)
skip() { echo "SKIP: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "not root"
[ -d /usr/lib/postgresql/15 ] && command -v redis-server service start-stop-daemon git make gcc >/dev/null || [ "${1:-}" = --here ] || skip "packages are missing"

if [ "${1:-}" != --here ]; then
	layer=$(mktemp -d) || exit 1
	mount -t tmpfs -o size=3g tmpfs "$layer" 2>/dev/null || { rmdir "$layer"; skip "nothing can be mounted here"; }
	trap 'umount "$layer"; rmdir "$layer"' EXIT
	mkdir "$layer/upper" "$layer/work" "$layer/root"
	# what is mounted is seen only inside, and the processes end with the first of them
	unshare --mount --pid --net --uts --ipc --fork --kill-child bash -c '
		mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
		for m in /dev /dev/pts; do mount --bind "$m" "$1/root$m" || exit 77; done
		mount -t proc proc "$1/root/proc" && mount -t tmpfs tmpfs "$1/root/run" && mount -t tmpfs tmpfs "$1/root/dev/shm" || exit 77
		ip link set lo up 2>/dev/null || exit 77
		exec chroot "$1/root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin FROM="$3" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="*" bash "$2/t/ops/hour.sh" --here
	' _ "$layer" "$TOP" "${FROM:-}"
	rc=$?
	[ $rc != 77 ] || echo "SKIP: no layer over / can be made here"
	exit $rc
fi

# --- what every step uses ---

CONF=/etc/sladesk/sladesk.conf SECRET=/etc/sladesk/secret STATE=/var/lib/sladesk OLD=/usr/local/src/sladesk-old NEW=/usr/local/src/sladesk LOG=/var/log/sladesk/sladeskd.log AT=http://127.0.0.1:8080
PASSWORD='Kranich-Regen-41'
step= began=$SECONDS
times=
fail() { echo "FAILED in \"$step\": $*" >&2; [ ! -s $LOG ] || tail -15 $LOG >&2; stop_all; exit 1; }
# The log of a step is shown if it fails. $1 = its name, $2 = its function
play() {
	step=$1 began=$SECONDS
	"$2" >/tmp/hour.log 2>&1 </dev/null || { tail -25 /tmp/hour.log >&2; fail "see above"; }
	times="$times$(printf '%5d s  %s' $((SECONDS - began)) "$1")"$'\n'
	printf 'ok: %s (%d s)\n' "$1" $((SECONDS - began))
}
stop_all() { for s in sladeskd redis-server postgresql; do service $s stop >/dev/null 2>&1; done; }
desk() { runuser -u sladesk -- sladesk -c $CONF "$@"; }
owner() { sladesk "$@" --owner-url 'host=/run/postgresql dbname=sladesk user=sladesk_owner' --owner-password-file $SECRET/sladesk_owner.password; }
wait_for() { # $1 = seconds, then a command
	local n=$(($1 * 10)); shift
	while ! "$@" >/dev/null 2>&1; do n=$((n - 1)); [ $n -gt 0 ] || { echo "waited in vain: $*"; return 1; }; sleep 0.1; done
}
ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' $AT/readyz)" = "${1:-200}" ]; }
login() { curl -sf $AT/api/v1/auth/login -H 'Content-Type: application/json' -d "{\"username\":\"$1\",\"password\":\"$PASSWORD\"${2:+,\"tenant\":\"$2\"}}" | sed -n 's/.*"access_token":"\([^"]*\).*/\1/p'; }
tickets() { curl -sf "$AT/api/v1/tickets?limit=200" -H "Authorization: Bearer $(login wang acme)" | grep -o '"number":"[^"]*"' | sort -u; }
open_ticket() { curl -sf $AT/api/v1/tickets -H "Authorization: Bearer $(login wang acme)" -H 'Content-Type: application/json' -d "{\"title\":\"$1\",\"description\":\"x\",\"priority\":\"P3\"}"; }
build() { # $1 = the source
	(cd "$1" && autoreconf -fi && ./configure --sysconfdir=/etc && make -j"$(nproc)")
}

# --- the steps, as doc/ops.md tells them ---

packages() {
	local list
	list=$(sed 's/#.*//; s/|.*//' "$TOP/etc/packages.debian")
	# shellcheck disable=SC2086 # the list is words
	if ! dpkg -s $list >/dev/null 2>&1; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $list || return 1; fi
	pg_lsclusters -h | grep -q '^15 *main' || pg_createcluster 15 main || return 1
}
build_old() {
	git clone -q --no-local "$TOP" $OLD && git -C $OLD checkout -q "$FROM" || return 1
	build $OLD && make -C $OLD install
}
place() {
	useradd --system --user-group --no-create-home --home-dir $STATE --shell /usr/sbin/nologin sladesk &&
		install -d -m 0755 /etc/sladesk $SECRET && install -d -o sladesk -g sladesk -m 0750 $STATE /var/log/sladesk
}
database() {
	local hba=/etc/postgresql/15/main/pg_hba.conf
	sed -i '0,/^local/s//local sladesk,sladesk_restored sladesk_owner,sladesk_app,sladesk_job,sladesk_report scram-sha-256\nlocal/' $hba
	service postgresql start && service redis-server start && wait_for 20 runuser -u postgres -- psql -XAtqc 'select 1' || return 1
	runuser -u postgres -- createuser --superuser root &&
		sladesk init --admin-url 'host=/run/postgresql dbname=postgres' --database sladesk --password-dir $SECRET --daemon-user sladesk &&
		runuser -u postgres -- dropuser root && owner migrate
}
settings() {
	cat >$CONF <<-C
		[http]
		url = $AT
		trusted_proxies = 127.0.0.1
		[database]
		app_url = host=/run/postgresql dbname=sladesk user=sladesk_app
		job_url = host=/run/postgresql dbname=sladesk user=sladesk_job
		app_password_file = $SECRET/sladesk_app.password
		job_password_file = $SECRET/sladesk_job.password
		[redis]
		url = redis://127.0.0.1:6379
		[log]
		target = $LOG
	C
	runuser -u sladesk -- sladeskd -c $CONF --check
}
start_first() {
	# the version that is upgraded had no start script of its own to install
	[ -x /etc/init.d/sladeskd ] || { sed 's|/usr/sbin/|/usr/local/sbin/|' "$TOP/etc/init.d/sladeskd" >/etc/init.d/sladeskd && chmod 755 /etc/init.d/sladeskd; }
	service sladeskd start && wait_for 20 ready || { runuser -u sladesk -- timeout 5 sladeskd -c $CONF; cat $LOG; ls -ld /run/sladesk $STATE /var/log/sladesk; return 1; }
}
first_users() {
	printf '%s\n' "$PASSWORD" | desk user add --staff --username admin --name Admin --email admin@example.com --role admin &&
		desk tenant add --code acme --name ACME &&
		printf '%s\n' "$PASSWORD" | desk user add --tenant acme --username wang --name Wang --email wang@example.com &&
		[ -n "$(login admin)" ] && open_ticket 'before the upgrade' && [ -n "$(tickets)" ]
}
backup() { # $1 = the directory
	install -d -m 0700 "$1" && runuser -u postgres -- pg_dump -Fc sladesk >"$1/sladesk.dump" &&
		cp -a /etc/sladesk "$1/settings" && cp -a $STATE "$1/state" && [ -s "$1/sladesk.dump" ] && [ -s "$1/state/token.jwk" ]
}
backup_before() { tickets >/tmp/hour.before && backup /var/backups/sladesk-before; }
upgrade_built() {
	service sladeskd stop && make -C $NEW install && runuser -u sladesk -- sladeskd -c $CONF --check && owner migrate && : >$LOG && service sladeskd start && wait_for 20 ready &&
		tickets | grep -q . && open_ticket 'after the upgrade' && curl -s $AT/metrics | grep -q '^sladesk_build_info{'
}
upgrade() {
	git clone -q --no-local "$TOP" $NEW && build $NEW && upgrade_built
}
rollback() {
	service sladeskd stop && make -C $OLD install && put_back /var/backups/sladesk-before && : >$LOG && service sladeskd start && wait_for 20 ready && tickets | cmp - /tmp/hour.before &&
		open_ticket 'after the rollback'
}
# Only an earlier version that wrote the format e1 leaves such values; the daemon begins when it knows that the other is gone.
encrypted_anew() {
	git -C "$TOP" cat-file -e "$FROM:schema/migrate/0052_sealed_places.sql" 2>/dev/null || wait_for 240 grep -q 'will be encrypted anew' $LOG || return 1
	wait_for 240 sh -c "curl -s $AT/metrics | grep -q '^sladesk_sealing_columns 0$'" && wait_for 60 desk keys check
}
stop_first() { service sladeskd stop; }
start_twice() {
	local n
	for n in 1 2; do
		service sladeskd start && wait_for 20 ready && service sladeskd status && service sladeskd reload && wait_for 5 grep -q 'settings reloaded' $LOG && ready || return 1
		service sladeskd stop && ! service sladeskd status || return 1
		[ ! -e /run/sladesk/sladeskd.pid ] && rm -rf /run/sladesk || return 1 # as after a boot
		: >$LOG
	done
	service sladeskd start && service sladeskd start && wait_for 20 ready && service sladeskd restart && wait_for 20 ready
}
rotate() {
	mv $LOG $LOG.1 && sh -c "$(sed -n '/postrotate/,/endscript/p' /etc/logrotate.d/sladesk | sed '1d;$d')" && open_ticket 'into the new log' && wait_for 5 test -e $LOG
}
outage() {
	: >$LOG
	service postgresql stop && wait_for 10 ready 503 && sleep 20 || return 1
	[ "$(grep -cE ' (warn|error) ' $LOG)" = 1 ] && grep -q 'outage of postgresql begins' $LOG || { cat $LOG; return 1; }
	service postgresql start && wait_for 30 ready && open_ticket 'after the outage' && wait_for 20 grep 'outage of postgresql has ended' $LOG || return 1
	[ "$(grep -cE ' (warn|error) ' $LOG)" = 2 ] || { cat $LOG; return 1; }
	service redis-server stop && wait_for 10 grep 'outage of redis begins' $LOG && open_ticket 'without Redis' && service redis-server start && wait_for 20 grep 'outage of redis has ended' $LOG
}
backup_after() { tickets >/tmp/hour.tickets && backup /var/backups/sladesk-after && printf 'a long passphrase\na long passphrase\n' | desk keys backup --out /var/lib/sladesk/keys.backup && rm $STATE/keys.backup; }
put_back() { # $1 = the backup: into another database first, and after that in place of the one that is there
	rm -rf $STATE /etc/sladesk && cp -a "$1/state" $STATE && cp -a "$1/settings" /etc/sladesk &&
		runuser -u postgres -- createdb -O sladesk_owner -T template0 -E UTF8 --lc-collate=C.UTF-8 --lc-ctype=C.UTF-8 sladesk_restored &&
		runuser -u postgres -- pg_restore --exit-on-error -d sladesk_restored <"$1/sladesk.dump" &&
		runuser -u postgres -- vacuumdb -q --analyze-only sladesk_restored &&
		runuser -u postgres -- dropdb --if-exists sladesk_lost &&
		runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -c 'alter database sladesk rename to sladesk_lost' -c 'alter database sladesk_restored rename to sladesk'
}
restore() {
	open_ticket 'lost with the restore' && service sladeskd stop && put_back /var/backups/sladesk-after || return 1
	owner migrate && service sladeskd start && wait_for 20 ready && tickets | cmp - /tmp/hour.tickets && desk sla verify && desk keys check && desk audit verify
}

FROM=${FROM:-$(git -C "$TOP" rev-list -1 --before='7 days ago' HEAD)}
# it has a password for each role, as doc/ops.md tells; not any commit, because a few between two landings cannot be installed
FROM=${FROM:-$(git -C "$TOP" rev-list -1 1e27e51 2>/dev/null)}
[ -n "$FROM" ] || skip "the history is too short for an upgrade"
echo "an upgrade from $(git -C "$TOP" log -1 --format='%h of %cs' "$FROM")"
play "packages" packages
play "build and install an earlier version" build_old
play "user and directories" place
play "database and roles" database
play "settings" settings
play "start" start_first
play "first users, log-in, a ticket" first_users
play "backup before the upgrade" backup_before
play "upgrade: build, stop, install, migrate, start" upgrade
play "rollback to the backup before the upgrade" rollback
play "the upgrade once more" upgrade_built
play "what the earlier version encrypted is encrypted anew" encrypted_anew
play "a clean stop" stop_first
play "start, status, reload, stop: twice" start_twice
play "log rotation" rotate
play "an outage of PostgreSQL, one of Redis" outage
play "backup" backup_after
play "restore and verify" restore
stop_all
printf '%s' "$times"
echo "the hour took $((SECONDS / 60)) min $((SECONDS % 60)) s"
