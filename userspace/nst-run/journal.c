// SPDX-License-Identifier: GPL-2.0
/*
 * A line in the journal: syslog's socket takes it, systemd's as well. Where there
 * is none it goes to standard error, if that is still what the process began with
 * and no file of the program's. No allocation, no stdio, errno is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "journal.h"
#include "sys.h"
#include "text.h"

#define LINE_BYTES	512
/* A program that tries for ever fills no disk. */
#define LINES		10
#define LINES_SECONDS	10

static struct {
	int known;
	dev_t dev;
	ino_t ino;
} begun;

static struct {
	time_t since;
	unsigned int lines;
	unsigned int left_out;
} budget;

static int stat_stderr(struct stat *st)
{
	return sys_call(SYS_newfstatat, STDERR_FILENO, SYS_PTR(""), SYS_PTR(st),
			AT_EMPTY_PATH, 0, 0);
}

/**
 * journal_init() - remember what standard error is
 */
void journal_init(void)
{
	struct stat st;

	if (stat_stderr(&st))
		return;
	begun.dev = st.st_dev;
	begun.ino = st.st_ino;
	begun.known = 1;
}

/* May this line be written? Counts are kept by all threads, roughly. */
static int may_write(unsigned int *left_out)
{
	struct timespec now = { 0 };

	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, SYS_PTR(&now), 0, 0, 0, 0);
	*left_out = 0;
	if (!budget.since || now.tv_sec - budget.since >= LINES_SECONDS) {
		budget.since = now.tv_sec ? now.tv_sec : 1;
		__atomic_store_n(&budget.lines, 0, __ATOMIC_RELAXED);
		*left_out = __atomic_exchange_n(&budget.left_out, 0,
						__ATOMIC_RELAXED);
	}
	if (__atomic_add_fetch(&budget.lines, 1, __ATOMIC_RELAXED) <= LINES)
		return 1;
	__atomic_add_fetch(&budget.left_out, 1, __ATOMIC_RELAXED);
	return 0;
}

static int to_syslog(const struct text *line)
{
	struct sockaddr_un addr = {
		.sun_family = AF_UNIX,
		.sun_path = "/dev/log",
	};
	long fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			     0);
	long n;

	if (fd < 0)
		return -1;
	n = sys_sendto(fd, line->buf, line->len, MSG_NOSIGNAL, &addr,
		       sizeof(addr));
	sys_close(fd);
	return n < 0 ? -1 : 0;
}

static void to_stderr(const struct text *line)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct timespec now = { 0 };
	struct stat st;

	if (!begun.known || stat_stderr(&st) || st.st_dev != begun.dev ||
	    st.st_ino != begun.ino)
		return;
	/* A reader that is asleep holds up no call. */
	if (sys_call(SYS_ppoll, SYS_PTR(&poll_fd), 1, SYS_PTR(&now), 0, 0,
		     0) != 1 || !(poll_fd.revents & POLLOUT))
		return;
	sys_call(SYS_write, STDERR_FILENO, SYS_PTR(line->buf), line->len, 0, 0,
		 0);
}

/* "nst-run[PID]: " and the line, or what is said of those left out. */
static void put(const char *line)
{
	char buf[LINE_BYTES], *start;
	struct text t = { .buf = buf, .size = sizeof(buf) - 1 };

	text_add(&t, "<");
	text_number(&t, LOG_DAEMON | LOG_ERR);
	text_add(&t, ">");
	start = buf + t.len;
	text_add(&t, "nst-run[");
	text_number(&t, sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
	text_add(&t, "]: ");
	text_add(&t, line);
	if (!to_syslog(&t))
		return;
	t.size++;
	text_add(&t, "\n");
	t.len -= start - buf;
	t.buf = start;
	to_stderr(&t);
}

/**
 * journal_line() - write one
 * @line: without an end of line
 */
void journal_line(const char *line)
{
	unsigned int left_out;
	char said[64];
	struct text t = { .buf = said, .size = sizeof(said) };

	if (!may_write(&left_out))
		return;
	if (left_out) {
		text_number(&t, left_out);
		text_add(&t, " more lines were left out");
		put(said);
	}
	put(line);
}

static void add_program(struct text *t)
{
	char name[17] = "";

	/* PR_GET_NAME */
	if (!sys_call(SYS_prctl, 16, SYS_PTR(name), 0, 0, 0, 0)) {
		text_add(t, name);
		text_add(t, ": ");
	}
}

/**
 * journal_keyless() - tell that a socket has NST, and no key to send under
 * @result: of attach_call(); once is enough until another one has a key
 *
 * The call goes on, as the box may be loaded any moment.
 */
void journal_keyless(const struct attach_result *result)
{
	char line[LINE_BYTES];
	struct text t = { .buf = line, .size = sizeof(line) };
	static int said;

	if (result->outcome != ATTACH_DONE ||
	    __atomic_exchange_n(&said, result->keyless, __ATOMIC_RELAXED) ||
	    !result->keyless)
		return;
	add_program(&t);
	text_add(&t, attach_call_name(result->call));
	text_add(&t, result->remote ? " to port " : " on port ");
	text_number(&t, result->port);
	text_add(&t, " goes on without a key: sends fail (ENOKEY) until the box has one");
	journal_line(line);
}

/**
 * journal_call() - tell why a call fails
 * @call: its name
 * @result: what it was about
 * @hint: what the error means
 *
 * "redis: connect() to port 6379/tcp refused: ENOKEY (no keys: ...)"
 */
void journal_call(const char *call, const struct attach_result *result,
		  const char *hint)
{
	const char *name = strerrorname_np(result->error);
	char line[LINE_BYTES];
	struct text t = { .buf = line, .size = sizeof(line) };

	add_program(&t);
	text_add(&t, call);
	text_add(&t, result->remote ? " to port " : " on port ");
	text_number(&t, result->port);
	text_add(&t, result->protocol == IPPROTO_TCP ? "/tcp" : "/udp");
	text_add(&t, " refused: ");
	text_add(&t, name ? name : "?");
	text_add(&t, " (");
	text_add(&t, hint);
	text_add(&t, ")");
	journal_line(line);
}

/**
 * journal_failure() - tell why a call fails whose attach failed
 * @result: of attach_call()
 */
void journal_failure(const struct attach_result *result)
{
	journal_call(attach_call_name(result->call), result,
		     attach_hint(result->error));
}
