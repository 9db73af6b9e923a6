// SPDX-License-Identifier: GPL-2.0
/*
 * What an NST UDP socket has sent comes back to it, as it was or made anew in
 * the same epoch by somebody who holds the key.
 */
#include "udp_hostile.h"

#define SENT	"the kernel's own"

FIXTURE(own)
{
	struct udpend *e;
	struct udpend_conf conf;
	struct dgram d;
};

FIXTURE_VARIANT(own)
{
	struct udpend_conf conf;
};

UDPEND_V(own, aes_gcm_ipv4, NST_CIPHER_AES_GCM, AF_INET, false);
UDPEND_V(own, aes_cbc_ipv6, NST_CIPHER_AES_CBC, AF_INET6, false);
UDPEND_V(own, sm4_gcm_ipv4_private, NST_CIPHER_SM4_GCM, AF_INET, true);
UDPEND_V(own, chacha20_ipv6_private, NST_CIPHER_CHACHA20_POLY1305, AF_INET6, true);

FIXTURE_SETUP(own)
{
	self->conf = variant->conf;
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(own)
{
	end_close(self->e);
}

/* The kernel's socket sends one to @to_fd; it is what it should be. */
static void capture(struct __test_metadata *_metadata, struct udpend *e, int k,
		    struct dgram *d, struct peer_hdr *h)
{
	static const struct peer_context none;
	struct sockaddr_storage to;
	uint8_t plain[2048];
	ssize_t n;

	ASSERT_EQ(0, udpend_name(e->raw, &to));
	ASSERT_EQ(0, udpend_send(k, &to, SENT, sizeof(SENT)));
	n = recv(e->raw, d->b, sizeof(d->b), 0);
	ASSERT_LT(PEER_HDR_SIZE, n);
	d->len = n;
	d->plain_len = sizeof(SENT);
	memcpy(d->plain, SENT, sizeof(SENT));
	ASSERT_EQ((int)sizeof(SENT),
		  udpend_open_any(&none, d->b, n, h, plain));
	EXPECT_STREQ(SENT, (char *)plain);
}

/* A sender in the epoch of @h; its nonces are others. */
static void pretend(struct udpend *e, struct udppeer *u,
		    const struct peer_hdr *h)
{
	udppeer_init(u, h->cipher_id, &udpend_box[0], NULL);
	u->kpos = h->kpos;
	u->kval = h->kval;
	u->epoch = h->flags >> 16;
	u->nonce = h->nonce + 100000;
	e->sent = peer_now();
}

TEST_F(own, reflected)
{
	struct udpend *e = self->e;
	struct peer_hdr h;
	int i;

	for (i = 0; i < 3; i++) {
		capture(_metadata, e, e->k, &self->d, &h);
		refuse(_metadata, e, &self->d, "NstRxReflected");
		refuse(_metadata, e, &self->d, "NstRxReflected");
	}
	expect_unharmed(_metadata, e);
}

/* The kernel's datagrams are sound: nonces count, times and epochs fit. */
TEST_F(own, sealed_in_order)
{
	struct udpend *e = self->e;
	struct peer_hdr h, last;
	uint16_t kid;
	int i;

	capture(_metadata, e, e->k, &self->d, &last);
	for (i = 0; i < 5; i++) {
		capture(_metadata, e, e->k, &self->d, &h);
		EXPECT_EQ(last.nonce + 1, h.nonce);
		EXPECT_EQ(last.flags, h.flags);
		EXPECT_EQ(last.kpos, h.kpos);
		EXPECT_EQ(last.kval, h.kval);
		EXPECT_LE(last.timestamp, h.timestamp);
		EXPECT_EQ(UDPEND_KID, h.kid);
		last = h;
	}
	/* In the namespace's box, the other key is not for sending. */
	kid = variant->conf.private ? UDPEND_KID_OTHER : UDPEND_KID;
	EXPECT_EQ(variant->conf.private ? 0 : -EACCES,
		  udpend_rekey(e->k, UDPEND_KID_OTHER));
	ASSERT_EQ(0, udpend_rekey(e->k, kid));
	capture(_metadata, e, e->k, &self->d, &h);
	EXPECT_EQ(last.nonce + 1, h.nonce);
	EXPECT_FALSE(last.flags == h.flags && last.kpos == h.kpos);
	EXPECT_EQ(kid, h.kid);
}

/* Of an epoch that has passed. */
TEST_F(own, reflected_from_past_epochs)
{
	struct udpend *e = self->e;
	struct dgram past[4];
	struct peer_hdr h;
	int i;

	for (i = 0; i < 4; i++) {
		capture(_metadata, e, e->k, &past[i], &h);
		ASSERT_EQ(0, udpend_rekey(e->k, 0));
		capture(_metadata, e, e->k, &self->d, &h);
	}
	for (i = 0; i < 4; i++)
		refuse(_metadata, e, &past[i], "NstRxReflected");
	expect_unharmed(_metadata, e);
}

/* Keys set anew: what was sent under the old ones stays the socket's own. */
TEST_F(own, reflected_after_keys_set_again)
{
	struct udpend *e = self->e;
	struct peer_hdr h;

	capture(_metadata, e, e->k, &self->d, &h);
	ASSERT_EQ(0, udpend_install(e->k, NST_TX, &self->conf));
	refuse(_metadata, e, &self->d, "NstRxReflected");
	capture(_metadata, e, e->k, &self->d, &h);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	expect_unharmed(_metadata, e);
}

/* Many epochs in the time of a window: none is forgotten too early. */
TEST_F(own, reflected_after_many_epochs)
{
	struct udpend *e = self->e;
	struct peer_hdr h, later;
	struct dgram d;
	int i, ret = 0;

	capture(_metadata, e, e->k, &self->d, &h);
	for (i = 0; i < 300 && !ret; i++) {
		ret = udpend_rekey(e->k, 0);
		if (!ret)
			capture(_metadata, e, e->k, &d, &later);
	}
	TH_LOG("%d epochs, then %d", i, ret);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	expect_unharmed(_metadata, e);
}

/* Fabricated: its own epoch, sealed with the key, but never sent. */
TEST_F(own, epoch_of_its_own)
{
	struct udpend *e = self->e;
	struct peer_hdr h;
	struct udppeer u;

	capture(_metadata, e, e->k, &self->d, &h);
	pretend(e, &u, &h);
	make(&u, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	ASSERT_EQ(0, udpend_rekey(e->k, 0));
	make(&u, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	expect_unharmed(_metadata, e);
}

/* Before the reflection, kid and policy are judged; after it, the time. */
TEST_F(own, reflected_and_late)
{
	struct udpend *e = self->e;
	struct peer_hdr h;
	struct udppeer u;

	capture(_metadata, e, e->k, &self->d, &h);
	pretend(e, &u, &h);
	make_at(&u, &self->d, u.nonce, peer_now() - 3600 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	expect_unharmed(_metadata, e);
}

/* It is another socket's to take, once. */
TEST_F(own, led_to_another_socket)
{
	struct udpend *e = self->e;
	struct sockaddr_storage to;
	struct peer_hdr h;
	int fd = udpend_socket(&self->conf);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udpend_name(fd, &to));
	capture(_metadata, e, e->k, &self->d, &h);
	refuse(_metadata, e, &self->d, "NstRxReflected");
	take_at(_metadata, e, e->raw, fd, &to, &self->d);
	refuse_from(_metadata, e, e->raw, &to, self->d.b, self->d.len,
		    "NstRxReplayed");
	refuse(_metadata, e, &self->d, "NstRxReflected");
	expect_unharmed(_metadata, e);
	close(fd);
}

/* With a role, the role comes first. */
TEST_F(own, reflected_with_role)
{
	struct udpend *e = self->e;
	struct peer_hdr h;

	self->conf.flags = NST_F_RESPONDER;
	ASSERT_EQ(0, udpend_install(e->k, NST_TX_RX, &self->conf));
	capture(_metadata, e, e->k, &self->d, &h);
	EXPECT_EQ(PEER_F_RESPONDER, h.flags & PEER_F_ROLES);
	refuse(_metadata, e, &self->d, "NstRxRole");
	expect_unharmed(_metadata, e);
}

TEST_HARNESS_MAIN
