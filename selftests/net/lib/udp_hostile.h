/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs udp_hostile*, udp_session* and udp_flood ask of a kernel's
 * UDP socket: a bad datagram is counted under its cause, by one, and delivered
 * to nobody; the next good one arrives.
 */
#ifndef UDP_HOSTILE_H
#define UDP_HOSTILE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "udpend.h"

#define SECOND		1000000000ull
#define GOOD		"hello"
#define GOOD_LEN	(sizeof(GOOD) - 1)

/* A datagram, ready to be sent; with @plain inside. */
struct dgram {
	size_t len;
	size_t plain_len;
	uint8_t b[PEER_HDR_SIZE + 2048];
	uint8_t plain[2048];
};

static inline struct udpend *end_open(struct __test_metadata *_metadata,
				      const struct udpend_conf *conf)
{
	struct udpend *e = calloc(1, sizeof(*e));

	ASSERT_NE(NULL, e);
	ASSERT_EQ(0, udpend_open(e, conf));
	return e;
}

static inline void end_close(struct udpend *e)
{
	if (e)
		udpend_close(e);
	free(e);
}

static inline void make_from(struct udppeer *u, struct dgram *d,
			     const void *plain, size_t len)
{
	memcpy(d->plain, plain, len);
	d->plain_len = len;
	d->len = udppeer_next(u, PEER_DATA, plain, len, d->b);
}

/* A correct datagram with the sender's nonce in it, which differs each time. */
static inline void make(struct udppeer *u, struct dgram *d)
{
	char text[32];

	snprintf(text, sizeof(text), "%s %u", GOOD,
		 (unsigned int)(u->nonce % 1000000));
	make_from(u, d, text, strlen(text));
}

/* One whose header is the caller's, sealed so that its tag fits. */
static inline void make_hdr(struct udppeer *u, struct dgram *d,
			    struct peer_hdr *h)
{
	memcpy(d->plain, GOOD, GOOD_LEN);
	d->plain_len = GOOD_LEN;
	d->len = udppeer_build(u, h, GOOD, GOOD_LEN, 0, d->b);
}

/* A good datagram of nonce @nonce and timestamp @timestamp. */
static inline void make_at(struct udppeer *u, struct dgram *d, uint64_t nonce,
			   uint64_t timestamp)
{
	struct peer_hdr h;

	udppeer_prepare(u, &h, PEER_DATA, GOOD_LEN);
	h.nonce = nonce;
	h.timestamp = timestamp;
	make_hdr(u, d, &h);
}

/* Nothing is there to be read. */
static inline void expect_nothing(struct __test_metadata *_metadata, int fd)
{
	char buf[2048];

	errno = 0;
	EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* @d comes out of @fd next, and behind it nothing. */
static inline void expect_got(struct __test_metadata *_metadata, int fd,
			      const struct dgram *d)
{
	uint8_t buf[2048];

	ASSERT_EQ((ssize_t)d->plain_len, recv(fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, d->plain, d->plain_len));
	expect_nothing(_metadata, fd);
}

/* Sends the first @len bytes to @to from @from: refused for one of @causes. */
static inline bool refuse_from(struct __test_metadata *_metadata,
			       struct udpend *e, int from,
			       const struct sockaddr_storage *to,
			       const void *bytes, size_t len,
			       const char *causes)
{
	const char *grown;
	bool right;

	EXPECT_EQ(0, nsttest_counters(&e->before));
	e->sent = peer_now();
	EXPECT_EQ(0, udpend_send(from, to, bytes, len));
	grown = udpend_grown(&e->before);
	if (!causes)
		causes = udpend_causes(e, bytes, len);
	right = udpend_is(grown, causes);
	EXPECT_TRUE(right) {
		TH_LOG("counted %s instead of %s", grown, causes);
	}
	return right;
}

static inline bool refuse(struct __test_metadata *_metadata, struct udpend *e,
			  const struct dgram *d, const char *causes)
{
	return refuse_from(_metadata, e, e->raw, &e->to, d->b, d->len, causes);
}

/* Sends @d to @fd at @to from @from; it is taken, and nothing is counted. */
static inline void take_at(struct __test_metadata *_metadata, struct udpend *e,
			   int from, int fd, const struct sockaddr_storage *to,
			   const struct dgram *d)
{
	struct nsttest_counters before;

	ASSERT_EQ(0, nsttest_counters(&before));
	e->sent = peer_now();
	ASSERT_EQ(0, udpend_send(from, to, d->b, d->len));
	expect_got(_metadata, fd, d);
	EXPECT_STREQ("", nsttest_grown(&before));
}

/* At @e's own socket. */
static inline void take(struct __test_metadata *_metadata, struct udpend *e,
			const struct dgram *d)
{
	struct peer_hdr h;

	take_at(_metadata, e, e->raw, e->k, &e->to, d);
	/* What udpend_causes() is to know of the first peer's session. */
	peer_hdr_get(&h, d->b);
	if (h.flags >> 16 != e->p.epoch || h.kpos != e->p.kpos ||
	    h.kid != e->p.secret.kid)
		return;
	if (!e->live)
		e->first = h.nonce;
	if (!e->live || (int64_t)(h.nonce - e->highest) > 0)
		e->highest = h.nonce;
	e->live = true;
}

static inline void take_next(struct __test_metadata *_metadata,
			     struct udpend *e, struct udppeer *u)
{
	struct dgram d;

	make(u, &d);
	take(_metadata, e, &d);
}

/* Two sessions are alive; the second one has to notice nothing of a test. */
static inline struct udpend *end_live(struct __test_metadata *_metadata,
				      const struct udpend_conf *conf)
{
	struct udpend *e = end_open(_metadata, conf);

	take_next(_metadata, e, &e->other);
	take_next(_metadata, e, &e->p);
	take_next(_metadata, e, &e->p);
	return e;
}

/* The last word of a test: both sessions go on, and nothing more was counted. */
static inline void expect_unharmed(struct __test_metadata *_metadata,
				   struct udpend *e)
{
	take_next(_metadata, e, &e->other);
	take_next(_metadata, e, &e->p);
	expect_nothing(_metadata, e->k);
}

/* A variant: suite, family, and whether the box is the socket's own. */
#define UDPEND_V(fixture, name, id, fam, own)				\
FIXTURE_VARIANT_ADD(fixture, name)					\
{									\
	.conf = { .family = fam, .cipher_id = id, .private = own },	\
}

#endif /* UDP_HOSTILE_H */
