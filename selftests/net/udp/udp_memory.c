// SPDX-License-Identifier: GPL-2.0
/*
 * One memory for each secret: what was taken once is never taken again, whatever
 * socket, box or user it comes to; and no stranger has any part in it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "udp_hostile.h"

#define SESSIONS	16	/* the smallest bound there is */
#define STRANGER	1000	/* a user */
#define MS		1000000ull

static const struct udpend_conf private_box = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .private = true,
};

static bool comes(int fd)
{
	char buf[256];

	return recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0;
}

/* All that is under way has been judged. */
static void settle(void)
{
	usleep(200000);
}

/* Fills whatever there is to fill, with sessions that nobody may forget. */
static void fill(struct udpend *e)
{
	struct sockaddr_storage at;
	struct udppeer p;
	struct dgram d;
	int i, fd = udpend_own_socket(&at);

	if (fd < 0)
		_exit(1);
	udppeer_init(&p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	for (i = 0; i < 3 * SESSIONS; i++) {
		udppeer_epoch(&p);
		make_at(&p, &d, p.nonce++, peer_now() + 20 * SECOND);
		udpend_send(e->raw, &at, d.b, d.len);
		usleep(10000);
	}
	settle();
	_exit(!comes(fd));
}

/* Another user, with a box of his own, has sockets of his own. */
static void stranger_fills(struct __test_metadata *_metadata,
			   struct udpend *e)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid) {
		if (setresuid(STRANGER, STRANGER, STRANGER))
			_exit(2);
		fill(e);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST(a_stranger_fills_his_own_memory)
{
	struct udpend_conf conf = private_box;
	struct sockaddr_storage at;
	struct udpend *e;
	int k;

	conf.sessions = SESSIONS;
	e = end_open(_metadata, &conf);
	stranger_fills(_metadata, e);
	/* Of another private box, and of the namespace's. */
	take_next(_metadata, e, &e->p);
	take_next(_metadata, e, &e->other);
	k = udpend_socket(&conf);
	ASSERT_LE(0, k);
	ASSERT_EQ(0, udpend_name(k, &at));
	udppeer_epoch(&e->p);
	take_next(_metadata, e, &e->p);
	close(k);
	end_close(e);
}

/* Workers that share a port and a key: one datagram, from a hundred ports. */
TEST(one_datagram_for_eight_workers)
{
	enum { WORKERS = 8 };
	struct udpend *e = end_open(_metadata, &private_box);
	struct sockaddr_storage at = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&at;
	int w[WORKERS], i, one = 1, times = 0;
	struct dgram d;

	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < WORKERS; i++) {
		w[i] = socket(AF_INET, SOCK_DGRAM, 0);
		ASSERT_LE(0, w[i]);
		setsockopt(w[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
		ASSERT_EQ(0, udpend_attach(w[i], AF_INET));
		ASSERT_EQ(0, udpend_install(w[i], NST_TX_RX, &private_box));
		ASSERT_EQ(0, bind(w[i], (void *)in, sizeof(*in)));
		ASSERT_EQ(0, udpend_name(w[i], &at));
	}
	make(&e->p, &d);
	for (i = 0; i < 100; i++) {
		int from = udpend_plain(AF_INET);

		ASSERT_EQ(0, udpend_send(from, &at, d.b, d.len));
		close(from);
	}
	settle();
	for (i = 0; i < WORKERS; i++) {
		while (comes(w[i]))
			times++;
		close(w[i]);
	}
	EXPECT_EQ(1, times);
	end_close(e);
}

/* Whose keys a socket has that a peer with a clock behind sends to. */
enum whose {
	NAMESPACE,	/* its box */
	SHARED,		/* a box of the socket's own, of a secret in use */
	OWN,		/* a secret that nobody has used */
	WHOSE_MAX
};

/* The first datagram is to be enough. */
static void heard_behind(struct __test_metadata *_metadata, struct udpend *e,
			 enum whose whose, unsigned int behind)
{
	struct udpend_conf conf = private_box;
	struct sockaddr_storage at;
	struct dgram d;
	int k;

	conf.private = whose == SHARED;
	k = whose == OWN ? udpend_own_socket(&at) : udpend_socket(&conf);
	ASSERT_LE(0, k);
	ASSERT_EQ(0, udpend_name(k, &at));
	udppeer_init(&e->p, NST_CIPHER_AES_GCM, whose == OWN ?
		     udpend_own_secret() : &udpend_box[0], NULL);
	make_at(&e->p, &d, e->p.nonce++, peer_now() - behind * MS);
	take_at(_metadata, e, e->raw, k, &at, &d);
	close(k);
}

/* A peer whose clock is behind is heard, whenever keys are set here. */
TEST(a_clock_behind_new_keys)
{
	static const unsigned int behind[] = {
		10000, 3000, 1500, 500, 100, 0,
	};
	struct udpend *e = end_open(_metadata, &private_box);
	unsigned int i, whose;

	/* The namespace is older than that. */
	sleep(11);
	for (i = 0; i < ARRAY_SIZE(behind); i++)
		for (whose = 0; whose < WHOSE_MAX; whose++)
			heard_behind(_metadata, e, whose, behind[i]);
	end_close(e);
}

/* Closed and opened again, with the same key: nothing comes a second time. */
TEST(a_socket_opened_anew)
{
	struct udpend *e = end_open(_metadata, &private_box);
	struct sockaddr_storage at;
	struct dgram d;
	int k, i;

	for (i = 0; i < 3; i++) {
		k = udpend_own_socket(&at);
		ASSERT_LE(0, k);
		if (!i) {
			udppeer_init(&e->p, NST_CIPHER_AES_GCM, udpend_own_secret(),
				     NULL);
			make(&e->p, &d);
			take_at(_metadata, e, e->raw, k, &at, &d);
		}
		EXPECT_TRUE(refuse_from(_metadata, e, e->raw, &at, d.b, d.len,
					"NstRxReplayed"));
		close(k);
		/* Its key leaves the kernel. */
		settle();
	}
	/* The session goes on. */
	k = udpend_own_socket(&at);
	make(&e->p, &d);
	take_at(_metadata, e, e->raw, k, &at, &d);
	EXPECT_EQ(1, nsttest_stat("NstUdpSessions"));
	close(k);
	end_close(e);
}

/* A counter that leaps and comes back: no session reaches into another's range. */
TEST(ranges_do_not_meet)
{
	static const int64_t leap[] = { 1ll << 31, 1ll << 32, 3ll << 31 };
	struct udpend *e = end_open(_metadata, &private_box);
	uint64_t first = e->p.nonce, now = peer_now();
	struct dgram d[2 * ARRAY_SIZE(leap) + 1];
	unsigned int i, n = 0;

	make_at(&e->p, &d[n], first, now);
	take(_metadata, e, &d[n++]);
	for (i = 0; i < ARRAY_SIZE(leap); i++) {
		make_at(&e->p, &d[n], first + leap[i], now);
		take(_metadata, e, &d[n++]);
		make_at(&e->p, &d[n], first + leap[i] + 1, now);
		take(_metadata, e, &d[n++]);
	}
	for (i = 0; i < n; i++)
		refuse(_metadata, e, &d[i], "NstRxReplayed|NstRxWindow");
	end_close(e);
}

/* What waits for its session comes before what is sent later, and all of it. */
TEST(what_waited_comes_first)
{
	enum { EPOCHS = 20, BURST = 100 };
	struct udpend *e = end_open(_metadata, &private_box);
	static struct dgram d[BURST];
	unsigned int i, j;
	char buf[256];

	for (i = 0; i < EPOCHS; i++) {
		udppeer_epoch(&e->p);
		for (j = 0; j < BURST; j++)
			make(&e->p, &d[j]);
		for (j = 0; j < BURST; j++)
			ASSERT_EQ(0, udpend_send(e->raw, &e->to, d[j].b,
						 d[j].len));
		for (j = 0; j < BURST; j++) {
			ASSERT_EQ((ssize_t)d[j].plain_len,
				  recv(e->k, buf, sizeof(buf), 0));
			ASSERT_EQ(0, memcmp(buf, d[j].plain, d[j].plain_len));
		}
	}
	expect_nothing(_metadata, e->k);
	end_close(e);
}

#define CGROUP	CGROUP_ROOT "/jail"

/* Sessions are made by a worker, and paid for by who made the socket. */
TEST(sessions_are_charged)
{
	enum { MANY = 800 };
	struct udpend *e;
	long before, after;
	int i;

	if (cgroup_make(CGROUP) == -ENODEV) {
		cgroup_end();
		SKIP(return, "this kernel has no memory cgroups");
	}
	ASSERT_EQ(0, cgroup_enter(CGROUP));
	e = end_open(_metadata, &private_box);
	take_next(_metadata, e, &e->p);
	before = nsttest_number(CGROUP "/memory.current");
	for (i = 0; i < MANY; i++) {
		udppeer_epoch(&e->p);
		take_next(_metadata, e, &e->p);
	}
	after = nsttest_number(CGROUP "/memory.current");
	TH_LOG("%ld bytes in the cgroup for each session",
	       (after - before) / MANY);
	/* Some of it is charged in advance, or not yet, on each processor. */
	EXPECT_LE(MANY * 768, after - before);
	end_close(e);
	cgroup_end();
}

TEST_HARNESS_MAIN
