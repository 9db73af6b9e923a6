/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of hostile datagrams share: an NST UDP socket of the kernel in a
 * network namespace of its own, a sender beside it that has plain sockets and
 * nstpeer's cryptography, and a receiver's judgement of datagrams, made from
 * the protocol and not from the module.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef UDPEND_H
#define UDPEND_H

#include "nltalk.h"
#include "nsttest.h"
#include "udppeer.h"

/* No two are one flipped bit apart. The last one is in no box. */
#define UDPEND_KID		7	/* the active one */
#define UDPEND_KID_OTHER	11
#define UDPEND_KID_RETIRED	13	/* in the namespace's box only */
#define UDPEND_KID_UNKNOWN	99
#define UDPEND_KEYS		2

/* How wide a receiver's window may be: at least, and as these tests assume. */
#define UDPEND_WINDOW_MIN	2048
#define UDPEND_WINDOW_MAX	65536

struct udpend_conf {
	int family;
	uint8_t cipher_id;	/* of the kernel's socket and of the peers */
	bool private;		/* a box of the socket's own */
	uint8_t rx_cipher;	/* 0: any */
	uint16_t rx_kid;	/* 0: any */
	uint32_t flags;		/* NST_F_* */
	const char *context;
	unsigned int window;	/* sysctl timestamp_window, 0: as it is */
	unsigned int sessions;	/* sysctl udp_sessions_max, 0: as it is */
};

struct udpend {
	struct udpend_conf conf;
	struct talk t;
	int k;			/* the kernel's socket, on loopback */
	int raw;		/* the sender's, on loopback, not connected */
	struct sockaddr_storage to;	/* where @k is */
	struct udppeer p;	/* sends to it */
	struct udppeer other;	/* so does this one, of another host */
	/* nonces that the receiver took from @p, all that are between */
	bool live;
	uint64_t first;
	uint64_t highest;
	/* CLOCK_REALTIME: when its namespace was made, from, till */
	uint64_t born[2];
	/* and when the last datagram was sent */
	uint64_t sent;
	struct nsttest_counters before;
};

extern const struct peer_secret udpend_box[UDPEND_KEYS];

int udpend_open(struct udpend *e, const struct udpend_conf *conf);
void udpend_close(struct udpend *e);

/* Opens @e->t and gives the namespace its box; udpend_open() does. */
int udpend_load_box(struct udpend *e);

/* A plain UDP socket on loopback and any port; -errno. */
int udpend_plain(int family);

/* The same with NST, and keys as @conf has them. */
int udpend_socket(const struct udpend_conf *conf);
/* And this one where another was; a datagram in between finds nobody. */
int udpend_socket_at(const struct udpend_conf *conf,
		     const struct sockaddr_storage *at);
/* One on loopback with a box of one key that nobody else in this process has. */
const struct peer_secret *udpend_own_secret(void);
int udpend_own_socket(struct sockaddr_storage *at);
int udpend_attach(int fd, int family);
int udpend_install(int fd, int opt, const struct udpend_conf *conf);
int udpend_rekey(int fd, uint16_t kid);

socklen_t udpend_addr_len(int family);
int udpend_name(int fd, struct sockaddr_storage *ss);
int udpend_send(int from, const struct sockaddr_storage *to, const void *dgram,
		size_t len);

/*
 * Waits until a counter or gauge, nsttest_stat(), has @want, as long as is
 * reasonable; says what it has.
 */
int64_t udpend_stat_wait(const char *name, int64_t want);

/* udppeer_open() with whichever key of the box it takes. */
int udpend_open_any(const struct peer_context *context, const uint8_t *dgram,
		    size_t size, struct peer_hdr *h, uint8_t *plain);

/* Writes net.nst.@name. */
int udpend_sysctl(const char *name, unsigned int value);

/*
 * Waits for a refused datagram to be counted since @before. What grew, as
 * nsttest_grown() has it; nothing, if that takes unreasonably long.
 */
const char *udpend_grown(const struct nsttest_counters *before);

/* Waits until exactly @want has grown; says what has, if not in time. */
int udpend_grown_to(const struct nsttest_counters *before, const char *want);

/*
 * Does @grown say that one of @causes grew, by one, and nothing else? @causes:
 * names of counters with '|' between them.
 */
bool udpend_is(const char *grown, const char *causes);

/*
 * The counters, one of which has to grow by @e's refusal of a datagram that
 * was sent at e->sent and whose tag is wrong. More than one only where clocks
 * or the width of the window decide. Static storage.
 */
const char *udpend_causes(const struct udpend *e, const uint8_t *dgram,
			  size_t len);

#endif /* UDPEND_H */
