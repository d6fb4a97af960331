/* SPDX-License-Identifier: Apache-2.0
 * sladeskd: one loop, its subsystems in order, signals, takeover. */
#include "app.h"
#include "base/build.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/outage.h"
#include "crypto/secretfile.h"
#include "core/cache.h"
#include "core/session.h"
#include "crypto/crypto.h"
#include "db/migrate.h"
#include "core/events.h"
#include "desk/upkeep.h"
#include "timers/engine.h"
#include "timers/lease.h"
#include "crypto/spkey.h"
#include "config/fieldkeys.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "desk/versions.h"
#include "core/cache.h"
#include "fetch/breaker.h"
#include "fetch/dns_txt.h"
#include "fetch/fetch.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "process.h"
#include "sql_gen.h"
#include "signing_key.h"
#include "takeover.h"
#include "work/work.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

static struct {
	struct http_server *server;
	bool draining, ending, told_ready;
	struct loop_timer *drain_limit, *leave_limit, *emptied;
	bool schema_fits;
} self;
/* A clean stop: time for work in flight to end on its own, and time to store its results after it
 * was interrupted. */
#define DRAIN_US (20 * US_PER_S)
#define LEAVE_US (3 * US_PER_S)

bool app_schema_fits(void)
{
	return self.told_ready;
}

bool app_draining(void)
{
	return self.draining;
}

static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

/* --- sockets --- */

static int find_listener(bool takeover)
{
	int fd;

#ifdef HAVE_SYSTEMD
	if (sd_listen_fds(1) == 1)
		return SD_LISTEN_FDS_START;
#endif
	if (takeover) {
		fd = takeover_receive(options.daemon_control);
		if (fd >= 0)
			return fd;
		log_warn(NULL, "no running sladeskd at %s; binding the address",
			options.daemon_control);
	}
	return listen_on(options.http_listen);
}

/* --- life --- */

static void on_empty(void *arg)
{
	(void)arg;
	if (features_busy() || lease_is_releasing())
		loop_timer_set(self.emptied, US_PER_S / 100);
	else
		loop_stop();
}

static void leave(void *arg)
{
	(void)arg;
	log_warn(NULL, "shutdown timed out; exiting");
	loop_stop();
}

/* Interrupt outgoing requests, which end as failed, and stop waiting for clients. Results are still
 * stored. */
static void end_in_flight(void *arg)
{
	(void)arg;
	self.ending = true;
	log_info(NULL, "finishing requests in progress");
	fetch_stop();
	work_stop();
	loop_timer_set(self.emptied, 0);
	loop_timer_set(self.leave_limit, LEAVE_US);
}

static void drain(int grace_ms)
{
	if (self.draining)
		return;
	self.draining = true;
	log_info(NULL, "draining");
	notify("STOPPING=1");
	lease_release();
	features_stop();
	self.emptied = loop_timer_new(on_empty, NULL);
	http_server_drain(self.server, grace_ms, on_empty, NULL);
	self.drain_limit = loop_timer_new(end_in_flight, NULL);
	self.leave_limit = loop_timer_new(leave, NULL);
	loop_timer_set(self.drain_limit, DRAIN_US);
}

static void handed_over(void)
{
	drain(2000);
}

static void on_term(int signo)
{
	(void)signo;
	if (!self.draining)
		drain(200);
	else if (!self.ending) /* a second signal: stop waiting */
		end_in_flight(NULL);
	else /* a third signal: exit at once */
		loop_stop();
}

static void on_usr1(int signo)
{
	(void)signo;
	log_reopen();
}

static const char *or_default(const char *v, const char *fallback)
{
	return v && *v ? v : fallback;
}

static struct db_settings database_settings(char **out_password, char **out_job_password)
{
	*out_password = secretfile_line(
		or_default(options.database_app_password_file, options.database_password_file));
	*out_job_password = secretfile_line(
		or_default(options.database_job_password_file, options.database_password_file));
	return (struct db_settings){ options.database_app_url, options.database_job_url,
		options.database_replica_url, *out_password, *out_job_password,
		(int)options.database_connections, SQL_STMT_COUNT };
}

static void set_limits(void)
{
	limit_set((struct limit_rate[LIMIT_COUNT]){
		[LIMIT_ADDRESS] = { options.limits_address_per_s, options.limits_address_burst },
		[LIMIT_LOGIN] = { options.limits_login_per_s, options.limits_login_burst },
		[LIMIT_USER] = { options.limits_user_per_s, options.limits_user_burst },
		[LIMIT_TENANT] = { options.limits_tenant_per_s, options.limits_tenant_burst },
		[LIMIT_REFRESH] = { options.limits_fresh_per_s, options.limits_fresh_burst },
	});
	session_limit_degraded((size_t)options.limits_degraded_users);
}

/* Test only. A reload that changes the offset makes the clock jump by the difference. */
static void warp_clock(void)
{
	static int64_t applied_s;
	int64_t by_s = options.test_clock_offset_s - applied_s;

	if (!options.test_allow_clock ||
		(!by_s && (clock_is_warped() || options.test_clock_scale == 1)))
		return;
	clock_warp(by_s * US_PER_S, (double)options.test_clock_scale);
	applied_s = options.test_clock_offset_s;
}

static void on_hup(int signo)
{
	const char *error;
	enum log_level level;
	char *password, *job_password;
	struct db_settings s;

	(void)signo;
	notify("RELOADING=1");
	if (!options_reload(&error)) {
		for (size_t n; *error; error += n + (error[n] == '\n')) {
			n = strcspn(error, "\n");
			log_error(NULL, "settings not reloaded: %.*s", (int)n, error);
		}
	} else {
		if (log_level_parse(options.log_level, &level))
			log_set_level(level);
		s = database_settings(&password, &job_password);
		if (!db_reconfigure(&s, &error))
			log_error(NULL, "database settings not reloaded: %s", error);
		free(password);
		free(job_password);
		if (!http_server_reload_tls(self.server, &error))
			log_error(NULL, "certificate not reloaded: %s", error);
		set_limits();
		warp_clock();
		features_reload();
		log_info(NULL, "settings reloaded");
	}
	notify("READY=1");
	signing_key_tick();
}

static void on_ready(void)
{
	self.told_ready = true;
	log_info(NULL, "ready listen=%s schema=%d", options.http_listen, schema_needed());
	notify("READY=1");
}

static void on_schema(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int64_t version, from;

	if (error != DB_OK && error != DB_FAILED) { /* failed: not even the table exists */
		job_end_db(run, error);
		return;
	}
	version = error == DB_OK ? db_int(rows, 0, 0) : 0;
	from = error == DB_OK ? db_int(rows, 0, 1) : 0;
	if (version < schema_needed() || from > schema_needed())
		die("schema version %lld (for programs from version %lld) does not fit this "
		    "program, which needs %d; run 'sladesk migrate'",
			(long long)version, (long long)from, schema_needed());
	self.schema_fits = true;
	fieldkeys_load(on_ready);
	job_end(run, JOB_DONE);
}

static int64_t schema_every(void)
{
	return self.told_ready ? 0 : 250;
}

static void check_schema(struct job_run *run)
{
	if (!self.schema_fits && db_health(SQL_CLASS_JOB).up) {
		job_query(run, &sql_admin_schema_version, on_schema);
		return;
	}
	if (self.schema_fits)
		fieldkeys_load(on_ready);
	job_end(run, JOB_DONE);
}

/* Not a job: lines must come out while the daemon drains, too, when the jobs are stopped. */
static void flush_log(void *arg)
{
	(void)arg;
	outage_tick(clock_mono_us());
	log_flush();
}

/* Not a job: it tells systemd that the loop turns, and must do so until the process ends. */
static void watchdog(void *arg)
{
	(void)arg;
	notify("WATCHDOG=1");
}

static void look_at_signing_key(struct job_run *run)
{
	signing_key_tick();
	job_end(run, JOB_DONE);
}

static void look_at_field_keys(struct job_run *run)
{
	fieldkeys_reload();
	job_end(run, JOB_DONE);
}

static const struct job own_jobs[] = {
	{ "schema", .every = schema_every, .run = check_schema },
	{ "signing_key", 60000, .run = look_at_signing_key },
	{ "field_keys", 10000, .run = look_at_field_keys },
	{ 0 },
};

static void refuse(struct buf *faults)
{
	if (faults->n)
		die("%.*s", (int)faults->n - 1, faults->p);
	buf_free(faults);
}

/* --check. LOADED: what options_load found. */
static int check_settings(const char *loaded)
{
	struct buf faults = { 0 };

	if (*loaded)
		buf_addf(&faults, "%s\n", loaded);

	if (options.daemon_user[0] && geteuid() == 0 && getpwnam(options.daemon_user))
		process_become(options.daemon_user); /* with whose rights files are looked at */
	settings_check(true, &faults);
	refuse(&faults);
	puts("settings are valid");
	return 0;
}

static void start(bool takeover)
{
	struct http_settings http = settings_http();
	struct request_settings rs = { or_default(options.http_static_dir, STATIC_DIR),
		options.http_cert_file[0] != 0,
		options.http_cert_file[0] != 0 || strncmp(options.http_url, "https://", 8) == 0,
		options.support_contact };
	const char *error = "";
	struct kv_settings redis = { options.redis_url, NULL, options.redis_ca_file };
	size_t route_count;
	const struct route *routes = app_routes(&route_count);
	char *password = NULL, *job_password = NULL, *redis_password;
	struct work_settings helpers = settings_helpers();
	struct buf faults = { 0 };
	struct db_settings ds;
	int fd;

	if (rs.secure_cookies)
		http.every_reply = "Strict-Transport-Security: max-age=31536000\r\n";
	loop_init();
	if (options.test_nameserver[0] && !loop_set_name_server(options.test_nameserver))
		die("test.nameserver: not an address: %s", options.test_nameserver);
	fd = find_listener(takeover);
	if (options.daemon_user[0] && geteuid() == 0)
		process_become(options.daemon_user);
	settings_check(false, &faults);
	refuse(&faults);
	process_hide_memory(); /* setuid may undo it */
	keyfile_open();
	fieldkeys_init();
	process_write_pid();
	work_init(&helpers);
	ds = database_settings(&password, &job_password);
	if (!db_init(&ds, &error))
		die("%s", error);
	free(password);
	free(job_password);
	redis_password = secretfile_line(options.redis_password_file);
	redis.password = redis_password;
	if (!kv_init(&redis, &error))
		die("%s", error);
	free(redis_password);
	fetch_init();
	if (!dns_txt_init(options.sso_dns_servers))
		die("sso.dns_servers: not a list of addresses: %s", options.sso_dns_servers);
	events_init();
	lease_init();
	engine_init(options.engine_horizon_s);
	cache_init();
	features_init();
	jobs_add(lease_jobs);
	jobs_add(own_jobs);
	request_init(routes, route_count, &rs);
	openapi_build();
	set_limits();
	self.server = http_server_new(fd, &http, request_handler(), &error);
	if (!self.server)
		die("%s", error);
	takeover_serve(options.daemon_control, fd, handed_over);
	loop_on_signal(SIGTERM, on_term);
	loop_on_signal(SIGINT, on_term);
	loop_on_signal(SIGHUP, on_hup);
	loop_on_signal(SIGUSR1, on_usr1);
	loop_every(5000, watchdog, NULL);
	loop_every(500, flush_log, NULL);
}

static void stop(void)
{
	takeover_stop();
	features_stop();
	http_server_free(self.server);
	dns_txt_free();
	fetch_free(); /* work in flight ends while the database is still available */
	work_free();
	loop_run_later();
	db_free(); /* what waits for the database gets its error while everything that it uses
		      still exists */
	kv_free();
	loop_run_later();
	request_free();
	openapi_free();
	app_routes_free();
	features_free();
	cache_free();
	spkey_free();
	engine_free();
	events_free();
	breaker_free();
	outage_free();
	versions_free();
	loop_timer_free(self.drain_limit);
	loop_timer_free(self.leave_limit);
	loop_timer_free(self.emptied);
	loop_free();
	token_keys_free();
	fieldkeys_free();
	if (options.daemon_pid_file[0])
		unlink(options.daemon_pid_file);
}

static void usage(void)
{
	puts("usage: sladeskd [-c FILE] [--check] [--takeover] [--help] [--print-config] "
	     "[--print-man] [--print-conf-man] [--print-routes] [--print-openapi] [--version]\n\n"
	     "  -c FILE         read settings from FILE\n  --check         check the settings and "
	     "exit\n"
	     "  --takeover      receive the listening socket from the running sladeskd "
	     "(daemon.control)\n\nSettings, as section.key in FILE or SLADESK_SECTION_KEY in the "
	     "environment:");
	options_print_help();
}

/* What the build makes files of. */
static bool print_for_build(const char *what)
{
	static const struct {
		const char *what;
		void (*print)(void);
	} prints[] = { { "--print-config", options_print_sample },
		{ "--print-man", options_print_man },
		{ "--print-conf-man", options_print_conf_man },
		{ "--print-routes", app_routes_print }, { "--print-openapi", openapi_print } };

	for (size_t i = 0; i < ARRAY_LEN(prints); i++)
		if (strcmp(prints[i].what, what) == 0) {
			prints[i].print();
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	const char *file = NULL, *error = "";
	bool check = false, takeover = false, loaded;
	enum log_level level;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			file = argv[++i];
		else if (strcmp(argv[i], "--check") == 0)
			check = true;
		else if (strcmp(argv[i], "--takeover") == 0)
			takeover = true;
		else if (strcmp(argv[i], "--help") == 0)
			return usage(), 0;
		else if (print_for_build(argv[i]))
			return 0;
		else if (strcmp(argv[i], "--version") == 0)
			return build_print("sladeskd");
		else
			die("unknown argument %s (see --help)", argv[i]);
	}
	if (file && access(file, R_OK) != 0)
		die("%s: cannot be read: %s", file, strerror(errno));
	loaded = options_load(file, &error);
	if (check)
		return check_settings(error);
	if (!loaded)
		die("%s", error);
	bug_on(!log_level_parse(options.log_level, &level)); /* options_load has looked */
	if (!log_open(options.log_target, level, strcmp(options.log_format, "json") == 0))
		die("log.target: %s: %s", options.log_target, strerror(errno));
	failpoint_arm(options.test_failpoint);
	warp_clock();
	signal(SIGPIPE, SIG_IGN);
	umask(umask(077) | 027); /* stricter ones stay */
	process_raise_descriptors();
	start(takeover);
	loop_run();
	stop();
	log_info(NULL, "stopped");
	log_flush();
	options_free();
	return 0;
}
