/* SPDX-License-Identifier: Apache-2.0
 * Log lines: text or JSON, by level, to stderr, a file (reopened on request) or syslog. Never
 * blocks the caller for long: the descriptor is non-blocking where the kernel allows it and what
 * cannot be written is dropped and counted. Lines carry ids, never secrets or bodies. */
#ifndef SLADESK_BASE_LOG_H
#define SLADESK_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Who a line is about; long-lived structs embed one. Empty parts are left out. */
struct who {
	char kind[8]; /* req, conn, db, ... */
	uint64_t id;
	int64_t tenant_id, user_id;
};

/* TARGET is "stderr", "syslog" or a file name. Returns false (and keeps the old target) when the
 * file cannot be opened. */
bool log_open(const char *target, enum log_level level, bool json);
/* Open the file again by its name, after logrotate moved it. */
void log_reopen(void);
/* Lines below LEVEL are dropped from now on. */
void log_set_level(enum log_level level);
/* error, warn, info or debug; false for anything else. */
bool log_level_parse(const char *name, enum log_level *out);
/* Lines lost because their reader was too slow or the disk too full. */
uint64_t log_dropped(void);
/* Write what had to be kept back, as far as its reader takes it. Call now and then. */
void log_flush(void);
/* Write one line; WHO (or NULL) tells whom it concerns. Use log_error … log_debug. */
void log_line(enum log_level level, const struct who *who, const char *fmt, ...) PRINTF(3, 4);

#define log_error(who, ...) log_line(LOG_ERROR, who, __VA_ARGS__)
#define log_warn(who, ...) log_line(LOG_WARN, who, __VA_ARGS__)
#define log_info(who, ...) log_line(LOG_INFO, who, __VA_ARGS__)
#define log_debug(who, ...) log_line(LOG_DEBUG, who, __VA_ARGS__)

#endif
