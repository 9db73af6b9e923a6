// SPDX-License-Identifier: GPL-2.0
/* udppeer: datagrams of the NST protocol in user space. See udppeer.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udppeer.h"

void udppeer_context(struct peer_context *ctx, const char *text)
{
	memset(ctx, 0, sizeof(*ctx));
	if (!text)
		return;
	ctx->len = strlen(text);
	memcpy(ctx->bytes, text, ctx->len);
}

void udppeer_init(struct udppeer *u, uint8_t cipher_id,
		  const struct peer_secret *secret, const char *context)
{
	memset(u, 0, sizeof(*u));
	u->cipher_id = cipher_id;
	u->proto = PEER_PROTO_UDP;
	u->secret = *secret;
	udppeer_context(&u->context, context);
	peer_random(&u->nonce, sizeof(u->nonce));
	udppeer_epoch(u);
}

void udppeer_epoch(struct udppeer *u)
{
	uint16_t old = u->epoch;

	peer_random(&u->kpos, sizeof(u->kpos));
	u->kpos = 1 + u->kpos % PEER_KEY_SIZE;
	peer_random(&u->kval, sizeof(u->kval));
	do {
		peer_random(&u->epoch, sizeof(u->epoch));
	} while (u->epoch == old);
}

void udppeer_prepare(const struct udppeer *u, struct peer_hdr *h, uint8_t type,
		     size_t len)
{
	memset(h, 0, sizeof(*h));
	h->magic = PEER_MAGIC;
	h->version = 1;
	h->cipher_id = u->cipher_id;
	h->len = len;
	h->timestamp = peer_now();
	h->nonce = u->nonce;
	h->kpos = u->kpos;
	h->kval = u->kval;
	h->kid = u->secret.kid;
	h->flags = (uint32_t)u->epoch << 16 | u->role | type;
}

/* What the keys depend on. */
static void identity(uint8_t *id, const struct udppeer *u,
		     const struct peer_hdr *h)
{
	memset(id, 0, sizeof(u->keys_of));
	id[0] = u->proto;
	id[1] = h->version;
	id[2] = h->cipher_id;
	id[3] = h->kpos;
	id[4] = h->kval;
	id[5] = h->kid >> 8;
	id[6] = h->kid;
	id[7] = h->flags >> 24;
	id[8] = h->flags >> 16;
	memcpy(id + 9, u->secret.key, PEER_KEY_SIZE);
	id[41] = u->context.len;
	memcpy(id + 42, u->context.bytes, u->context.len);
}

size_t udppeer_build(struct udppeer *u, struct peer_hdr *h, const void *plain,
		     size_t len, uint8_t pad, uint8_t *out)
{
	uint8_t id[sizeof(u->keys_of)];
	struct peer_hdr known = *h;

	if (!peer_suite_find(known.cipher_id))
		known.cipher_id = u->cipher_id;
	identity(id, u, &known);
	if (memcmp(id, u->keys_of, sizeof(id))) {
		if (peer_derive(&u->keys, &known, u->proto, u->secret.key,
				&u->context, NULL, NULL))
			abort();
		memcpy(u->keys_of, id, sizeof(id));
	}
	return peer_seal(&u->keys, h, plain, len, pad, out);
}

void udppeer_invent(const struct udppeer *u, uint8_t *out, size_t body)
{
	uint8_t dice[12 + PEER_TOKEN_SIZE];
	struct peer_hdr h;

	peer_random(dice, sizeof(dice));
	udppeer_prepare(u, &h, PEER_DATA, body);
	h.kpos = 1 + dice[0] % PEER_KEY_SIZE;
	h.kval = dice[1];
	h.flags = (uint32_t)dice[2] << 24 | (uint32_t)dice[3] << 16;
	memcpy(&h.nonce, dice + 4, sizeof(h.nonce));
	memcpy(h.token, dice + 12, sizeof(h.token));
	peer_hdr_put(out, &h);
	memset(out + PEER_HDR_SIZE, dice[4], body);
}

size_t udppeer_next(struct udppeer *u, uint8_t type, const void *plain,
		    size_t len, uint8_t *out)
{
	struct peer_hdr h;

	udppeer_prepare(u, &h, type, len);
	u->nonce++;
	return udppeer_build(u, &h, plain, len, 0, out);
}

static const char *judge_flags(const struct peer_hdr *h)
{
	uint8_t type = h->flags & PEER_F_TYPE;

	if (h->flags & PEER_F_RESERVED)
		return "NstRxHdrReserved";
	if ((h->flags & PEER_F_ROLES) == PEER_F_ROLES)
		return "NstRxHdrRoles";
	if (h->kpos > PEER_KEY_SIZE)
		return "NstRxHdrKpos";
	if (!h->kpos && h->kval)
		return "NstRxHdrKval";
	if (!h->kid)
		return "NstRxHdrKid";
	if (type > PEER_STARTREC && type < 16)
		return "NstRxHdrType";
	if ((type == PEER_CLOSE || type == PEER_STARTREC) && h->len)
		return "NstRxHdrBody";
	if (type == PEER_CLOSE || type == PEER_STARTREC ||
	    h->flags & (PEER_F_START | PEER_F_BOUND))
		return "NstRxHdrDgram";
	return NULL;
}

const char *udppeer_judge(const struct peer_hdr *h)
{
	if (h->magic != PEER_MAGIC)
		return "NstRxHdrMagic";
	if (h->version != 1)
		return "NstRxHdrVersion";
	if (!peer_suite_find(h->cipher_id))
		return "NstRxHdrSuite";
	return judge_flags(h);
}

int udppeer_open(const struct peer_secret *secret,
		 const struct peer_context *context, const uint8_t *dgram,
		 size_t size, struct peer_hdr *h, uint8_t *plain)
{
	struct peer_keys keys;
	int ret;

	if (size < PEER_HDR_SIZE)
		return -EPROTO;
	peer_hdr_get(h, dgram);
	if (udppeer_judge(h))
		return -EPROTO;
	if (size != PEER_HDR_SIZE +
		    peer_body_size(peer_suite_find(h->cipher_id), h->len))
		return -EPROTO;
	if (h->kid != secret->kid)
		return -ENOKEY;
	if (peer_derive(&keys, h, PEER_PROTO_UDP, secret->key, context, NULL,
			NULL))
		abort();
	ret = peer_open(&keys, h, dgram, plain);
	explicit_bzero(&keys, sizeof(keys));
	return ret;
}
