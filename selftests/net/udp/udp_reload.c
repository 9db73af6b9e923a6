// SPDX-License-Identifier: GPL-2.0
/*
 * The module goes and comes back: what was captured before is worth nothing to
 * the one that knows nothing of it, and it can go while datagrams keep coming.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define CAPTURED	20

FIXTURE(reload)
{
	struct udpend *e;
	pid_t attacker;
	struct dgram d;
};

FIXTURE_VARIANT(reload)
{
	struct udpend_conf conf;
};

FIXTURE_VARIANT_ADD(reload, ipv4)
{
	.conf = { .family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM },
};

FIXTURE_VARIANT_ADD(reload, ipv6_private)
{
	.conf = { .family = AF_INET6, .cipher_id = NST_CIPHER_SM4_CBC,
		  .private = true },
};

FIXTURE_SETUP(reload)
{
	self->attacker = 0;
	self->e = end_live(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(reload)
{
	if (self->attacker) {
		kill(self->attacker, SIGKILL);
		waitpid(self->attacker, NULL, 0);
	}
	end_close(self->e);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "nst_ulp", O_NONBLOCK) ? errno : 0;
}

/* Sockets and namespaces give the module up a little after their end. */
static int unload_at_last(void)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	int err;

	do {
		err = unload();
		if (!err)
			break;
		usleep(20000);
	} while (peer_now() < end);
	return err;
}

/* Closes the kernel's socket and takes the module away and back. */
static void reload(struct __test_metadata *_metadata, struct udpend *e)
{
	EXPECT_EQ(EAGAIN, unload()) {
		TH_LOG("unloaded under a socket");
	}
	close(e->k);
	e->k = -1;
	nl_close(&e->t);
	e->t.buf = NULL;
	ASSERT_EQ(0, unload_at_last());
	ASSERT_EQ(0, system("modprobe nst_ulp"));
	ASSERT_EQ(0, udpend_load_box(e));
	e->k = udpend_socket_at(&e->conf, &e->to);
	ASSERT_LE(0, e->k);
	e->live = false;
}

TEST_F(reload, captured_before)
{
	static struct dgram all[CAPTURED];
	struct udpend *e = self->e;
	int i;

	for (i = 0; i < CAPTURED; i++) {
		make(&e->p, &all[i]);
		/* Some that never arrived, too. */
		if (i % 4)
			take(_metadata, e, &all[i]);
	}
	reload(_metadata, e);
	EXPECT_EQ(0, nsttest_stat("NstUdpSessions"));
	for (i = 0; i < CAPTURED; i++)
		refuse(_metadata, e, &all[i], "NstRxCacheAge");
	EXPECT_EQ(0, nsttest_stat("NstUdpSessions"));
	/* Sessions go on with what is sealed from now on. */
	expect_unharmed(_metadata, e);
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	refuse(_metadata, e, &all[CAPTURED - 1], "NstRxCacheAge");
}

/* The live session's datagrams, replays and inventions, without end. */
static void attack(const struct udpend *e)
{
	int fd = udpend_plain(e->conf.family);
	struct udppeer u = e->other;
	struct dgram d;
	uint64_t n;

	close(e->k);
	/* Plain UDP's queue may be full, and the port may be closed. */
	for (n = 0;; n++) {
		if (n % 4 == 1)
			udppeer_epoch(&u);
		if (n % 4 != 3)
			make(&u, &d);
		if (n % 8 == 5)
			d.b[PEER_TOKEN_OFF] ^= 1;
		sendto(fd, d.b, d.len, 0, (const void *)&e->to,
		       udpend_addr_len(e->conf.family));
	}
}

TEST_F_TIMEOUT(reload, under_attack, 60)
{
	struct udpend *e = self->e;
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };
	uint8_t buf[2048];
	int round, i;

	self->attacker = fork();
	ASSERT_LE(0, self->attacker);
	if (!self->attacker) {
		attack(e);
		_exit(0);
	}
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, setsockopt(e->k, SOL_SOCKET, SO_RCVTIMEO, &tv,
					sizeof(tv)));
		for (i = 0; i < 20; i++) {
			ssize_t n = recv(e->k, buf, sizeof(buf), 0);

			/* Plaintext of the sender, never anything else. */
			ASSERT_LT(0, n);
			ASSERT_EQ(0, memcmp(buf, GOOD, GOOD_LEN));
		}
		reload(_metadata, e);
	}
	kill(self->attacker, SIGKILL);
	waitpid(self->attacker, NULL, 0);
	self->attacker = 0;
	while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	make(&e->p, &self->d);
	ASSERT_EQ(0, udpend_send(e->raw, &e->to, self->d.b, self->d.len));
	do {
		ASSERT_LT(0, recv(e->k, buf, sizeof(buf), 0));
	} while (memcmp(buf, self->d.plain, self->d.plain_len));
}

TEST_HARNESS_MAIN
