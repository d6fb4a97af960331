/* SPDX-License-Identifier: Apache-2.0
 * The keys of personal fields. The master key comes from a file (created at first use) or a command
 * (a PKCS#11 token, a secrets manager); the data keys come from the database. */
#ifndef SLADESK_CONFIG_FIELDKEYS_H
#define SLADESK_CONFIG_FIELDKEYS_H

#include "crypto/field.h"

/* The path of the master key file: crypto.master_key_file, or master.key next to token.key_file.
 * The caller frees it. */
char *fieldkeys_file(void) MUST_USE;
/* Read the master key as the settings say. With a file and no command, the file is created if it
 * does not exist. Returns false and sets *OUT_ERROR (static) if there is no usable key. Blocks:
 * only at start and on the command line. */
bool fieldkeys_master(unsigned char out[FIELD_KEY_BYTES], const char **out_error);
/* Write a new master key to FILE, which must not exist. It belongs to the owner of its
 * directory. */
bool fieldkeys_make_file(const char *file, const unsigned char key[FIELD_KEY_BYTES]);
/* Read the master key in FILE into OUT. Returns false if it is missing or not 64 hexadecimal
 * digits. */
bool fieldkeys_read_file(const char *file, unsigned char out[FIELD_KEY_BYTES]);
/* Read HEX, exactly 2 × N hexadecimal digits, into OUT. Returns false for anything else. */
bool fieldkeys_parse(const char *hex, unsigned char *out, size_t n);

/* Add a line to FAULTS if fieldkeys_init would exit. Nothing is created; the command is run. */
void fieldkeys_check(struct buf *faults);

/* For the daemon: read the master key now and the data keys once the database is available, then
 * call ON_READY. New data keys are read every ten seconds. */
void fieldkeys_init(void);
/* Read the keys from the database, creating the first ones. ON_READY runs once, when they have been
 * loaded. */
void fieldkeys_load(void (*on_ready)(void));
/* Read the data keys again, because another instance or sladesk keys may have created one. Does
 * nothing while a read is in progress. */
void fieldkeys_reload(void);
/* For sealing/begin: the first key that encrypts values with their place, wrapped by MASTER (NULL:
 * the daemon's) in hex, and the marks of all columns, which end at UNTIL_S. Nothing is loaded. */
void fieldkeys_change_over(const unsigned char master[FIELD_KEY_BYTES], int64_t until_s,
	struct buf *key, struct buf *marks);
/* Wipe and release all keys. */
void fieldkeys_free(void);
/* When the newest data key was created, in seconds; 0 if not known yet. */
int64_t fieldkeys_newest_s(void);

#endif
