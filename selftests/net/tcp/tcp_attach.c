// SPDX-License-Identifier: GPL-2.0
/*
 * The moment of the attach: what other threads do with the socket then, each
 * also while others look at it all the time; and bytes that go past NST later.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM	1
#endif

#include "kselftest_harness.h"
#include "tcptest.h"

#define BIG	(16 << 20)
#define LOOKERS	3

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* --- calls under way ------------------------------------------------------ */

/* A call that a thread makes, and what it came back with. */
struct call {
	ssize_t (*fn)(struct call *call);
	int fd;
	void *buf;
	size_t len;
	int flags;
	struct sockaddr_in addr;
	enum {
		ANYWHERE,
		IN_TURN,	/* on the first CPU */
		AT_ONCE,	/* there, and before all that is in turn */
	} when;
	ssize_t ret;	/* or -errno */
	pid_t tid;
	pthread_t thread;
};

static ssize_t do_recv(struct call *call)
{
	return recv(call->fd, call->buf, call->len, call->flags);
}

static ssize_t do_send(struct call *call)
{
	return send(call->fd, call->buf, call->len, MSG_NOSIGNAL);
}

static ssize_t do_splice(struct call *call)
{
	int p[2];
	ssize_t n;

	if (pipe(p))
		return -1;
	n = splice(call->fd, NULL, p[1], NULL, 4096, 0);
	close(p[0]);
	close(p[1]);
	return n;
}

static ssize_t do_connect(struct call *call)
{
	return connect(call->fd, (void *)&call->addr, sizeof(call->addr));
}

static ssize_t do_accept(struct call *call)
{
	return accept(call->fd, NULL, NULL);
}

static ssize_t do_attach(struct call *call)
{
	struct nsttest_conf keys = {
		.cipher_id = conf.cipher_id, .nr_keys = NSTTEST_KEYS,
	};

	return nsttest_attach(call->fd) ?: nsttest_install(call->fd, &keys);
}

/*
 * Who was woken for a lock is nowhere to be seen until it runs. On one CPU the more
 * urgent one of two does so before the other may, however busy the machine is.
 */
static int take_turns(const struct call *call)
{
	struct sched_param urgent = { .sched_priority = 1 };
	cpu_set_t first;

	if (call->when == ANYWHERE)
		return 0;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		return -1;
	return call->when == AT_ONCE ?
		sched_setscheduler(0, SCHED_FIFO, &urgent) : 0;
}

static void *run_call(void *arg)
{
	struct call *call = arg;
	int err = take_turns(call);

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	call->ret = err ?: call->fn(call);
	if (call->ret == -1)
		call->ret = -errno;
	return NULL;
}

/* Returns when the call sleeps. */
static int begin(struct call *call)
{
	if (pthread_create(&call->thread, NULL, run_call, call))
		return -EAGAIN;
	while (!__atomic_load_n(&call->tid, __ATOMIC_ACQUIRE))
		usleep(1000);
	return tcptest_asleep(call->tid);
}

static ssize_t end(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->ret;
}

/* --- others who look at the socket ---------------------------------------- */

struct lookers {
	int fd;
	int stop;
	pthread_t thread[LOOKERS];
	int nr;
};

static void *look_error(void *arg)
{
	struct lookers *l = arg;
	int err;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		socklen_t len = sizeof(err);

		getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	}
	return NULL;
}

static void *look_info(void *arg)
{
	struct lookers *l = arg;
	struct tcp_info info;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		socklen_t len = sizeof(info);

		getsockopt(l->fd, SOL_TCP, TCP_INFO, &info, &len);
	}
	return NULL;
}

/* What ss -ti does. */
static void *look_diag(void *arg)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} ask = {
		.nlh = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.req = {
			.sdiag_family = AF_INET,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = ~0U,
		},
	};
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct lookers *l = arg;
	static char buf[32768];
	struct nlmsghdr *h = (void *)buf;

	while (nl >= 0 && !__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		if (send(nl, &ask, sizeof(ask), 0) < 0)
			break;
		do {
			if (recv(nl, buf, sizeof(buf), 0) <= 0)
				break;
		} while (h->nlmsg_type != NLMSG_DONE &&
			 h->nlmsg_type != NLMSG_ERROR);
	}
	close(nl);
	return NULL;
}

static void look(struct lookers *l, int fd)
{
	static void *(*const fns[LOOKERS])(void *) = {
		look_error, look_info, look_diag,
	};

	l->fd = fd;
	while (l->nr < LOOKERS &&
	       !pthread_create(&l->thread[l->nr], NULL, fns[l->nr], l))
		l->nr++;
}

static void look_away(struct lookers *l)
{
	__atomic_store_n(&l->stop, 1, __ATOMIC_RELAXED);
	while (l->nr)
		pthread_join(l->thread[--l->nr], NULL);
}

/* Variants: somebody looks at the socket meanwhile, or nobody does. */
#define ALONE_OR_LOOKED_AT(fixture)					\
FIXTURE_VARIANT(fixture)						\
{									\
	bool looked_at;							\
};									\
									\
FIXTURE_VARIANT_ADD(fixture, alone)					\
{									\
	.looked_at = false,						\
};									\
									\
FIXTURE_VARIANT_ADD(fixture, looked_at)					\
{									\
	.looked_at = true,						\
}

/* --- a connection that is attached ----------------------------------------- */

FIXTURE(at)
{
	int kern;
	int raw;
	struct lookers lookers;
};

ALONE_OR_LOOKED_AT(at);

FIXTURE_SETUP(at)
{
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern, &self->raw));
	if (variant->looked_at)
		look(&self->lookers, self->kern);
}

FIXTURE_TEARDOWN(at)
{
	look_away(&self->lookers);
	if (self->kern >= 0)
		close(self->kern);
	close(self->raw);
}

static int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static int attach_and_key(int fd)
{
	return tcptest_key(fd, &conf, 0);
}

/* The socket works: a record from the peer comes out of it. */
static void run_record(struct __test_metadata *_metadata, int kern, int raw)
{
	struct peer peer;
	char in[8] = "";

	peer_init(&peer, raw, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(0, peer_send(&peer, NST_TYPE_DATA, "record", 6));
	ASSERT_EQ(6, recv(kern, in, sizeof(in), 0));
	EXPECT_STREQ("record", in);
}

TEST_F(at, reader)
{
	char buf[64];
	struct call call = {
		.fn = do_recv, .fd = self->kern, .buf = buf, .len = sizeof(buf),
	};

	ASSERT_EQ(0, begin(&call));
	ASSERT_EQ(0, attach_and_key(self->kern));
	EXPECT_EQ(-EPIPE, end(&call));
	EXPECT_EQ(0, so_error(self->kern));
	run_record(_metadata, self->kern, self->raw);
}

TEST_F(at, two_readers)
{
	char buf[2][64];
	struct call call[2] = {};
	int i;

	for (i = 0; i < 2; i++) {
		call[i].fn = do_recv;
		call[i].fd = self->kern;
		call[i].buf = buf[i];
		call[i].len = sizeof(buf[i]);
		ASSERT_EQ(0, begin(&call[i]));
	}
	ASSERT_EQ(0, attach_and_key(self->kern));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-EPIPE, end(&call[i]));
	run_record(_metadata, self->kern, self->raw);
}

TEST_F(at, reader_with_a_part)
{
	char buf[64];
	struct call call = {
		.fn = do_recv, .fd = self->kern, .buf = buf, .len = sizeof(buf),
		.flags = MSG_WAITALL,
	};

	ASSERT_EQ(3, send(self->raw, "abc", 3, 0));
	ASSERT_EQ(0, begin(&call));
	ASSERT_EQ(0, attach_and_key(self->kern));
	EXPECT_EQ(3, end(&call));
	run_record(_metadata, self->kern, self->raw);
}

TEST_F(at, splice)
{
	struct call call = { .fn = do_splice, .fd = self->kern };

	ASSERT_EQ(0, begin(&call));
	ASSERT_EQ(0, attach_and_key(self->kern));
	EXPECT_EQ(-EPIPE, end(&call));
	run_record(_metadata, self->kern, self->raw);
}

/* Reads @len bytes, all of them @c. */
static int drain_bytes(int fd, size_t len, char c)
{
	static char in[1 << 16];
	ssize_t n, i;

	while (len) {
		n = recv(fd, in, len < sizeof(in) ? len : sizeof(in), 0);
		if (n <= 0)
			return -1;
		for (i = 0; i < n; i++)
			if (in[i] != c)
				return -EILSEQ;
		len -= n;
	}
	return 0;
}

TEST_F(at, sender)
{
	struct call call = { .fn = do_send, .fd = self->kern, .len = BIG };

	call.buf = malloc(BIG);
	ASSERT_NE(NULL, call.buf);
	memset(call.buf, 'P', BIG);
	ASSERT_EQ(0, begin(&call));
	EXPECT_EQ(-EBUSY, nsttest_attach(self->kern));
	EXPECT_EQ(-EBUSY, nsttest_attach(self->kern));
	/* It is the program's plaintext, and it comes whole. */
	ASSERT_EQ(0, drain_bytes(self->raw, BIG, 'P'));
	EXPECT_EQ(BIG, end(&call));
	ASSERT_EQ(0, attach_and_key(self->kern));
	run_record(_metadata, self->kern, self->raw);
	free(call.buf);
}

/* --- who waits for the lock ------------------------------------------------ */

/*
 * One send() holds the lock; the attach waits for it, and behind that another
 * send(). That one goes first.
 */
TEST_F(at, sender_in_the_queue)
{
	struct call holder = { .fn = do_send, .fd = self->kern, .len = 4096 };
	struct call attach = {
		.fn = do_attach, .fd = self->kern, .when = IN_TURN,
	};
	struct call sender = {
		.fn = do_send, .fd = self->kern, .len = 4096, .when = AT_ONCE,
	};
	struct tcptest_hole hole;
	char page[4096];

	ASSERT_EQ(0, tcptest_hole_open(&hole));
	memset(page, 'P', sizeof(page));
	holder.buf = hole.mem;
	sender.buf = page;
	ASSERT_EQ(0, begin(&holder));
	ASSERT_EQ(0, begin(&attach));
	ASSERT_EQ(0, begin(&sender));
	ASSERT_EQ(0, tcptest_hole_fill(&hole, 'P'));
	EXPECT_EQ(4096, end(&holder));
	EXPECT_EQ(4096, end(&sender));
	EXPECT_EQ(0, end(&attach));
	/* All plaintext comes before what is sealed. */
	ASSERT_EQ(6, send(self->kern, "sealed", 6, 0));
	ASSERT_EQ(0, drain_bytes(self->raw, 2 * 4096, 'P'));
	ASSERT_EQ(4, recv(self->raw, page, 4, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(page, "NSTP", 4));
	tcptest_hole_close(&hole);
}

/* The same, but it has so much that it comes to sleep in TCP. */
TEST_F(at, large_sender_in_the_queue)
{
	struct call holder = { .fn = do_send, .fd = self->kern, .len = 4096 };
	struct call attach = {
		.fn = do_attach, .fd = self->kern, .when = IN_TURN,
	};
	struct call sender = {
		.fn = do_send, .fd = self->kern, .len = BIG, .when = AT_ONCE,
	};
	struct tcptest_hole hole;

	ASSERT_EQ(0, tcptest_hole_open(&hole));
	holder.buf = hole.mem;
	sender.buf = malloc(BIG);
	ASSERT_NE(NULL, sender.buf);
	memset(sender.buf, 'P', BIG);
	ASSERT_EQ(0, begin(&holder));
	ASSERT_EQ(0, begin(&attach));
	ASSERT_EQ(0, begin(&sender));
	ASSERT_EQ(0, tcptest_hole_fill(&hole, 'P'));
	EXPECT_EQ(4096, end(&holder));
	EXPECT_EQ(-EBUSY, end(&attach));
	ASSERT_EQ(0, drain_bytes(self->raw, 4096 + BIG, 'P'));
	EXPECT_EQ(BIG, end(&sender));
	tcptest_hole_close(&hole);
	free(sender.buf);
}

/* --- bytes that go past NST ------------------------------------------------ */

static int intrude(int fd, const char *what)
{
	char text[32];

	snprintf(text, sizeof(text), "%d %s", fd, what);
	return nsttest_write_file("/proc/nst_intruder", text);
}

/*
 * There is always another one who waits for the lock, for longer than the attach lets
 * them through: it gives up, nothing has changed, and later it succeeds.
 */
TEST(never_alone)
{
	char in[8];
	int k, raw;

	ASSERT_EQ(0, system("modprobe nst_intruder"));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &k, &raw));
	ASSERT_EQ(0, intrude(k, "queue"));
	EXPECT_EQ(-1, setsockopt(k, SOL_TCP, TCP_ULP, "nst", 3));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(5, send(k, "plain", 5, 0));
	EXPECT_EQ(5, recv(raw, in, sizeof(in), 0));
	EXPECT_EQ(5, send(raw, "plain", 5, 0));
	EXPECT_EQ(5, recv(k, in, sizeof(in), 0));
	ASSERT_EQ(0, intrude(k, "leave"));
	EXPECT_EQ(0, attach_and_key(k));
	EXPECT_EQ(5, send(k, "plain", 5, 0));
	EXPECT_EQ(PEER_HDR_SIZE, recv(raw, (uint8_t [PEER_HDR_SIZE]){},
				      PEER_HDR_SIZE, MSG_WAITALL));
	close(k);
	close(raw);
	EXPECT_EQ(0, system("rmmod nst_intruder"));
}

/* What the peer gets: @len bytes in all, then a reset. */
static void expect_reset_behind(struct __test_metadata *_metadata, int raw,
				size_t len)
{
	static char in[4096];
	size_t got = 0;
	ssize_t n;

	while ((n = recv(raw, in, sizeof(in), 0)) > 0)
		got += n;
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_LE(got, len);
}

FIXTURE(past)
{
	int kern;
	int raw;
	struct nsttest_counters before;
};

FIXTURE_SETUP(past)
{
	ASSERT_EQ(0, system("modprobe nst_intruder"));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern, &self->raw));
	ASSERT_EQ(0, attach_and_key(self->kern));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(past)
{
	close(self->kern);
	close(self->raw);
	EXPECT_EQ(0, system("rmmod nst_intruder"));
}

static void expect_torn(struct __test_metadata *_metadata,
			FIXTURE_DATA(past) *self)
{
	char c;

	EXPECT_EQ(0, tcptest_state(self->kern, TCP_CLOSE));
	EXPECT_STREQ("NstRxForeign+1", nsttest_grown(&self->before));
	EXPECT_EQ(-1, recv(self->kern, &c, 1, 0));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(-1, send(self->kern, "x", 1, MSG_NOSIGNAL));
}

/* The sender sees that someone else has sent. */
TEST_F(past, given_seen_by_sender)
{
	ASSERT_EQ(2, send(self->kern, "ok", 2, 0));
	ASSERT_EQ(0, intrude(self->kern, "give"));
	EXPECT_EQ(-1, send(self->kern, "lost", 4, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	expect_torn(_metadata, self);
	expect_reset_behind(_metadata, self->raw, PEER_HDR_SIZE + 2 + 5);
}

/* Nor does it end well if the peer has ended before: sending went on until then. */
TEST_F(past, given_behind_truncation)
{
	long foreign = nsttest_stat("NstRxForeign");
	static char in[4096];
	struct peer peer;
	ssize_t n;

	ASSERT_EQ(2, send(self->kern, "ok", 2, 0));
	peer_init(&peer, self->raw, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(0, peer_send(&peer, NST_TYPE_DATA, "record", 6));
	ASSERT_EQ(6, recv(self->kern, in, sizeof(in), 0));
	ASSERT_EQ(0, shutdown(self->raw, SHUT_WR));
	EXPECT_EQ(-1, recv(self->kern, in, sizeof(in), 0));
	EXPECT_EQ(ECONNABORTED, errno);
	ASSERT_EQ(0, intrude(self->kern, "give"));
	EXPECT_EQ(-1, send(self->kern, "lost", 4, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	tcptest_timeout(self->raw, SO_RCVTIMEO, TCPTEST_SOON_MS);
	while ((n = recv(self->raw, in, sizeof(in), 0)) > 0)
		;
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(foreign + 1, nsttest_stat("NstRxForeign"));
}

/* Before the first record, too. */
TEST_F(past, given_first)
{
	ASSERT_EQ(0, intrude(self->kern, "give"));
	EXPECT_EQ(-1, send(self->kern, "lost", 4, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	expect_torn(_metadata, self);
	expect_reset_behind(_metadata, self->raw, 5);
}

/* The receiver sees it as well: nothing comes in on such a connection. */
TEST_F(past, given_seen_by_receiver)
{
	struct peer peer;

	ASSERT_EQ(0, intrude(self->kern, "give"));
	peer_init(&peer, self->raw, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(0, peer_send(&peer, NST_TYPE_DATA, "record", 6));
	expect_torn(_metadata, self);
}

/* In the middle of a stream, and at a record's end, where nothing else shows. */
TEST_F(past, taken_seen_by_receiver)
{
	uint8_t wire[1024];
	struct peer peer;
	size_t n;

	run_record(_metadata, self->kern, self->raw);
	peer_init(&peer, self->raw, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	n = peer_append(&peer, NST_TYPE_DATA, "record", 6, wire);
	ASSERT_EQ(1, send(self->raw, wire, 1, 0));
	ASSERT_EQ(1, tcptest_poll(self->raw, POLLOUT, 1000) == POLLOUT);
	while (intrude(self->kern, "take"))
		usleep(1000);
	ASSERT_EQ((ssize_t)n, send(self->raw, wire, n, 0));
	expect_torn(_metadata, self);
}

/* Only the sender is left to see it: what there was is gone. */
TEST_F(past, taken_seen_by_sender)
{
	ASSERT_EQ(1, send(self->raw, "N", 1, 0));
	while (intrude(self->kern, "take"))
		usleep(1000);
	EXPECT_EQ(-1, send(self->kern, "lost", 4, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	expect_torn(_metadata, self);
}

/* The close record is a record. */
TEST_F(past, given_before_close)
{
	ASSERT_EQ(2, send(self->kern, "ok", 2, 0));
	ASSERT_EQ(0, intrude(self->kern, "give"));
	shutdown(self->kern, SHUT_WR);
	expect_torn(_metadata, self);
	expect_reset_behind(_metadata, self->raw, PEER_HDR_SIZE + 2 + 5);
}

/*
 * Setting keys tells readers of what is there, perhaps twice without a byte in
 * between. That is not TCP's sign that it has dropped some: a record that comes in
 * two parts is not gathered for it.
 */
TEST(keys_twice_before_a_byte)
{
	struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		.flags = NST_F_RESPONDER,
	};
	uint8_t wire[PEER_HDR_SIZE + 1100];
	struct peer_hdr h;
	struct peer p;
	char in[1000];
	int kern, raw;
	long gathered;
	size_t size;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &kern, &raw));
	ASSERT_EQ(0, nsttest_attach(kern));
	ASSERT_EQ(0, nsttest_install(kern, &conf));
	ASSERT_EQ(0, nsttest_install(kern, &conf));
	gathered = nsttest_stat("NstRxCopied");
	ASSERT_LE(0, gathered);
	peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	p.role = PEER_F_INITIATOR;
	peer_prepare(&p, &h, PEER_DATA, sizeof(in));
	tcptest_fill(in, sizeof(in), 0);
	size = peer_build(&p, &h, in, sizeof(in), 0, wire);
	ASSERT_EQ(0, peer_write(raw, wire, 500));
	usleep(100000);
	ASSERT_EQ(0, peer_write(raw, wire + 500, size - 500));
	EXPECT_EQ(0, tcptest_recv(kern, 0, sizeof(in), sizeof(in)));
	EXPECT_EQ(gathered, nsttest_stat("NstRxCopied"));
	close(raw);
	close(kern);
}

/* --- before there is a connection ------------------------------------------ */

FIXTURE(early)
{
	int lis;
	struct sockaddr_in addr;
	struct lookers lookers;
};

ALONE_OR_LOOKED_AT(early);

FIXTURE_SETUP(early)
{
	socklen_t len = sizeof(self->addr);

	self->addr.sin_family = AF_INET;
	self->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->lis = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(self->lis, (void *)&self->addr, len));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->addr, &len));
}

FIXTURE_TEARDOWN(early)
{
	look_away(&self->lookers);
	close(self->lis);
}

static ssize_t do_epoll(struct call *call)
{
	struct epoll_event ev;

	return epoll_wait(*(int *)call->buf, &ev, 1, TCPTEST_SOON_MS);
}

static ssize_t do_poll(struct call *call)
{
	struct pollfd pfd = { .fd = call->fd, .events = POLLIN };

	return poll(&pfd, 1, TCPTEST_SOON_MS);
}

static ssize_t do_select(struct call *call)
{
	struct timeval tv = { .tv_sec = TCPTEST_SOON_MS / 1000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(call->fd, &set);
	return select(call->fd + 1, &set, NULL, NULL, &tv);
}

#define POLLERS	3

/* Has @fd waited for in each way. */
static void begin_pollers(struct __test_metadata *_metadata,
			  struct call *calls, int fd, int *ep)
{
	static ssize_t (*const fns[POLLERS])(struct call *) = {
		do_epoll, do_poll, do_select,
	};
	struct epoll_event ev = { .events = EPOLLIN };
	int i;

	*ep = epoll_create1(0);
	ASSERT_EQ(0, epoll_ctl(*ep, EPOLL_CTL_ADD, fd, &ev));
	for (i = 0; i < POLLERS; i++) {
		calls[i].fn = fns[i];
		calls[i].fd = fd;
		calls[i].buf = ep;
		ASSERT_EQ(0, begin(&calls[i]));
	}
}

/* epoll has the socket from before listen(), the others wait at the attach. */
TEST_F(early, pollers_of_a_listener)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct call calls[POLLERS] = {};
	int a, b, ep, early, i;

	early = epoll_create1(0);
	ASSERT_EQ(0, epoll_ctl(early, EPOLL_CTL_ADD, self->lis, &ev));
	ASSERT_EQ(0, listen(self->lis, 5));
	begin_pollers(_metadata, calls, self->lis, &ep);
	if (variant->looked_at)
		look(&self->lookers, self->lis);
	ASSERT_EQ(0, attach_and_key(self->lis));
	a = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, attach_and_key(a));
	ASSERT_EQ(0, connect(a, (void *)&self->addr, sizeof(self->addr)));
	for (i = 0; i < POLLERS; i++)
		EXPECT_EQ(1, end(&calls[i]));
	EXPECT_EQ(1, epoll_wait(early, &ev, 1, TCPTEST_SOON_MS));
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_send(a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(b, 0, 100, 100));
	close(a);
	close(b);
}

/* The same of a client, from before connect(). */
TEST_F(early, pollers_of_a_client)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct call calls[POLLERS] = {};
	int a, b, ep, early, i;

	ASSERT_EQ(0, listen(self->lis, 5));
	ASSERT_EQ(0, attach_and_key(self->lis));
	a = socket(AF_INET, SOCK_STREAM, 0);
	early = epoll_create1(0);
	ASSERT_EQ(0, epoll_ctl(early, EPOLL_CTL_ADD, a, &ev));
	ASSERT_EQ(0, connect(a, (void *)&self->addr, sizeof(self->addr)));
	epoll_wait(early, &ev, 1, 0);
	begin_pollers(_metadata, calls, a, &ep);
	if (variant->looked_at)
		look(&self->lookers, a);
	ASSERT_EQ(0, attach_and_key(a));
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_send(b, 0, 100, 100));
	for (i = 0; i < POLLERS; i++)
		EXPECT_EQ(1, end(&calls[i]));
	EXPECT_EQ(1, epoll_wait(early, &ev, 1, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(a, 0, 100, 100));
	close(a);
	close(b);
}

/* connect() waits, because the listener's queue is full. */
TEST_F(early, connect)
{
	int filler = socket(AF_INET, SOCK_STREAM, 0), s, b;
	struct call call = { .fn = do_connect, .addr = self->addr };
	struct timeval tv = { .tv_sec = TCPTEST_SOON_MS / 1000 };
	struct peer peer;
	char in[64];

	ASSERT_EQ(0, listen(self->lis, 0));
	ASSERT_EQ(0, connect(filler, (void *)&self->addr, sizeof(self->addr)));
	ASSERT_EQ(POLLIN, tcptest_poll(self->lis, POLLIN, TCPTEST_SOON_MS));
	call.fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(call.fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	ASSERT_EQ(0, begin(&call));
	if (variant->looked_at)
		look(&self->lookers, call.fd);
	ASSERT_EQ(0, attach_and_key(call.fd));
	s = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, s);
	close(s);
	EXPECT_EQ(0, end(&call));
	look_away(&self->lookers);
	ASSERT_EQ(1, send(call.fd, "x", 1, MSG_NOSIGNAL));
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	peer_init(&peer, b, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(PEER_HDR_SIZE + 1,
		  recv(b, in, PEER_HDR_SIZE + 1, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, "NSTP", 4));
	close(b);
	close(call.fd);
	close(filler);
}

/*
 * The same with a recv() beside it, which must not go on in TCP; and with another
 * connect(), of behind the attach.
 */
TEST_F(early, reader_of_a_connect)
{
	int filler = socket(AF_INET, SOCK_STREAM, 0), fd, s, b;
	struct call call = { .fn = do_connect, .addr = self->addr };
	struct call again = call, reader = { .fn = do_recv };
	char buf[64];

	ASSERT_EQ(0, listen(self->lis, 0));
	ASSERT_EQ(0, connect(filler, (void *)&self->addr, sizeof(self->addr)));
	ASSERT_EQ(POLLIN, tcptest_poll(self->lis, POLLIN, TCPTEST_SOON_MS));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, tcptest_timeout(fd, SO_SNDTIMEO, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_timeout(fd, SO_RCVTIMEO, TCPTEST_SOON_MS));
	call.fd = again.fd = reader.fd = fd;
	reader.buf = buf;
	reader.len = sizeof(buf);
	ASSERT_EQ(0, begin(&call));
	ASSERT_EQ(0, begin(&reader));
	if (variant->looked_at)
		look(&self->lookers, fd);
	ASSERT_EQ(0, attach_and_key(fd));
	EXPECT_EQ(-EPIPE, end(&reader));
	ASSERT_EQ(0, begin(&again));
	s = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, s);
	close(s);
	EXPECT_EQ(0, end(&call));
	EXPECT_EQ(0, end(&again));
	look_away(&self->lookers);
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	run_record(_metadata, fd, b);
	close(b);
	close(fd);
	close(filler);
}

/* A send() of behind the attach waits for the connection, as a plain one does. */
TEST_F(early, sender_of_a_connect)
{
	int filler = socket(AF_INET, SOCK_STREAM, 0), fd, s, b;
	struct call call = { .fn = do_connect, .addr = self->addr };
	struct call sender = { .fn = do_send };
	char buf[2] = "x";

	ASSERT_EQ(0, listen(self->lis, 0));
	ASSERT_EQ(0, connect(filler, (void *)&self->addr, sizeof(self->addr)));
	ASSERT_EQ(POLLIN, tcptest_poll(self->lis, POLLIN, TCPTEST_SOON_MS));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, tcptest_timeout(fd, SO_SNDTIMEO, TCPTEST_SOON_MS));
	call.fd = sender.fd = fd;
	sender.buf = buf;
	sender.len = 1;
	ASSERT_EQ(0, begin(&call));
	if (variant->looked_at)
		look(&self->lookers, fd);
	ASSERT_EQ(0, attach_and_key(fd));
	ASSERT_EQ(0, begin(&sender));
	s = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, s);
	close(s);
	EXPECT_EQ(0, end(&call));
	EXPECT_EQ(1, end(&sender));
	look_away(&self->lookers);
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, attach_and_key(b));
	ASSERT_EQ(1, recv(b, buf + 1, 1, 0));
	EXPECT_EQ('x', buf[1]);
	close(b);
	close(fd);
	close(filler);
}

/* accept() waits, and brings a child of after the attach; all of it is NST's. */
TEST_F(early, accept)
{
	struct call call = { .fn = do_accept, .fd = self->lis };
	char ulp[16] = "", in[128];
	socklen_t len = sizeof(ulp);
	int a, b, p[2];

	ASSERT_EQ(0, listen(self->lis, 5));
	ASSERT_EQ(0, begin(&call));
	if (variant->looked_at)
		look(&self->lookers, self->lis);
	ASSERT_EQ(0, attach_and_key(self->lis));
	a = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, attach_and_key(a));
	ASSERT_EQ(0, connect(a, (void *)&self->addr, sizeof(self->addr)));
	b = end(&call);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, getsockopt(b, SOL_TCP, TCP_ULP, ulp, &len));
	EXPECT_STREQ("nst", ulp);
	/* TCP's splice() would take ciphertext. */
	ASSERT_EQ(6, send(a, "record", 6, 0));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(6, splice(b, NULL, p[1], NULL, sizeof(in), 0));
	ASSERT_EQ(6, read(p[0], in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, "record", 6));
	close(a);
	close(b);
}

/*
 * A refused connection is taken back for the next try, whatever the worker does that
 * the keys have called.
 */
TEST(connect_again_after_refusal)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int i, hold, fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hold = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(hold, (void *)&sin, len));
	ASSERT_EQ(0, getsockname(hold, (void *)&sin, &len));
	for (i = 0; i < 500; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, attach_and_key(fd));
		EXPECT_EQ(-1, connect(fd, (void *)&sin, len));
		EXPECT_EQ(ECONNREFUSED, errno);
		EXPECT_EQ(-1, connect(fd, (void *)&sin, len));
		ASSERT_EQ(ECONNREFUSED, errno);
		close(fd);
	}
	close(hold);
}

#define FASTOPEN	"/proc/sys/net/ipv4/tcp_fastopen"

/* What went with the SYN of a connection that is no more is none of the next one's. */
TEST(connect_after_fast_open)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin), size;
	int lis, fd, b;
	struct tcp_info info;
	char was[16], in[8];

	snprintf(was, sizeof(was), "%ld", nsttest_number(FASTOPEN));
	/* Both ends, without a cookie. */
	ASSERT_EQ(0, nsttest_write_file(FASTOPEN, "1543"));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lis = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(lis, (void *)&sin, len));
	ASSERT_EQ(0, getsockname(lis, (void *)&sin, &len));
	ASSERT_EQ(0, tcptest_set_int(lis, SOL_TCP, TCP_FASTOPEN, 5));
	ASSERT_EQ(0, listen(lis, 5));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(5, sendto(fd, "plain", 5, MSG_FASTOPEN, (void *)&sin, len));
	b = accept(lis, NULL, NULL);
	ASSERT_EQ(5, recv(b, in, sizeof(in), 0));
	size = sizeof(info);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &size));
	EXPECT_TRUE(info.tcpi_options & TCPI_OPT_SYN_DATA);
	close(b);
	ASSERT_EQ(0, connect(fd, &none, sizeof(none)));
	ASSERT_EQ(0, attach_and_key(fd));
	ASSERT_EQ(0, connect(fd, (void *)&sin, len));
	b = accept(lis, NULL, NULL);
	ASSERT_LE(0, b);
	run_record(_metadata, fd, b);
	close(b);
	close(fd);
	close(lis);
	EXPECT_EQ(0, nsttest_write_file(FASTOPEN, was));
}

/* An IPv6 socket by birth, and so it is freed, too. */
TEST(listener_that_was_ipv6)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int lis, fd, a, b, four = AF_INET;
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lis = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(lis, (void *)&sin, len));
	ASSERT_EQ(0, getsockname(lis, (void *)&sin, &len));
	ASSERT_EQ(0, listen(lis, 1));
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	in6.sin6_port = sin.sin_port;
	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr));
	ASSERT_EQ(0, connect(fd, (void *)&in6, sizeof(in6)));
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &four,
				sizeof(four)));
	ASSERT_EQ(0, connect(fd, &none, sizeof(none)));
	sin.sin_port = 0;
	ASSERT_EQ(0, bind(fd, (void *)&sin, sizeof(sin)));
	ASSERT_EQ(0, getsockname(fd, (void *)&sin, &len));
	ASSERT_EQ(0, attach_and_key(fd));
	ASSERT_EQ(0, listen(fd, 1));
	a = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, attach_and_key(a));
	ASSERT_EQ(0, connect(a, (void *)&sin, len));
	b = accept(fd, NULL, NULL);
	ASSERT_LE(0, b);
	EXPECT_EQ(1, send(a, "x", 1, 0));
	EXPECT_EQ(1, recv(b, (char[1]){}, 1, 0));
	close(a);
	close(b);
	close(fd);
	close(lis);
	/* The last reference goes behind a grace period. */
	usleep(300000);
}

TEST_HARNESS_MAIN
