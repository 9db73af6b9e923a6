// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram that cannot be opened, because there is no memory for it or because the
 * cipher is broken, is counted under its own cause and costs the socket nothing.
 */
#define _GNU_SOURCE
#include "udp_hostile.h"

#define PARAM	"/sys/module/nst_faulty/parameters/"

static const struct udpend_conf conf = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM,
};

static int set(const char *param, int value)
{
	char text[16], path[64];

	snprintf(text, sizeof(text), "%d", value);
	snprintf(path, sizeof(path), PARAM "%s", param);
	return nsttest_write_file(path, text);
}

/* The socket has a secret of its own, so its sessions' keys go with it. */
FIXTURE(want)
{
	struct udpend *e;
	struct sockaddr_storage at;
	struct udppeer p;
	int k;
};

FIXTURE_SETUP(want)
{
	/* What is made from now on uses it. */
	ASSERT_EQ(0, system("modprobe nst_faulty"));
	self->e = end_open(_metadata, &conf);
	self->k = udpend_own_socket(&self->at);
	ASSERT_LE(0, self->k);
	udppeer_init(&self->p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
}

FIXTURE_TEARDOWN(want)
{
	int i;

	EXPECT_EQ(0, set("times", 0));
	EXPECT_EQ(0, set("key_err", 0));
	close(self->k);
	end_close(self->e);
	/* The last transforms are given back a little later. */
	for (i = 0; i < 100 && system("rmmod nst_faulty 2>/dev/null"); i++)
		usleep(100000);
	EXPECT_GT(100, i);
}

static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(want) *self, const struct dgram *d,
		    const char *cause)
{
	refuse_from(_metadata, self->e, self->e->raw, &self->at, d->b, d->len,
		    cause);
}

static void taken(struct __test_metadata *_metadata, FIXTURE_DATA(want) *self,
		  const struct dgram *d)
{
	take_at(_metadata, self->e, self->e->raw, self->k, &self->at, d);
}

/* The next datagram is refused so; nothing remembers that it was here. */
static void fails(struct __test_metadata *_metadata, FIXTURE_DATA(want) *self,
		  int err, const char *cause)
{
	struct dgram d;

	make(&self->p, &d);
	ASSERT_EQ(0, set("err", err));
	ASSERT_EQ(0, set("times", 1));
	refused(_metadata, self, &d, cause);
	EXPECT_EQ(0, nsttest_number(PARAM "times"));
	taken(_metadata, self, &d);
}

/* In softirq. */
TEST_F(want, to_open_one)
{
	struct dgram d;

	make(&self->p, &d);
	taken(_metadata, self, &d);
	fails(_metadata, self, ENOMEM, "NstRxNoMem");
	fails(_metadata, self, EAGAIN, "NstRxNoMem");
	fails(_metadata, self, EIO, "NstRxNoSuite");
	fails(_metadata, self, EBADMSG, "NstRxAuth");
}

/* Before there is a session. */
TEST_F(want, to_try_the_first)
{
	fails(_metadata, self, ENOMEM, "NstRxNoMem");
	udppeer_epoch(&self->p);
	fails(_metadata, self, EIO, "NstRxNoSuite");
	udppeer_epoch(&self->p);
	fails(_metadata, self, EBADMSG, "NstRxAuth");
}

TEST_F(want, of_a_cipher_that_takes_a_key)
{
	struct dgram d;

	make(&self->p, &d);
	ASSERT_EQ(0, set("key_err", ENOMEM));
	refused(_metadata, self, &d, "NstRxNoMem");
	ASSERT_EQ(0, set("key_err", EIO));
	refused(_metadata, self, &d, "NstRxNoSuite");
	ASSERT_EQ(0, set("key_err", 0));
	taken(_metadata, self, &d);
}

TEST_HARNESS_MAIN
