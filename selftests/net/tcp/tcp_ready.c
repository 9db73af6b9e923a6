// SPDX-License-Identifier: GPL-2.0
/*
 * What poll() has told stays true until somebody reads, whoever looks at the
 * socket meanwhile; and a call comes back from a peer that sends records with
 * nothing in them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "hostile.h"
#include "tcptest.h"

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

static const struct nsttest_conf plain = {
	.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
};

/* Looks until told to stop, and counts how often there was nothing. */
struct looker {
	int fd;
	atomic_bool stop;
	atomic_long looks;
	atomic_long misses;
};

static void *look(void *arg)
{
	struct looker *l = arg;
	struct pollfd pfd = { .fd = l->fd, .events = POLLIN };

	while (!atomic_load(&l->stop)) {
		int n = poll(&pfd, 1, 0);

		if (atomic_load(&l->stop))
			break;
		atomic_fetch_add(&l->looks, 1);
		if (n == 0)
			atomic_fetch_add(&l->misses, 1);
	}
	return NULL;
}

TEST(what_is_left_stays_readable)
{
	enum { NR = 1500, LEAVE = 50 };
	struct looker l = {};
	pthread_t thread;
	int a, b, i, n = 0;
	char c;

	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	tcptest_set_int(a, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
	tcptest_set_int(b, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20);
	for (i = 0; i < NR; i++)
		ASSERT_EQ(1, send(a, "x", 1, 0));
	while (ioctl(b, FIONREAD, &n) || n < NR)
		usleep(1000);
	l.fd = b;
	ASSERT_EQ(0, pthread_create(&thread, NULL, look, &l));
	for (i = 0; i < NR - LEAVE; i++)
		ASSERT_EQ(1, recv(b, &c, 1, 0));
	atomic_store(&l.stop, true);
	pthread_join(thread, NULL);
	TH_LOG("%ld looks", atomic_load(&l.looks));
	EXPECT_EQ(0, atomic_load(&l.misses));
	close(a);
	close(b);
}

/*
 * So many bytes have come, which on loopback is mostly so when the sender's call is
 * over, but not if the kernel has put it off. To ask TCP does nothing with them.
 */
static int have_come(int fd, size_t bytes)
{
	/* As <linux/tcp.h> goes on, which libc's <netinet/tcp.h> does not. */
	struct {
		struct tcp_info tcp;
		uint64_t pacing_rate;
		uint64_t max_pacing_rate;
		uint64_t bytes_acked;
		uint64_t bytes_received;
	} info = {};
	socklen_t len;
	int ms;

	for (ms = 0; ms < TCPTEST_SOON_MS; ms++) {
		len = sizeof(info);
		if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
			return -errno;
		if (info.bytes_received >= bytes)
			return 0;
		usleep(1000);
	}
	return -ETIME;
}

/*
 * An empty START and a record right behind it: nothing is judged yet, and the record
 * is there at once, for poll() and FIONREAD.
 */
TEST(record_behind_empty_start)
{
	int i, n, late = 0, less = 0;

	for (i = 0; i < 100; i++) {
		uint8_t wire[1024];
		struct pollfd pfd = { .events = POLLIN };
		struct peer peer;
		size_t len;
		int k, raw;
		char in[8];

		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &k, &raw));
		ASSERT_EQ(0, nsttest_attach(k));
		ASSERT_EQ(0, nsttest_install(k, &plain));
		peer_init(&peer, raw, NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		len = peer_append(&peer, PEER_DATA, "", 0, wire);
		len += peer_append(&peer, PEER_DATA, "record", 6, wire + len);
		pfd.fd = k;
		ASSERT_EQ(0, peer_write(raw, wire, len));
		ASSERT_EQ(0, have_come(k, len));
		late += poll(&pfd, 1, 0) != 1;
		n = 0;
		ASSERT_EQ(0, ioctl(k, FIONREAD, &n));
		less += n != 6;
		ASSERT_EQ(6, recv(k, in, sizeof(in), 0));
		close(k);
		close(raw);
	}
	EXPECT_EQ(0, late);
	EXPECT_EQ(0, less);
}

/* The worker takes the START away meanwhile. */
TEST(first_record_stays_readable)
{
	long end = nsttest_now_ms() + 10000;
	int i, k, lost = 0;

	for (i = 0; i < 400 && nsttest_now_ms() < end; i++) {
		struct pollfd pfd = { .events = POLLIN };
		int a, b;

		ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
		pfd.fd = b;
		ASSERT_EQ(10, send(a, "0123456789", 10, 0));
		ASSERT_EQ(1, poll(&pfd, 1, TCPTEST_SOON_MS));
		for (k = 0; k < 400; k++)
			if (!poll(&pfd, 1, 0))
				lost++;
		close(a);
		close(b);
	}
	EXPECT_EQ(0, lost);
}

/*
 * Behind a control record nothing is gathered before a reader comes, so he has to
 * be told of what must be, even if his epoll has looked at its beginning already.
 */
TEST(long_record_behind_control)
{
	enum { LONG = 60000, FIRST = 2000 };
	static uint8_t rec[PEER_RECORD_MAX], body[LONG];
	struct conn *c = conn_open_mss(_metadata, AF_INET, 16384, 1400, &plain);
	struct epoll_event e = { .events = EPOLLIN };
	int type, ep = epoll_create1(0);
	size_t len;
	pid_t pid;
	char in;

	tcptest_timeout(c->k, SO_RCVTIMEO, TCPTEST_SOON_MS);
	tcptest_timeout(c->raw, SO_SNDTIMEO, TCPTEST_SOON_MS);
	peer_send(&c->p, PEER_DATA, "x", 1);
	ASSERT_EQ(1, recv(c->k, &in, 1, 0));
	peer_send(&c->p, 16, "c", 1);
	ASSERT_EQ(1, tcptest_recv_type(c->k, &type, &in, 1, 0));
	tcptest_fill(body, LONG, 0);
	len = peer_append(&c->p, PEER_DATA, body, LONG, rec);
	ASSERT_EQ(0, peer_write(c->raw, rec, FIRST));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, c->k, &e));
	pid = fork();
	if (!pid) {
		usleep(300000);
		_exit(!!peer_write_chunks(c->raw, rec + FIRST, len - FIRST, 500));
	}
	EXPECT_EQ(1, epoll_wait(ep, &e, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(c->k, 0, LONG, LONG));
	waitpid(pid, NULL, 0);
	close(ep);
	conn_close(c);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* One byte, and then nothing but empty records: the call has its byte. */
TEST(byte_before_a_flood)
{
	enum { NR = 100000 };
	size_t size = (NR + 2) * PEER_HDR_SIZE + 64, len;
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value.tv_sec = 2 };
	struct conn *c = conn_open(_metadata, AF_INET, 0, &plain);
	uint8_t *buf = malloc(size);
	struct nst_info info;
	struct peer_keys k;
	struct peer_hdr h;
	char in[100];
	pid_t pid;
	int i;

	ASSERT_NE(NULL, buf);
	len = peer_append(&c->p, PEER_DATA, "x", 1, buf);
	peer_prepare(&c->p, &h, PEER_DATA, 0);
	ASSERT_EQ(0, peer_derive(&k, &h, PEER_PROTO_TCP, nsttest_box[0].key,
				 &c->p.context, c->p.tx.salt, NULL));
	for (i = 0; i < NR; i++) {
		peer_prepare(&c->p, &h, PEER_DATA, 0);
		len += peer_seal(&k, &h, "", 0, 0, buf + len);
		peer_commit(&c->p, &h);
	}
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	pid = fork();
	if (!pid) {
		peer_write(c->raw, buf, len);
		_exit(0);
	}
	EXPECT_EQ(1, recv(c->k, in, sizeof(in), 0));
	/* Not what the flood has come to by its end, nor by a pause of the peer. */
	ASSERT_EQ(0, tcptest_info(c->k, &info));
	EXPECT_GT(NR / 4, info.rx.records);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(buf);
	conn_close(c);
}

/* --- what was counted is not walked again ------------------------------------ */

#define COUNTED	200	/* records */

/* Headers that NST has read behind the head of the queue so far, by its own function. */
#define walks	nsttest_calls

/*
 * Neither when it is asked for again, nor when records in front of it go: else who
 * reads many of them one by one would walk over all that are left each time.
 */
TEST(counted_records_are_not_walked_again)
{
	struct pollfd pfd = { .events = POLLIN };
	long all, i;
	int a, b, n;
	char in[16];

	n = nsttest_count_calls("nst_tcp_copy_on");
	if (n == -ENOENT)
		SKIP(return, "this kernel has no kprobes");
	ASSERT_EQ(0, n);
	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	for (i = 0; i < COUNTED; i++)
		ASSERT_EQ(10, send(a, "0123456789", 10, 0));
	for (n = 0, i = 0; n < 10 * COUNTED && i < TCPTEST_SOON_MS; i++) {
		usleep(1000);
		ASSERT_EQ(0, ioctl(b, FIONREAD, &n));
	}
	ASSERT_EQ(10 * COUNTED, n);
	all = walks();
	TH_LOG("%ld walks for %d records", all, COUNTED);
	/* The probe is there: all but the first were counted by it. */
	EXPECT_LE(COUNTED - 1, all);
	EXPECT_GE(3 * COUNTED, all);
	pfd.fd = b;
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, ioctl(b, FIONREAD, &n));
		ASSERT_EQ(1, poll(&pfd, 1, 0));
	}
	EXPECT_EQ(all, walks());
	for (i = 1; i <= COUNTED; i++) {
		ASSERT_EQ(10, recv(b, in, 10, 0));
		ASSERT_EQ(0, ioctl(b, FIONREAD, &n));
		ASSERT_EQ(10 * (COUNTED - i), n);
	}
	EXPECT_GE(all + 2 * COUNTED, walks());
	nsttest_count_no_more();
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
