/* SPDX-License-Identifier: Apache-2.0 */
#include "auth_data.h"

#include <string.h>

#define AAGUID 16
#define CBOR_DEPTH 8
#define CBOR_MAP 5
#define COORDINATE 32

static void advance(struct bytes *b, size_t n)
{
	*b = (struct bytes){ b->p + n, b->n - n };
}

/* Skip one CBOR item of definite length at the beginning of B (RFC 8949). */
static bool cbor_skip(struct bytes *b, int depth)
{
	uint64_t v;
	unsigned major, extra;

	if (!b->n || depth == CBOR_DEPTH)
		return false;
	major = b->p[0] >> 5;
	v = b->p[0] & 31;
	if (v >= 28) /* no length, or none that is known */
		return false;
	extra = v < 24 ? 0 : 1u << (v - 24);
	if (b->n <= extra)
		return false;
	for (unsigned i = 0, given = extra; i < given; i++)
		v = (i ? v << 8 : 0) | b->p[1 + i];
	advance(b, 1 + extra);
	if (major == 2 || major == 3) {
		if (v > b->n)
			return false;
		advance(b, v);
	}
	if (major < 4 || major == 7)
		return true;
	if (major == 6 || v > b->n) /* no tags here; each item has a byte */
		return false;
	for (uint64_t i = 0; i < (major == CBOR_MAP ? 2 * v : v); i++)
		if (!cbor_skip(b, depth + 1))
			return false;
	return true;
}

/* Is REST what the flags announce behind everything else: a map of extensions, or nothing? */
static bool ends(struct bytes rest, unsigned flags)
{
	if (flags & FLAG_EXTENSIONS &&
		!(rest.n && rest.p[0] >> 5 == CBOR_MAP && cbor_skip(&rest, 0)))
		return false;
	return !rest.n;
}

bool auth_data_is_login(struct bytes data)
{
	unsigned flags;

	if (data.n < AUTH_DATA_MIN)
		return false;
	flags = data.p[32];
	advance(&data, AUTH_DATA_MIN);
	return !(flags & FLAG_ATTESTED) && ends(data, flags);
}

/* If B begins with EXPECTED, go behind it. */
static bool take(struct bytes *b, const void *expected, size_t n)
{
	if (b->n < n || memcmp(b->p, expected, n) != 0)
		return false;
	advance(b, n);
	return true;
}

static bool take_coordinate(struct bytes *b, unsigned char out[COORDINATE])
{
	if (b->n < COORDINATE)
		return false;
	memcpy(out, b->p, COORDINATE);
	advance(b, COORDINATE);
	return true;
}

/* Read an ES256 key in COSE (RFC 9053, 7.1.1). WebAuthn has it in CTAP2's canonical CBOR, with
 * "alg" and without any optional member (6.5.1.1), so everything but the coordinates is the same in
 * all keys: another order, length, member or spelling is no key of an authenticator. */
static bool take_key(struct bytes *b, unsigned char out[CREDENTIAL_KEY])
{
	static const unsigned char x[] = { 0xa5, /* a map of five: */
		0x01, 0x02,                      /* kty: EC2 */
		0x03, 0x26,                      /* alg: -7, ES256 */
		0x20, 0x01,                      /* crv: P-256 */
		0x21, 0x58, COORDINATE },
				   y[] = { 0x22, 0x58, COORDINATE },
				   head[CREDENTIAL_KEY - 2 * COORDINATE] = { 0x30, 0x59, 0x30, 0x13,
					   0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
					   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
					   0x07, 0x03, 0x42, 0x00, 0x04 };

	memcpy(out, head, sizeof(head));
	return take(b, x, sizeof(x)) && take_coordinate(b, out + sizeof(head)) &&
	       take(b, y, sizeof(y)) && take_coordinate(b, out + sizeof(head) + COORDINATE);
}

bool auth_data_read(struct bytes data, struct new_credential *out)
{
	unsigned flags;
	size_t n;

	if (data.n < AUTH_DATA_MIN + AAGUID + 2)
		return false;
	flags = data.p[32];
	advance(&data, AUTH_DATA_MIN + AAGUID);
	n = (size_t)data.p[0] << 8 | data.p[1];
	advance(&data, 2);
	if (!(flags & FLAG_ATTESTED) || n < CREDENTIAL_ID_MIN || n > CREDENTIAL_ID_MAX ||
		n > data.n)
		return false;
	out->id = (struct bytes){ data.p, n };
	advance(&data, n);
	return take_key(&data, out->key) && ends(data, flags);
}
