/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with the settings, all of it at once: for --check, and for the start. */
#include "app.h"
#include "config/fieldkeys.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "db/db.h"
#include "fetch/dns_txt.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct http_settings settings_http(void)
{
	return (struct http_settings){ (int)options.http_header_s, (int)options.http_body_s,
		(int)options.http_idle_s, (int)options.http_write_s, (int)options.http_total_s,
		(uint64_t)options.http_min_rate, (int)options.http_max_connections,
		options.http_address_connections, options.http_user_connections,
		options.http_trusted_proxies,
		options.http_cert_file[0] ? options.http_cert_file : NULL, options.http_key_file,
		options.http_tls12, NULL };
}

struct work_settings settings_helpers(void)
{
	return (struct work_settings){ options.worker_path[0] ? options.worker_path : HELPER_DIR,
		{ [POOL_HASH] = (int)options.worker_count,
			[POOL_PARSE] = (int)options.worker_parse,
			[POOL_MAIL] = (int)options.mail_senders,
			[POOL_FILE] = 1 } };
}

/* A fault of one setting: "NAME: VALUE: WHY", or "NAME: WHY" without a value. */
static void add(struct buf *faults, const char *name, const char *value, const char *why)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s: %s%s%s", name, value, *value ? ": " : "", why);
	options_fault(faults, buf_cstr(&b));
	buf_free(&b);
}

/* The lines of LIST, each of which begins with a setting. */
static void add_lines(struct buf *faults, struct buf *list)
{
	char *line = list->n ? list->p : NULL, *end;

	for (; line && (end = memchr(line, '\n', (size_t)(list->p + list->n - line)));
		line = end + 1) {
		*end = 0;
		options_fault(faults, line);
		if (end + 1 == list->p + list->n)
			break;
	}
	buf_free(list);
}

static void check_list(struct buf *faults, const char *name, const char *list)
{
	char text[64];
	struct str bad;

	if (http_list_is_sound(list, &bad))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(bad.n < 60 ? bad.n : 60), bad.p);
	add(faults, name, text,
		"not an address or a network; such as 10.0.0.1 or 10.0.0.0/8, with commas between "
		"them");
}

/* Can FILE be written? It is not created: it would belong to whoever checks. */
static void check_writable(struct buf *faults, const char *name, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? xstrndup(file, (size_t)(slash - file) + 1) : xstrdup(".");

	if (access(file, W_OK) != 0 && (errno != ENOENT || access(folder, W_OK) != 0))
		add(faults, name, file, strerror(errno));
	free(folder);
}

static void check_log_target(struct buf *faults)
{
	if (strcmp(options.log_target, "stderr") != 0 && strcmp(options.log_target, "syslog") != 0)
		check_writable(faults, "log.target", options.log_target);
}

static void check_control(struct buf *faults)
{
	const char *path = options.daemon_control;

	if (strlen(path) >= sizeof((struct sockaddr_un){ 0 }.sun_path))
		add(faults, "daemon.control", path, "longer than the path of a socket may be");
	else if (*path)
		check_writable(faults, "daemon.control", path);
}

static void check_urls(struct buf *faults)
{
	const struct {
		const char *name, *url;
	} all[] = { { "database.app_url", options.database_app_url },
		{ "database.job_url", options.database_job_url },
		{ "database.replica_url", options.database_replica_url } };
	struct kv_settings redis = { options.redis_url, NULL, options.redis_ca_file };
	const char *error;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if ((i < 2 || *all[i].url) && !db_url_is_safe(all[i].url, &error))
			add(faults, all[i].name, "", error);
	if (!kv_check(&redis, &error))
		options_fault(faults, error);
}

static void check_user(struct buf *faults)
{
	if (options.daemon_user[0] && geteuid() == 0 && !getpwnam(options.daemon_user))
		add(faults, "daemon.user", options.daemon_user, "no such user");
}

static void check_whole(struct buf *faults)
{
	struct http_settings http = settings_http();
	struct buf found = { 0 };
	const char *error;

	check_log_target(faults);
	check_user(faults);
	if (http.cert_file && access(http.cert_file, R_OK) == 0 &&
		(!*http.key_file || access(http.key_file, R_OK) == 0) &&
		!http_tls_is_usable(&http, &error))
		options_fault(faults, error);
	loop_init();
	if (options.test_nameserver[0] && !loop_set_name_server(options.test_nameserver))
		add(faults, "test.nameserver", options.test_nameserver, "not an address");
	if (!dns_txt_init(options.sso_dns_servers))
		add(faults, "sso.dns_servers", options.sso_dns_servers,
			"not a list of addresses, such as 10.0.0.1,10.0.0.2:53");
	keyfile_check(&found);
	fieldkeys_check(&found);
	features_check(&found);
	add_lines(faults, &found);
}

void settings_check(bool whole, struct buf *faults)
{
	struct work_settings helpers = settings_helpers();
	const char *why = listen_fault(options.http_listen);
	struct buf found = { 0 };

	if (why)
		add(faults, "http.listen", "", why);
	check_list(faults, "http.trusted_proxies", options.http_trusted_proxies);
	check_list(faults, "metrics.allow", options.metrics_allow);
	options_check_files(faults);
	check_urls(faults);
	if (options.daemon_pid_file[0])
		check_writable(faults, "daemon.pid_file", options.daemon_pid_file);
	check_control(faults);
	if (whole)
		check_whole(faults);
	work_check(&helpers, whole, &found);
	add_lines(faults, &found);
}
