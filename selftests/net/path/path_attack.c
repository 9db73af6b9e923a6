// SPDX-License-Identifier: GPL-2.0
/*
 * Connections through an attacker who has the path (path_proxy.h), which also loses
 * and doubles segments. Whatever he does: what a program is given is a prefix of
 * what its peer's program has sent, the end comes only where that one has ended, and
 * what the two namespaces count is what their sockets say. He who does no harm
 * keeps no connection from its end.
 *
 * What is not strict may be led elsewhere as long as it is fresh (protocol, Binding):
 * then it is that other stream of which a prefix comes, whole records of it from its
 * START on, and no stream is taken twice.
 *
 *   path_attack [NUMBER]	connections, of both kinds of path together
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>

#include "kselftest_harness.h"
#include "path_end.h"
#include "path_proxy.h"

#define ABREAST	32
#define QUIET	6000	/* tenths of a second without an event: a hang */

static unsigned int number = 300;

struct conn {
	struct end ends[2];
	struct proxy *proxy;
	int lis_b;
	int lis_p;
	int half[2];		/* of the proxy: its accepted and connected ones */
	unsigned int nr;
	bool live;
	bool strict;
};

/* What became of a stream: two for each connection. */
struct stream {
	size_t sent;
	bool shut;
	bool taken;
};

struct field {
	struct path p;
	struct path_random r;
	struct conn conns[ABREAST];
	struct stream *streams;
	struct nsttest_counters before[2];
	struct tally before_mib[2];
	struct tally sums[2];
	unsigned int begun;
	unsigned int ended;
	unsigned int whole[DEED_NR];
	unsigned int deeds[DEED_NR];
	unsigned int errs[256];
};

/* A reset that the path loses is not sent again, and who only waits asks. */
static int ask_now_and_then(int fd)
{
	if (tcptest_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1) ||
	    tcptest_set_int(fd, SOL_TCP, TCP_KEEPIDLE, 1) ||
	    tcptest_set_int(fd, SOL_TCP, TCP_KEEPINTVL, 1) ||
	    tcptest_set_int(fd, SOL_TCP, TCP_KEEPCNT, 100))
		return -errno;
	return 0;
}

static int listener(const struct path *p, const char *address,
		    const struct path_conf *conf, struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd, ret = veth_enter(&p->v, 1);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, address, &sin->sin_addr);
	if (!ret)
		ret = ask_now_and_then(fd);
	if (!ret && conf)
		ret = path_key(fd, conf, 0);
	if (ret || bind(fd, (void *)sin, len) || listen(fd, 4) ||
	    getsockname(fd, (void *)sin, &len))
		return -1;
	return fd;
}

static int connecting(const struct path *p, int ns,
		      const struct path_conf *conf,
		      const struct sockaddr_in *sin)
{
	int fd, ret = veth_enter(&p->v, ns);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!ret)
		ret = ask_now_and_then(fd);
	if (!ret && conf)
		ret = path_key(fd, conf, 0);
	if (ret || (connect(fd, (const void *)sin, sizeof(*sin)) &&
		    errno != EINPROGRESS))
		return -1;
	return fd;
}

static enum proxy_deed choose(struct path_random *r)
{
	return path_range(r, 0, DEED_NR - 1);
}

static int begin(struct field *f, struct conn *c)
{
	struct path_random r = path_fork(&f->r, f->begun);
	enum proxy_deed deed = choose(&r);
	struct path_conf conf = {
		.cipher_id = path_range(&r, NST_CIPHER_AES_GCM,
					NST_CIPHER_CHACHA20_POLY1305),
		.strict = path_once_in(&r, 3),
	};
	struct sockaddr_in to_b, to_p;

	memset(c, 0, sizeof(*c));
	c->nr = f->begun++;
	c->lis_b = listener(&f->p, "127.0.0.1", &conf, &to_b);
	c->lis_p = listener(&f->p, "10.9.0.2", NULL, &to_p);
	if (c->lis_b < 0 || c->lis_p < 0)
		return -EIO;
	c->half[0] = c->ends[1].fd = -1;
	c->strict = conf.strict;
	end_init(&c->ends[0], connecting(&f->p, 0, &conf, &to_p),
		 path_fork(&r, 1), 2 * c->nr, 2 * c->nr + 1);
	end_init(&c->ends[1], -1, path_fork(&r, 2), 2 * c->nr + 1, 2 * c->nr);
	c->half[1] = connecting(&f->p, 1, NULL, &to_b);
	c->proxy = proxy_new(deed, path_fork(&r, 3), 2 * c->nr);
	f->deeds[deed]++;
	c->live = true;
	return c->ends[0].fd < 0 || c->half[1] < 0 ? -EIO : 0;
}

/* Both halves of the proxy stand, and the end behind it. */
static void meet(struct conn *c)
{
	if (c->half[0] < 0)
		c->half[0] = accept4(c->lis_p, NULL, NULL,
				     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (c->ends[1].fd < 0)
		c->ends[1].fd = accept4(c->lis_b, NULL, NULL,
					SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (c->half[0] < 0 || c->ends[1].fd < 0 || c->proxy->ways[0].from >= 0)
		return;
	proxy_join(c->proxy, c->half[0], c->half[1]);
	close(c->lis_b);
	close(c->lis_p);
}

static bool has_met(const struct conn *c)
{
	return c->proxy->ways[0].from >= 0;
}

/*
 * Whose stream has end @i been given, and was that right? An end without a byte may
 * be that of either.
 */
static void judge_stream(struct __test_metadata *_metadata, struct field *f,
			 struct conn *c, int i)
{
	struct stream *own = &f->streams[2 * c->nr + !i], *s = own;
	struct end *e = &c->ends[i];

	if (c->proxy->has_old &&
	    (e->foreign || (e->ended && !e->got &&
			    !(own->shut && !own->sent)))) {
		s = &f->streams[c->proxy->old_stream];
		EXPECT_FALSE(c->strict);
	}
	EXPECT_GE(s->sent, e->got);
	if (e->ended) {
		EXPECT_TRUE(s->shut);
		EXPECT_EQ(s->sent, e->got);
	}
	if (!e->got && !e->ended)
		return;
	EXPECT_FALSE(s->taken);
	s->taken = true;
}

static void judge(struct __test_metadata *_metadata, struct field *f,
		  struct conn *c)
{
	enum proxy_deed deed = c->proxy->deed;
	bool harmed = c->proxy->done;
	int i;

	for (i = 0; i < 2; i++) {
		struct end *e = &c->ends[i], *peer = &c->ends[!i];

		EXPECT_EQ(0, e->wrong);
		judge_stream(_metadata, f, c, i);
		if (!harmed) {
			EXPECT_TRUE(e->ended);
			EXPECT_EQ(e->len, e->sent);
			EXPECT_EQ(e->info.rx.records, peer->info.tx.records);
		}
		f->errs[e->err & 255]++;
		tally_end(&f->sums[i], e);
	}
	f->whole[deed] += c->ends[0].ended && c->ends[1].ended;
	if (_metadata->passed)
		return;
	TH_LOG("connection %u: %s way %u record %u (done %d)", c->nr,
	       proxy_deeds[deed], c->proxy->way, c->proxy->nr, harmed);
	for (i = 0; i < 2; i++)
		end_tell(&c->ends[i]);
}

static void finish(struct __test_metadata *_metadata, struct field *f,
		   struct conn *c)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct stream *s = &f->streams[2 * c->nr + i];

		s->sent = c->ends[i].sent;
		s->shut = c->ends[i].shut;
	}
	judge(_metadata, f, c);
	if (path_once_in(&f->r, 2))
		proxy_remember(c->proxy);
	proxy_free(c->proxy);
	c->live = false;
	f->ended++;
}

static unsigned int listen_to(const struct conn *c, struct pollfd *pfd)
{
	int i;

	if (!has_met(c)) {
		pfd[0] = (struct pollfd){ .fd = c->lis_p, .events = POLLIN };
		pfd[1] = (struct pollfd){ .fd = c->lis_b, .events = POLLIN };
		return 2;
	}
	for (i = 0; i < 2; i++) {
		short events = proxy_events(c->proxy, i);

		pfd[i] = (struct pollfd){ .fd = c->ends[i].fd,
					  .events = end_events(&c->ends[i]) };
		pfd[2 + i] = (struct pollfd){
			.fd = events < 0 ? -1 : c->proxy->ways[i].from,
			.events = events };
		if (c->ends[i].closed)
			pfd[i].fd = -1;
	}
	return 4;
}

static void step(struct __test_metadata *_metadata, struct field *f,
		 struct conn *c)
{
	meet(c);
	if (!has_met(c))
		return;
	end_step(&c->ends[0]);
	end_step(&c->ends[1]);
	proxy_step(c->proxy);
	if (c->proxy->has_old)
		end_may_get(&c->ends[!c->proxy->way], c->proxy->old_stream);
	if (c->ends[0].closed && c->ends[1].closed)
		finish(_metadata, f, c);
}

static void run(struct __test_metadata *_metadata, struct field *f)
{
	struct pollfd pfd[4 * ABREAST];
	unsigned int i, n, quiet = 0;

	while (f->ended < number && _metadata->passed) {
		for (i = n = 0; i < ABREAST; i++) {
			if (!f->conns[i].live && f->begun < number)
				ASSERT_EQ(0, begin(f, &f->conns[i]));
			if (f->conns[i].live)
				n += listen_to(&f->conns[i], pfd + n);
		}
		quiet = poll(pfd, n, 100) ? 0 : quiet + 1;
		for (i = 0; i < ABREAST; i++)
			if (f->conns[i].live)
				step(_metadata, f, &f->conns[i]);
		if (quiet == 300)
			path_tell(&f->p);
		ASSERT_GT(QUIET, quiet) {
			path_tell(&f->p);
		}
	}
}

/* What a namespace has counted since the beginning is what its sockets say. */
static void audit(struct __test_metadata *_metadata, struct field *f, int ns)
{
	const struct tally *sum = &f->sums[ns];
	struct nsttest_counters now;
	struct tally mib;
	int i;

	ASSERT_EQ(0, veth_enter(&f->p.v, ns));
	ASSERT_EQ(0, nsttest_counters(&now));
	tally_read(&mib);
	for (i = 1; i < NST_DROP_MAX; i++)
		EXPECT_EQ(now.value[i] - f->before[ns].value[i],
			  sum->causes[i]) {
			TH_LOG("namespace %d, cause %d", ns, i);
		}
	EXPECT_EQ(mib.tx_bytes - f->before_mib[ns].tx_bytes, sum->tx_bytes);
	EXPECT_EQ(mib.rx_bytes - f->before_mib[ns].rx_bytes, sum->rx_bytes);
	EXPECT_EQ(mib.rx_records - f->before_mib[ns].rx_records,
		  sum->rx_records);
	/* One that fails may still owe a START and a close record. */
	EXPECT_LE(sum->tx_records,
		  mib.tx_records - f->before_mib[ns].tx_records);
	EXPECT_GE(sum->tx_records + 2 * sum->failed,
		  mib.tx_records - f->before_mib[ns].tx_records);
}

FIXTURE(attack) {
	struct field *f;
};

FIXTURE_VARIANT(attack) {
	struct veth_conf path;
};

FIXTURE_VARIANT_ADD(attack, clean) {
	.path = { .offload = VETH_ALL, .mtu = 1500 },
};

FIXTURE_VARIANT_ADD(attack, lossy) {
	.path = { .offload = VETH_GRO, .mtu = 1500,
		  .netem = "delay 1ms 1ms loss 10% reorder 20% duplicate 10% corrupt 2%" },
};

FIXTURE_SETUP(attack)
{
	int i;

	self->f = calloc(1, sizeof(*self->f));
	ASSERT_NE(NULL, self->f);
	path_seed(&self->f->r);
	ASSERT_EQ(0, path_open(&self->f->p, &variant->path));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, veth_enter(&self->f->p.v, i));
		ASSERT_EQ(0, nsttest_counters(&self->f->before[i]));
		tally_read(&self->f->before_mib[i]);
	}
}

FIXTURE_TEARDOWN(attack)
{
	path_close(&self->f->p);
	free(self->f);
}

TEST_F_TIMEOUT(attack, prefix_and_end, 36000)
{
	struct field *f = self->f;
	int i;

	number = number / 2 + number % 2;
	f->streams = calloc(number, 2 * sizeof(*f->streams));
	ASSERT_NE(NULL, f->streams);
	run(_metadata, f);
	for (i = 0; i < 2; i++)
		audit(_metadata, f, i);
	for (i = 0; i < DEED_NR; i++)
		TH_LOG("%-12s %u, %u of them whole", proxy_deeds[i],
		       f->deeds[i], f->whole[i]);
	for (i = 1; i < 256; i++)
		if (f->errs[i])
			TH_LOG("%-40s %u", strerror(i), f->errs[i]);
}

static void __attribute__((constructor)) set_number(int argc, char **argv)
{
	path_number(&number, argc, argv);
}

TEST_HARNESS_MAIN
