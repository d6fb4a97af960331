/* SPDX-License-Identifier: Apache-2.0
 * Log lines as text or JSON, filtered by level, to stderr, a file (reopened on request) or syslog.
 * Logging never blocks the caller for long: the descriptor is non-blocking where the kernel allows
 * it, and lines that cannot be written are dropped and counted. Lines carry ids, never secrets or
 * bodies. */
#ifndef SLADESK_BASE_LOG_H
#define SLADESK_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* The subject of a line. Long-lived structs embed one. Empty parts are not printed. */
struct who {
	char kind[8]; /* req, conn, db, ... */
	uint64_t id;
	int64_t tenant_id, user_id;
};

/* Write lines of LEVEL and above to TARGET: "stderr", "syslog" or a file name. Returns false, and
 * keeps the old target, if the file cannot be opened. */
bool log_open(const char *target, enum log_level level, bool json);
/* Reopen the file by its name, after logrotate has moved it. */
void log_reopen(void);
/* Drop lines below LEVEL from now on. */
void log_set_level(enum log_level level);
/* Read NAME (error, warn, info or debug). Returns false for anything else. */
bool log_level_parse(const char *name, enum log_level *out);
/* The number of lines lost because the reader was too slow or the disk was full. */
uint64_t log_dropped(void);
/* Write lines that were held back, as far as the reader accepts them. Call it from time to time. */
void log_flush(void);
/* Write one line; WHO (or NULL) is its subject. Use log_error … log_debug. */
void log_line(enum log_level level, const struct who *who, const char *fmt, ...) PRINTF(3, 4);

#define log_error(who, ...) log_line(LOG_ERROR, who, __VA_ARGS__)
#define log_warn(who, ...) log_line(LOG_WARN, who, __VA_ARGS__)
#define log_info(who, ...) log_line(LOG_INFO, who, __VA_ARGS__)
#define log_debug(who, ...) log_line(LOG_DEBUG, who, __VA_ARGS__)

#endif
