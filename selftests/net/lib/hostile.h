/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture that hostile.c and hostile_start.c share: a kernel NST socket
 * whose peer is nstpeer over a plain descriptor, and the proof that a record
 * was refused as protocol.md section 7 has it.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"

#define GOOD		"hello"
#define GOOD_LEN	((int)sizeof(GOOD) - 1)
#define EVIL		"never delivered"
#define EVIL_LEN	(sizeof(EVIL) - 1)
#define LATE		"behind it"
#define LATE_LEN	(sizeof(LATE) - 1)

/* One connection; what is sent to it is collected in @out first. */
struct conn {
	int k;			/* the kernel's end */
	int raw;		/* the peer's end */
	struct peer p;
	struct nsttest_counters before;
	uint8_t out[4 * PEER_RECORD_MAX];
	size_t len;
	int reset;		/* seen while sending already */
};

static inline struct conn *conn_open_mss(struct __test_metadata *_metadata,
					 int family, int rcvbuf, int mss,
					 const struct nsttest_conf *conf)
{
	struct conn *c = calloc(1, sizeof(*c));

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, nsttest_pair_mss(family, rcvbuf, mss, &c->k, &c->raw));
	ASSERT_EQ(0, nsttest_attach(c->k));
	ASSERT_EQ(0, nsttest_install(c->k, conf));
	peer_init(&c->p, c->raw, conf->cipher_id, nsttest_box, NSTTEST_KEYS);
	if (conf->flags & NST_F_RESPONDER)
		c->p.role = PEER_F_INITIATOR;
	else if (conf->flags & NST_F_INITIATOR)
		c->p.role = PEER_F_RESPONDER;
	if (conf->context) {
		c->p.context.len = strlen(conf->context);
		memcpy(c->p.context.bytes, conf->context, c->p.context.len);
	}
	ASSERT_EQ(0, nsttest_counters(&c->before));
	return c;
}

static inline struct conn *conn_open(struct __test_metadata *_metadata,
				     int family, int rcvbuf,
				     const struct nsttest_conf *conf)
{
	return conn_open_mss(_metadata, family, rcvbuf, 0, conf);
}

static inline void conn_close(struct conn *c)
{
	if (!c)
		return;
	if (c->k >= 0)
		close(c->k);
	if (c->raw >= 0)
		close(c->raw);
	free(c);
}

/* Appends a correct record. */
static inline void conn_add(struct conn *c, uint8_t type, const void *plain,
			    size_t len)
{
	c->len += peer_append(&c->p, type, plain, len, c->out + c->len);
}

/* Appends a record with the header @h, sealed so that its tag is right. */
static inline uint8_t *conn_add_hdr(struct conn *c, struct peer_hdr *h,
				    const void *plain, size_t len, uint8_t pad)
{
	uint8_t *at = c->out + c->len;

	c->len += peer_build(&c->p, h, plain, len, pad, at);
	peer_commit(&c->p, h);
	return at;
}

/* Sends what was collected, in segments of at most @chunk bytes. */
static inline void conn_flush(struct __test_metadata *_metadata,
			      struct conn *c, size_t chunk)
{
	int ret = peer_write_chunks(c->raw, c->out, c->len, chunk);

	/* It may come before the last byte is out, and is told only once. */
	c->reset = ret == -ECONNRESET;
	if (!c->reset)
		EXPECT_EQ(0, ret);
	c->len = 0;
}

/* Sends one record whose header @h is prepared and spoiled. */
static inline void conn_emit(struct __test_metadata *_metadata,
			     struct conn *c, struct peer_hdr *h,
			     const char *text)
{
	conn_add_hdr(c, h, text, h->len, 0);
	conn_flush(_metadata, c, c->len);
}

/* The kernel sends its START; the peer's next record is BOUND. */
static inline void conn_bind(struct __test_metadata *_metadata,
			     struct conn *c)
{
	uint8_t plain[PEER_HDR_SIZE];
	struct peer_hdr h;

	ASSERT_EQ(2, send(c->k, "k!", 2, 0));
	ASSERT_EQ(2, peer_recv(&c->p, &h, plain));
	EXPECT_EQ(0, memcmp(plain, "k!", 2));
}

/*
 * Like recv(). A reader that was not woken finds what it waited for at its
 * timeout, so that counts as a failure, too.
 */
static inline ssize_t recv_woken(struct __test_metadata *_metadata, int fd,
				 void *buf, size_t len, int flags)
{
	uint64_t begin = peer_now();
	ssize_t n = recv(fd, buf, len, flags);
	int err = errno;

	EXPECT_GT((NSTTEST_TIMEOUT - 2) * 1000000000ull, peer_now() - begin) {
		TH_LOG("nobody woke the reader");
	}
	errno = err;
	return n;
}

static inline void expect_data(struct __test_metadata *_metadata,
			       struct conn *c, const char *want)
{
	char buf[64] = "";
	size_t len = strlen(want);

	ASSERT_EQ(len, recv_woken(_metadata, c->k, buf, len, MSG_WAITALL));
	EXPECT_STREQ(want, buf);
}

static inline void expect_error(struct __test_metadata *_metadata, int fd,
				int err)
{
	char buf[64];

	errno = 0;
	EXPECT_EQ(-1, recv_woken(_metadata, fd, buf, sizeof(buf), 0));
	EXPECT_EQ(err, errno);
}

/* The counter named @counter grew by one, and no other grew. */
static inline void expect_counted(struct __test_metadata *_metadata,
				  struct conn *c, const char *counter)
{
	char want[64];

	snprintf(want, sizeof(want), "%s+1", counter);
	EXPECT_STREQ(want, nsttest_grown(&c->before));
}

static inline void expect_sticky(struct __test_metadata *_metadata,
				 struct conn *c, int err)
{
	struct pollfd pfd = { .fd = c->k, .events = POLLIN };
	struct nst_info info;
	socklen_t len = sizeof(info);
	char byte;

	/* Whoever sleeps in poll() hears of it, too. */
	EXPECT_EQ(1, poll(&pfd, 1, (NSTTEST_TIMEOUT - 2) * 1000));
	EXPECT_NE(0, pfd.revents & POLLIN);
	expect_error(_metadata, c->k, err);
	expect_error(_metadata, c->k, err);
	errno = 0;
	EXPECT_EQ(-1, recv(c->k, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(err, errno);
	ASSERT_EQ(0, getsockopt(c->k, SOL_NST, NST_INFO, &info, &len));
	EXPECT_EQ(err, info.error);
}

static inline void expect_reset(struct __test_metadata *_metadata,
				struct conn *c)
{
	EXPECT_EQ(c->reset ? 0 : -ECONNRESET, nsttest_drain(c->raw));
	c->reset = 1;
}

/*
 * A record was refused: @err sticks, @counter alone grew, the connection is
 * reset, and the socket sends nothing more.
 */
static inline void expect_fatal(struct __test_metadata *_metadata,
				struct conn *c, int err, const char *counter)
{
	expect_sticky(_metadata, c, err);
	expect_reset(_metadata, c);
	expect_error(_metadata, c->k, err);
	EXPECT_EQ(-1, send(c->k, "x", 1, MSG_NOSIGNAL));
	expect_counted(_metadata, c, counter);
}

#endif /* HOSTILE_H */
