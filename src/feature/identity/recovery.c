/* SPDX-License-Identifier: Apache-2.0
 * Recovery codes rest as HMACs under the index key, because 50 bits can be found from a plain
 * digest. Earlier versions stored the plain digest: what is keyed is that digest, so a job converts
 * the old rows, and the codes go on working. */
#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "factor_enrol.h"
#include "identity.h"
#include "sql_gen.h"

#include <openssl/crypto.h>

#define EVERY_MS (600 * 1000)
#define NOT_READY_MS 1000

/* PLAIN: the SHA-256 of a code in hex. */
static void key_digest(int64_t tenant_id, struct str plain, char out[65])
{
	field_index("recovery_code", tenant_id, plain, out);
}

void recovery_digest(int64_t tenant_id, const char *code, char out[65])
{
	char plain[48], sha[65];
	size_t n = 0;

	for (; *code && n < sizeof(plain); code++)
		if (*code != '-' && *code != ' ')
			plain[n++] = (char)(*code >= 'A' && *code <= 'Z' ? *code + 32 : *code);
	crypto_sha256_hex(plain, n, sha);
	key_digest(tenant_id, str_of(sha), out);
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(sha, sizeof(sha));
}

/* --- the job --- */

static struct buf list;

static void on_keyed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	buf_free(&list);
	if (error == DB_OK && PQntuples(rows))
		job_end(run, JOB_MORE);
	else
		job_end_db(run, error);
}

static void on_plain(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK || !PQntuples(rows)) {
		job_end_db(run, error);
		return;
	}
	for (int i = 0; i < PQntuples(rows); i++) {
		char keyed[65];

		key_digest(db_int(rows, i, 0), db_text(rows, i, 3), keyed);
		buf_addf(&list,
			"%s{\"tenant_id\":%lld,\"kind\":\"%.*s\",\"actor_id\":%lld,\"digest\":\"%."
			"*s\","
			"\"keyed\":\"%s\"}",
			i ? "," : "[", (long long)db_int(rows, i, 0), (int)db_text(rows, i, 1).n,
			db_text(rows, i, 1).p, (long long)db_int(rows, i, 2),
			(int)db_text(rows, i, 3).n, db_text(rows, i, 3).p, keyed);
	}
	buf_addc(&list, ']');
	job_param_text(run, 0, buf_cstr(&list));
	job_query(run, &sql_factor_codes_key, on_keyed);
}

int64_t recovery_every(void)
{
	return field_keys_ready() ? EVERY_MS : NOT_READY_MS;
}

void recovery_run(struct job_run *run)
{
	if (field_keys_ready())
		job_query(run, &sql_factor_codes_plain, on_plain);
	else
		job_end(run, JOB_DONE);
}
