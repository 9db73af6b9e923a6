/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nstpeer: the NST protocol in user space, for tests.
 *
 * An implementation of its own, over libgcrypt; it shares no line with the
 * kernel module, so that an error in one of them shows. Two levels:
 *
 *  - records: every header field is the caller's (struct peer_hdr), keys are
 *    derived from what the header says, and nothing is checked when sealing.
 *    Here a test builds what no correct sender would.
 *  - struct peer: one connection over a plain TCP descriptor. It sends what
 *    the protocol asks for and refuses what the protocol forbids; a test
 *    takes peer_prepare(), spoils the header, and sends with peer_emit().
 *
 * Functions that can fail return 0 or a length, or -errno. Programming errors
 * and a broken libgcrypt abort.
 */
#ifndef NSTPEER_H
#define NSTPEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_MAGIC	0x4e535450u
#define PEER_HDR_SIZE	48
#define PEER_AAD_SIZE	32
#define PEER_TOKEN_SIZE	16
#define PEER_TOKEN_OFF	24
#define PEER_SALT_SIZE	16
#define PEER_KEY_SIZE	32
#define PEER_PLAIN_MAX	65535
#define PEER_RECORD_MAX	(PEER_HDR_SIZE + 65536)
#define PEER_OKM_MAX	96
#define PEER_PROTO_TCP	6
#define PEER_PROTO_UDP	17
#define PEER_SUITES	7

/* Bits of peer_hdr.flags; the epoch is in bits 31..16. */
#define PEER_F_START		0x0100u
#define PEER_F_BOUND		0x0200u
#define PEER_F_INITIATOR	0x0400u
#define PEER_F_RESPONDER	0x0800u
#define PEER_F_ROLES		(PEER_F_INITIATOR | PEER_F_RESPONDER)
#define PEER_F_RESERVED		0xf000u
#define PEER_F_TYPE		0x00ffu

#define PEER_DATA	0
#define PEER_CLOSE	1
#define PEER_STARTREC	2

/* A record's header as the wire has it, in host order. */
struct peer_hdr {
	uint32_t magic;
	uint8_t version;
	uint8_t cipher_id;
	uint16_t len;		/* plaintext bytes */
	uint64_t timestamp;	/* CLOCK_REALTIME, ns */
	uint64_t nonce;
	uint8_t token[PEER_TOKEN_SIZE];
	uint8_t kpos;
	uint8_t kval;
	uint16_t kid;
	uint32_t flags;
};

struct peer_suite {
	uint8_t id;
	bool cbc;
	uint8_t key_size;
	const char *name;
	int cipher;		/* GCRY_CIPHER_* */
	int mode;		/* GCRY_CIPHER_MODE_* */
	int md;			/* GCRY_MD_* of HKDF and of the CBC suites' MAC */
};

/* What makes one key: the box key and what both ends know besides. */
struct peer_secret {
	uint16_t kid;
	uint8_t key[PEER_KEY_SIZE];
};

struct peer_context {
	uint8_t len;
	uint8_t bytes[32];
};

/* One epoch's keys: key, then iv, or mac_key and iv_key. */
struct peer_keys {
	const struct peer_suite *suite;
	size_t okm_len;
	uint8_t okm[PEER_OKM_MAX];
};

/* One direction of a connection. */
struct peer_dir {
	bool started;
	bool closed;
	bool bound;
	bool strict;			/* began with a start record; RX only */
	uint8_t salt[PEER_SALT_SIZE];	/* of this direction's START */
	uint64_t nonce;			/* of the next record */
	uint64_t records;
	uint8_t kpos;			/* epoch; TX only */
	uint8_t kval;
	uint16_t kid;
	uint16_t epoch;
};

struct peer {
	int fd;				/* the caller's; not closed here */
	uint8_t cipher_id;
	uint32_t role;			/* PEER_F_INITIATOR, _RESPONDER or 0 */
	const struct peer_secret *box;	/* first one is used to send */
	unsigned int nr_box;
	struct peer_context context;
	struct peer_dir tx;
	struct peer_dir rx;
};

const struct peer_suite *peer_suite_find(uint8_t id);

uint64_t peer_now(void);
void peer_random(void *buf, size_t len);

void peer_hdr_put(uint8_t *out, const struct peer_hdr *h);
void peer_hdr_get(struct peer_hdr *h, const uint8_t *in);
size_t peer_body_size(const struct peer_suite *s, size_t plain);

/*
 * Keys of the epoch that @h names. @s_own and @s_peer: 16 bytes each, or NULL
 * for zeros. -ENOPKG: the suite is unknown.
 */
int peer_derive(struct peer_keys *k, const struct peer_hdr *h, uint8_t proto,
		const uint8_t *secret, const struct peer_context *ctx,
		const uint8_t *s_own, const uint8_t *s_peer);

/*
 * Writes header and body to @out and the token to @h. The length in the
 * header is @h->len, whatever @len is; CBC padding consists of @pad. Returns
 * the bytes written.
 */
size_t peer_seal(const struct peer_keys *k, struct peer_hdr *h,
		 const void *plain, size_t len, uint8_t pad, uint8_t *out);

/*
 * Opens the record at @rec, @h its decoded header, into @plain (room for the
 * padded length). Returns the plaintext bytes, -EBADMSG if it is not
 * authentic or its padding is not zero.
 */
int peer_open(const struct peer_keys *k, const struct peer_hdr *h,
	      const uint8_t *rec, uint8_t *plain);

/* A stream on @fd that has neither sent nor received yet. */
void peer_init(struct peer *p, int fd, uint8_t cipher_id,
	       const struct peer_secret *box, unsigned int nr);

/* The next record sent belongs to a new epoch, under @kid. */
void peer_epoch(struct peer *p, uint16_t kid);

/* The header of the next record, as a correct sender would have it. */
void peer_prepare(struct peer *p, struct peer_hdr *h, uint8_t type,
		  size_t len);

/*
 * Seals under the keys that @h names. Changes nothing in @p. A kid that is
 * not in the box, or a suite that is unknown, is sealed with the first key or
 * the stream's suite: the receiver is to refuse it before it would matter.
 */
size_t peer_build(const struct peer *p, struct peer_hdr *h, const void *plain,
		  size_t len, uint8_t pad, uint8_t *out);

/* Takes note that the record @h is sent. */
void peer_commit(struct peer *p, const struct peer_hdr *h);

int peer_write(int fd, const void *buf, size_t len);
int peer_write_chunks(int fd, const void *buf, size_t len, size_t chunk);

/* peer_build, peer_commit, write. */
int peer_emit(struct peer *p, struct peer_hdr *h, const void *plain,
	      size_t len);

/* One correct record. */
int peer_send(struct peer *p, uint8_t type, const void *plain, size_t len);

/* A correct record appended at @out instead of sent; returns its size. */
size_t peer_append(struct peer *p, uint8_t type, const void *plain,
		   size_t len, uint8_t *out);

/*
 * Reads one record, judges it as a receiver must, leaves header and plaintext
 * (@plain has room for PEER_RECORD_MAX). -EPIPE: FIN at a record's border,
 * -ECONNABORTED: within one, -EPROTO, -EBADMSG, -ENOKEY, -EKEYREJECTED as in
 * protocol.md; time and replays are not judged.
 */
int peer_recv(struct peer *p, struct peer_hdr *h, uint8_t *plain);

/* The same for a record that is in memory: @rec has its whole @size. */
int peer_judge(struct peer *p, struct peer_hdr *h, const uint8_t *rec,
	       size_t size, uint8_t *plain);

#endif /* NSTPEER_H */
