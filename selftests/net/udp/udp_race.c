// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are inside UDP when another thread attaches NST, held there by a
 * page that userfaultfd does not give them yet; and readers and writers who
 * must not wait for one that is held like that.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guardtest.h"
#include "kselftest_harness.h"
#include "udptest.h"

#ifndef UDP_ENCAP
#define UDP_ENCAP	100
#endif
#define UDP_ENCAP_ESPINUDP	2
#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM	1
#endif

static const struct udptest_conf aes4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
};

static const struct udptest_conf aes_dual = {
	.family = UDPTEST_DUAL, .cipher_id = NST_CIPHER_AES_GCM,
};

static const struct udptest_conf plain4 = { .family = UDPTEST_IPV4 };
static const struct udptest_conf plain_dual = { .family = UDPTEST_DUAL };

/* A call in a thread of its own: of setsockopt(), send(), recvmsg() or recv(). */
struct call {
	pthread_t thread;
	pid_t tid;
	enum { SETSOCKOPT, SEND, RECV, READ } what;
	int fd, level, opt;
	void *buf;
	size_t len;
	long ret;
};

FIXTURE(race)
{
	int uffd;
	void *page;
	int a;
	int raw;
};

FIXTURE_SETUP(race)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	ASSERT_EQ(0, nsttest_netns());
	self->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	ASSERT_LE(0, self->uffd);
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_API, &api));
	self->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)self->page;
	reg.range.len = 4096;
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_REGISTER, &reg));
	self->a = udptest_bound(&plain4);
	self->raw = udptest_bound(&plain4);
	ASSERT_EQ(0, udptest_connect(self->a, self->raw));
}

FIXTURE_TEARDOWN(race)
{
	close(self->a);
	close(self->raw);
	close(self->uffd);
}

static void *run(void *arg)
{
	char control[64];
	struct call *c = arg;
	struct iovec iov = { .iov_base = c->buf, .iov_len = c->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };

	__atomic_store_n(&c->tid, gettid(), __ATOMIC_RELEASE);
	if (c->what == SEND)
		c->ret = send(c->fd, c->buf, c->len, c->opt);
	else if (c->what == RECV)
		c->ret = recvmsg(c->fd, &msg, c->opt);
	else if (c->what == READ)
		c->ret = recv(c->fd, c->buf, c->len, c->opt);
	else
		c->ret = setsockopt(c->fd, c->level, c->opt, c->buf, c->len);
	if (c->ret < 0)
		c->ret = -errno;
	return NULL;
}

static void begin(struct call *c)
{
	pthread_create(&c->thread, NULL, run, c);
}

static long end(struct call *c)
{
	pthread_join(c->thread, NULL);
	return c->ret;
}

/* Waits until somebody wants the page. */
static void held(struct __test_metadata *_metadata, int uffd)
{
	struct uffd_msg msg;

	ASSERT_EQ((ssize_t)sizeof(msg), read(uffd, &msg, sizeof(msg)));
}

static void give(struct __test_metadata *_metadata, int uffd, void *page,
		 const void *data, size_t len)
{
	static uint8_t buf[4096] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page, .src = (uintptr_t)buf, .len = 4096,
	};

	memset(buf, 0, sizeof(buf));
	memcpy(buf, data, len);
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_COPY, &copy));
}

static int got(int fd, void *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	if (poll(&p, 1, 100) <= 0)
		return -EAGAIN;
	n = recv(fd, buf, size, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* A setsockopt() that goes on behind the attach, with @value. */
static long option_behind(struct __test_metadata *_metadata,
			  FIXTURE_DATA(race) *self, int level, int opt,
			  int value, const struct udptest_conf *conf)
{
	struct call c = { .what = SETSOCKOPT, .fd = self->a, .level = level,
			  .opt = opt, .buf = self->page, .len = sizeof(int) };

	begin(&c);
	held(_metadata, self->uffd);
	ASSERT_EQ(0, udptest_attach(self->a)) return -1;
	ASSERT_EQ(0, udptest_install(self->a, conf)) return -1;
	give(_metadata, self->uffd, self->page, &value, sizeof(value));
	return end(&c);
}

/* Its bytes are not there yet, but UDP has a buffer for them. */
TEST_F(race, sender)
{
	struct call c = { .what = SEND, .fd = self->a, .buf = self->page,
			  .len = 16 };
	char buf[64];

	begin(&c);
	held(_metadata, self->uffd);
	EXPECT_EQ(-EBUSY, udptest_attach(self->a));
	give(_metadata, self->uffd, self->page, "plaintext, early", 16);
	EXPECT_EQ(16, end(&c));
	EXPECT_EQ(16, got(self->raw, buf, sizeof(buf)));
	EXPECT_EQ(0, udptest_attach(self->a));
}

/*
 * Who waits for the lock goes first. If he has not taken it for good when the
 * attach looks again, his plaintext stands on the socket behind it, and nothing
 * goes any more.
 */
TEST_F(race, sender_who_waits_for_the_lock)
{
	struct call holder = { .what = SEND, .fd = self->a, .buf = self->page,
			       .len = 4 };
	struct call more = { .what = SEND, .fd = self->a, .opt = MSG_MORE,
			     .buf = "SECRET", .len = 6 };
	struct call attach = { .what = SETSOCKOPT, .fd = self->a,
			       .level = IPPROTO_IP, .opt = NST_ATTACH,
			       .buf = &(int){ 1 }, .len = sizeof(int) };
	char buf[64];

	ASSERT_EQ(2, send(self->a, "x:", 2, MSG_MORE));
	begin(&holder);
	held(_metadata, self->uffd);
	begin(&attach);
	usleep(50000);
	begin(&more);
	usleep(50000);
	give(_metadata, self->uffd, self->page, "held", 4);
	EXPECT_EQ(4, end(&holder));
	EXPECT_EQ(6, end(&more));
	EXPECT_EQ(6, got(self->raw, buf, sizeof(buf)));
	if (!end(&attach)) {
		ASSERT_EQ(0, udptest_install(self->a, &aes4));
		EXPECT_EQ(-EIO, udptest_send(self->a, 1, 100));
		EXPECT_EQ(-EAGAIN, got(self->raw, buf, sizeof(buf)));
	} else {
		EXPECT_EQ(-EBUSY, attach.ret);
	}
}

TEST_F(race, cork)
{
	char buf[256];
	int i;

	ASSERT_EQ(0, option_behind(_metadata, self, SOL_UDP, UDP_CORK, 1,
				   &aes4));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EIO, udptest_send(self->a, i, 100));
	EXPECT_EQ(-EIO, udptest_try(self->a));
	tcptest_set_int(self->a, SOL_UDP, UDP_CORK, 0);
	EXPECT_EQ(-EIO, udptest_send(self->a, i, 100));
	EXPECT_EQ(-EAGAIN, got(self->raw, buf, sizeof(buf)));
}

/* What is sealed would be cut in pieces that nobody can open. */
static void segments(struct __test_metadata *_metadata,
		     FIXTURE_DATA(race) *self, int size)
{
	char buf[256];
	int i;

	ASSERT_EQ(0, option_behind(_metadata, self, SOL_UDP, UDP_SEGMENT, size,
				   &aes4));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EIO, udptest_send(self->a, i, 100));
	EXPECT_EQ(-EIO, udptest_try(self->a));
	/* For good: NST's own option comes too late. */
	tcptest_set_int(self->a, SOL_UDP, UDP_SEGMENT, 0);
	EXPECT_EQ(-EIO, udptest_send(self->a, i, 100));
	EXPECT_EQ(-EAGAIN, got(self->raw, buf, sizeof(buf)));
}

TEST_F(race, segments_of_one_byte)
{
	segments(_metadata, self, 1);
}

TEST_F(race, segments_of_the_most)
{
	segments(_metadata, self, 0xffff);
}

TEST_F(race, encapsulation)
{
	struct udptest_name to;
	char buf[256];

	ASSERT_EQ(0, option_behind(_metadata, self, SOL_UDP, UDP_ENCAP,
				   UDP_ENCAP_ESPINUDP, &aes4));
	ASSERT_EQ(0, udptest_name(self->a, &to));
	ASSERT_EQ(16, sendto(self->raw, "\0\0\0\0not sealed!!", 16, 0,
			     udptest_sa(&to), to.len));
	EXPECT_EQ(-EIO, got(self->a, buf, sizeof(buf)));
	EXPECT_EQ(-EIO, udptest_try(self->a));
	EXPECT_EQ(-EIO, udptest_send(self->a, 1, 100));
}

/*
 * The socket is UDP's own then. It receives nothing, sends nothing from the
 * second datagram on at the latest, and leaves nothing behind.
 */
TEST_F(race, family)
{
	int i, before;
	char buf[256];

	close(self->a);
	close(self->raw);
	for (i = 0; i < 500 && nsttest_number(NSTTEST_USERS); i++)
		usleep(10000);
	before = nsttest_number(NSTTEST_USERS);
	self->a = udptest_bound(&plain_dual);
	self->raw = udptest_bound(&plain_dual);
	ASSERT_EQ(0, udptest_connect(self->a, self->raw));
	ASSERT_EQ(0, option_behind(_metadata, self, SOL_IPV6, IPV6_ADDRFORM,
				   AF_INET, &aes_dual));
	send(self->a, "first", 5, 0);
	got(self->raw, buf, sizeof(buf));
	EXPECT_EQ(-1, send(self->a, "second", 6, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-EAGAIN, got(self->raw, buf, sizeof(buf)));
	close(self->a);
	close(self->raw);
	self->a = self->raw = -1;
	EXPECT_EQ(0, udptest_stat_at_last("NstSockets", 0));
	for (i = 0; i < 500 && nsttest_number(NSTTEST_USERS) != before; i++)
		usleep(10000);
	EXPECT_EQ(before, nsttest_number(NSTTEST_USERS));
}

/* The guard is not the socket's, and still there: not even one goes out. */
TEST_F(race, family_on_a_guarded_port)
{
	struct udptest_name name;
	struct talk t;
	char buf[256];

	close(self->a);
	close(self->raw);
	self->a = udptest_bound(&plain_dual);
	self->raw = udptest_bound(&plain_dual);
	ASSERT_EQ(0, udptest_connect(self->a, self->raw));
	ASSERT_EQ(0, udptest_connect(self->raw, self->a));
	ASSERT_EQ(0, udptest_name(self->a, &name));
	ASSERT_EQ(0, nl_open(&t));
	ASSERT_EQ(0, guard_add_port(&t, IPPROTO_UDP, udptest_port(&name), false));
	ASSERT_EQ(0, option_behind(_metadata, self, SOL_IPV6, IPV6_ADDRFORM,
				   AF_INET, &aes_dual));
	EXPECT_GT(0, send(self->a, "first", 5, MSG_NOSIGNAL));
	EXPECT_GT(0, send(self->a, "second", 6, MSG_NOSIGNAL));
	EXPECT_EQ(-EAGAIN, got(self->raw, buf, sizeof(buf)));
	send(self->raw, "back", 4, 0);
	EXPECT_EQ(-EAGAIN, got(self->a, buf, sizeof(buf)));
	nl_close(&t);
}

/* Its namespace goes before anybody has closed it, and with it what it has left. */
TEST_F(race, family_in_a_namespace_that_goes)
{
	int i, before;

	close(self->a);
	close(self->raw);
	for (i = 0; i < 500 && nsttest_number(NSTTEST_USERS); i++)
		usleep(10000);
	before = nsttest_number(NSTTEST_USERS);
	self->a = udptest_bound(&plain_dual);
	self->raw = udptest_bound(&plain_dual);
	ASSERT_EQ(0, udptest_connect(self->a, self->raw));
	ASSERT_EQ(0, option_behind(_metadata, self, SOL_IPV6, IPV6_ADDRFORM,
				   AF_INET, &aes_dual));
	/* The descriptors are all that holds it now. */
	ASSERT_EQ(0, nsttest_netns());
	send(self->a, "first", 5, MSG_NOSIGNAL);
	close(self->raw);
	close(self->a);
	self->a = udptest_bound(&plain4);
	self->raw = udptest_bound(&plain4);
	for (i = 0; i < 500 && nsttest_number(NSTTEST_USERS) != before; i++)
		usleep(10000);
	EXPECT_EQ(before, nsttest_number(NSTTEST_USERS));
}

/* A reader of the first of two datagrams is in a page fault. */
TEST_F(race, reader)
{
	struct call c = { .what = RECV, .buf = self->page, .len = 64 };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int a, b, ep = epoll_create1(0);
	char buf[128];

	ASSERT_EQ(0, udptest_met(&aes4, &a, &b));
	ASSERT_EQ(0, udptest_send(a, 1, 100));
	ASSERT_EQ(0, udptest_arrived(b));
	c.fd = b;
	begin(&c);
	held(_metadata, self->uffd);
	ASSERT_EQ(0, udptest_send(a, 2, 100));
	ASSERT_EQ(0, udptest_arrived(b));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, 1000));
	/* Nobody may keep this one, and it is told when to come again. */
	EXPECT_EQ(-1, recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	give(_metadata, self->uffd, self->page, "", 1);
	EXPECT_EQ(64, end(&c));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 5000));
	EXPECT_EQ(100, recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	close(ep);
	close(a);
	close(b);
}

/* Nor one who waits only so long. */
TEST_F(race, reader_with_a_timeout)
{
	struct call c = { .what = RECV, .buf = self->page, .len = 64 };
	struct timeval tv = { .tv_usec = 100000 };
	char buf[128];
	int a, b;

	ASSERT_EQ(0, udptest_met(&aes4, &a, &b));
	ASSERT_EQ(0, udptest_send(a, 1, 100));
	ASSERT_EQ(0, udptest_arrived(b));
	c.fd = b;
	begin(&c);
	held(_metadata, self->uffd);
	setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	EXPECT_EQ(-1, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(EAGAIN, errno);
	give(_metadata, self->uffd, self->page, "", 1);
	EXPECT_EQ(64, end(&c));
	close(a);
	close(b);
}

static void interrupt(int sig __attribute__((unused)))
{
}

static void asleep(struct __test_metadata *_metadata, struct call *c)
{
	pid_t tid;

	while (!(tid = __atomic_load_n(&c->tid, __ATOMIC_ACQUIRE)))
		usleep(1000);
	ASSERT_EQ(0, tcptest_asleep(tid));
}

/* Does it end? It is made to, if it does not by itself. */
static bool ends(struct call *c)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NSTTEST_TIMEOUT;
	if (!pthread_timedjoin_np(c->thread, NULL, &until))
		return true;
	pthread_kill(c->thread, SIGUSR1);
	end(c);
	return false;
}

/*
 * One datagram wakes one of two who wait for it. As it is the first that has a type,
 * that one waits for a reader in a page fault, and is interrupted: the other one is
 * told of it when the reader has done.
 */
TEST_F(race, reader_gives_up)
{
	struct sigaction sa = { .sa_handler = interrupt };
	char one[128], two[128];
	struct call x = { .what = READ, .buf = self->page, .len = 64 };
	struct call y = { .what = READ, .buf = one, .len = sizeof(one) };
	struct call z = { .what = READ, .buf = two, .len = sizeof(two) };
	uint8_t type = 20;
	int a, b;

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	ASSERT_EQ(0, udptest_met(&aes4, &a, &b));
	ASSERT_EQ(0, udptest_send(a, 1, 100));
	ASSERT_EQ(0, udptest_arrived(b));
	x.fd = y.fd = z.fd = b;
	/* Whose time is up looks once more, and would find it. */
	ASSERT_EQ(0, tcptest_timeout(b, SO_RCVTIMEO, 0));
	begin(&x);
	held(_metadata, self->uffd);
	begin(&y);
	asleep(_metadata, &y);
	begin(&z);
	asleep(_metadata, &z);
	ASSERT_EQ(100, udptest_send_ctl(a, NULL, 2, 100, SOL_NST,
					NST_SET_RECORD_TYPE, &type, 1));
	ASSERT_EQ(0, udptest_arrived(b));
	asleep(_metadata, &y);
	pthread_kill(y.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, end(&y));
	give(_metadata, self->uffd, self->page, "", 1);
	EXPECT_EQ(64, end(&x));
	EXPECT_TRUE(ends(&z));
	EXPECT_EQ(100, z.ret);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
