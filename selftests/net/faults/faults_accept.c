// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that can fail fails once, where connections come to be: a listener's
 * children, those that were there before its attach, a client that has its keys before
 * it connects, one whose accept() slept over the listener's attach, and sockets of the
 * family AF_NST. See lib/fault.h.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"
#include "faulttcp.h"
#include "tcptest.h"

/* A connection for which there was no memory is reset; another one has to work. */
#define TRIES		3

enum when { BEFORE, AFTER };

struct place {
	struct fault_keys keys;
	enum when attach;	/* of the listener: before or after its children come */
	int family;		/* AF_INET, or AF_NST */
	struct sockaddr_storage at;
	socklen_t len;
};

static int timeouts(int fd)
{
	int ms = nsttest_patience(4) * 1000;

	return tcptest_timeout(fd, SO_RCVTIMEO, ms) ?:
	       tcptest_timeout(fd, SO_SNDTIMEO, ms);
}

static int attach(const struct place *p, int fd)
{
	if (p->family == AF_NST)
		return 0;
	if (FAULT_TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "nst", 3)))
		return fault_failed("attach", errno);
	return 0;
}

static int make(const struct place *p)
{
	int proto = p->family == AF_NST ? AF_INET : 0;
	int fd = FAULT_TRY(socket(p->family, SOCK_STREAM, proto));

	if (fd < 0)
		return fault_failed("socket", errno);
	return timeouts(fd) ? -EINVAL : fd;
}

static int key(const struct place *p, int fd, uint32_t role)
{
	return attach(p, fd) ?: fault_install(fd, &p->keys, role);
}

static int open_listener(struct place *p)
{
	int fd = make(p);

	if (fd < 0)
		return fd;
	p->len = nsttest_loopback(&p->at, AF_INET, 0);
	if (p->attach == BEFORE && key(p, fd, 0))
		return -EINVAL;
	if (FAULT_TRY(bind(fd, (void *)&p->at, p->len)) ||
	    FAULT_TRY(listen(fd, 8)) ||
	    getsockname(fd, (void *)&p->at, &p->len))
		return fault_failed("listen", errno);
	return fd;
}

/* One connection; 1: it did not come to be, and that was told. */
static int connect_once(const struct place *p, int lis)
{
	int a = make(p), b, ret;

	if (a < 0)
		return a;
	ret = key(p, a, 0);
	if (ret)
		return ret;
	if (FAULT_TRY(connect(a, (void *)&p->at, p->len))) {
		ret = fault_failed("connect", errno);
		close(a);
		return errno == ECONNRESET || errno == ECONNREFUSED ? 1 : ret;
	}
	if (p->attach == AFTER && key(p, lis, 0))
		return -EINVAL;
	b = FAULT_TRY(accept(lis, NULL, NULL));
	if (b < 0) {
		ret = fault_failed("accept", errno);
		/* not for ever: its peer has been told */
		if (tcptest_state(a, TCP_CLOSE))
			return ret;
		close(a);
		return 1;
	}
	ret = timeouts(b) ?: faulttcp_few(a, b);
	close(a);
	close(b);
	return ret == FAULT_ENDED ? 1 : ret;
}

static int live(const struct place *with)
{
	struct place p = *with;
	int lis, i, ret = 1;

	fault_secret(p.keys.secret);
	for (i = 0; i < TRIES && ret == 1; i++) {
		lis = open_listener(&p);
		if (lis < 0)
			return lis;
		ret = connect_once(&p, lis);
		close(lis);
	}
	if (ret == 1)
		return fault_failed("no connection", ECONNREFUSED);
	return ret ?: i == 1 ? FAULT_WHOLE : FAULT_ENDED;
}

/* --- an accept() that sleeps over the listener's attach ---------------------- */

struct sleeper {
	pthread_t thread;
	int lis;
	int fd;
	pid_t tid;
};

/* By TCP's own accept(), and only when nobody else wants to run. */
static void *accept_idly(void *arg)
{
	struct sched_param none = {};
	struct sleeper *s = arg;

	sched_setscheduler(0, SCHED_IDLE, &none);
	__atomic_store_n(&s->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	s->fd = accept(s->lis, NULL, NULL);
	return NULL;
}

/* Without memory for its state the child is reset: both ends are told, and it counts. */
static int is_bare(int a, int b, long before)
{
	struct nst_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(b, SOL_NST, NST_INFO, &info, &len) != -1 || errno != EIO)
		return 0;
	if (nsttest_stat("NstTcpBare") != before + 1)
		return fault_failed("not counted", EIO);
	if (tcptest_state(a, TCP_CLOSE) ||
	    !(tcptest_poll(b, POLLIN, 0) & POLLHUP))
		return fault_failed("not reset", EIO);
	return 1;
}

/* As connect_once(). */
static int connect_to_sleeper(struct place *p, struct sleeper *s)
{
	long before = nsttest_stat("NstTcpBare");
	int a, ret = key(p, s->lis, 0);

	if (ret)
		return ret;
	a = make(p);
	if (a < 0)
		return a;
	ret = key(p, a, 0);
	if (ret)
		return ret;
	if (FAULT_TRY(connect(a, (void *)&p->at, p->len)))
		return fault_failed("connect", errno);
	if (pthread_join(s->thread, NULL) || s->fd < 0 || timeouts(s->fd))
		return fault_failed("asleep in accept", EINVAL);
	ret = is_bare(a, s->fd, before) ?: faulttcp_few(a, s->fd);
	close(a);
	close(s->fd);
	return ret == FAULT_ENDED ? 1 : ret;
}

static int live_asleep(void)
{
	struct place p = {
		.keys.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.attach = AFTER,
	};
	struct sleeper s;
	int i, ret = 1;

	fault_secret(p.keys.secret);
	for (i = 0; i < TRIES && ret == 1; i++) {
		s = (struct sleeper){ .fd = -1, .lis = open_listener(&p) };
		if (s.lis < 0 ||
		    pthread_create(&s.thread, NULL, accept_idly, &s))
			return -EINVAL;
		while (!__atomic_load_n(&s.tid, __ATOMIC_SEQ_CST))
			usleep(1000);
		if (tcptest_asleep(s.tid))
			return fault_failed("not asleep", EINVAL);
		ret = connect_to_sleeper(&p, &s);
		close(s.lis);
	}
	if (ret == 1)
		return fault_failed("no connection", ECONNREFUSED);
	return ret ?: i == 1 ? FAULT_WHOLE : FAULT_ENDED;
}

static int live_child(void)
{
	static const struct place p = {
		.keys.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};

	return live(&p);
}

static int live_late(void)
{
	static const struct place p = {
		.keys.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.attach = AFTER,
	};

	return live(&p);
}

static int live_strict(void)
{
	static const struct place p = {
		.keys = { .cipher_id = NST_CIPHER_SM4_CBC, .flags = NST_F_STRICT },
		.family = AF_INET,
	};

	return live(&p);
}

static int live_af_nst(void)
{
	static const struct place p = {
		.keys.cipher_id = NST_CIPHER_AES_256_GCM, .family = AF_NST,
	};

	return live(&p);
}

int main(void)
{
	static const struct fault_life lives[] = {
		{ "accept_child", live_child, .may_end = true },
		{ "accept_late", live_late, .may_end = true },
		{ "accept_asleep", live_asleep, .may_end = true },
		{ "accept_strict", live_strict, .may_end = true },
		{ "accept_af_nst", live_af_nst, .may_end = true },
	};

	return fault_main(lives, sizeof(lives) / sizeof(lives[0]));
}
