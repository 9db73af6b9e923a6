// SPDX-License-Identifier: GPL-2.0
/*
 * Keys that were retired or deleted, suites that are not there, and which of
 * several causes counts.
 */
#include "nst_ulp/limits.h"
#include "hostile.h"

static const struct nsttest_conf responder = {
	.cipher_id = NST_CIPHER_AES_GCM,
	.nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

/* --- the namespace's box -------------------------------------------------- */

#define BOX_FILE	"/tmp/hostile.box"

FIXTURE(box)
{
	struct conn *c;
};

/* The keys of nsttest_box as nstkeyctl's file has them. */
FIXTURE_SETUP(box)
{
	char text[512], hex[2][2 * PEER_KEY_SIZE + 1];
	int i, j;

	self->c = NULL;
	for (i = 0; i < NSTTEST_KEYS; i++) {
		for (j = 0; j < PEER_KEY_SIZE; j++)
			sprintf(hex[i] + 2 * j, "%02x", nsttest_box[i].key[j]);
	}
	snprintf(text, sizeof(text), "%d active %s\n%d accept %s\n",
		 NSTTEST_KID, hex[0], NSTTEST_KID_OTHER, hex[1]);
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file(BOX_FILE, text));
	ASSERT_EQ(0, system("nstkeyctl load " BOX_FILE)) {
		TH_LOG("nstkeyctl is missing or refused the box");
	}
	unlink(BOX_FILE);
}

FIXTURE_TEARDOWN(box)
{
	conn_close(self->c);
}

TEST_F(box, retired_kid_on_next_record)
{
	struct nsttest_conf conf = responder;
	struct peer_hdr h;

	conf.nr_keys = 0;
	self->c = conn_open(_metadata, AF_INET, 0, &conf);
	peer_epoch(&self->c->p, NSTTEST_KID_OTHER);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
	ASSERT_EQ(0, system("nstkeyctl retire --force 9"));
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	conn_emit(_metadata, self->c, &h, EVIL);
	expect_fatal(_metadata, self->c, EKEYREVOKED, "NstRxKidRetired");
}

TEST_F(box, retired_kid_in_start)
{
	struct nsttest_conf conf = responder;

	ASSERT_EQ(0, system("nstkeyctl retire --force 9"));
	conf.nr_keys = 0;
	self->c = conn_open(_metadata, AF_INET, 0, &conf);
	peer_epoch(&self->c->p, NSTTEST_KID_OTHER);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, EKEYREVOKED, "NstRxKidRetired");
}

TEST_F(box, unknown_kid_of_namespace)
{
	struct nsttest_conf conf = responder;

	ASSERT_EQ(0, system("nstkeyctl del 9"));
	conf.nr_keys = 0;
	self->c = conn_open(_metadata, AF_INET, 0, &conf);
	peer_epoch(&self->c->p, NSTTEST_KID_OTHER);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, ENOKEY, "NstRxNoKid");
}

/* --- a suite that this kernel lacks --------------------------------------- */

#define MODPROBE	"/proc/sys/kernel/modprobe"

FIXTURE(nosuite)
{
	struct conn *c;
	int here;	/* the kernel has SM4 of its own */
};

/* Without nst_sm and without a way to load it. */
FIXTURE_SETUP(nosuite)
{
	int i;

	self->c = NULL;
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, "/bin/false\n"));
	/* Ciphers of sockets just closed are freed a little later. */
	for (i = 0; i < 100 && !access("/sys/module/nst_sm", F_OK); i++) {
		if (system("rmmod nst_sm 2>/dev/null"))
			usleep(100000);
	}
	EXPECT_NE(0, access("/sys/module/nst_sm", F_OK));
	self->here = !system("grep -q '^name *: sm4$' /proc/crypto");
}

FIXTURE_TEARDOWN(nosuite)
{
	conn_close(self->c);
	EXPECT_EQ(0, nsttest_write_file(MODPROBE, "/sbin/modprobe\n"));
	EXPECT_EQ(0, system("modprobe nst_sm"));
}

static void run_nosuite(struct __test_metadata *_metadata,
			FIXTURE_DATA(nosuite) *self, uint16_t kid,
			uint64_t timestamp)
{
	struct peer_hdr h;

	self->c = conn_open(_metadata, AF_INET, 0, &responder);
	peer_prepare(&self->c->p, &h, PEER_DATA, GOOD_LEN);
	h.cipher_id = NST_CIPHER_SM4_GCM;
	h.kid = kid;
	h.timestamp = timestamp;
	conn_emit(_metadata, self->c, &h, GOOD);
}

TEST_F(nosuite, refused)
{
	run_nosuite(_metadata, self, NSTTEST_KID, peer_now());
	if (self->here)
		expect_data(_metadata, self->c, GOOD);
	else
		expect_fatal(_metadata, self->c, ENOPKG, "NstRxNoSuite");
}

TEST_F(nosuite, before_kid)
{
	run_nosuite(_metadata, self, NSTTEST_KID_UNKNOWN, peer_now());
	expect_fatal(_metadata, self->c, self->here ? ENOKEY : ENOPKG,
		     self->here ? "NstRxNoKid" : "NstRxNoSuite");
}

TEST_F(nosuite, before_time)
{
	run_nosuite(_metadata, self, NSTTEST_KID, 0);
	expect_fatal(_metadata, self->c, self->here ? ESTALE : ENOPKG,
		     self->here ? "NstRxTimePast" : "NstRxNoSuite");
}

TEST_F(nosuite, keys_refused)
{
	struct nsttest_conf conf = responder;
	int k, raw;

	conf.cipher_id = NST_CIPHER_SM4_CBC;
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &k, &raw));
	ASSERT_EQ(0, nsttest_attach(k));
	EXPECT_EQ(self->here ? 0 : -ENOPKG, nsttest_install(k, &conf));
	close(k);
	close(raw);
}

/* A host that met it missing takes it once it has searched again. */
TEST_F(nosuite, there_again)
{
	run_nosuite(_metadata, self, NSTTEST_KID, peer_now());
	recv(self->c->k, self->c->out, 1, 0);
	conn_close(self->c);
	self->c = NULL;
	/* Templates of the kernel's own may have to be loaded, too. */
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, "/sbin/modprobe\n"));
	ASSERT_EQ(0, system("modprobe nst_sm"));
	/* The time that NST gives itself, not a guess at one. */
	usleep(NST_SUITE_RETRY * 1000000);
	run_nosuite(_metadata, self, NSTTEST_KID, peer_now());
	expect_data(_metadata, self->c, GOOD);
}

/* --- if several causes apply, the first counts ---------------------------- */

FIXTURE(order)
{
	struct conn *c;
};

FIXTURE_VARIANT(order)
{
	int bind;
	void (*spoil)(struct peer_hdr *h);
	int tamper;
	int err;
	const char *counter;
};

#define ORDER(name, bound, statement, flip, error, count)		\
static void spoil_##name(struct peer_hdr *h)				\
{									\
	statement;							\
}									\
FIXTURE_VARIANT_ADD(order, name)					\
{									\
	.bind = bound, .spoil = spoil_##name, .tamper = flip,		\
	.err = error, .counter = count,					\
}

/* The receiver is a responder; its policy is AES-128-GCM and the first kid. */
ORDER(header_before_start, 0, h->kid = 0; h->flags &= ~PEER_F_START, 0,
      EPROTO, "NstRxHdrKid");
ORDER(start_before_role, 0, h->flags &= ~PEER_F_START;
      h->flags ^= PEER_F_ROLES, 0, EPROTO, "NstRxStartMissing");
ORDER(bound_before_role, 0, h->flags |= PEER_F_BOUND;
      h->flags ^= PEER_F_ROLES, 0, EPROTO, "NstRxEarlyBound");
ORDER(role_before_suite, 0, h->flags ^= PEER_F_ROLES;
      h->cipher_id = NST_CIPHER_AES_CBC, 0, EKEYREJECTED, "NstRxRole");
ORDER(policy_before_kid, 0, h->kid = NSTTEST_KID_UNKNOWN, 0, EACCES,
      "NstRxPolicyKid");
ORDER(policy_before_time, 0, h->timestamp = 0;
      h->cipher_id = NST_CIPHER_AES_CBC, 0, EACCES, "NstRxPolicySuite");
ORDER(time_before_tag, 0, h->timestamp -= 40000000000ull, 1, ESTALE,
      "NstRxTimePast");
ORDER(role_before_tag, 1, h->flags ^= PEER_F_ROLES, 1, EKEYREJECTED,
      "NstRxRole");

FIXTURE_SETUP(order)
{
	struct nsttest_conf conf = responder;

	conf.rx_cipher = NST_CIPHER_AES_GCM;
	conf.rx_kid = NSTTEST_KID;
	self->c = conn_open(_metadata, AF_INET, 0, &conf);
}

FIXTURE_TEARDOWN(order)
{
	conn_close(self->c);
}

TEST_F(order, first_counts)
{
	struct peer_hdr h;
	uint8_t *rec;

	if (variant->bind)
		conn_bind(_metadata, self->c);
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	variant->spoil(&h);
	rec = conn_add_hdr(self->c, &h, EVIL, EVIL_LEN, 0);
	rec[PEER_TOKEN_OFF] ^= variant->tamper;
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, variant->err, variant->counter);
}

TEST_HARNESS_MAIN
