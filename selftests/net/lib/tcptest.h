/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of a TCP socket's behaviour share: two kernel ends with NST
 * and keys, a stream whose bytes tell their place, and variants over suite,
 * address family and strict mode.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef TCPTEST_H
#define TCPTEST_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsttest.h"

/* Longer than anything on loopback takes, also on a loaded machine. */
#define TCPTEST_SOON_MS		(nsttest_patience(5) * 1000)
/* What has not happened by then is taken not to happen. */
#define TCPTEST_NEVER_MS	60
#define TCPTEST_CTL		16	/* an application's record type */

struct tcptest_conf {
	uint8_t cipher_id;
	int family;
	bool strict;
};

/* A connection whose ends @a (initiator) and @b (responder) have keys. */
int tcptest_pair(const struct tcptest_conf *conf, int *a, int *b);

/* NST and keys for one end. @role: NST_F_INITIATOR, NST_F_RESPONDER or 0 */
int tcptest_key(int fd, const struct tcptest_conf *conf, uint32_t role);

/*
 * A connection of two ends that meet in this program: what @a sends arrives
 * at @a_raw in ciphertext, and what is written there goes to @a; the same for
 * @b. Neither end has NST yet.
 */
struct tcptest_proxy {
	int a;
	int a_raw;
	int b_raw;
	int b;
};

int tcptest_proxy_open(struct tcptest_proxy *p,
		       const struct tcptest_conf *conf);
void tcptest_proxy_close(struct tcptest_proxy *p);

/* Passes on all that comes within @ms of silence, both ways. */
int tcptest_proxy_pump(struct tcptest_proxy *p, int ms);

/* Passes on until both ends may send, see tcptest_settle(). */
int tcptest_proxy_settle(struct tcptest_proxy *p);

/* Fetches what @raw has, within @ms of silence; returns the bytes. */
ssize_t tcptest_fetch(int raw, uint8_t *buf, size_t size, int ms);

/* Both ends have sent and both have received: all that follows is BOUND. */
int tcptest_bind(int a, int b);

/* Waits until @fd may send, which takes a round trip in strict mode. */
int tcptest_settle(int fd);

void tcptest_fill(void *buf, size_t len, size_t from);
bool tcptest_same(const void *buf, size_t len, size_t from);

/*
 * Sends and receives bytes @from.. of the pattern, at most @chunk at once.
 * Receiving: -EPIPE at the end of the stream, -EILSEQ if the bytes differ.
 */
int tcptest_send(int fd, size_t from, size_t len, size_t chunk);
int tcptest_recv(int fd, size_t from, size_t len, size_t chunk);

/* The same in a child, whose result tcptest_reap() returns. */
pid_t tcptest_sender(int fd, size_t from, size_t len, size_t chunk);
pid_t tcptest_receiver(int fd, size_t from, size_t len, size_t chunk);
int tcptest_reap(pid_t pid);

/* One record of @type. Bytes or -errno. */
ssize_t tcptest_send_type(int fd, uint8_t type, const void *buf, size_t len,
			  int flags);

/* Bytes or -errno; @type: the record type told, -1 if none was. */
ssize_t tcptest_recv_type(int fd, int *type, void *buf, size_t len,
			  int flags);

/* recvmsg() without a control buffer; @out_flags may be NULL. */
ssize_t tcptest_recv_flags(int fd, void *buf, size_t len, int flags,
			   int *out_flags);

/* revents, 0 if none came within @ms */
int tcptest_poll(int fd, short events, int ms);

/* Waits for @len bytes of plaintext at @fd, without reading them. */
int tcptest_arrived(int fd, size_t len);

/*
 * Waits until that thread, or a child's only one, sleeps in the call that it
 * was made for, and has nothing left to do before.
 */
int tcptest_asleep(pid_t tid);

/* Waits until TCP's state of @fd is @state (TCP_CLOSE, ...). */
int tcptest_state(int fd, int state);

/* Memory that is not there until filled; who touches it stays in the kernel. */
struct tcptest_hole {
	int fd;
	char *mem;
};

#define TCPTEST_HOLE	4096	/* its bytes */

int tcptest_hole_open(struct tcptest_hole *hole);
int tcptest_hole_fill(struct tcptest_hole *hole, char c);
void tcptest_hole_close(struct tcptest_hole *hole);

int tcptest_set_int(int fd, int level, int opt, int value);
int tcptest_timeout(int fd, int opt, int ms);
int tcptest_record_max(int fd, uint32_t max);
int tcptest_info(int fd, struct nst_info *info);

/* Sends with iovecs of @size bytes each, @nr of them. Bytes or -errno. */
ssize_t tcptest_sendv(int fd, size_t from, size_t nr, size_t size, int flags);

/* Every suite, family and mode. */
#define TCPTEST_V(fixture, name, id, fam, is_strict)			\
FIXTURE_VARIANT_ADD(fixture, name) {					\
	.conf = { .cipher_id = id, .family = fam, .strict = is_strict }	\
}

#define TCPTEST_V4(fixture, name, id)					\
	TCPTEST_V(fixture, name##_ipv4, id, AF_INET, false);		\
	TCPTEST_V(fixture, name##_ipv6, id, AF_INET6, false);		\
	TCPTEST_V(fixture, name##_ipv4_strict, id, AF_INET, true);	\
	TCPTEST_V(fixture, name##_ipv6_strict, id, AF_INET6, true)

#define TCPTEST_VARIANTS_ALL(fixture)					\
	TCPTEST_V4(fixture, aes_gcm, NST_CIPHER_AES_GCM);		\
	TCPTEST_V4(fixture, aes_cbc, NST_CIPHER_AES_CBC);		\
	TCPTEST_V4(fixture, sm4_gcm, NST_CIPHER_SM4_GCM);		\
	TCPTEST_V4(fixture, sm4_cbc, NST_CIPHER_SM4_CBC);		\
	TCPTEST_V4(fixture, aes_256_gcm, NST_CIPHER_AES_256_GCM);	\
	TCPTEST_V4(fixture, aes_256_cbc, NST_CIPHER_AES_256_CBC);	\
	TCPTEST_V4(fixture, chacha20, NST_CIPHER_CHACHA20_POLY1305)

/* Each suite once. */
#define TCPTEST_VARIANTS_SUITES(fixture)				\
	TCPTEST_V(fixture, aes_gcm, NST_CIPHER_AES_GCM, AF_INET, false);\
	TCPTEST_V(fixture, aes_cbc_ipv6, NST_CIPHER_AES_CBC, AF_INET6,	\
		  false);						\
	TCPTEST_V(fixture, sm4_gcm_strict, NST_CIPHER_SM4_GCM, AF_INET,	\
		  true);						\
	TCPTEST_V(fixture, sm4_cbc_ipv6, NST_CIPHER_SM4_CBC, AF_INET6,	\
		  false);						\
	TCPTEST_V(fixture, aes_256_gcm_ipv6_strict,			\
		  NST_CIPHER_AES_256_GCM, AF_INET6, true);		\
	TCPTEST_V(fixture, aes_256_cbc, NST_CIPHER_AES_256_CBC, AF_INET,\
		  false);						\
	TCPTEST_V(fixture, chacha20_ipv6, NST_CIPHER_CHACHA20_POLY1305,	\
		  AF_INET6, false)

/* For what does not depend on the suite, or takes long. */
#define TCPTEST_VARIANTS_FEW(fixture)					\
	TCPTEST_V(fixture, aes_gcm, NST_CIPHER_AES_GCM, AF_INET, false);\
	TCPTEST_V(fixture, aes_cbc_strict, NST_CIPHER_AES_CBC, AF_INET,	\
		  true);						\
	TCPTEST_V(fixture, aes_256_gcm_ipv6_strict,			\
		  NST_CIPHER_AES_256_GCM, AF_INET6, true);		\
	TCPTEST_V(fixture, chacha20_ipv6, NST_CIPHER_CHACHA20_POLY1305,	\
		  AF_INET6, false)

/*
 * A fixture of a pair with keys, @a and @b, in each of @variants. For those who
 * include kselftest_harness.h.
 */
#define TCPTEST_PAIRS(fixture, variants)				\
FIXTURE(fixture)							\
{									\
	int a;								\
	int b;								\
};									\
									\
FIXTURE_VARIANT(fixture)						\
{									\
	struct tcptest_conf conf;					\
};									\
									\
variants(fixture);							\
									\
FIXTURE_SETUP(fixture)							\
{									\
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));	\
}									\
									\
FIXTURE_TEARDOWN(fixture)						\
{									\
	close(self->a);							\
	close(self->b);							\
}

/* Nothing is there to be read. */
#define TCPTEST_EXPECT_AGAIN(fd, flags)					\
do {									\
	char byte;							\
									\
	EXPECT_EQ(-1, recv(fd, &byte, 1, flags));			\
	EXPECT_EQ(EAGAIN, errno);					\
} while (0)

#endif /* TCPTEST_H */
