/* SPDX-License-Identifier: Apache-2.0
 * Signed anchors of the audit chains: lines of text that say which digest a tenant's chain had at
 * which row and when, signed with Ed25519 by a key that the database never sees. Each line carries
 * the SHA-256 of the line before it, so that none can be removed, moved or put in between. */
#ifndef SLADESK_CRYPTO_ANCHOR_H
#define SLADESK_CRYPTO_ANCHOR_H

#include "base/base.h"

#define ANCHOR_LINE_MAX 600

struct anchor {
	int64_t line_no; /* from 1, without gaps */
	int64_t tenant_id, chain_no;
	char digest[65]; /* of that row of the chain, in hex */
	char at[40];     /* RFC 3339 */
	char before[65]; /* SHA-256 of the line before, in hex; zeros in the first line */
	char key[17];    /* the first half of the SHA-256 of the public key, in hex */
};

/* Load our private key from FILE, which is created if it does not exist (mode 0600, owned by the
 * owner of its directory), and the public keys that follow it, which signed before. Returns NULL or
 * what is wrong. */
const char *anchor_key_open(const char *file);
/* Load FILE again if it has changed since; what is wrong leaves the keys as they are. Returns NULL
 * or what is wrong. */
const char *anchor_key_reload(const char *file);
/* Put a new private key into FILE, which anchor_key_open has read. The public half of the one so
 * far follows it, before those that were there; its private half is gone. Returns NULL or what is
 * wrong. */
const char *anchor_key_rotate(const char *file);
/* Load the public keys in FILE (PEM, one or more) to check lines with. Returns NULL or what is
 * wrong. */
const char *anchor_keys_read(const char *file);
/* The public half of our key, in PEM, and after it those that signed before. */
void anchor_key_public(struct buf *b);
/* The name of our key, as in struct anchor. */
const char *anchor_key_name(void);
/* Append the signed line of A, without a line end. A->key is ignored. */
void anchor_line_add(struct buf *b, const struct anchor *a);
/* Read LINE and check its signature with the loaded keys. What precedes the anchor in it (as in a
 * log) is skipped. Returns NULL or what is wrong. OUT_LINE gets the anchor's own text within
 * LINE. */
const char *anchor_line_read(struct str line, struct anchor *out, struct str *out_line);
/* Write the SHA-256 of LINE, in hex, to OUT: the value that the next line carries. */
void anchor_line_digest(struct str line, char out[65]);
/* Forget all keys. */
void anchor_keys_free(void);

#endif
