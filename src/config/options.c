/* SPDX-License-Identifier: Apache-2.0
 * One table with five uses: the struct, the defaults, the parser, the help, and the sample file and
 * manual page. */
#include "config/options.h"
#include "config/options_value.h"
#include "config/settings_file.h"
#include "crypto/secretfile.h"

#include <ctype.h>
#include <errno.h>
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

#define FROM_ENVIRONMENT (-1)

static struct {
	struct buf faults; /* a line for each */
	char *file_name;
	bool reloading;
	int line[ARRAY_LEN(table)]; /* where each setting stands in the file; 0: nowhere */
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

static void add_variable(struct buf *b, const struct option *o)
{
	size_t from = b->n + strlen("SLADESK_");

	buf_addf(b, "SLADESK_%s_%s", o->section, o->key);
	for (size_t i = from; i < b->n; i++)
		b->p[i] = (char)toupper((unsigned char)b->p[i]);
}

/* Where setting I was read. */
static void add_place(struct buf *b, size_t i)
{
	if (reader.line[i] == FROM_ENVIRONMENT)
		add_variable(b, &table[i]);
	else if (reader.line[i])
		buf_addf(b, "%s: line %d", reader.file_name, reader.line[i]);
	if (reader.line[i])
		buf_adds(b, ": ");
}

void options_fault(struct buf *faults, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t s = strlen(table[i].section), k = strlen(table[i].key);

		if (strncmp(text, table[i].section, s) == 0 && text[s] == '.' &&
			strncmp(text + s + 1, table[i].key, k) == 0 && text[s + 1 + k] != '_' &&
			!isalnum((unsigned char)text[s + 1 + k])) {
			add_place(faults, i);
			break;
		}
	}
	buf_adds(faults, text);
	buf_addc(faults, '\n');
}

/* A fault of setting O: "section.key" and what follows. */
static void fault(const struct option *o, const char *text)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s.%s%s", o->section, o->key, text);
	options_fault(&reader.faults, buf_cstr(&b));
	buf_free(&b);
}

static void set_value(const struct option *o, const char *v)
{
	void *at = (char *)&options + o->at;
	char text[100];
	int64_t n;

	switch (o->kind) {
	case KIND_TEXT:
		free(*(char **)at);
		*(char **)at = xstrdup(v);
		return;
	case KIND_INT:
		if (str_to_int(str_of(v), o->min, o->max, &n)) {
			*(int64_t *)at = n;
			return;
		}
		snprintf(text, sizeof(text), " must be a whole number from %lld to %lld",
			(long long)o->min, (long long)o->max);
		fault(o, text);
		return;
	case KIND_BOOL:
		if (strcmp(v, "yes") == 0 || strcmp(v, "no") == 0 || strcmp(v, "true") == 0 ||
			strcmp(v, "false") == 0)
			*(bool *)at = v[0] == 'y' || v[0] == 't';
		else
			fault(o, " must be yes or no");
		return;
	}
}

static void on_line(int line, const char *section, const char *key, const char *value)
{
	for (size_t i = 0; key && i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].section, section) != 0 || strcmp(table[i].key, key) != 0)
			continue;
		if (!reader.reloading || table[i].reload) {
			reader.line[i] = line;
			set_value(&table[i], value);
		}
		return;
	}
	buf_addf(&reader.faults, "%s: line %d: ", reader.file_name, line);
	if (key)
		buf_addf(&reader.faults, "unknown setting %.60s.%.60s\n", section, key);
	else
		buf_adds(&reader.faults, "neither a [section] nor a setting such as key = value\n");
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

static void check_names(void)
{
	static const char prefix[] = "SLADESK_";

	for (char **e = environ; *e; e++) {
		const char *name = *e + sizeof(prefix) - 1;
		size_t n = strcspn(*e, "=");

		if (strncmp(*e, prefix, sizeof(prefix) - 1) == 0 &&
			is_unknown(name, n - (sizeof(prefix) - 1)))
			buf_addf(&reader.faults, "%.*s: unknown setting (see sladeskd --help)\n",
				n < 80 ? (int)n : 80, *e);
	}
}

static void read_environment(void)
{
	struct buf name = { 0 };
	const char *v;

	check_names();
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		name.n = 0;
		add_variable(&name, &table[i]);
		v = getenv(buf_cstr(&name));
		if (v && (!reader.reloading || table[i].reload)) {
			reader.line[i] = FROM_ENVIRONMENT;
			set_value(&table[i], v);
		}
	}
	buf_free(&name);
}

static void read_values(void)
{
	FILE *f = NULL;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!reader.reloading || table[i].reload) {
			set_default(&table[i]);
			reader.line[i] = 0;
		}
	if (reader.file_name && !(f = fopen(reader.file_name, "re")))
		buf_addf(&reader.faults, "%s: cannot be read: %s\n", reader.file_name,
			strerror(errno));
	if (f) {
		settings_file_read(f, on_line);
		if (ferror(f))
			buf_addf(&reader.faults, "%s: cannot be read: %s\n", reader.file_name,
				strerror(errno));
		fclose(f);
	}
	read_environment();
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

/* ": FILE: WHY", of setting O. */
static void fault_of_file(
	struct buf *faults, const struct option *o, const char *file, const char *why)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s.%s: %s: %s", o->section, o->key, file, why);
	options_fault(faults, buf_cstr(&b));
	buf_free(&b);
}

/* Every secret that the settings name must be out of the reach of other users. */
static void check_secrets(void)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *file = table[i].kind == KIND_TEXT ? *text_at(&options, i) : "";

		if (*file && names_secret(&table[i]) && secretfile_is_exposed(file))
			fault_of_file(&reader.faults, &table[i], file, secretfile_error(EPERM));
	}
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

void options_check_files(struct buf *faults)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *file = table[i].kind == KIND_TEXT ? *text_at(&options, i) : "",
			   *end = strrchr(table[i].key, '_');

		if (!*file || !end || strcmp(end, "_file") != 0 || access(file, R_OK) == 0 ||
			(errno == ENOENT && is_made_by_us(&table[i])))
			continue;
		fault_of_file(faults, &table[i], file, strerror(errno));
	}
}

/* A reload is all or nothing: a fault leaves every setting as it was. At the start, the settings
 * without a fault are there, so that --check can look at them. */
static bool read_all(const char **out_error)
{
	struct options was = options;
	bool ok, undo;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is_read_again(i) && *text_at(&was, i))
			*text_at(&options, i) = xstrdup(*text_at(&was, i));
	reader.faults.n = 0;
	read_values();
	check_secrets();
	options_check_values(&reader.faults);
	ok = reader.faults.n == 0;
	undo = !ok && reader.reloading;
	if (!ok)
		reader.faults.n--; /* the last newline */
	*out_error = buf_cstr(&reader.faults);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is_read_again(i))
			free_text(undo ? &options : &was, i);
	if (undo)
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
	buf_free(&reader.faults);
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
