// SPDX-License-Identifier: GPL-2.0
/*
 * TCP short of memory, as net.ipv4.tcp_mem says. It drops then what comes for a
 * socket that has something on its queue already, so a record that waits there
 * for its end would keep itself from ending.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <time.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define MSS	1400
#define NR	16	/* streams side by side */
#define EACH	120000	/* bytes of each */
#define FEW	40000	/* bytes of one that has to be sent again and again */
#define NONE	"1 1 1"		/* pages: less than TCP has already */
#define LITTLE	"60 90 120"	/* ... less than all streams together would have */
#define HELD	(4 << 20)	/* each processor counts up to 1 MiB for itself */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* It belongs to the first network namespace, and counts for all of them. */
static int set_limits(const char *value, char *was, size_t size)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int first = open("/run/first_net", O_RDONLY | O_CLOEXEC);
	int fd = -1, ret = -1;

	if (here >= 0 && first >= 0 && !setns(first, CLONE_NEWNET))
		fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && (!was || read(fd, was, size) > 0) &&
	    pwrite(fd, value, strlen(value), 0) > 0)
		ret = 0;
	ret = ret ? -errno : 0;
	close(fd);
	if (setns(here, CLONE_NEWNET))
		ret = -errno;
	close(first);
	close(here);
	return ret;
}

static int pair(const struct tcptest_conf *conf, int *a, int *b)
{
	int ret = nsttest_pair_mss(conf->family, 0, MSS, b, a);

	if (!ret)
		ret = tcptest_key(*a, conf, NST_F_INITIATOR);
	return ret ?: tcptest_key(*b, conf, NST_F_RESPONDER);
}

/* Both timeouts, of an end that waits for what is sent again. */
static int be_patient(int fd)
{
	int ms = nsttest_patience(40) * 1000;

	return tcptest_timeout(fd, SO_SNDTIMEO, ms) ?:
	       tcptest_timeout(fd, SO_RCVTIMEO, ms);
}

/* Memory that TCP holds for a stream that nobody reads. */
static int hold(int from, int to)
{
	static char buf[HELD / 4];
	size_t n = 0;
	ssize_t ret;

	if (tcptest_set_int(from, SOL_SOCKET, SO_SNDBUFFORCE, HELD) ||
	    tcptest_set_int(to, SOL_SOCKET, SO_RCVBUFFORCE, HELD))
		return -errno;
	while ((ret = send(from, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		n += ret;
	return n < HELD ? -EMSGSIZE : 0;
}

/* It gives that back. */
static int release(int from, int to)
{
	return shutdown(from, SHUT_RDWR) ? -errno : nsttest_drain(to);
}

/* TCP notices that it has too much when it wants more. */
static int want_more(void)
{
	static char buf[FEW];
	int from, to, ret;

	ret = nsttest_pair(AF_INET, 0, &to, &from);
	if (!ret && send(from, buf, sizeof(buf), MSG_DONTWAIT) < 0)
		ret = -errno;
	close(from);
	close(to);
	return ret;
}

FIXTURE(pressure)
{
	char was[64];
	int from;
	int to;
};

FIXTURE_SETUP(pressure)
{
	memset(self->was, 0, sizeof(self->was));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->to, &self->from));
	ASSERT_EQ(0, hold(self->from, self->to));
	ASSERT_EQ(0, set_limits(NONE, self->was, sizeof(self->was) - 1));
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_EQ(0, set_limits(self->was, NULL, 0));
	close(self->from);
	close(self->to);
}

/* One reader for all of them, which never waits for one alone. */
static size_t read_all(const int *fd, size_t *got)
{
	struct pollfd pfd[NR];
	static char in[EACH];
	size_t sum = 0;
	int i;

	for (i = 0; i < NR; i++)
		pfd[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	poll(pfd, NR, 500);
	for (i = 0; i < NR; i++) {
		ssize_t n = 0;

		if (pfd[i].revents)
			n = recv(fd[i], in, sizeof(in), MSG_DONTWAIT);
		if (n > 0 && tcptest_same(in, n, got[i]))
			got[i] += n;
		sum += got[i];
	}
	return sum;
}

/* What all these first parts hold is what their ends lack. */
TEST_F_TIMEOUT(pressure, streams__all_arrive, 120)
{
	time_t end = time(NULL) + nsttest_patience(80);
	size_t got[NR] = {}, sum = 0;
	int a[NR], b[NR], i;
	pid_t pid[NR];

	ASSERT_EQ(0, set_limits(LITTLE, NULL, 0));
	ASSERT_EQ(0, release(self->from, self->to));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, pair(&conf, &a[i], &b[i]));
		ASSERT_EQ(0, be_patient(a[i]));
	}
	for (i = 0; i < NR; i++)
		pid[i] = tcptest_sender(a[i], 0, EACH, EACH);
	while (sum < NR * EACH && time(NULL) < end)
		sum = read_all(b, got);
	EXPECT_EQ(NR * EACH, sum);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
}

/* Nothing but what is forced gets through, on either side. */
TEST_F_TIMEOUT(pressure, stream__arrives, 120)
{
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, pair(&conf, &a, &b));
	ASSERT_EQ(0, be_patient(a));
	ASSERT_EQ(0, be_patient(b));
	pid = tcptest_sender(a, 0, FEW, FEW);
	EXPECT_EQ(0, tcptest_recv(b, 0, FEW, FEW));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* TCP forces less for a socket whose buffer the program has set. */
TEST_F_TIMEOUT(pressure, sndbuf_of_program__completes, 120)
{
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, pair(&conf, &a, &b));
	ASSERT_EQ(0, be_patient(a));
	ASSERT_EQ(0, be_patient(b));
	ASSERT_EQ(0, tcptest_set_int(a, SOL_SOCKET, SO_SNDBUF, 8192));
	pid = tcptest_sender(a, 0, FEW, FEW);
	EXPECT_EQ(0, tcptest_recv(b, 0, FEW, FEW));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* What may not be held is not held: the record goes as it is. */
TEST_F_TIMEOUT(pressure, open_record__goes_without_memory, 60)
{
	char in[16];
	int a, b;

	ASSERT_EQ(0, pair(&conf, &a, &b));
	ASSERT_EQ(0, be_patient(a));
	ASSERT_EQ(0, be_patient(b));
	ASSERT_EQ(3, send(a, "one", 3, MSG_MORE));
	EXPECT_EQ(3, recv(b, in, sizeof(in), 0));
	/* It is, as soon as there is some. */
	ASSERT_EQ(0, set_limits(self->was, NULL, 0));
	ASSERT_EQ(3, send(a, "two", 3, MSG_MORE));
	EXPECT_EQ(0, tcptest_poll(b, POLLIN, TCPTEST_NEVER_MS));
	EXPECT_EQ(0, close(a));
	EXPECT_EQ(3, recv(b, in, sizeof(in), 0));
}

/* Nor does a record that TCP has taken a part of outlast the program's patience. */
TEST_F_TIMEOUT(pressure, user_timeout__ends_what_waits, 120)
{
	const long deferred = nsttest_stat("NstTxDeferred");
	static char buf[EACH];
	ssize_t ret;
	int a, b;

	/* The peer reads nothing. */
	ASSERT_EQ(0, nsttest_pair(AF_INET, 4096, &b, &a));
	ASSERT_EQ(0, tcptest_key(a, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, be_patient(a));
	ASSERT_EQ(0, tcptest_set_int(a, SOL_TCP, TCP_USER_TIMEOUT, 1500));
	while ((ret = send(a, buf, EACH, MSG_NOSIGNAL)) > 0)
		;
	EXPECT_EQ(-1, ret);
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_LT(deferred, nsttest_stat("NstTxDeferred"));
	EXPECT_EQ(0, tcptest_state(a, TCP_CLOSE));
	close(a);
	close(b);
}

/* What a socket has been given of TCP's memory and not used; < 0: used without. */
static int forward(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len))
		return -errno;
	return mem[SK_MEMINFO_FWD_ALLOC];
}

/*
 * The rest of a record of which TCP has taken a part is there, whether TCP allows it
 * or not: so it is charged beyond the limits, like all that is sent.
 */
TEST_F_TIMEOUT(pressure, deferred_record__is_charged, 60)
{
	const long deferred = nsttest_stat("NstTxDeferred");
	static char buf[EACH];
	int a, b, i;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 4096, &b, &a));
	ASSERT_EQ(0, tcptest_key(a, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_record_max(a, NST_RECORD_MAX_MAX));
	/* Its own buffer is full behind the first; the peer reads nothing. */
	for (i = 0; i < 100 && nsttest_stat("NstTxDeferred") == deferred; i++) {
		send(a, buf, EACH, MSG_DONTWAIT | MSG_NOSIGNAL);
		EXPECT_LE(0, forward(a));
		usleep(10000);
	}
	EXPECT_LT(deferred, nsttest_stat("NstTxDeferred"));
	EXPECT_LE(0, forward(a));
	close(a);
	close(b);
}

/* A poller waits for SO_RCVLOWAT bytes no longer than they can come. */
TEST_F_TIMEOUT(pressure, rcvlowat__does_not_hold_what_is_there, 60)
{
	int a, b;

	ASSERT_EQ(0, set_limits(self->was, NULL, 0));
	ASSERT_EQ(0, pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, FEW));
	ASSERT_EQ(0, tcptest_send(a, 0, 100, 100));
	EXPECT_EQ(0, tcptest_poll(b, POLLIN, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, set_limits(NONE, NULL, 0));
	ASSERT_EQ(0, want_more());
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
}

/* All is given back, whatever was forced: the kernel warns if not. */
TEST_F_TIMEOUT(pressure, close__gives_back, 60)
{
	static char buf[FEW];
	int a, b;

	ASSERT_EQ(0, pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_record_max(a, NST_RECORD_MAX_MAX));
	ASSERT_EQ(FEW, send(a, buf, FEW, MSG_DONTWAIT));
	/* Some of it is gathered, the rest is sent again and again. */
	usleep(300000);
	EXPECT_EQ(0, close(b));
	EXPECT_EQ(0, close(a));
}

TEST_HARNESS_MAIN
