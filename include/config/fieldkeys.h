/* SPDX-License-Identifier: Apache-2.0
 * Where the keys of personal fields come from: the master key from a file (made on first use) or a
 * command (a PKCS#11 token, a secrets manager), the data keys from the database. */
#ifndef SLADESK_CONFIG_FIELDKEYS_H
#define SLADESK_CONFIG_FIELDKEYS_H

#include "crypto/field.h"

/* The file of the master key: crypto.master_key_file, or master.key beside token.key_file. The
 * caller frees. */
char *fieldkeys_file(void) MUST_USE;
/* The master key, by the settings; FILE and no command: that file, made when it is not there. False
 * with *OUT_ERROR (static) when there is none. Blocks: at start and on the command line only. */
bool fieldkeys_master(unsigned char out[FIELD_KEY_BYTES], const char **out_error);
/* A fresh master key into FILE, which must not be there, for its folder's owner. */
bool fieldkeys_make_file(const char *file, const unsigned char key[FIELD_KEY_BYTES]);
/* Read the master key in FILE into OUT; false when it is missing or not 64 hexadecimal digits. */
bool fieldkeys_read_file(const char *file, unsigned char out[FIELD_KEY_BYTES]);
/* 64 hex digits. */
bool fieldkeys_parse(const char *hex, unsigned char *out, size_t n);

/* The daemon's: read the master key now, the data keys when the database is there, then ON_READY;
 * new ones every ten seconds. */
void fieldkeys_init(void);
/* Read the keys from the database, making the first ones; ON_READY runs once, when they are there.
 */
void fieldkeys_load(void (*on_ready)(void));
/* Read the keys again: another instance or sladesk keys may have made one. Does nothing while a
 * read is under way. */
void fieldkeys_reload(void);
/* Wipe and release all keys. */
void fieldkeys_free(void);
/* When the newest data key was made, in seconds; 0: not known yet. */
int64_t fieldkeys_newest_s(void);

#endif
