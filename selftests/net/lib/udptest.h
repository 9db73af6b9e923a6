/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of a UDP socket's behaviour share: sockets with NST and keys,
 * datagrams that tell their number, and variants over suite and address
 * family. Each fixture has variants without NST too ("plain"): what a test
 * expects of NST is what UDP itself does on that kernel.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef UDPTEST_H
#define UDPTEST_H

#include <netinet/udp.h>

#include "tcptest.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#define UDP_GRO		104
#endif

#define UDPTEST_MAX	65536	/* room for any datagram */

enum udptest_family {
	UDPTEST_IPV4,
	UDPTEST_IPV6,
	UDPTEST_DUAL,		/* an IPv6 socket that speaks IPv4 */
};

struct udptest_conf {
	enum udptest_family family;
	uint8_t cipher_id;	/* 0: plain UDP */
	bool box;		/* the namespace's box, not a private one */
};

struct udptest_name {
	struct sockaddr_storage ss;
	socklen_t len;
};

static inline struct sockaddr *udptest_sa(struct udptest_name *name)
{
	return (struct sockaddr *)&name->ss;
}

/* A socket that times out, without NST. Descriptor or -errno. */
int udptest_open(const struct udptest_conf *conf);

/* NST and keys, unless @conf is plain. */
int udptest_attach(int fd);
int udptest_install(int fd, const struct udptest_conf *conf);
int udptest_key(int fd, const struct udptest_conf *conf);

/* A key box for the namespace: kid 1 active, kid 2 accepted. */
int udptest_load_box(void);

/* A socket with keys, and bound to a port of loopback. Descriptor or -errno. */
int udptest_new(const struct udptest_conf *conf);
int udptest_bound(const struct udptest_conf *conf);

/* Two of them, connected to each other. */
int udptest_pair(const struct udptest_conf *conf, int *a, int *b);

/* Connected, and each knows the other's session. */
int udptest_met(const struct udptest_conf *conf, int *a, int *b);

/* @port of @conf's loopback; the dual one is IPv4's. */
void udptest_loopback(const struct udptest_conf *conf, uint16_t port,
		      struct udptest_name *name);

/* The same of another address, as text: IPv4's for dual. */
int udptest_address(const struct udptest_conf *conf, const char *ip4,
		    const char *ip6, uint16_t port, struct udptest_name *name);
int udptest_name(int fd, struct udptest_name *name);
int udptest_peer(int fd, struct udptest_name *name);
uint16_t udptest_port(const struct udptest_name *name);
int udptest_connect(int fd, int to);
int udptest_disconnect(int fd);

/* A port of loopback where nobody is. */
int udptest_nobody(const struct udptest_conf *conf, struct udptest_name *name);

/* Level and number of the options that IPv4 and IPv6 have in common. */
bool udptest_is_v6(const struct udptest_conf *conf);

/* The longest datagram there is, and one over a link with @mtu, unfragmented. */
size_t udptest_longest(const struct udptest_conf *conf);
size_t udptest_fitting(const struct udptest_conf *conf, size_t mtu);

/* What @len bytes of plaintext are on the wire, behind UDP's header. */
size_t udptest_wire(const struct udptest_conf *conf, size_t len);

/*
 * Datagram number @nr, of @len bytes: four that tell the number (as far as
 * they fit), then what depends on it.
 */
void udptest_fill(void *buf, size_t len, uint32_t nr);
bool udptest_same(const void *buf, size_t len, uint32_t nr);

/* The number of a datagram; -1 if its bytes are not what they should be. */
int64_t udptest_number(const void *buf, size_t len);

int udptest_send(int fd, uint32_t nr, size_t len);
int udptest_sendto(int fd, struct udptest_name *to, uint32_t nr, size_t len);

/* -EILSEQ: another one came, or other bytes. */
int udptest_recv(int fd, uint32_t nr, size_t len);
int udptest_recvfrom(int fd, struct udptest_name *from, uint32_t nr,
		     size_t len);

/* Bytes or -errno; does not wait. */
ssize_t udptest_try(int fd);

/* Nothing has come, and nothing comes. */
bool udptest_silent(int fd);

/* Waits for a datagram, without reading it. */
int udptest_arrived(int fd);

/* There and back, so that sessions exist. */
int udptest_meet(int a, int b);

/* sendmsg() and recvmsg() of one datagram with one control message. */
ssize_t udptest_send_ctl(int fd, struct udptest_name *to, uint32_t nr,
			 size_t len, int level, int type, const void *ctl,
			 size_t ctl_len);

/* Return: bytes or -errno; *@found: was such a message there? */
ssize_t udptest_recv_ctl(int fd, void *buf, size_t len, int flags, int level,
			 int type, void *ctl, size_t ctl_len, bool *found);

/* A command of the shell. 0 if it succeeded. */
int udptest_run(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The largest packet of loopback, in the caller's namespace. */
int udptest_lo_mtu(int mtu);

/* Waits until a counter of nsttest_stat() is @want; returns what it is then. */
long udptest_stat_at_last(const char *name, long want);

#define UDPTEST_V(fixture, name, id, fam)				\
FIXTURE_VARIANT_ADD(fixture, name) {					\
	.conf = { .cipher_id = id, .family = fam }			\
}

#define UDPTEST_V_BOX(fixture, name, id, fam)				\
FIXTURE_VARIANT_ADD(fixture, name) {					\
	.conf = { .cipher_id = id, .family = fam, .box = true }		\
}

#define UDPTEST_V3(fixture, name, id)					\
	UDPTEST_V(fixture, name##_ipv4, id, UDPTEST_IPV4);		\
	UDPTEST_V(fixture, name##_ipv6, id, UDPTEST_IPV6);		\
	UDPTEST_V(fixture, name##_dual, id, UDPTEST_DUAL)

/* Every family with suites of every kind. */
#define UDPTEST_VARIANTS_ALL(fixture)					\
	UDPTEST_V3(fixture, plain, 0);					\
	UDPTEST_V3(fixture, aes_gcm, NST_CIPHER_AES_GCM);		\
	UDPTEST_V3(fixture, aes_cbc, NST_CIPHER_AES_CBC);		\
	UDPTEST_V3(fixture, chacha20, NST_CIPHER_CHACHA20_POLY1305);	\
	UDPTEST_V3(fixture, sm4_gcm, NST_CIPHER_SM4_GCM);		\
	UDPTEST_V(fixture, sm4_cbc_ipv4, NST_CIPHER_SM4_CBC,		\
		  UDPTEST_IPV4);					\
	UDPTEST_V(fixture, aes_256_gcm_ipv6, NST_CIPHER_AES_256_GCM,	\
		  UDPTEST_IPV6);					\
	UDPTEST_V(fixture, aes_256_cbc_dual, NST_CIPHER_AES_256_CBC,	\
		  UDPTEST_DUAL)

#define UDPTEST_VARIANTS_NST(fixture)					\
	UDPTEST_V(fixture, aes_gcm_ipv4, NST_CIPHER_AES_GCM,		\
		  UDPTEST_IPV4);					\
	UDPTEST_V(fixture, aes_cbc_ipv6, NST_CIPHER_AES_CBC,		\
		  UDPTEST_IPV6);					\
	UDPTEST_V(fixture, chacha20_dual, NST_CIPHER_CHACHA20_POLY1305,	\
		  UDPTEST_DUAL)

/* For what does not depend on the suite. */
#define UDPTEST_VARIANTS_FEW(fixture)					\
	UDPTEST_V3(fixture, plain, 0);					\
	UDPTEST_VARIANTS_NST(fixture);					\
	UDPTEST_V(fixture, sm4_gcm_ipv4, NST_CIPHER_SM4_GCM,		\
		  UDPTEST_IPV4)

/* For what does not depend on the family either. */
#define UDPTEST_VARIANTS_ONE(fixture)					\
	UDPTEST_V(fixture, plain, 0, UDPTEST_IPV4);			\
	UDPTEST_V(fixture, aes_gcm, NST_CIPHER_AES_GCM, UDPTEST_IPV4)

/*
 * A fixture of two connected sockets, @a and @b, in each of @variants, made by
 * @open: udptest_pair or udptest_met. What must be so at the end differs.
 */
#define UDPTEST_PAIRS(fixture, variants, open)				\
FIXTURE(fixture)							\
{									\
	int a;								\
	int b;								\
};									\
									\
FIXTURE_VARIANT(fixture)						\
{									\
	struct udptest_conf conf;					\
};									\
									\
variants(fixture);							\
									\
FIXTURE_SETUP(fixture)							\
{									\
	ASSERT_EQ(0, open(&variant->conf, &self->a, &self->b));		\
}

#endif /* UDPTEST_H */
