/* SPDX-License-Identifier: Apache-2.0
 * A response from nobody: it must never be accepted, because no signature of the pinned certificate
 * can be on it. */
#include "../../src/helper/saml.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* RSA 2048; the private key was thrown away. */
static const char cert[] = "-----BEGIN CERTIFICATE-----\n"
			   "MIIDATCCAemgAwIBAgIUQHzA9H1JzQmmC10xrpvJp4u4wTEwDQYJKoZIhvcNAQEL\n"
			   "BQAwDzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjYxNjAwMDBaGA8yMTI2MTEwMjE2\n"
			   "MDAwMFowDzENMAsGA1UEAwwEZnV6ejCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
			   "AQoCggEBAMSlX2xEdbCzoQPCeEm1WXr+73K+E46O2wDhfouK/T7VDOoR6CKRaASv\n"
			   "g4nKwJFyaSwycRz8zUj4XdYP0Zj+7UUVBhLdDjj/mroSTCcY7SDl8vncy4NxfXfH\n"
			   "wbjdMNijbYPYXwaxKJj1DAxZZ9C1MOhc5Aevwa5bdUklQP4CKJ+CBlESJwKUfDiH\n"
			   "geAo44F8AiB36PMnoi5ivP60erpJ69EHvSPRbztvBp0IuqgjvOLCypIt94iIylul\n"
			   "iQ/40weulHcrcPt56x+X0sQPmi0KlKW6VBVfSDAhCAedb3wOFDx+CZ5MCe4fpZnL\n"
			   "LhudkPIWpjfzrOqP43oRzWSk+vHzv3UCAwEAAaNTMFEwHQYDVR0OBBYEFJMwx5FZ\n"
			   "IJMx9SAPG3JNJhZyqv/yMB8GA1UdIwQYMBaAFJMwx5FZIJMx9SAPG3JNJhZyqv/y\n"
			   "MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAIbYCayJDjwdd7HU\n"
			   "Cl45iI5KsCzmpjD7qA9HBsoee2MyBfEksVYKhrd5FiJzuKglpTb9eVdNkuWEYYKZ\n"
			   "fPd/x//T/eI/bsKiz5tevpvUNojd8Tzf6bLcosDaXfvpZVKws7ViuGzG4in/o5at\n"
			   "lCySOASU+yr8rY32d+9P3mS7Wfp9ug69SS76wTTmE6byMUWU+VajW9Vxfp4TGB96\n"
			   "7f2OfJ1BJ1vnWnWAGPqbuyV3gLUcGWUzf7URTlw1nFou74WjEJYeq4jQQModIxYf\n"
			   "ZzjRJsdv6tv6nmy2dhW9tLWQeHodKxkZwEKe/pAK7f5YsGpTbxnoAeYQs+QNExIA\n"
			   "/55AFdE=\n"
			   "-----END CERTIFICATE-----\n";

static char *key; /* ours; nobody has encrypted anything with it */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	EVP_PKEY *k = EVP_RSA_gen(2048);
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	(void)argc;
	(void)argv;
	bug_on(!k || PEM_write_bio_PrivateKey(b, k, NULL, NULL, 0, NULL, NULL) != 1);
	n = BIO_get_mem_data(b, &p);
	key = xstrndup(p, (size_t)n);
	BIO_free(b);
	EVP_PKEY_free(k);
	saml_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf job = { 0 }, out = { 0 };

	buf_add(&job, cert, sizeof(cert)); /* including the NUL */
	buf_add(&job, key, strlen(key) + 1);
	buf_add(&job, data, n);
	saml_verify(job.p, job.n, &out);
	bug_on(out.n < 12 || memcmp(out.p, "{\"ok\":false", 11) != 0);
	buf_free(&job);
	buf_free(&out);
	return 0;
}
