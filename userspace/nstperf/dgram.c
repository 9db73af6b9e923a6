// SPDX-License-Identifier: GPL-2.0
/* Datagrams: both ends. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arrivals.h"
#include "clock.h"
#include "dgram.h"
#include "payload.h"
#include "tls.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

/* Payload of one send with UDP_SEGMENT; what NST adds must fit as well. */
#define GSO_MAX		60000
#define BATCH		64
#define GREET_MS	200

enum { DGRAM_GREETING = 0x6e73741, DGRAM_DATA };

/* In front of each; TEST_DGRAM_MIN bytes. */
struct dgram_head {
	uint32_t kind;
	uint32_t size;
	uint64_t number;
	uint64_t reserved;
};

_Static_assert(sizeof(struct dgram_head) == TEST_DGRAM_MIN, "head");

static void put_head(char *to, uint32_t kind, uint32_t size, uint64_t number)
{
	struct dgram_head head = {
		htobe32(kind), htobe32(size), htobe64(number), 0
	};

	memcpy(to, &head, sizeof(head));
}

static void fill(char *to, const struct test *test, uint64_t number)
{
	put_head(to, DGRAM_DATA, test->size, number);
	memcpy(to + TEST_DGRAM_MIN, payload_at(number),
	       test->size - TEST_DGRAM_MIN);
}

static bool is_greeting(const char *buf, ssize_t n)
{
	struct dgram_head head;

	if (n != sizeof(head))
		return false;
	memcpy(&head, buf, sizeof(head));
	return be32toh(head.kind) == DGRAM_GREETING;
}

/* Greets until there is an answer. */
static int greet(struct conn *conn, const struct test *test)
{
	uint64_t until = clock_ns() + test->timeout * 1000000000ULL;
	struct pollfd p = { .fd = conn->fd, .events = POLLIN };
	char buf[TEST_DGRAM_MIN];
	ssize_t n;

	put_head(buf, DGRAM_GREETING, test->size, 0);
	while (clock_ns() < until) {
		if (send(conn->fd, buf, sizeof(buf), MSG_NOSIGNAL) < 0 &&
		    errno != ECONNREFUSED)
			return conn_trouble(conn, "send");
		if (poll(&p, 1, GREET_MS) <= 0)
			continue;
		n = recv(conn->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (is_greeting(buf, n))
			return 0;
	}
	return trouble("no datagram comes back from the server");
}

static int set_segment(struct conn *conn, const struct test *test)
{
	int size = test->size;

	if (test->scenario == SCN_DGRAM_GSO && conn->kind != KIND_DTLS &&
	    setsockopt(conn->fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return conn_trouble(conn, "UDP_SEGMENT");
	return 0;
}

int dgram_connect(struct conn *conn, const union address *to,
		  const struct test *test)
{
	union address any = { .any.sa_family = to->any.sa_family };
	int fd = conn_udp_socket(&any, test);

	if (fd < 0)
		return -1;
	if (connect(fd, &to->any, address_len(to))) {
		trouble("connect: %s", strerror(errno));
		close(fd);
		return -1;
	}
	if (conn_udp(conn, fd, test, false))
		return -1;
	if (conn->kind != KIND_DTLS && greet(conn, test))
		return -1;
	return set_segment(conn, test);
}

static int send_batch(struct conn *conn, char *buf, size_t size,
		      unsigned int nr)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned int i, done;
	int n;

	memset(msg, 0, sizeof(msg));
	for (i = 0; i < nr; i++) {
		iov[i] = (struct iovec){ buf + i * size, size };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (done = 0; done < nr; done += n) {
		n = sendmmsg(conn->fd, msg + done, nr - done, MSG_NOSIGNAL);
		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			n = 0;
		if (n < 0)
			return conn_trouble(conn, "sendmmsg");
	}
	return 0;
}

static int send_some(struct conn *conn, const struct test *test, char *buf,
		     unsigned int nr)
{
	size_t size = test->size;
	unsigned int i;

	if (conn->tls) {
		for (i = 0; i < nr; i++)
			if (tls_write(conn, buf + i * size, size) < 0)
				return -1;
		return 0;
	}
	if (test->scenario == SCN_DGRAM_MMSG)
		return send_batch(conn, buf, size, nr);
	while (send(conn->fd, buf, nr * size, MSG_NOSIGNAL) < 0) {
		if (errno == EMSGSIZE || (errno == EINVAL && nr > 1))
			return trouble("send: %zu bytes do not fit a packet%s",
				       size, nr > 1 ? ", as UDP_SEGMENT wants" : "");
		if (errno != EINTR && errno != ENOBUFS)
			return conn_trouble(conn, "send");
	}
	return 0;
}

/* Datagrams of a call. */
static unsigned int per_call(const struct test *test)
{
	unsigned int n = TEST_SIZE_MAX / test->size;

	if (test->scenario == SCN_DGRAM)
		return 1;
	if (test->scenario == SCN_DGRAM_GSO)
		n = GSO_MAX / test->size;
	n = n < 1 ? 1 : n;
	return n < BATCH ? n : BATCH;
}

int dgram_send(struct stream *stream, char *buf)
{
	const struct test *test = &stream->run->test;
	unsigned int nr = per_call(test), i;
	uint64_t number = 0, since;

	while (run_more(stream->run)) {
		for (i = 0; i < nr; i++)
			fill(buf + i * test->size, test, number + i);
		since = clock_ns();
		if (send_some(&stream->conn, test, buf, nr))
			return -1;
		number += nr;
		atomic_fetch_add(&stream->bytes, nr * test->size);
		atomic_fetch_add(&stream->ops, nr);
		if (run_measures(stream->run))
			hist_add(&stream->hist, clock_ns() - since);
	}
	return 0;
}

/* Waits for the client; its socket talks to no other from then on. */
static int meet(struct stream *stream, int fd)
{
	struct run *run = stream->run;
	union address from;
	char buf[TEST_DGRAM_MIN];
	socklen_t len;
	ssize_t n;

	while (!run_stopped(run)) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), MSG_PEEK, &from.any, &len);
		if (n >= 0 && address_same_host(&from, &run->peer)) {
			if (connect(fd, &from.any, len))
				return trouble("connect: %s", strerror(errno));
			return 1;
		}
		if (n >= 0)
			recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	}
	return 0;
}

/* Is it what was sent? */
static int compare(const struct test *test, const char *buf, ssize_t n,
		   uint64_t *number)
{
	struct dgram_head head;

	if (n != (ssize_t)test->size)
		return trouble("a datagram of %zd bytes, not %u", n,
			       test->size);
	memcpy(&head, buf, sizeof(head));
	*number = be64toh(head.number);
	if (be32toh(head.kind) != DGRAM_DATA ||
	    be32toh(head.size) != test->size || head.reserved)
		return trouble("a datagram that was not sent");
	return test->verify ? payload_check(buf + sizeof(head),
					    n - sizeof(head), *number) : 0;
}

/* One that has come: what is it, and has it come before? */
static int judge(struct stream *stream, const char *buf, ssize_t n,
		 struct arrivals *arrivals)
{
	uint64_t number = 0;

	if (is_greeting(buf, n) && !stream->conn.tls)
		return send(stream->conn.fd, buf, n, MSG_NOSIGNAL) < 0 ?
			conn_trouble(&stream->conn, "send") : 0;
	if (compare(&stream->run->test, buf, n, &number))
		return -1;
	switch (arrivals_add(arrivals, number)) {
	case ARRIVAL_AGAIN:
		atomic_fetch_add(&stream->duplicates, 1);
		return 0;
	case ARRIVAL_LATE:
		atomic_fetch_add(&stream->reordered, 1);
		break;
	default:
		break;
	}
	atomic_fetch_add_explicit(&stream->bytes, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&stream->ops, 1, memory_order_relaxed);
	return 0;
}

/* One or many; how many; 0 if none came; -1 after trouble(). */
static int receive_some(struct conn *conn, struct mmsghdr *msg, unsigned int nr)
{
	struct iovec *iov = msg[0].msg_hdr.msg_iov;
	ssize_t n;

	if (conn->tls) {
		n = tls_read(conn, iov->iov_base, iov->iov_len);
	} else if (nr > 1) {
		n = recvmmsg(conn->fd, msg, nr, MSG_WAITFORONE, NULL);
		if (n > 0)
			return n;
	} else {
		n = recv(conn->fd, iov->iov_base, iov->iov_len, 0);
	}
	if (n == -2 || (n < 0 && !conn->tls && (errno == EAGAIN ||
						errno == EINTR)))
		return 0;
	if (n < 0)
		return conn->tls ? -1 : conn_trouble(conn, "receive");
	msg[0].msg_len = n;
	return 1;
}

/* Until the client has ended and nothing comes any more, or for too long. */
static int receive_all(struct stream *stream, struct mmsghdr *msg,
		       unsigned int nr)
{
	struct arrivals arrivals = { 0 };
	uint64_t stopped = 0;
	int n, i;

	for (;;) {
		n = receive_some(&stream->conn, msg, nr);
		if (n < 0)
			return -1;
		for (i = 0; i < n; i++)
			if (judge(stream, msg[i].msg_hdr.msg_iov->iov_base,
				  msg[i].msg_len, &arrivals))
				return -1;
		if (n && stream->run->test.count)
			atomic_store_explicit(&stream->last, clock_ns(),
					      memory_order_relaxed);
		if (!run_stopped(stream->run))
			continue;
		stopped = stopped ?: clock_ns();
		if (!n || clock_ns() - stopped > 2000000000ULL)
			return 0;
	}
}

static int receive_in(struct stream *stream, char *buf, unsigned int nr)
{
	size_t room = stream->run->test.size + 1;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned int i;

	memset(msg, 0, sizeof(msg));
	for (i = 0; i < nr; i++) {
		iov[i] = (struct iovec){ buf + i * room, room };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	return receive_all(stream, msg, nr);
}

int dgram_receive(struct stream *stream)
{
	struct run *run = stream->run;
	unsigned int nr = run->test.scenario == SCN_DGRAM ? 1 : BATCH;
	int fd = run->sockets[stream->nr], rc;
	char *buf;

	rc = meet(stream, fd);
	if (rc <= 0)
		return rc;
	run->sockets[stream->nr] = -1;
	if (conn_udp(&stream->conn, fd, &run->test, true))
		return -1;
	if (stream->conn.tls)
		nr = 1;
	buf = malloc(nr * (run->test.size + 1ULL));
	if (!buf)
		return trouble("no memory");
	rc = receive_in(stream, buf, nr);
	free(buf);
	return rc;
}
