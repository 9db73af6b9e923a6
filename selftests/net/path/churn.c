// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that come and go, 64 at a time, in namespaces that come and go with
 * them, while keys are changed, activated and guarded, listeners are thrown away with
 * what nobody has accepted, and ss -K strikes. Behind it nothing is left: no socket,
 * no reference, no slab object, nothing in the cgroup. (That the module goes is asked
 * at the end of each guest.)
 *
 *   churn [NUMBER]	connections
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cgroup.h"
#include "guardtest.h"
#include "kselftest_harness.h"
#include "pathtest.h"

#define FAMILIES	8	/* of processes: a namespace each */
#define THREADS		8	/* in each of them: a connection each */
#define AGE		10	/* connections of a thread in one namespace */
#define CGROUP		CGROUP_ROOT "/churn"
/* For how long TCP keeps a half-closed connection without a program. */
#define FIN_TIMEOUT	"/proc/sys/net/ipv4/tcp_fin_timeout"
#define ORPHAN_RETRIES	"/proc/sys/net/ipv4/tcp_orphan_retries"
#define WAITS		600	/* times 100 ms until nothing must be left */

static unsigned int number = 640;

struct family {
	struct talk t;
	atomic_uint busy;
	atomic_ushort ports[THREADS];	/* where each one's listener is */
	struct path_random r;
};

struct thread {
	pthread_t id;
	struct family *f;
	unsigned int nr;
	struct path_random r;
	unsigned int whole;	/* connections that have come to their end */
	int wrong;
};

/* What may be cut off by a stranger is cut off; what hangs or lies is wrong. */
static int move(struct thread *t, int from, int to)
{
	size_t len = path_range(&t->r, 1, 20000), at = 0;
	uint8_t buf[20000];
	ssize_t n;

	tcptest_fill(buf, len, 0);
	n = send(from, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	len = n;
	while (at < len) {
		n = recv(to, buf, sizeof(buf), 0);
		if (n < 0 && errno == EAGAIN)
			t->wrong = ETIMEDOUT;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (at + n > len || !tcptest_same(buf, n, at))
			t->wrong = EILSEQ;
		at += n;
	}
	return 0;
}

/* The ways in which a connection ends. */
static int finish(struct thread *t, int a, int b)
{
	struct linger hard = { .l_onoff = 1 };
	char byte;
	ssize_t n;

	switch (path_range(&t->r, 0, 4)) {
	case 0:
		setsockopt(a, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		return 0;
	case 1:
		/* Something is left that nobody reads. */
		send(a, "unread", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
		return 0;
	case 2:
		send(a, "more", 4, MSG_NOSIGNAL | MSG_MORE | MSG_DONTWAIT);
		return 0;
	case 3:
		shutdown(b, SHUT_RDWR);
		return 0;
	default:
		if (shutdown(a, SHUT_WR) || shutdown(b, SHUT_WR))
			return -errno;
		n = recv(b, &byte, 1, 0);
		if (!n)
			n = recv(a, &byte, 1, 0);
		if (n > 0)
			t->wrong = EILSEQ;
		return n < 0 ? -errno : 0;
	}
}

static int both_ways(struct thread *t, int a, int b)
{
	struct nst_rekey rekey = {};
	int ret = 0;

	while (!ret && !path_once_in(&t->r, 3)) {
		ret = path_once_in(&t->r, 2) ? move(t, a, b) : move(t, b, a);
		if (!ret && path_once_in(&t->r, 4))
			setsockopt(a, SOL_NST, NST_REKEY, &rekey,
				   sizeof(rekey));
	}
	return ret ?: finish(t, a, b);
}

static int set_up(int fd, const struct path_conf *conf)
{
	if (tcptest_timeout(fd, SO_RCVTIMEO, 4 * TCPTEST_SOON_MS) ||
	    tcptest_timeout(fd, SO_SNDTIMEO, 4 * TCPTEST_SOON_MS))
		return -EIO;
	return conf ? path_key(fd, conf, 0) : 0;
}

/* @a connected, @b accepted; -1 each where it has not come so far. */
static int open_pair(struct thread *t, int *a, int *b)
{
	const struct path_conf conf = {
		.cipher_id = path_range(&t->r, NST_CIPHER_AES_GCM,
					NST_CIPHER_CHACHA20_POLY1305),
		.strict = path_once_in(&t->r, 3),
	};
	int family = path_once_in(&t->r, 2) ? AF_INET : AF_INET6;
	bool late = path_once_in(&t->r, 2);
	int lis = socket(family, SOCK_STREAM, 0), ret = 0;
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, family, 0);

	*b = -1;
	*a = socket(family, SOCK_STREAM, 0);
	if (set_up(lis, late ? NULL : &conf) || set_up(*a, late ? NULL : &conf) ||
	    bind(lis, (void *)&ss, len) || listen(lis, 4) ||
	    getsockname(lis, (void *)&ss, &len))
		t->wrong = errno ?: EIO;
	atomic_store(&t->f->ports[t->nr],
		     ntohs(((struct sockaddr_in *)&ss)->sin_port));
	if (!t->wrong && connect(*a, (void *)&ss, len))
		ret = -errno;
	/* A listener that was killed has nobody to accept. */
	if (!t->wrong && !ret)
		*b = accept(lis, NULL, NULL);
	close(lis);
	if (*b < 0)
		return ret ?: -ECONNABORTED;
	ret = set_up(*b, late ? &conf : NULL);
	return ret ?: late ? path_key(*a, &conf, 0) : 0;
}

static void *churn(void *arg)
{
	struct thread *t = arg;
	int i, a, b, ret;
	bool swap;

	for (i = 0; i < AGE && !t->wrong; i++) {
		ret = open_pair(t, &a, &b) ?: both_ways(t, a, b);
		t->whole += !ret;
		/* Either may be the first to go. */
		swap = path_once_in(&t->r, 2);
		close(swap ? b : a);
		close(swap ? a : b);
	}
	atomic_fetch_sub(&t->f->busy, 1);
	return NULL;
}

/* A listener goes, and with it connections that nobody has accepted. */
static void throw_away(struct family *f)
{
	const struct path_conf conf = { .cipher_id = NST_CIPHER_AES_GCM };
	int lis = socket(AF_INET, SOCK_STREAM, 0), fd[3], i;
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, AF_INET, 0);

	if (!path_key(lis, &conf, 0) && !bind(lis, (void *)&ss, len) &&
	    !listen(lis, 4) && !getsockname(lis, (void *)&ss, &len)) {
		for (i = 0; i < 3; i++) {
			fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (i)
				path_key(fd[i], &conf, 0);
			connect(fd[i], (void *)&ss, len);
			send(fd[i], "some bytes", 10, MSG_NOSIGNAL);
		}
		usleep(path_range(&f->r, 0, 2000));
		close(lis);
		for (i = 0; i < 3; i++)
			close(fd[i]);
	} else {
		close(lis);
	}
}

static void strike(struct family *f)
{
	unsigned int port = atomic_load(&f->ports[path_range(&f->r, 0,
							THREADS - 1)]);
	char command[80];

	snprintf(command, sizeof(command), "ss -K %s = :%u >/dev/null 2>&1",
		 path_once_in(&f->r, 2) ? "sport" : "dport", port);
	if (port && system(command) < 0)
		usleep(1);
}

static void meddle(struct family *f)
{
	uint16_t port;

	while (atomic_load(&f->busy)) {
		port = atomic_load(&f->ports[path_range(&f->r, 0,
							THREADS - 1)]);
		switch (path_range(&f->r, 0, 9)) {
		case 0: case 1: case 2:
			nl_kid(&f->t, NST_CMD_KEY_ACTIVATE,
			       path_range(&f->r, 1, 2));
			break;
		case 3: case 4:
			guard_add_port(&f->t, IPPROTO_TCP, port, false);
			break;
		case 5: case 6:
			guard_del(&f->t, IPPROTO_TCP, port);
			break;
		case 7: case 8:
			throw_away(f);
			break;
		default:
			strike(f);
		}
		usleep(path_range(&f->r, 0, 5000));
	}
}

/* A namespace's whole life. Returns how many connections were whole, or -errno. */
static int live(struct path_random r)
{
	struct family f = { .r = path_fork(&r, THREADS) };
	struct thread t[THREADS];
	int i, whole = 0, wrong = nsttest_netns() ?: nl_open(&f.t);

	/*
	 * A FIN that a rule of the guard's holds up is sent again until its connection
	 * is given up: for three seconds, not for TCP's 102, or it would be there when
	 * nothing must be left.
	 */
	if (wrong || nsttest_write_file(FIN_TIMEOUT, "1") ||
	    nsttest_write_file(ORPHAN_RETRIES, "3"))
		return -ENODEV;
	nl_begin(&f.t, f.t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&f.t, 1, NST_STATE_ACTIVE, 1);
	nl_put_nest(&f.t, 2, NST_STATE_ACCEPT, 2);
	if (nl_talk(&f.t))
		return -ENOKEY;
	f.busy = THREADS;
	for (i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .f = &f, .nr = i,
					.r = path_fork(&r, i) };
		if (pthread_create(&t[i].id, NULL, churn, &t[i]))
			return -EAGAIN;
	}
	meddle(&f);
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i].id, NULL);
		whole += t[i].whole;
		wrong = t[i].wrong ?: wrong;
	}
	nl_close(&f.t);
	return wrong ? -wrong : whole;
}

/* Namespaces, one behind the other; what one ends with is told by a pipe. */
static void beget(const struct path_random *r, int family, int lives, int out)
{
	int i, ret = 0;
	pid_t pid;

	for (i = 0; i < lives; i++) {
		pid = fork();
		if (!pid) {
			ret = live(path_fork(r, family * 100000 + i));
			if (write(out, &ret, sizeof(ret)) != sizeof(ret))
				_exit(1);
			_exit(0);
		}
		tcptest_reap(pid);
	}
	_exit(0);
}

/*
 * Objects in use of the cache of TCP's state; -1: it shares a cache. What the
 * processors keep would count as used.
 */
static long objects(void)
{
	nsttest_write_file("/sys/kernel/slab/nst_tcp/shrink", "1");
	return nsttest_find("/proc/slabinfo", "nst_tcp");
}

/* Waits until @look says @most, or less. */
static long settles(long (*look)(void), long most)
{
	int i;

	for (i = 0; i < nsttest_patience(WAITS) && look() > most; i++)
		usleep(100000);
	return look();
}

static long users(void)
{
	return nsttest_number(NSTTEST_USERS);
}

/* Of the cgroup: what its sockets take. */
static long sock_memory(void)
{
	return nsttest_find(CGROUP "/memory.stat", "sock");
}

FIXTURE(churn) {
	struct path_random r;
	bool grouped;
	long slab;
	long users;
};

FIXTURE_SETUP(churn)
{
	path_seed(&self->r);
	self->slab = objects();
	self->users = users();
	self->grouped = !cgroup_make(CGROUP);
}

FIXTURE_TEARDOWN(churn)
{
	cgroup_end();
}

TEST_F_TIMEOUT(churn, leaves_nothing, 36000)
{
	int lives = number / (FAMILIES * THREADS * AGE) ?: 1;
	int fds[2], i, whole, all = 0, nr = 0;
	pid_t pid[FAMILIES];

	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < FAMILIES; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		close(fds[0]);
		if (self->grouped)
			cgroup_enter(CGROUP);
		beget(&self->r, i, lives, fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &whole, sizeof(whole)) == sizeof(whole)) {
		EXPECT_LE(0, whole) {
			TH_LOG("%s", strerror(-whole));
		}
		all += whole > 0 ? whole : 0;
		nr++;
	}
	for (i = 0; i < FAMILIES; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	EXPECT_EQ(FAMILIES * lives, nr);
	TH_LOG("%d of %d connections came to an end of their own", all,
	       nr * THREADS * AGE);
	EXPECT_LT(nr * THREADS * AGE / 3, all);
	/* An earlier program's may have been there, and be gone. */
	EXPECT_GE(self->users, settles(users, self->users));
	EXPECT_GE(self->slab, settles(objects, self->slab));
	if (self->grouped)
		EXPECT_EQ(0, settles(sock_memory, 0));
	TH_LOG("slab %ld, users %ld, cgroup %s", self->slab, self->users,
	       self->grouped ? "looked at" : "none in this kernel");
}

static void __attribute__((constructor)) set_number(int argc, char **argv)
{
	path_number(&number, argc, argv);
}

TEST_HARNESS_MAIN
