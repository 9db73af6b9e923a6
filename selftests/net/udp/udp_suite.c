// SPDX-License-Identifier: GPL-2.0
/*
 * A cipher that was there goes, and a datagram of a new session needs it: whether it
 * comes again may take modprobe as long as it likes. That datagram waits; those of
 * others do not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "udp_hostile.h"

#define MODPROBE	"/proc/sys/kernel/modprobe"
#define SLOW		"/tmp/udp_suite.sh"
#define HELD		"/tmp/udp_suite.held"	/* modprobe does nothing */
#define CALLED		"/tmp/udp_suite.called"	/* it was called */

/* It ends by itself if nobody lets it go, before a timestamp is too old. */
static const char slow[] =
	"#!/bin/sh\n"
	": >" CALLED "\n"
	"n=0\n"
	"while [ -e " HELD " ] && [ $n -lt 1200 ]; do\n"
	"	sleep 0.1\n"
	"	n=$((n + 1))\n"
	"done\n"
	"exec /sbin/modprobe \"$@\"\n";

static const struct udpend_conf conf = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .window = 600,
};

static int exists(const char *path)
{
	return !access(path, F_OK);
}

FIXTURE(suite)
{
	struct udpend *e;
	struct sockaddr_storage at;
	int any;	/* a socket that takes any suite */
	int here;	/* the kernel has SM4 of its own */
};

/* NST has it at hand when its module goes. */
FIXTURE_SETUP(suite)
{
	int fd, i;

	self->e = end_open(_metadata, &conf);
	self->any = udpend_socket(&conf);
	ASSERT_LE(0, self->any);
	ASSERT_EQ(0, udpend_name(self->any, &self->at));
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, "/bin/false\n"));
	for (i = 0; i < 100 && exists("/sys/module/nst_sm"); i++)
		if (system("rmmod nst_sm 2>/dev/null"))
			usleep(100000);
	self->here = !system("grep -q '^name *: sm4$' /proc/crypto");
	fd = open(SLOW, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ASSERT_EQ(sizeof(slow) - 1, write(fd, slow, sizeof(slow) - 1));
	close(fd);
	close(open(HELD, O_WRONLY | O_CREAT, 0600));
	unlink(CALLED);
	ASSERT_EQ(0, nsttest_write_file(MODPROBE, SLOW "\n"));
}

FIXTURE_TEARDOWN(suite)
{
	unlink(HELD);
	close(self->any);
	end_close(self->e);
	EXPECT_EQ(0, nsttest_write_file(MODPROBE, "/sbin/modprobe\n"));
	EXPECT_EQ(0, system("modprobe nst_sm"));
	unlink(SLOW);
	unlink(CALLED);
}

FIXTURE_VARIANT(suite)
{
	bool known;	/* what waits is just above a session that lives */
};

FIXTURE_VARIANT_ADD(suite, of_a_stranger) {
	.known = false,
};

FIXTURE_VARIANT_ADD(suite, of_a_known_sender) {
	.known = true,
};

/* A session of @u's secret, just below what comes next of @u. */
static void live(struct __test_metadata *_metadata, struct udppeer *u, int from,
		 const struct sockaddr_storage *at, int to)
{
	struct udppeer below;
	struct dgram d;

	udppeer_init(&below, NST_CIPHER_AES_GCM, &udpend_box[1], NULL);
	below.nonce = u->nonce - 100;
	make(&below, &d);
	ASSERT_EQ(0, udpend_send(from, at, d.b, d.len));
	expect_got(_metadata, to, &d);
}

TEST_F_TIMEOUT(suite, is_looked_for_by_others, 200)
{
	struct nsttest_counters before;
	struct udpend *e = self->e;
	struct dgram d, late;
	struct udppeer u;
	int i;

	if (self->here)
		SKIP(return, "this kernel has SM4 built in");
	udppeer_init(&u, NST_CIPHER_SM4_GCM, &udpend_box[1], NULL);
	if (variant->known)
		live(_metadata, &u, e->raw, &self->at, self->any);
	ASSERT_EQ(0, nsttest_counters(&before));
	make(&u, &late);
	ASSERT_EQ(0, udpend_send(e->raw, &self->at, late.b, late.len));
	for (i = nsttest_patience(20) * 20; i && !exists(CALLED); i--)
		usleep(50000);
	ASSERT_TRUE(exists(CALLED));
	/* The worker of all is free, and for another suite who looks. */
	for (i = 0; i < 8; i++) {
		/* The last ones are known to nobody. */
		if (i < 4)
			udppeer_epoch(&e->p);
		else
			udppeer_init(&e->p, NST_CIPHER_AES_GCM, &udpend_box[0],
				     NULL);
		make(&e->p, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		expect_got(_metadata, e->k, &d);
	}
	ASSERT_TRUE(exists(HELD));
	expect_nothing(_metadata, self->any);
	EXPECT_STREQ("", nsttest_grown(&before));
	unlink(HELD);
	/* What has waited is there, and nothing was lost. */
	expect_got(_metadata, self->any, &late);
	EXPECT_STREQ("", nsttest_grown(&before));
}

TEST_HARNESS_MAIN
