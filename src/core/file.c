/* SPDX-License-Identifier: Apache-2.0
 * The portal's files: conditional and partial requests. */
#include "inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *type_of(const char *name)
{
	static const char *const types[][2] = { { ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" }, { ".svg", "image/svg+xml" },
		{ ".png", "image/png" } };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

struct outcome *req_serve_file(struct req *req, const char *dir)
{
	char path[512];
	uint64_t from, to;
	struct stat st;
	int fd, status;
	const char *etag;
	struct outcome *taken;
	char *extra;

	snprintf(path, sizeof(path), "%s/%s", dir, req->route->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return req_fail(req, ERR_BUSY, NULL);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return req_fail(req, ERR_NOT_FOUND, NULL);
	}
	etag = arena_printf(&req->arena, "\"%llx-%llx\"", (unsigned long long)st.st_mtime,
		(unsigned long long)st.st_size);
	extra = arena_printf(&req->arena,
		"X-Request-Id: %s\r\n%sETag: %s\r\nCache-Control: no-cache\r\n", req->id,
		reply_security_headers(), etag);
	if (str_is(http_header_find(&req->http->head, "if-none-match"), etag)) {
		close(fd);
		taken = req_taken(req);
		http_reply(req->http, 304, NULL, extra, NULL, 0);
		return taken;
	}
	status = req_range(req, etag, (uint64_t)st.st_size, &from, &to);
	if (status == 416) {
		close(fd);
		return req_fail_range(req, (uint64_t)st.st_size);
	}
	taken = req_streaming(req);
	http_reply_file(
		req->http, status, type_of(path), extra, fd, from, to, (uint64_t)st.st_size);
	return taken;
}
