// SPDX-License-Identifier: GPL-2.0
/* What a TCP connection carries while calls fail. See faulttcp.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "fault.h"
#include "faulttcp.h"
#include "tcptest.h"

#define FILE_LEN	20000
#define ALL		200000

/* What a connection has carried so far, one way. */
struct way {
	int from;
	int to;
	size_t sent;
	size_t got;
};

static int send_some(struct way *way, size_t len, int flags)
{
	static char buf[ALL];
	ssize_t n;

	fault_fill(buf, len, way->sent);
	while (len) {
		n = FAULT_TRY(send(way->from, buf, len, flags | MSG_NOSIGNAL));
		if (n <= 0)
			return fault_told(way->from, way->to,
					  fault_failed("send", errno));
		memmove(buf, buf + n, len - n);
		way->sent += n;
		len -= n;
	}
	return 0;
}

static int recv_all(struct way *way, size_t chunk)
{
	static char buf[ALL];
	ssize_t n;

	while (way->got < way->sent) {
		n = FAULT_TRY(recv(way->to, buf, chunk, 0));
		if (!n)
			return fault_failed("early end of file", EPIPE);
		if (n < 0)
			return fault_told(way->from, way->to,
					  fault_failed("recv", errno));
		if (!fault_same(buf, n, way->got))
			return fault_failed("other bytes", EILSEQ);
		way->got += n;
	}
	return 0;
}

static int plain_sizes(struct way *way)
{
	static const size_t sizes[] = { 1, 100, 3000, 9000, 40000 };
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ret = send_some(way, sizes[i], 0);
		/* straight into the program's memory, through a buffer, in parts */
		if (!ret)
			ret = recv_all(way, i % 2 ? ALL : 1000);
	}
	return ret;
}

static int gathered(struct way *way)
{
	int ret = send_some(way, 700, MSG_MORE);

	if (!ret)
		ret = send_some(way, 5000, MSG_MORE);
	if (!ret)
		ret = send_some(way, 10, 0);
	return ret ?: recv_all(way, ALL);
}

static int send_file(struct way *way, int file)
{
	off_t at = 0;
	ssize_t n;

	while (at < FILE_LEN) {
		n = FAULT_TRY(sendfile(way->from, file, &at, FILE_LEN - at));
		if (n <= 0)
			return fault_told(way->from, way->to,
					  fault_failed("sendfile", errno));
	}
	way->sent += FILE_LEN;
	return recv_all(way, ALL);
}

/* A file whose bytes are the next of the stream. */
static int file_of(const struct way *way)
{
	static char buf[FILE_LEN];
	int fd = memfd_create("faults", 0);

	fault_fill(buf, sizeof(buf), way->sent);
	if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf))
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int files(struct way *way)
{
	int fd = file_of(way), ret;

	if (fd < 0)
		return fault_failed("memfd", errno);
	ret = send_file(way, fd);
	close(fd);
	return ret;
}

/* Into a pipe and out of it, on both sides. */
static int splices(struct way *way)
{
	static char buf[FILE_LEN];
	int p[2], ret = 0;
	size_t left = 3000;
	ssize_t n;

	if (pipe(p))
		return -errno;
	fault_fill(buf, left, way->sent);
	if (write(p[1], buf, left) != (ssize_t)left)
		return -errno;
	for (; left && !ret; left -= n) {
		n = FAULT_TRY(splice(p[0], NULL, way->from, NULL, left, 0));
		if (n <= 0)
			ret = fault_told(way->from, way->to,
					 fault_failed("splice out", errno));
		else
			way->sent += n;
	}
	while (!ret && way->got < way->sent) {
		n = FAULT_TRY(splice(way->to, NULL, p[1], NULL, FILE_LEN, 0));
		if (n <= 0)
			ret = fault_told(way->from, way->to,
					 fault_failed("splice in", errno));
		else if (read(p[0], buf, n) != n ||
			 !fault_same(buf, n, way->got))
			ret = fault_failed("other bytes spliced", EILSEQ);
		else
			way->got += n;
	}
	close(p[0]);
	close(p[1]);
	return ret;
}

/* sendmsg() and recvmsg() with errno, as FAULT_TRY() wants it. */
static long control_out(int fd, const void *buf, size_t len)
{
	ssize_t n = tcptest_send_type(fd, TCPTEST_CTL, buf, len, MSG_NOSIGNAL);

	errno = n < 0 ? -n : 0;
	return n;
}

static long control_in(int fd, int *type, void *buf, size_t len)
{
	ssize_t n = tcptest_recv_type(fd, type, buf, len, 0);

	/* The type could not be told: EIO, and the record stays. */
	errno = n == -EIO ? EAGAIN : n < 0 ? -n : 0;
	return n;
}

static int controls(struct way *way)
{
	char out[500], in[600];
	int type;
	long n;

	fault_fill(out, sizeof(out), 0);
	n = FAULT_TRY(control_out(way->from, out, sizeof(out)));
	if (n != sizeof(out))
		return fault_told(way->from, way->to,
				  fault_failed("control out", errno));
	n = FAULT_TRY(control_in(way->to, &type, in, sizeof(in)));
	if (n < 0)
		return fault_told(way->from, way->to,
				  fault_failed("control in", errno));
	if (n != sizeof(out) || type != TCPTEST_CTL || !fault_same(in, n, 0))
		return fault_failed("other control record", EILSEQ);
	return 0;
}

static int peeks(struct way *way)
{
	char in[2000];
	ssize_t n;
	int ret = send_some(way, sizeof(in), 0);

	if (ret)
		return ret;
	n = FAULT_TRY(recv(way->to, in, sizeof(in), MSG_PEEK | MSG_WAITALL));
	if (n < 0)
		return fault_told(way->from, way->to,
				  fault_failed("peek", errno));
	if (!fault_same(in, n, way->got))
		return fault_failed("other bytes peeked", EILSEQ);
	return recv_all(way, ALL);
}

static int new_epoch(struct way *way)
{
	struct nst_rekey rekey = {};
	struct nst_info info;
	socklen_t len = sizeof(info);
	int ret;

	if (FAULT_TRY(setsockopt(way->from, SOL_NST, NST_REKEY, &rekey,
				 sizeof(rekey))))
		return fault_failed("rekey", errno);
	ret = send_some(way, 300, 0) ?: recv_all(way, ALL);
	if (!ret && FAULT_TRY(getsockopt(way->from, SOL_NST, NST_INFO, &info,
					 &len)))
		return fault_failed("info", errno);
	return ret;
}

/* One end after the other says that it is done, and the other sees it. */
static int end_way(struct way *way)
{
	char byte;
	ssize_t n;

	if (FAULT_TRY(shutdown(way->from, SHUT_WR)))
		return fault_told(way->from, way->to,
				  fault_failed("shutdown", errno));
	n = FAULT_TRY(recv(way->to, &byte, 1, 0));
	if (n)
		return fault_told(way->from, way->to,
				  fault_failed("no end of file", n < 0 ? errno : EILSEQ));
	return 0;
}

static int (*const step[])(struct way *way) = {
	plain_sizes, gathered, files, splices, controls, peeks, new_epoch,
};

int faulttcp_carry(int a, int b)
{
	struct way there = { .from = a, .to = b }, back = { .from = b, .to = a };
	size_t i;
	int ret;

	ret = send_some(&back, 20, 0) ?: recv_all(&back, ALL);
	for (i = 0; !ret && i < sizeof(step) / sizeof(step[0]); i++)
		ret = step[i](&there);
	if (!ret)
		ret = send_some(&back, 2000, 0) ?: recv_all(&back, ALL);
	return ret ?: end_way(&there) ?: end_way(&back);
}

int faulttcp_few(int a, int b)
{
	struct way there = { .from = a, .to = b }, back = { .from = b, .to = a };
	int ret;

	ret = send_some(&there, 3000, 0) ?: recv_all(&there, ALL);
	if (!ret)
		ret = send_some(&back, 100, 0) ?: recv_all(&back, ALL);
	return ret ?: end_way(&there) ?: end_way(&back);
}
