/* SPDX-License-Identifier: Apache-2.0
 * sladesk-helper-mail: sends mail with libcurl, which blocks while it waits for the reply to the
 * end of DATA. The daemon is told as soon as the relay has accepted the mail, so a failure after
 * that (in QUIT) does not cause a second copy. A connection is reused for mails that follow within
 * a second. */
#include "helper.h"
#include "crypto/secretfile.h"
#include "work/mail_job.h"

#include <curl/curl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS 1000 /* after this time without mails, a connection is closed */
#define QUIT_S 2     /* time limit for the relay's reply to QUIT */
#define SOCKETS_MAX 8

static CURL *easy;
static struct mail {
	const struct mail_job *job;
	size_t given;
	bool ended, answered; /* everything was sent, and the daemon has been told */
	bool about_mail;      /* the last command was about this recipient or this text */
	int refusal;       /* the reply to the last command, if it was a permanent refusal (5xx) */
	bool refused_mail; /* and whether the command was about_mail */
	char error[CURL_ERROR_SIZE];
} mail;

/* --- the time limits that libcurl does not enforce --- */

static volatile int sockets[SOCKETS_MAX];

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	static unsigned at;

	(void)arg;
	(void)purpose;
	sockets[at++ % SOCKETS_MAX] = fd;
	return CURL_SOCKOPT_OK;
}

static int close_socket(void *arg, curl_socket_t fd)
{
	(void)arg;
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i] == fd)
			sockets[i] = -1;
	return close(fd);
}

/* libcurl waits for the reply to QUIT whatever its time limit says: end the connection for it. */
static void on_alarm(int signo)
{
	(void)signo;
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i] >= 0)
			shutdown(sockets[i], SHUT_RDWR);
}

static void hang_up(void)
{
	if (!easy)
		return;
	alarm(QUIT_S);
	curl_easy_cleanup(easy);
	alarm(0);
	easy = NULL;
}

/* --- one mail --- */

static void send_result(enum mail_verdict verdict, int status, const char *error)
{
	struct mail_result r = { .verdict = verdict, .status = status };

	if (mail.answered)
		return;
	mail.answered = true;
	snprintf(r.error, sizeof(r.error), "%s", error);
	helper_answer(&r, sizeof(r));
}

static size_t give_message(char *out, size_t size, size_t count, void *arg)
{
	struct str m = mail.job->message;
	size_t n = m.n - mail.given < size * count ? m.n - mail.given : size * count;

	(void)arg;
	memcpy(out, m.p + mail.given, n);
	mail.given += n;
	mail.ended |= n == 0;
	return n;
}

/* A line from the relay. The last line of the reply to the end of the message decides. */
static size_t on_line(char *p, size_t size, size_t count, void *arg)
{
	size_t n = size * count;

	(void)arg;
	if (n >= 4 && p[0] == '5') {
		mail.refusal = atoi(p);
		mail.refused_mail = mail.about_mail;
	}
	if (mail.ended && n >= 4 && p[0] == '2' && p[3] == ' ')
		send_result(MAIL_TAKEN, atoi(p), "");
	return n;
}

/* Note the command that the next reply answers; libcurl shows it only in its trace. A refusal does
 * not count if another command follows (HELO after EHLO), unless that is QUIT. */
static int on_trace(CURL *handle, curl_infotype type, char *p, size_t n, void *arg)
{
	(void)handle;
	(void)arg;
	if (type != CURLINFO_HEADER_OUT || (n >= 4 && strncasecmp(p, "QUIT", 4) == 0))
		return 0;
	mail.refusal = 0;
	mail.about_mail =
		n >= 4 && (strncasecmp(p, "RCPT", 4) == 0 || strncasecmp(p, "DATA", 4) == 0);
	return 0;
}

/* Does a permanent refusal concern this recipient or this text, or us? A reply that asks for
 * authentication (RFC 4954, section 6) always concerns us. */
static enum mail_verdict verdict_of(CURLcode code)
{
	if (code == CURLE_URL_MALFORMAT)
		return MAIL_REFUSED_US;
	if (!mail.refusal)
		return MAIL_FAILED;
	return mail.refused_mail && mail.refusal != 530 && mail.refusal != 535 ? MAIL_REFUSED
									       : MAIL_REFUSED_US;
}

static size_t drop(char *p, size_t size, size_t count, void *arg)
{
	(void)p;
	(void)arg;
	return size * count;
}

/* NULL if it cannot be read. */
static char *read_password(const char *name)
{
	return *name ? secretfile_line(name) : xstrdup("");
}

static void set_up(const struct mail_job *m, struct curl_slist *to, const char *password)
{
	if (!easy)
		easy = curl_easy_init();
	bug_on(!easy);
	curl_easy_reset(easy); /* keep the connection */
	curl_easy_setopt(easy, CURLOPT_URL, m->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, mail.error);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, m->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_trace);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	if (m->require_tls)
		curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (*m->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, m->ca_file);
	if (*m->username) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, m->username);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Try until UNTIL_MS. Returns true if a reused connection ended before the message began, so that a
 * new connection may succeed. */
static bool try(
	const struct mail_job *m, struct curl_slist *to, const char *password, int64_t until_ms)
{
	long left = (long)(until_ms - now_ms()), status = 0, fresh = 1;
	CURLcode code;

	mail = (struct mail){ .job = m };
	left = left > 1 ? left : 1;
	set_up(m, to, password);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, left);
	alarm((unsigned)(left / 1000) + 2);
	code = curl_easy_perform(easy);
	alarm(0);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &fresh);
	if (code == CURLE_OK) {
		send_result(MAIL_TAKEN, (int)status, "");
		return false;
	}
	if (!fresh && !mail.given && !mail.ended && (status == 0 || status == 421))
		return true;
	if (!*mail.error)
		snprintf(mail.error, sizeof(mail.error), "%s", curl_easy_strerror(code));
	if (mail.refusal)
		status = mail.refusal;
	if (status)
		snprintf(mail.error + strlen(mail.error), sizeof(mail.error) - strlen(mail.error),
			" (%ld)", status);
	send_result(verdict_of(code), (int)status, mail.error);
	return false;
}

static void send_mail(const struct mail_job *m)
{
	char *password = read_password(m->password_file);
	struct curl_slist *to = curl_slist_append(NULL, m->to);
	int64_t until_ms = now_ms() + m->timeout_ms;

	mail = (struct mail){ .job = m };
	if (*m->username && !password) {
		send_result(MAIL_REFUSED_US, 0, "mail.password_file cannot be read");
	} else if (try(m, to, password, until_ms)) {
		hang_up();
		try(m, to, password, until_ms);
	}
	if (*mail.error)
		hang_up();
	curl_slist_free_all(to);
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

static void on_job(enum work_kind kind, const char *p, size_t n)
{
	struct mail_job m;

	if (kind == WORK_MAIL && mail_job_read(p, n, &m))
		send_mail(&m);
	else
		helper_fail();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	mallopt(M_ARENA_MAX,
		1); /* the resolver's thread would reserve more address space than we have */
	for (int i = 0; i < SOCKETS_MAX; i++)
		sockets[i] = -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 1;
	return helper_main(&(struct helper_rules){ .pool = POOL_MAIL,
		.fn = on_job,
		.memory_max = 256u << 20,
		.outside = true,
		.idle_ms = IDLE_MS,
		.on_idle = hang_up });
}
