// SPDX-License-Identifier: GPL-2.0
/*
 * Streams over a path that loses, doubles and reorders segments arrive whole, both
 * ways at once, however programs send and receive, while keys change and signals
 * come: who waits is woken. Nobody here has a time limit of his own; if nothing
 * moves any more it is told where all are, and then the path is made perfect: a
 * stream that does not go on even so stands still for good.
 *
 *   path_loss [ROUNDS]	so many rounds a variant
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "path_move.h"

#define CONNS	3	/* of a round, at once */
#define TELL	30	/* quiet seconds until it is told */
#define GIVE_UP	180	/* and until it has failed, all healed */

struct conn {
	int fd[2];
	struct half send[2];	/* [0]: from end 0 */
	struct half recv[2];	/* [0]: at end 0 */
	pthread_t threads[4];
	int err[4];
	struct path_random r;
	pthread_t meddler;
	struct round *round;
};

struct round {
	struct path p;
	struct conn conns[CONNS];
	atomic_int busy;	/* threads that move bytes */
	pthread_t rotator;
	struct path_random r;
};

struct mover {
	struct conn *c;
	struct half *h;
	int nr;
};

static void *move(void *arg)
{
	struct mover *m = arg;

	m->c->err[m->nr] = m->nr < 2 ? path_send_all(m->h) :
				       path_recv_all(m->h);
	atomic_fetch_sub(&m->c->round->busy, 1);
	free(m);
	return NULL;
}

/* Whoever looks, sets and interrupts while a stream is under way. */
static void *meddle(void *arg)
{
	struct conn *c = arg;
	struct nst_rekey rekey = {};
	struct nst_info info;
	int n;

	while (atomic_load(&c->round->busy)) {
		int fd = c->fd[path_range(&c->r, 0, 1)];

		usleep(path_range(&c->r, 100, 20000));
		switch (path_range(&c->r, 0, 5)) {
		case 0:
			setsockopt(fd, SOL_NST, NST_REKEY, &rekey,
				   sizeof(rekey));
			break;
		case 1:
			tcptest_record_max(fd, path_range(&c->r, 64, 65535));
			break;
		case 2:
			tcptest_info(fd, &info);
			break;
		case 3:
			n = path_range(&c->r, 0, 3);
			/* Who has ended is not joined yet. */
			pthread_kill(c->threads[n], SIGUSR1);
			break;
		case 4:
			tcptest_set_int(fd, SOL_TCP, TCP_NODELAY,
					path_range(&c->r, 0, 1));
			break;
		}
	}
	return NULL;
}

static void *rotate(void *arg)
{
	struct round *round = arg;
	uint16_t kid = 1;

	while (atomic_load(&round->busy)) {
		usleep(50000);
		kid = 3 - kid;
		path_activate(&round->p, kid);
	}
	return NULL;
}

static unsigned long moved(const struct round *round)
{
	unsigned long sum = 0;
	int i, end;

	for (i = 0; i < CONNS; i++)
		for (end = 0; end < 2; end++)
			sum += atomic_load(&round->conns[i].send[end].moved) +
			       atomic_load(&round->conns[i].recv[end].moved);
	return sum;
}

static void tell(const struct round *round)
{
	int i, end;

	for (i = 0; i < CONNS; i++)
		for (end = 0; end < 2; end++) {
			const struct conn *c = &round->conns[i];
			const struct half *s = &c->send[end];
			const struct half *r = &c->recv[!end];

			fprintf(stderr, "# conn %d from %d: %s %lu, %s %lu of %zu\n",
				i, end, path_send_names[s->way], s->moved,
				path_recv_names[r->way], r->moved, s->len);
		}
	path_tell(&round->p);
}

/* Returns false if they stand still for good. */
static bool watch(struct round *round)
{
	unsigned long last = 0, now;
	int quiet = 0;

	while (atomic_load(&round->busy)) {
		usleep(100000);
		now = moved(round);
		quiet = now == last ? quiet + 1 : 0;
		last = now;
		if (quiet == TELL * 10) {
			fprintf(stderr, "# nothing has moved for %d s\n", TELL);
			tell(round);
			path_heal(&round->p);
		}
		if (quiet == nsttest_patience(GIVE_UP) * 10) {
			tell(round);
			return false;
		}
	}
	return true;
}

static int start_half(struct conn *c, int nr, struct half *h)
{
	struct mover *m = malloc(sizeof(*m));

	if (!m)
		return -ENOMEM;
	*m = (struct mover){ .c = c, .h = h, .nr = nr };
	return -pthread_create(&c->threads[nr], NULL, move, m);
}

static int start_conn(struct round *round, struct conn *c, size_t max)
{
	static const int sizes[] = { 0, 0, 4096, 16384, 65536 };
	struct path_conf conf = {
		.cipher_id = path_range(&c->r, NST_CIPHER_AES_GCM,
					NST_CIPHER_CHACHA20_POLY1305),
		.family = path_once_in(&c->r, 3) ? AF_INET6 : AF_INET,
		.strict = path_once_in(&c->r, 3),
		.late = path_once_in(&c->r, 2),
		.rcvbuf = sizes[path_range(&c->r, 0, 4)],
		.sndbuf = sizes[path_range(&c->r, 0, 4)],
	};
	int end, ret = path_connect(&round->p, &conf, &c->fd[0], &c->fd[1]);

	if (ret)
		return ret;
	c->round = round;
	for (end = 0; end < 2; end++) {
		struct half *s = &c->send[end], *r = &c->recv[!end];

		s->fd = c->fd[end];
		r->fd = c->fd[!end];
		s->way = path_range(&c->r, 0, PATH_SENDS - 1);
		r->way = path_range(&c->r, 0, PATH_RECVS - 1);
		s->from = r->from = path_range(&c->r, 0, 1 << 20);
		s->len = r->len = path_range(&c->r, 0, max);
		s->r = path_fork(&c->r, end);
		r->r = path_fork(&c->r, 2 + end);
		tcptest_record_max(s->fd, path_range(&c->r, 64, 65535));
		s->moved = r->moved = 0;
	}
	atomic_fetch_add(&round->busy, 4);
	for (end = 0; end < 2 && !ret; end++)
		ret = start_half(c, end, &c->send[end]) ?:
		      start_half(c, 2 + end, &c->recv[end]);
	return ret ?: -pthread_create(&c->meddler, NULL, meddle, c);
}

static void on_signal(int sig)
{
	(void)sig;
}

FIXTURE(loss) {
	struct path_random r;
	struct round *round;
};

FIXTURE_VARIANT(loss) {
	struct veth_conf path;
	size_t max;
};

#define V_LOSS(name, shape, size, how, bytes)				\
FIXTURE_VARIANT_ADD(loss, name) {					\
	.path = { .offload = shape, .mtu = size, .netem = how },	\
	.max = bytes,							\
}

V_LOSS(clean, VETH_ALL, 1500, NULL, 1000000);
V_LOSS(clean_jumbo, VETH_GRO, 9000, NULL, 1000000);
V_LOSS(lossy, VETH_GRO, 1500,
       "delay 1ms 1ms loss 10% reorder 20% 50% duplicate 10% limit 10000",
       150000);
V_LOSS(lossy_large, VETH_ALL, 65000,
       "delay 1ms 1ms loss 3% reorder 20% 50% duplicate 10% limit 10000",
       600000);
V_LOSS(corrupt, VETH_NO_SG, 1280,
       "delay 1ms 1ms loss 3% corrupt 5% duplicate 5% limit 10000", 150000);

FIXTURE_SETUP(loss)
{
	struct sigaction sa = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	path_seed(&self->r);
	self->round = calloc(1, sizeof(*self->round));
	ASSERT_NE(NULL, self->round);
	ASSERT_EQ(0, path_open(&self->round->p, &variant->path));
}

FIXTURE_TEARDOWN(loss)
{
	path_close(&self->round->p);
	free(self->round);
}

static int rounds(void)
{
	const char *text = getenv("NST_ROUNDS");

	return text ? atoi(text) : 1;
}

static void play(struct __test_metadata *_metadata, struct round *round,
		 size_t max, int nr)
{
	int i, n, end;

	atomic_store(&round->busy, 0);
	for (i = 0; i < CONNS; i++) {
		round->conns[i].r = path_fork(&round->r, nr * CONNS + i);
		ASSERT_EQ(0, start_conn(round, &round->conns[i], max));
	}
	ASSERT_EQ(0, pthread_create(&round->rotator, NULL, rotate, round));
	ASSERT_TRUE(watch(round));
	pthread_join(round->rotator, NULL);
	for (i = 0; i < CONNS; i++) {
		struct conn *c = &round->conns[i];

		pthread_join(c->meddler, NULL);
		for (n = 0; n < 4; n++) {
			pthread_join(c->threads[n], NULL);
			EXPECT_EQ(0, c->err[n]) {
				TH_LOG("conn %d, %s", i, n < 2 ?
				       path_send_names[c->send[n].way] :
				       path_recv_names[c->recv[n - 2].way]);
			}
		}
		for (end = 0; end < 2; end++)
			close(c->fd[end]);
	}
}

TEST_F_TIMEOUT(loss, all_arrives, 3600)
{
	int i;

	self->round->r = self->r;
	for (i = 0; i < rounds(); i++) {
		play(_metadata, self->round, variant->max, i);
		if (!_metadata->passed)
			break;
	}
}

TEST_HARNESS_MAIN
