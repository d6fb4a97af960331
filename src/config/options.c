/* SPDX-License-Identifier: Apache-2.0
 * One table with five uses: the struct, the defaults, the parser, the help, and the sample file and
 * manual page. */
#include "config/options.h"
#include "base/text.h"
#include "crypto/secretfile.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

struct options options;

enum kind { KIND_TEXT, KIND_INT, KIND_BOOL };

struct option {
	const char *section, *key;
	enum kind kind;
	size_t at;
	const char *text;
	int64_t number, min, max;
	bool reload;
	const char *doc;
};

#define OPTION_TEXT(s, k, fallback, reload, doc)                                                   \
	{ #s, #k, KIND_TEXT, offsetof(struct options, s##_##k), fallback, 0, 0, 0, reload, doc },
#define OPTION_INT(s, k, fallback, min, max, reload, doc)                                          \
	{ #s, #k, KIND_INT, offsetof(struct options, s##_##k), NULL, fallback, min, max, reload,   \
		doc },
#define OPTION_BOOL(s, k, fallback, reload, doc)                                                   \
	{ #s, #k, KIND_BOOL, offsetof(struct options, s##_##k), NULL, fallback, 0, 1, reload, doc },
static const struct option table[] = {
#include "config/options.def"
};

static struct {
	char error_text[300];
	char *file_name;
	bool reloading;
} reader;

static void set_default(const struct option *o)
{
	void *at = (char *)&options + o->at;

	switch (o->kind) {
	case KIND_TEXT:
		free(*(char **)at);
		*(char **)at = xstrdup(o->text);
		break;
	case KIND_INT:
		*(int64_t *)at = o->number;
		break;
	case KIND_BOOL:
		*(bool *)at = o->number != 0;
		break;
	}
}

static bool set_value(const struct option *o, const char *v, const char *where)
{
	void *at = (char *)&options + o->at;
	int64_t n;

	switch (o->kind) {
	case KIND_TEXT:
		free(*(char **)at);
		*(char **)at = xstrdup(v);
		return true;
	case KIND_INT:
		if (!str_to_int(str_of(v), o->min, o->max, &n)) {
			snprintf(reader.error_text, sizeof(reader.error_text),
				"%s: %s.%s must be a whole number from %lld to %lld", where,
				o->section, o->key, (long long)o->min, (long long)o->max);
			return false;
		}
		*(int64_t *)at = n;
		return true;
	case KIND_BOOL:
		if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0 && strcmp(v, "true") != 0 &&
			strcmp(v, "false") != 0) {
			snprintf(reader.error_text, sizeof(reader.error_text),
				"%s: %s.%s must be yes or no", where, o->section, o->key);
			return false;
		}
		*(bool *)at = v[0] == 'y' || v[0] == 't';
		return true;
	}
	return false;
}

static int on_ini(void *user, const char *section, const char *key, const char *value)
{
	(void)user;
	if (reader.error_text[0])
		return 1; /* the first fault is reported */
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].section, section) != 0 || strcmp(table[i].key, key) != 0)
			continue;
		if (reader.reloading && !table[i].reload)
			return 1;
		return set_value(&table[i], value, reader.file_name) ? 1 : 0;
	}
	snprintf(reader.error_text, sizeof(reader.error_text), "%s: unknown setting %.60s.%.60s",
		reader.file_name, section, key);
	return 0;
}

/* Does NAME (without "SLADESK_") begin with a section and an underscore without being a setting? A
 * misspelt setting must not be ignored. */
static bool is_unknown(const char *name, size_t n)
{
	bool section = false;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t s = strlen(table[i].section), k = strlen(table[i].key);

		if (n <= s || strncasecmp(name, table[i].section, s) != 0 || name[s] != '_')
			continue;
		section = true;
		if (n == s + 1 + k && strncasecmp(name + s + 1, table[i].key, k) == 0)
			return false;
	}
	return section;
}

static bool names_are_known(void)
{
	static const char prefix[] = "SLADESK_";

	for (char **e = environ; *e; e++) {
		const char *name = *e + sizeof(prefix) - 1;
		size_t n = strcspn(*e, "=");

		if (strncmp(*e, prefix, sizeof(prefix) - 1) != 0 ||
			!is_unknown(name, n - (sizeof(prefix) - 1)))
			continue;
		snprintf(reader.error_text, sizeof(reader.error_text),
			"%.*s: unknown setting (see sladeskd --help)", n < 80 ? (int)n : 80, *e);
		return false;
	}
	return true;
}

static bool read_environment(void)
{
	if (!names_are_known())
		return false;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char name[100];
		const char *v;
		size_t n = (size_t)snprintf(
			name, sizeof(name), "SLADESK_%s_%s", table[i].section, table[i].key);

		for (size_t k = 0; k < n; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		v = getenv(name);
		if (v && !(reader.reloading && !table[i].reload) && !set_value(&table[i], v, name))
			return false;
	}
	return true;
}

static bool read_values(const char **out_error)
{
	int line;

	reader.error_text[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!reader.reloading || table[i].reload)
			set_default(&table[i]);
	if (reader.file_name) {
		line = ini_parse(reader.file_name, on_ini, NULL);
		if (line != 0) {
			char what[200];

			snprintf(what, sizeof(what), "%.190s", reader.error_text);
			if (line < 0)
				snprintf(reader.error_text, sizeof(reader.error_text),
					"%.200s: cannot be read", reader.file_name);
			else
				snprintf(reader.error_text, sizeof(reader.error_text),
					"line %d: %.200s", line, what[0] ? what : "not a setting");
			*out_error = reader.error_text;
			return false;
		}
	}
	if (!read_environment()) {
		*out_error = reader.error_text;
		return false;
	}
	return true;
}

static char **text_at(struct options *o, size_t i)
{
	return (char **)(void *)((char *)o + table[i].at);
}

static void free_text(struct options *o, size_t i)
{
	free(*text_at(o, i));
	*text_at(o, i) = NULL;
}

static void free_texts(struct options *o)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].kind == KIND_TEXT)
			free_text(o, i);
}

/* A reload leaves the texts of the other settings where they are: the modules that were started
 * with them still point there. */
static bool is_read_again(size_t i)
{
	return table[i].kind == KIND_TEXT && (!reader.reloading || table[i].reload);
}

static bool names_secret(const struct option *o)
{
	static const char *const ends[] = { "password_file", "token_file", "key_file" };
	size_t n = strlen(o->key);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (n >= strlen(ends[i]) && strcmp(o->key + n - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

/* Is every secret that the settings name out of the reach of other users? */
static bool check_secrets(const char **out_error)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *file = table[i].kind == KIND_TEXT ? *text_at(&options, i) : "";

		if (!*file || !names_secret(&table[i]) || !secretfile_is_exposed(file))
			continue;
		snprintf(reader.error_text, sizeof(reader.error_text), "%s.%s: %.150s: %s",
			table[i].section, table[i].key, file, secretfile_error(EPERM));
		*out_error = reader.error_text;
		return false;
	}
	return true;
}

/* Does the program itself create the file of O? */
static bool is_made_by_us(const struct option *o)
{
	static const char *const made[] = { "token.key_file", "sso.saml_key_file",
		"crypto.master_key_file", "audit.key_file", "audit.anchor_file",
		"daemon.pid_file" };
	char name[80];

	snprintf(name, sizeof(name), "%s.%s", o->section, o->key);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		if (strcmp(name, made[i]) == 0)
			return true;
	return false;
}

bool options_files_are_readable(const char **out_error)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *file = table[i].kind == KIND_TEXT ? *text_at(&options, i) : "",
			   *end = strrchr(table[i].key, '_');

		if (!*file || !end || strcmp(end, "_file") != 0 || access(file, R_OK) == 0 ||
			(errno == ENOENT && is_made_by_us(&table[i])))
			continue;
		snprintf(reader.error_text, sizeof(reader.error_text), "%s.%s: %.150s: %s",
			table[i].section, table[i].key, file, strerror(errno));
		*out_error = reader.error_text;
		return false;
	}
	return true;
}

/* The sender and the address for answers stand in the headers of every mail. */
static bool check_mailboxes(const char **out_error)
{
	struct str name, address;
	const char *key = NULL;

	if (!text_read_mailbox(options.mail_from, &name, &address))
		key = "from";
	else if (*options.mail_reply_to &&
		 !text_read_mailbox(options.mail_reply_to, &name, &address))
		key = "reply_to";
	if (!key)
		return true;
	snprintf(reader.error_text, sizeof(reader.error_text),
		"mail.%s: not a mail address, nor a name and an address such as Service desk "
		"<desk@example.com>",
		key);
	*out_error = reader.error_text;
	return false;
}

/* An address that can be called, without a password that would stand in logs. */
static bool check_heartbeat(const char **out_error)
{
	const char *url = options.engine_heartbeat_url,
		   *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : "";
	size_t n = strcspn(host, "/?#");

	if (!*url || (n && host[0] != ':' && !memchr(host, '@', n) &&
			     strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~:/?#[]@!$&'()*+,;=%") == strlen(url)))
		return true;
	*out_error =
		"engine.heartbeat_url: not an http or https address without user and password, "
		"such as https://hc.example.com/ping/1";
	return false;
}

/* All or nothing: a fault leaves every setting as it was. */
static bool read_all(const char **out_error)
{
	struct options was = options;
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is_read_again(i) && *text_at(&was, i))
			*text_at(&options, i) = xstrdup(*text_at(&was, i));
	ok = read_values(out_error) && check_secrets(out_error) && check_mailboxes(out_error) &&
	     check_heartbeat(out_error);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is_read_again(i))
			free_text(ok ? &was : &options, i);
	if (!ok)
		options = was;
	return ok;
}

bool options_load(const char *file, const char **out_error)
{
	free(reader.file_name);
	reader.file_name = file ? xstrdup(file) : NULL;
	return read_all(out_error);
}

bool options_reload(const char **out_error)
{
	bool ok;

	reader.reloading = true;
	ok = read_all(out_error);
	reader.reloading = false;
	return ok;
}

void options_free(void)
{
	free_texts(&options);
	free(reader.file_name);
	reader.file_name = NULL;
}

static void print_default(const struct option *o)
{
	if (o->kind == KIND_TEXT)
		printf("%s", o->text);
	else if (o->kind == KIND_INT)
		printf("%lld", (long long)o->number);
	else
		printf("%s", o->number ? "yes" : "no");
}

static bool is_empty_by_default(const struct option *o)
{
	return o->kind == KIND_TEXT && !*o->text;
}

void options_print_help(void)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		printf("  %s.%s (default ", table[i].section, table[i].key);
		if (is_empty_by_default(&table[i]))
			printf("empty");
		print_default(&table[i]);
		printf("%s)\n      %s\n", table[i].reload ? "; reloadable" : "", table[i].doc);
	}
}

void options_print_sample(void)
{
	const char *section = "";

	puts("; sladeskd settings. Each can be overridden by an environment variable: "
	     "SLADESK_SECTION_KEY.");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(section, table[i].section) != 0)
			printf("\n[%s]\n", section = table[i].section);
		printf("; %s%s\n;%s = ", table[i].doc, table[i].reload ? " Reloadable." : "",
			table[i].key);
		print_default(&table[i]);
		putchar('\n');
	}
}

void options_print_man(void)
{
	puts(".TH SLADESKD 8\n.SH NAME\nsladeskd \\- service desk daemon\n.SH SYNOPSIS\n.B "
	     "sladeskd\n[\\-c FILE] [\\-\\-check] [\\-\\-takeover]\n.SH DESCRIPTION\n"
	     "Serves the sladesk API, live feed and portal, and keeps the service-level clocks. "
	     "SIGHUP reloads the reloadable settings, SIGUSR1 reopens the log, SIGTERM finishes "
	     "open requests and exits.\n.SH OPTIONS\n.TP\n.B \\-c FILE\nRead the settings from FILE"
	     ".\n.TP\n.B \\-\\-check\nSay what a start would refuse, and exit.\n.TP\n.B "
	     "\\-\\-takeover\nReceive the listening socket from the running daemon, which then "
	     "ends.\n.SH SEE ALSO\n.BR sladesk.conf (5),\n.BR sladesk (1)");
}

void options_print_conf_man(void)
{
	puts(".TH SLADESK.CONF 5\n.SH NAME\nsladesk.conf \\- settings of sladeskd and sladesk\n.SH "
	     "DESCRIPTION\nSections in brackets, then lines of the form key = value; a line that "
	     "begins "
	     "with ; is a comment. The environment variable SLADESK_SECTION_KEY overrides a line. "
	     "Key "
	     "names that end in _file name files, which the group and others must not be able to "
	     "read.\n.SH SETTINGS");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		printf(".TP\n.B %s.%s\n%s Default: ", table[i].section, table[i].key, table[i].doc);
		if (is_empty_by_default(&table[i]))
			printf("empty");
		print_default(&table[i]);
		puts(".");
	}
}
