// SPDX-License-Identifier: GPL-2.0
/* What tests of the guard share. See guardtest.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>

#include "guardtest.h"

static int rule(struct talk *t, uint8_t cmd, int protocol, uint16_t port,
		bool dry_run)
{
	nl_begin(t, t->family, cmd, NLM_F_ACK);
	nl_put_u32(t, NST_A_RULE_PROTOCOL, protocol);
	nl_put_u16(t, NST_A_RULE_PORT, port);
	if (dry_run)
		nl_put(t, NST_A_RULE_DRY_RUN, NULL, 0);
	return -nl_talk(t);
}

int guard_add(struct talk *t, int protocol, bool dry_run)
{
	return guard_add_port(t, protocol, GUARD_PORT, dry_run);
}

int guard_add_port(struct talk *t, int protocol, uint16_t port, bool dry_run)
{
	return rule(t, NST_CMD_GUARD_ADD, protocol, port, dry_run);
}

int guard_del(struct talk *t, int protocol, uint16_t port)
{
	return rule(t, NST_CMD_GUARD_DEL, protocol, port, false);
}

static void take_counts(uint64_t *n, const void *nest)
{
	const struct nlattr *outer = (void *)((char *)nest - NLA_HDRLEN);
	const struct nlattr *attr = nest;
	int rest = outer->nla_len - NLA_HDRLEN;

	while (rest >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN) {
		if (attr->nla_type <= NST_A_PACKETS_MAX &&
		    attr->nla_len == NLA_HDRLEN + sizeof(*n))
			memcpy(&n[attr->nla_type], (char *)attr + NLA_HDRLEN,
			       sizeof(*n));
		rest -= NLA_ALIGN(attr->nla_len);
		attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len));
	}
}

int guard_counts(struct talk *t, int protocol, struct guard_counts *c)
{
	const void *in, *out;
	int ret;

	memset(c, 0, sizeof(*c));
	ret = rule(t, NST_CMD_GUARD_GET, protocol, GUARD_PORT, false);
	if (ret)
		return ret;
	in = nl_find((void *)t->buf, NST_A_RULE_IN);
	out = nl_find((void *)t->buf, NST_A_RULE_OUT);
	if (!in || !out)
		return -EPROTO;
	take_counts(c->n[NST_DIRECTION_IN], in);
	take_counts(c->n[NST_DIRECTION_OUT], out);
	return 0;
}

static long count(struct talk *t, int protocol, int direction, int which)
{
	struct guard_counts c;

	return guard_counts(t, protocol, &c) ? -1 : (long)c.n[direction][which];
}

long guard_in(struct talk *t, int protocol, int which)
{
	return count(t, protocol, NST_DIRECTION_IN, which);
}

long guard_out(struct talk *t, int protocol, int which)
{
	return count(t, protocol, NST_DIRECTION_OUT, which);
}

int guard_wait(struct talk *t, int protocol, int direction, int which,
	       long value)
{
	int i;

	for (i = 0; i < nsttest_patience(TCPTEST_SOON_MS) / 10; i++) {
		if (count(t, protocol, direction, which) >= value)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

static int add_key(struct talk *t, int nr, uint32_t state)
{
	nl_begin(t, t->family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_u16(t, NST_A_KEY_KID, nsttest_box[nr].kid);
	nl_put_u32(t, NST_A_KEY_STATE, state);
	nl_put(t, NST_A_KEY_SECRET, nsttest_box[nr].key, NST_KEY_SIZE);
	return -nl_talk(t);
}

int guard_box(struct talk *t)
{
	int ret = add_key(t, 0, NST_STATE_ACTIVE);

	return ret ?: add_key(t, 1, NST_STATE_RETIRED);
}

socklen_t guard_address(struct sockaddr_storage *ss, int family, int host,
			uint16_t port)
{
	socklen_t len = nsttest_loopback(ss, family, port);
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	if (family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK + host - 1);
	else if (host > 1)
		inet_pton(AF_INET6, "fd00::2", &in6->sin6_addr);
	return len;
}

int guard_socket(int family, int type, int host, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, family, host, port);
	int ms = nsttest_patience(TCPTEST_SOON_MS);
	int fd = socket(family, type, 0);

	if (fd < 0)
		return -errno;
	if (tcptest_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    tcptest_timeout(fd, SO_RCVTIMEO, ms) ||
	    tcptest_timeout(fd, SO_SNDTIMEO, ms) ||
	    (port && bind(fd, (void *)&ss, len))) {
		close(fd);
		return -EIO;
	}
	return fd;
}

void guard_header(struct peer_hdr *h, size_t len)
{
	memset(h, 0, sizeof(*h));
	h->magic = PEER_MAGIC;
	h->version = 1;
	h->cipher_id = NST_CIPHER_AES_GCM;
	h->len = len;
	h->timestamp = peer_now();
	peer_random(&h->nonce, sizeof(h->nonce));
	h->kid = NSTTEST_KID;
	h->flags = 0x12340000;
}

size_t guard_seal(struct peer_hdr *h, size_t len, uint8_t *out)
{
	static const struct peer_context none;
	static uint8_t plain[PEER_PLAIN_MAX];
	struct peer_hdr lie = *h;
	struct peer_keys keys;

	if (!peer_suite_find(lie.cipher_id))
		lie.cipher_id = NST_CIPHER_AES_GCM;
	if (lie.kpos > PEER_KEY_SIZE)
		lie.kpos = 0;
	if (peer_derive(&keys, &lie, PEER_PROTO_UDP, nsttest_box[0].key,
			&none, NULL, NULL))
		return 0;
	return peer_seal(&keys, h, plain, len, 0, out);
}

size_t guard_record(uint8_t *out, size_t len)
{
	struct peer_hdr h;

	guard_header(&h, len);
	return guard_seal(&h, len, out);
}
