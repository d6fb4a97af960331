/* SPDX-License-Identifier: Apache-2.0
 * Which connection strings are accepted. A host name would block the loop in getaddrinfo, and other
 * machines are reached only over TLS that verifies the server. libpq accepts lists of hosts, so
 * each element is checked. */
#include "db/db.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const char *const error_parse = "not a connection string";
static const char *const error_service = "no service files; give the address in the setting itself";
static const char *const error_lists = "host and hostaddr must have the same number of elements";
static const char *const error_name =
	"give a socket directory in host, or an address in hostaddr; host names "
	"would block";
static const char *const error_address = "hostaddr takes numeric addresses only";
static const char *const error_tls =
	"to another machine only with sslmode=verify-full (and host for the "
	"certificate's name)";

/* The value that libpq will use: from the string, or from the environment. */
static const char *value_of(const PQconninfoOption *o, const char *keyword)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0) {
			const char *from_env = !o->val && o->envvar ? getenv(o->envvar) : NULL;

			return o->val ? o->val : from_env ? from_env : "";
		}
	return "";
}

static size_t elements_of(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* Element I of a comma-separated list; empty beyond its end. */
static struct str element_of(const char *list, size_t i)
{
	while (i && *list)
		i -= *list++ == ',';
	return (struct str){ list, strcspn(list, ",") };
}

/* Returns false if it is not a numeric address. */
static bool is_local(struct str addr, bool *out_local)
{
	char text[64];
	unsigned char bytes[16];
	static const unsigned char v6_local[16] = { [15] = 1 };

	if (addr.n >= sizeof(text))
		return false;
	memcpy(text, addr.p, addr.n);
	text[addr.n] = '\0';
	if (inet_pton(AF_INET, text, bytes) == 1)
		*out_local = bytes[0] == 127;
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out_local = memcmp(bytes, v6_local, sizeof(v6_local)) == 0;
	else
		return false;
	return true;
}

/* A socket directory, an abstract socket, or nothing, which means the default socket. */
static bool is_socket(struct str host)
{
	return host.n == 0 || host.p[0] == '/' || host.p[0] == '@';
}

static const char *element_error(struct str host, struct str addr, bool verified)
{
	bool local = false;

	if (!addr.n)
		return is_socket(host) ? NULL : error_name;
	if (!is_local(addr, &local))
		return error_address;
	if (!local && (!verified || is_socket(host)))
		return error_tls;
	return NULL;
}

static const char *url_error(const PQconninfoOption *o)
{
	const char *host = value_of(o, "host"), *addr = value_of(o, "hostaddr");
	bool verified = strcmp(value_of(o, "sslmode"), "verify-full") == 0;
	size_t n = elements_of(addr[0] ? addr : host);

	if (value_of(o, "service")[0])
		return error_service;
	if (addr[0] && host[0] && elements_of(host) != n)
		return error_lists;
	for (size_t i = 0; i < n; i++) {
		const char *error =
			element_error(element_of(host, i), element_of(addr, i), verified);

		if (error)
			return error;
	}
	return NULL;
}

bool db_url_is_safe(const char *url, const char **out_error)
{
	char *err = NULL;
	PQconninfoOption *o = PQconninfoParse(url, &err);
	const char *error = o ? url_error(o) : error_parse;

	PQfreemem(err);
	PQconninfoFree(o);
	if (error)
		*out_error = error;
	return !error;
}
