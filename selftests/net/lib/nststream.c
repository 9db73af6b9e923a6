// SPDX-License-Identifier: GPL-2.0
/*
 * nstpeer: one NST connection over a plain TCP descriptor. See nstpeer.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nstpeer.h"

void peer_init(struct peer *p, int fd, uint8_t cipher_id,
	       const struct peer_secret *box, unsigned int nr)
{
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->cipher_id = cipher_id;
	p->box = box;
	p->nr_box = nr;
	peer_random(&p->tx.nonce, sizeof(p->tx.nonce));
	peer_epoch(p, box[0].kid);
}

void peer_epoch(struct peer *p, uint16_t kid)
{
	uint16_t old = p->tx.epoch;

	peer_random(&p->tx.kpos, sizeof(p->tx.kpos));
	p->tx.kpos = 1 + p->tx.kpos % PEER_KEY_SIZE;
	peer_random(&p->tx.kval, sizeof(p->tx.kval));
	do {
		peer_random(&p->tx.epoch, sizeof(p->tx.epoch));
	} while (p->tx.epoch == old);
	p->tx.kid = kid;
}

static const struct peer_secret *find_secret(const struct peer *p,
					     uint16_t kid)
{
	unsigned int i;

	for (i = 0; i < p->nr_box; i++) {
		if (p->box[i].kid == kid)
			return &p->box[i];
	}
	return NULL;
}

/* A START's timestamp and nonce, as the salt has them. */
static void salt_of(uint8_t *salt, const struct peer_hdr *h)
{
	uint8_t wire[PEER_HDR_SIZE];

	peer_hdr_put(wire, h);
	memcpy(salt, wire + 8, PEER_SALT_SIZE);
}

void peer_prepare(struct peer *p, struct peer_hdr *h, uint8_t type, size_t len)
{
	if (p->rx.started && !p->tx.bound) {
		if (p->tx.started)
			peer_epoch(p, p->tx.kid);
		p->tx.bound = true;
	}
	memset(h, 0, sizeof(*h));
	h->magic = PEER_MAGIC;
	h->version = 1;
	h->cipher_id = p->cipher_id;
	h->len = len;
	h->timestamp = peer_now();
	h->nonce = p->tx.nonce;
	h->kpos = p->tx.kpos;
	h->kval = p->tx.kval;
	h->kid = p->tx.kid;
	h->flags = (uint32_t)p->tx.epoch << 16 | p->role | type;
	if (!p->tx.started)
		h->flags |= PEER_F_START;
	if (p->tx.bound)
		h->flags |= PEER_F_BOUND;
}

size_t peer_build(const struct peer *p, struct peer_hdr *h, const void *plain,
		  size_t len, uint8_t pad, uint8_t *out)
{
	const struct peer_secret *secret = find_secret(p, h->kid);
	const uint8_t *s_peer = NULL;
	uint8_t s_own[PEER_SALT_SIZE];
	struct peer_keys keys;

	if (!secret)
		secret = &p->box[0];
	if (h->flags & PEER_F_START)
		salt_of(s_own, h);
	else
		memcpy(s_own, p->tx.salt, sizeof(s_own));
	if (h->flags & PEER_F_BOUND)
		s_peer = p->rx.salt;
	if (peer_derive(&keys, h, PEER_PROTO_TCP, secret->key, &p->context,
			s_own, s_peer)) {
		struct peer_hdr known = *h;

		known.cipher_id = p->cipher_id;
		if (peer_derive(&keys, &known, PEER_PROTO_TCP, secret->key,
				&p->context, s_own, s_peer))
			abort();
	}
	len = peer_seal(&keys, h, plain, len, pad, out);
	explicit_bzero(&keys, sizeof(keys));
	return len;
}

void peer_commit(struct peer *p, const struct peer_hdr *h)
{
	if (!p->tx.started)
		salt_of(p->tx.salt, h);
	p->tx.started = true;
	p->tx.nonce = h->nonce + 1;
	p->tx.records++;
	if ((h->flags & PEER_F_TYPE) == PEER_CLOSE)
		p->tx.closed = true;
}

int peer_write(int fd, const void *buf, size_t len)
{
	return peer_write_chunks(fd, buf, len, len);
}

int peer_write_chunks(int fd, const void *buf, size_t len, size_t chunk)
{
	const uint8_t *at = buf;
	ssize_t n;

	while (len) {
		n = send(fd, at, len < chunk ? len : chunk, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= n;
	}
	return 0;
}

int peer_emit(struct peer *p, struct peer_hdr *h, const void *plain,
	      size_t len)
{
	uint8_t *rec = malloc(PEER_RECORD_MAX);
	size_t size;
	int ret;

	if (!rec)
		return -ENOMEM;
	size = peer_build(p, h, plain, len, 0, rec);
	peer_commit(p, h);
	ret = peer_write(p->fd, rec, size);
	free(rec);
	return ret;
}

int peer_send(struct peer *p, uint8_t type, const void *plain, size_t len)
{
	struct peer_hdr h;

	peer_prepare(p, &h, type, len);
	return peer_emit(p, &h, plain, len);
}

size_t peer_append(struct peer *p, uint8_t type, const void *plain,
		   size_t len, uint8_t *out)
{
	struct peer_hdr h;
	size_t size;

	peer_prepare(p, &h, type, len);
	size = peer_build(p, &h, plain, len, 0, out);
	peer_commit(p, &h);
	return size;
}

/* Up to @len bytes, fewer only at the end of the stream. */
static int read_full(int fd, uint8_t *buf, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = recv(fd, buf + have, len - have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += n;
	}
	return have;
}

static int judge_header(const struct peer_hdr *h)
{
	uint8_t type = h->flags & PEER_F_TYPE;

	if (h->magic != PEER_MAGIC || h->version != 1)
		return -EPROTO;
	if (!peer_suite_find(h->cipher_id) || h->flags & PEER_F_RESERVED)
		return -EPROTO;
	if ((h->flags & PEER_F_ROLES) == PEER_F_ROLES)
		return -EPROTO;
	if (h->kpos > PEER_KEY_SIZE || (!h->kpos && h->kval) || !h->kid)
		return -EPROTO;
	if (type > PEER_STARTREC && type < 16)
		return -EPROTO;
	if (type != PEER_DATA && type < 16 && h->len)
		return -EPROTO;
	if (type == PEER_STARTREC && !(h->flags & PEER_F_START))
		return -EPROTO;
	return 0;
}

/* START, nonce, close, binding, role: what the stream's state decides. */
static int judge_state(const struct peer *p, const struct peer_hdr *h)
{
	const struct peer_dir *rx = &p->rx;
	bool start = h->flags & PEER_F_START, bound = h->flags & PEER_F_BOUND;

	if (start == rx->started)
		return -EPROTO;
	if (rx->started && h->nonce != rx->nonce)
		return -EPROTO;
	if (rx->closed)
		return -EPROTO;
	if (bound ? !p->tx.started : rx->bound || rx->strict)
		return -EPROTO;
	if (p->role && (h->flags & PEER_F_ROLES) == p->role)
		return -EKEYREJECTED;
	return 0;
}

int peer_judge(struct peer *p, struct peer_hdr *h, const uint8_t *rec,
	       size_t size, uint8_t *plain)
{
	const struct peer_secret *secret;
	uint8_t salt[PEER_SALT_SIZE];
	struct peer_keys keys;
	int ret;

	if (size < PEER_HDR_SIZE)
		return -ECONNABORTED;
	peer_hdr_get(h, rec);
	ret = judge_header(h);
	if (!ret)
		ret = judge_state(p, h);
	if (ret)
		return ret;
	if (size < PEER_HDR_SIZE + peer_body_size(peer_suite_find(h->cipher_id),
						  h->len))
		return -ECONNABORTED;
	secret = find_secret(p, h->kid);
	if (!secret)
		return -ENOKEY;
	salt_of(salt, h);
	if (p->rx.started)
		memcpy(salt, p->rx.salt, sizeof(salt));
	else if (p->tx.started && !memcmp(salt, p->tx.salt, sizeof(salt)))
		return -EKEYREJECTED;
	peer_derive(&keys, h, PEER_PROTO_TCP, secret->key, &p->context, salt,
		    h->flags & PEER_F_BOUND ? p->tx.salt : NULL);
	ret = peer_open(&keys, h, rec, plain);
	explicit_bzero(&keys, sizeof(keys));
	if (ret < 0)
		return ret;
	memcpy(p->rx.salt, salt, sizeof(salt));
	if ((h->flags & PEER_F_TYPE) == PEER_STARTREC)
		p->rx.strict = true;
	p->rx.started = true;
	p->rx.nonce = h->nonce + 1;
	p->rx.records++;
	p->rx.bound = h->flags & PEER_F_BOUND;
	p->rx.closed = (h->flags & PEER_F_TYPE) == PEER_CLOSE;
	return ret;
}

int peer_recv(struct peer *p, struct peer_hdr *h, uint8_t *plain)
{
	uint8_t *rec = malloc(PEER_RECORD_MAX);
	size_t size;
	int ret;

	if (!rec)
		return -ENOMEM;
	ret = read_full(p->fd, rec, PEER_HDR_SIZE);
	if (ret <= 0) {
		ret = ret ? ret : -EPIPE;
		goto out;
	}
	size = ret;
	peer_hdr_get(h, rec);
	if (size == PEER_HDR_SIZE && !judge_header(h)) {
		ret = read_full(p->fd, rec + PEER_HDR_SIZE,
				peer_body_size(peer_suite_find(h->cipher_id),
					       h->len));
		if (ret < 0)
			goto out;
		size += ret;
	}
	ret = peer_judge(p, h, rec, size, plain);
out:
	free(rec);
	return ret;
}
