// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of an NST UDP socket: a datagram is taken once, whenever, in what
 * order and from wherever it comes, and to which socket it is led.
 */
#include <netinet/in.h>

#include "udp_hostile.h"

#define WRAP	(UINT64_MAX - 2)	/* a nonce that is 3 before 0 */
#define SPREAD	UDPEND_WINDOW_MIN

FIXTURE(session)
{
	struct udpend *e;
	struct udpend_conf conf;
	struct dgram d;
	struct dgram *all;	/* SPREAD of them */
};

FIXTURE_VARIANT(session)
{
	struct udpend_conf conf;
};

UDPEND_V(session, aes_gcm_ipv4, NST_CIPHER_AES_GCM, AF_INET, false);
UDPEND_V(session, aes_cbc_ipv6, NST_CIPHER_AES_CBC, AF_INET6, false);
UDPEND_V(session, sm4_gcm_ipv6_private, NST_CIPHER_SM4_GCM, AF_INET6, true);
UDPEND_V(session, chacha20_ipv4_private, NST_CIPHER_CHACHA20_POLY1305, AF_INET, true);

FIXTURE_SETUP(session)
{
	self->conf = variant->conf;
	self->all = calloc(SPREAD, sizeof(self->all[0]));
	ASSERT_NE(NULL, self->all);
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(session)
{
	end_close(self->e);
	free(self->all);
}

/* A datagram of nonce @base + @at, sealed now. */
static void make_nonce(struct udpend *e, struct dgram *d, uint64_t base,
		       int64_t at)
{
	make_at(&e->p, d, base + at, peer_now());
}

/* --- replays -------------------------------------------------------------- */

TEST_F(session, replayed_at_once)
{
	struct udpend *e = self->e;
	int i;

	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	for (i = 0; i < 10; i++)
		refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* The first datagram of a session, too. */
TEST_F(session, first_replayed)
{
	struct udpend *e = self->e;

	udppeer_epoch(&e->p);
	e->live = false;
	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	EXPECT_EQ(3, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, e);
}

/* Twice, before the keys of its session are there: one of them is taken. */
TEST_F(session, first_doubled)
{
	struct udpend *e = self->e;
	char buf[64];
	int i;

	udppeer_epoch(&e->p);
	make(&e->p, &self->d);
	ASSERT_EQ(0, nsttest_counters(&e->before));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, self->d.b,
					 self->d.len));
	ASSERT_EQ((ssize_t)self->d.plain_len, recv(e->k, buf, sizeof(buf), 0));
	EXPECT_EQ(0, udpend_grown_to(&e->before, "NstRxReplayed+2"));
	expect_unharmed(_metadata, e);
}

TEST_F(session, replayed_later)
{
	struct udpend *e = self->e;
	int i;

	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	for (i = 0; i < 500; i++)
		take_next(_metadata, e, &e->p);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* A new session of the same sender does not make the old ones forgotten. */
TEST_F(session, replayed_after_rekey_of_sender)
{
	struct udpend *e = self->e;

	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	udppeer_epoch(&e->p);
	take_next(_metadata, e, &e->p);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* The tag goes first to no one: a replay with a bad tag is still a replay. */
TEST_F(session, replayed_with_another_tag)
{
	struct udpend *e = self->e;

	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	self->d.b[PEER_TOKEN_OFF] ^= 1;
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* Another host and port; what is fresh is taken from there as well. */
TEST_F(session, replayed_from_another_source)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct udpend *e = self->e;
	int fd = udpend_plain(variant->conf.family);

	ASSERT_LE(0, fd);
	if (variant->conf.family == AF_INET) {
		close(fd);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		ASSERT_LE(0, fd);
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8);
		ASSERT_EQ(0, bind(fd, (void *)&in, sizeof(in)));
	}
	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	refuse_from(_metadata, e, fd, &e->to, self->d.b, self->d.len,
		    "NstRxReplayed");
	make(&e->p, &self->d);
	take_at(_metadata, e, fd, e->k, &e->to, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	close(fd);
}

/* The sockets on a box share its sessions. */
TEST_F(session, replayed_to_another_socket)
{
	struct udpend *e = self->e;
	struct sockaddr_storage to;
	int fd;

	fd = udpend_socket(&self->conf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udpend_name(fd, &to));
	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	/* Whether that has a box of its own or the same one. */
	refuse_from(_metadata, e, e->raw, &to, self->d.b, self->d.len,
		    "NstRxReplayed");
	make(&e->p, &self->d);
	take_at(_metadata, e, e->raw, fd, &to, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	expect_nothing(_metadata, fd);
	expect_unharmed(_metadata, e);
	close(fd);
}

/* Also when the socket that took it is gone, and another has its place. */
TEST_F(session, replayed_to_the_next_owner_of_the_port)
{
	struct udpend *e = self->e;

	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
	close(e->k);
	e->k = udpend_socket_at(&self->conf, &e->to);
	ASSERT_LE(0, e->k);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	make(&e->p, &self->d);
	take(_metadata, e, &self->d);
}

/* Other sockets of the box with another context have no part in it. */
TEST_F(session, other_context_has_other_sessions)
{
	struct udpend *e = self->e;
	struct sockaddr_storage to;
	struct udppeer u = e->p;
	struct dgram d;
	int fd;

	self->conf.context = "service";
	fd = udpend_socket(&self->conf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udpend_name(fd, &to));
	make(&e->p, &self->d);
	refuse_from(_metadata, e, e->raw, &to, self->d.b, self->d.len,
		    "NstRxAuth");
	take(_metadata, e, &self->d);
	/* The same identity and nonce under the other context is another. */
	udppeer_context(&u.context, "service");
	make(&u, &d);
	take_at(_metadata, e, e->raw, fd, &to, &d);
	refuse_from(_metadata, e, e->raw, &to, d.b, d.len, "NstRxReplayed");
	refuse_from(_metadata, e, e->raw, &to, self->d.b, self->d.len,
		    "NstRxAuth|NstRxReplayed");
	expect_unharmed(_metadata, e);
	close(fd);
}

/* --- order ---------------------------------------------------------------- */

/* The narrowest window there may be, backwards: all are taken, once. */
TEST_F(session, backwards)
{
	struct udpend *e = self->e;
	uint64_t base = e->p.nonce;
	int i;

	for (i = 0; i < SPREAD; i++)
		make_nonce(e, &self->all[i], base, i);
	for (i = SPREAD - 1; i >= 0; i--)
		take(_metadata, e, &self->all[i]);
	for (i = 0; i < SPREAD; i += 97)
		refuse(_metadata, e, &self->all[i], "NstRxReplayed");
	e->p.nonce = base + SPREAD;
	expect_unharmed(_metadata, e);
}

/* A random order, each sent twice. */
TEST_F(session, shuffled)
{
	struct udpend *e = self->e;
	uint64_t base = e->p.nonce;
	static struct dgram swap;
	uint32_t dice;
	int i;

	for (i = 0; i < SPREAD / 4; i++)
		make_nonce(e, &self->all[i], base, 4 * i);
	for (i = SPREAD / 4 - 1; i > 0; i--) {
		peer_random(&dice, sizeof(dice));
		swap = self->all[i];
		self->all[i] = self->all[dice % (i + 1)];
		self->all[dice % (i + 1)] = swap;
	}
	for (i = 0; i < SPREAD / 4; i++) {
		take(_metadata, e, &self->all[i]);
		refuse(_metadata, e, &self->all[i], "NstRxReplayed");
	}
	e->p.nonce = base + SPREAD;
	expect_unharmed(_metadata, e);
}

TEST_F(session, behind_the_window)
{
	struct udpend *e = self->e;
	uint64_t base = e->p.nonce;
	struct dgram held;

	make_nonce(e, &held, base, 0);
	make_nonce(e, &self->d, base, UDPEND_WINDOW_MAX);
	take(_metadata, e, &self->d);
	refuse(_metadata, e, &held, "NstRxWindow");
	/* What is a window's width behind is not. */
	make_nonce(e, &self->d, base, UDPEND_WINDOW_MAX -
		   UDPEND_WINDOW_MIN + 1);
	take(_metadata, e, &self->d);
	refuse(_metadata, e, &self->d, "NstRxReplayed");
	e->p.nonce = base + UDPEND_WINDOW_MAX + 1;
	expect_unharmed(_metadata, e);
}

/* Forged ones far ahead move nothing. */
TEST_F(session, forged_jumps)
{
	static const int64_t jumps[] = {
		1, 63, 64, 2047, 2048, 65536, 1 << 24, (1ll << 31) - 1
	};
	struct udpend *e = self->e;
	uint64_t base = e->p.nonce;
	size_t i;

	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		make_nonce(e, &self->d, base, jumps[i]);
		self->d.b[PEER_TOKEN_OFF] ^= 0x80;
		refuse(_metadata, e, &self->d, "NstRxAuth");
		take_next(_metadata, e, &e->p);
	}
	/* All that are below the jumps, still. */
	make_nonce(e, &self->d, base, 100);
	take(_metadata, e, &self->d);
	expect_unharmed(_metadata, e);
}

/* --- nonces' end ---------------------------------------------------------- */

static void begin_at(struct udpend *e, uint64_t nonce)
{
	udppeer_epoch(&e->p);
	e->p.nonce = nonce;
	e->live = false;
}

TEST_F(session, wraps)
{
	struct udpend *e = self->e;
	int i;

	begin_at(e, WRAP);
	for (i = 0; i < 6; i++)
		make(&e->p, &self->all[i]);
	EXPECT_EQ(3, e->p.nonce);
	for (i = 0; i < 6; i++)
		take(_metadata, e, &self->all[i]);
	for (i = 0; i < 6; i++)
		refuse(_metadata, e, &self->all[i], "NstRxReplayed");
	/* One before the end, and one behind it. */
	EXPECT_EQ(4, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, e);
}

TEST_F(session, wraps_out_of_order)
{
	static const int order[] = { 5, 0, 3, 1, 4, 2 };
	struct udpend *e = self->e;
	size_t i;

	begin_at(e, WRAP);
	for (i = 0; i < 6; i++)
		make(&e->p, &self->all[i]);
	for (i = 0; i < 6; i++)
		take(_metadata, e, &self->all[order[i]]);
	for (i = 0; i < 6; i++)
		refuse(_metadata, e, &self->all[i], "NstRxReplayed");
	make_at(&e->p, &self->d, WRAP - UDPEND_WINDOW_MAX, peer_now());
	refuse(_metadata, e, &self->d, "NstRxWindow");
	expect_unharmed(_metadata, e);
}

/* As far as the upper half of the nonce stays as it is. */
TEST_F(session, jumps)
{
	static const uint64_t from[] = { 1000, WRAP, 1ull << 63, 1ull << 32 };
	static const int sessions[] = { 3, 5, 6, 7 };
	struct udpend *e = self->e;
	size_t i;

	for (i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		begin_at(e, from[i]);
		make(&e->p, &self->all[0]);
		take(_metadata, e, &self->all[0]);
		make_nonce(e, &self->all[1], from[i], 1ll << 30);
		take(_metadata, e, &self->all[1]);
		make_nonce(e, &self->all[2], from[i], (1ll << 30) + INT32_MAX);
		take(_metadata, e, &self->all[2]);
		EXPECT_EQ(sessions[i], nsttest_stat("NstUdpSessions"));
		refuse(_metadata, e, &self->all[2], "NstRxReplayed");
		refuse(_metadata, e, &self->all[1], "NstRxWindow");
	}
	e->p.nonce = from[3] + (1ll << 30) + INT32_MAX + 1ull;
	expect_unharmed(_metadata, e);
}

/* Further than that is another session, and both live. */
TEST_F(session, jumps_beyond)
{
	static const int64_t far[] = { (1ll << 32) + (1ll << 20), 1ll << 40,
				       INT64_MIN, -(1ll << 33) };
	struct udpend *e = self->e;
	uint64_t base = e->p.nonce;
	size_t i;

	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		make_nonce(e, &self->all[i], base, far[i]);
		take_at(_metadata, e, e->raw, e->k, &e->to, &self->all[i]);
		EXPECT_EQ(3 + i, nsttest_stat("NstUdpSessions"));
		take_next(_metadata, e, &e->p);
	}
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		refuse(_metadata, e, &self->all[i], "NstRxReplayed");
		make_nonce(e, &self->d, base, far[i] + 1);
		take_at(_metadata, e, e->raw, e->k, &e->to, &self->d);
	}
	EXPECT_EQ(6, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, e);
}

TEST_HARNESS_MAIN
