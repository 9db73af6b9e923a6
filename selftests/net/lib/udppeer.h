/* SPDX-License-Identifier: GPL-2.0 */
/*
 * udppeer: datagrams of the NST protocol in user space, over nstpeer's records.
 *
 * A struct udppeer is one epoch of one sender. udppeer_next() makes what a
 * correct sender would send; a test that wants something else takes
 * udppeer_prepare(), spoils the header, and seals with udppeer_build(). Nothing
 * here owns a socket.
 */
#ifndef UDPPEER_H
#define UDPPEER_H

#include "nstpeer.h"

#define UDPPEER_MAX	(PEER_HDR_SIZE + 65536)

struct udppeer {
	uint8_t cipher_id;
	uint32_t role;			/* PEER_F_INITIATOR, _RESPONDER or 0 */
	uint8_t proto;			/* of the keys; UDP's if all is well */
	struct peer_secret secret;	/* what it seals with */
	struct peer_context context;
	uint8_t kpos;			/* the epoch */
	uint8_t kval;
	uint16_t epoch;
	uint64_t nonce;			/* of the next datagram */
	/* the keys last derived, and for what */
	struct peer_keys keys;
	uint8_t keys_of[80];
};

/* A sender in a random epoch, at a random nonce. */
void udppeer_init(struct udppeer *u, uint8_t cipher_id,
		  const struct peer_secret *secret, const char *context);

/* Another epoch; the nonce goes on. */
void udppeer_epoch(struct udppeer *u);

/* The header of the next datagram, as a correct sender would have it. */
void udppeer_prepare(const struct udppeer *u, struct peer_hdr *h, uint8_t type,
		     size_t len);

/*
 * Seals under the epoch that @h names, with the sender's secret whatever kid is
 * there, and with its suite if @h's is unknown. Leaves the nonce as it is.
 */
size_t udppeer_build(struct udppeer *u, struct peer_hdr *h, const void *plain,
		     size_t len, uint8_t pad, uint8_t *out);

/*
 * A datagram of a session that does not exist, in a header without fault, with
 * @body bytes that nobody can open.
 */
void udppeer_invent(const struct udppeer *u, uint8_t *out, size_t body);

/* The next correct datagram; returns its size. */
size_t udppeer_next(struct udppeer *u, uint8_t type, const void *plain,
		    size_t len, uint8_t *out);

/*
 * Opens a datagram that another one has sealed, as a receiver must, but for
 * time and replays: plaintext bytes, or -EPROTO, -ENOKEY (not @secret's kid),
 * -EBADMSG. @plain has room for UDPPEER_MAX.
 */
int udppeer_open(const struct peer_secret *secret,
		 const struct peer_context *context, const uint8_t *dgram,
		 size_t size, struct peer_hdr *h, uint8_t *plain);

/* @text may be NULL: no context. */
void udppeer_context(struct peer_context *context, const char *text);

/* The header by itself: the counter of what is wrong with it, or NULL. */
const char *udppeer_judge(const struct peer_hdr *h);

#endif /* UDPPEER_H */
