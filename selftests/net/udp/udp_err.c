// SPDX-License-Identifier: GPL-2.0
/*
 * Errors that the network reports, connect and disconnect, shutdown, and
 * close while others use the socket.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/errqueue.h>

#include "kselftest_harness.h"
#include "udptest.h"

/* An error's report in the error queue. */
struct report {
	struct sock_extended_err ee;
	struct sockaddr_storage offender;
	struct udptest_name to;		/* where the datagram went */
	ssize_t len;			/* of what came along */
	int flags;
};

FIXTURE(err)
{
	int a;
	int b;
	struct udptest_name nobody;
};

FIXTURE_VARIANT(err)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(err);

FIXTURE_SETUP(err)
{
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, udptest_nobody(&variant->conf, &self->nobody));
}

FIXTURE_TEARDOWN(err)
{
	if (self->a >= 0)
		close(self->a);
	if (self->b >= 0)
		close(self->b);
}

static int sock_error(int fd)
{
	int err = -1;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -1 : err;
}

static int connect_to(int fd, struct udptest_name *name)
{
	return connect(fd, udptest_sa(name), name->len) ? -errno : 0;
}

static int wait_error(int fd)
{
	return tcptest_poll(fd, 0, nsttest_patience(TCPTEST_SOON_MS)) &
		POLLERR ? 0 : -ETIMEDOUT;
}

/* --- ECONNREFUSED ---------------------------------------------------------- */

TEST_F(err, refused_send)
{
	ASSERT_EQ(0, connect_to(self->a, &self->nobody));
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, wait_error(self->a));
	EXPECT_EQ(-ECONNREFUSED, udptest_send(self->a, 2, 100));
	/* Told once. */
	EXPECT_EQ(0, tcptest_poll(self->a, POLLIN, 0));
	EXPECT_EQ(0, udptest_send(self->a, 3, 100));
	EXPECT_EQ(0, wait_error(self->a));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->a));
	EXPECT_EQ(0, sock_error(self->a));
}

TEST_F(err, refused_recv)
{
	char byte;

	ASSERT_EQ(0, connect_to(self->a, &self->nobody));
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(-1, recv(self->a, &byte, 1, 0));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(-1, recv(self->a, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* A peer that goes and comes back. */
TEST_F(err, refused_and_back)
{
	struct udptest_name b;

	ASSERT_EQ(0, udptest_name(self->b, &b));
	close(self->b);
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, wait_error(self->a));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->a));
	self->b = udptest_new(&variant->conf);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, bind(self->b, udptest_sa(&b), b.len));
	EXPECT_EQ(0, udptest_send(self->a, 2, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 100));
}

/* A socket that is not connected is not told. */
TEST_F(err, unconnected)
{
	int fd = udptest_bound(&variant->conf);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, udptest_sendto(fd, &self->nobody, 1, 100));
	EXPECT_EQ(0, udptest_sendto(fd, &self->nobody, 2, 100));
	EXPECT_EQ(0, tcptest_poll(fd, POLLIN, TCPTEST_NEVER_MS));
	EXPECT_EQ(0, sock_error(fd));
	close(fd);
}

/* --- the error queue ------------------------------------------------------- */

/* An IPv6 socket tells of IPv4's errors in IPv6's messages. */
static int recv_error(int fd, const struct udptest_conf *conf,
		      struct report *r)
{
	bool in6 = conf->family != UDPTEST_IPV4;
	union {
		char buf[512];
		struct cmsghdr align;
	} control = {};
	uint8_t buf[2000];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &r->to.ss, .msg_namelen = sizeof(r->to.ss),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;

	memset(r, 0, sizeof(*r));
	r->len = recvmsg(fd, &msg, MSG_ERRQUEUE);
	if (r->len < 0)
		return -errno;
	r->flags = msg.msg_flags;
	r->to.len = msg.msg_namelen;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != (in6 ? SOL_IPV6 : SOL_IP) ||
		    cmsg->cmsg_type != (in6 ? IPV6_RECVERR : IP_RECVERR))
			continue;
		memcpy(&r->ee, CMSG_DATA(cmsg), sizeof(r->ee));
		memcpy(&r->offender, SO_EE_OFFENDER((struct sock_extended_err *)
						    CMSG_DATA(cmsg)),
		       in6 ? sizeof(struct sockaddr_in6) :
		       sizeof(struct sockaddr_in));
		return 0;
	}
	return -ENODATA;
}

static int want_reports(int fd, const struct udptest_conf *conf)
{
	bool v6 = udptest_is_v6(conf);

	return tcptest_set_int(fd, v6 ? SOL_IPV6 : SOL_IP,
			       v6 ? IPV6_RECVERR : IP_RECVERR, 1);
}

static bool from_loopback(const struct report *r,
			  const struct udptest_conf *conf)
{
	const struct sockaddr_in6 *in6 = (const void *)&r->offender;
	const struct sockaddr_in *in = (const void *)&r->offender;
	struct udptest_name want;

	udptest_loopback(conf, 0, &want);
	if (conf->family != UDPTEST_IPV4)
		return in6->sin6_family == AF_INET6 &&
			!memcmp(&in6->sin6_addr,
				&((struct sockaddr_in6 *)&want.ss)->sin6_addr,
				sizeof(in6->sin6_addr));
	return in->sin_family == AF_INET &&
		in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

static void check_report(struct __test_metadata *_metadata, int fd,
			 const struct udptest_conf *conf,
			 struct udptest_name *to)
{
	bool v6 = udptest_is_v6(conf);
	struct report r;

	ASSERT_EQ(0, wait_error(fd));
	ASSERT_EQ(0, recv_error(fd, conf, &r));
	EXPECT_EQ(ECONNREFUSED, (int)r.ee.ee_errno);
	EXPECT_EQ(v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP, r.ee.ee_origin);
	EXPECT_EQ(v6 ? 1 : 3, r.ee.ee_type);
	EXPECT_EQ(v6 ? 4 : 3, r.ee.ee_code);
	EXPECT_TRUE(from_loopback(&r, conf));
	EXPECT_EQ(MSG_ERRQUEUE, r.flags & MSG_ERRQUEUE);
	EXPECT_EQ(udptest_port(to), udptest_port(&r.to));
	EXPECT_LT(0, r.len);
	EXPECT_EQ(-EAGAIN, recv_error(fd, conf, &r));
}

TEST_F(err, reports_connected)
{
	ASSERT_EQ(0, want_reports(self->a, &variant->conf));
	ASSERT_EQ(0, connect_to(self->a, &self->nobody));
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	check_report(_metadata, self->a, &variant->conf, &self->nobody);
	EXPECT_EQ(0, sock_error(self->a));
}

/* IP_RECVERR tells a socket that is not connected as well. */
TEST_F(err, reports_unconnected)
{
	int fd = udptest_bound(&variant->conf);
	struct udptest_name b;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, want_reports(fd, &variant->conf));
	EXPECT_EQ(0, udptest_sendto(fd, &self->nobody, 1, 100));
	ASSERT_EQ(0, wait_error(fd));
	EXPECT_EQ(-ECONNREFUSED, udptest_sendto(fd, &self->nobody, 2, 100));
	check_report(_metadata, fd, &variant->conf, &self->nobody);
	/* And then works for others. */
	close(self->b);
	self->b = udptest_bound(&variant->conf);
	ASSERT_EQ(0, udptest_name(self->b, &b));
	EXPECT_EQ(0, udptest_sendto(fd, &b, 3, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 3, 100));
	close(fd);
}

TEST_F(err, queue_is_empty)
{
	struct report r;

	EXPECT_EQ(-EAGAIN, recv_error(self->a, &variant->conf, &r));
}

/* --- the path's MTU -------------------------------------------------------- */

FIXTURE(mtu)
{
	int a;
	int b;
};

FIXTURE_VARIANT(mtu)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(mtu);

FIXTURE_SETUP(mtu)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
}

FIXTURE_TEARDOWN(mtu)
{
	close(self->a);
	close(self->b);
}

static int never_fragment(int fd, bool v6)
{
	return tcptest_set_int(fd, v6 ? SOL_IPV6 : SOL_IP,
			       v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
			       IP_PMTUDISC_DO);
}

/* The limit is what the network carries in one piece, with NST's header. */
TEST_F(mtu, exact)
{
	size_t fits = udptest_fitting(&variant->conf, 1500);

	ASSERT_EQ(0, never_fragment(self->a, udptest_is_v6(&variant->conf)));
	EXPECT_EQ(0, udptest_send(self->a, 1, fits));
	EXPECT_EQ(0, udptest_recv(self->b, 1, fits));
	EXPECT_EQ(-EMSGSIZE, udptest_send(self->a, 2, fits + 1));
	EXPECT_EQ(-EMSGSIZE, udptest_send(self->a, 2, 60000));
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, udptest_send(self->a, 3, fits));
	EXPECT_EQ(0, udptest_recv(self->b, 3, fits));
}

TEST_F(mtu, report)
{
	struct report r;

	ASSERT_EQ(0, never_fragment(self->a, udptest_is_v6(&variant->conf)));
	ASSERT_EQ(0, want_reports(self->a, &variant->conf));
	EXPECT_EQ(-EMSGSIZE, udptest_send(self->a, 1, 5000));
	ASSERT_EQ(0, wait_error(self->a));
	ASSERT_EQ(0, recv_error(self->a, &variant->conf, &r));
	EXPECT_EQ(EMSGSIZE, (int)r.ee.ee_errno);
	EXPECT_EQ(SO_EE_ORIGIN_LOCAL, r.ee.ee_origin);
	EXPECT_EQ(1500, (int)r.ee.ee_info);
}

TEST_F(mtu, fragments)
{
	static const size_t len[] = { 1400, 1425, 1473, 3000, 9000, 65000 };
	size_t i;

	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		EXPECT_EQ(0, udptest_send(self->a, i, len[i]));
		EXPECT_EQ(0, udptest_recv(self->b, i, len[i]));
	}
}

/* --- connect --------------------------------------------------------------- */

/* A port that bind() chose goes with the connection. */
TEST_F(err, disconnect)
{
	struct udptest_name name, now;

	ASSERT_EQ(0, udptest_disconnect(self->a));
	EXPECT_EQ(-ENOTCONN, udptest_peer(self->a, &name));
	EXPECT_EQ(-EDESTADDRREQ, udptest_send(self->a, 1, 100));
	ASSERT_EQ(0, udptest_name(self->b, &name));
	ASSERT_EQ(0, udptest_disconnect(self->b));
	ASSERT_EQ(0, udptest_name(self->b, &now));
	EXPECT_EQ(0, udptest_port(&now));
	ASSERT_EQ(0, bind(self->b, udptest_sa(&name), name.len));
	ASSERT_EQ(0, udptest_sendto(self->a, &name, 2, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 100));
}

/* Whom a socket is connected to, it hears; nobody else. */
TEST_F(err, reconnect)
{
	int c = udptest_bound(&variant->conf);
	struct udptest_name a;

	ASSERT_LE(0, c);
	ASSERT_EQ(0, udptest_name(self->a, &a));
	ASSERT_EQ(0, udptest_sendto(c, &a, 1, 100));
	EXPECT_TRUE(udptest_silent(self->a));
	ASSERT_EQ(0, udptest_connect(self->a, c));
	ASSERT_EQ(0, udptest_send(self->a, 2, 100));
	EXPECT_EQ(0, udptest_recv(c, 2, 100));
	ASSERT_EQ(0, udptest_sendto(c, &a, 3, 100));
	EXPECT_EQ(0, udptest_recv(self->a, 3, 100));
	ASSERT_EQ(0, udptest_sendto(self->b, &a, 4, 100));
	EXPECT_TRUE(udptest_silent(self->a));
	close(c);
}

/* --- shutdown -------------------------------------------------------------- */

TEST_F(err, shutdown_of_reading)
{
	char byte;

	EXPECT_EQ(0, shutdown(self->a, SHUT_RD));
	EXPECT_EQ(0, recv(self->a, &byte, 1, 0));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  tcptest_poll(self->a, POLLIN | POLLRDHUP, 0));
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 100));
}

TEST_F(err, shutdown_of_writing)
{
	EXPECT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, udptest_send(self->b, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->a, 1, 100));
}

TEST_F(err, shutdown_unconnected)
{
	int fd = udptest_bound(&variant->conf);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, shutdown(fd, SHUT_RDWR));
	EXPECT_EQ(ENOTCONN, errno);
	close(fd);
}

/* --- calls that wait while the socket goes away ---------------------------- */

struct blocked {
	pthread_t thread;
	int fd;
	int result;
};

static void *block_recv(void *arg)
{
	struct blocked *b = arg;
	char buf[100];
	ssize_t n = recv(b->fd, buf, sizeof(buf), 0);

	b->result = n < 0 ? -errno : n;
	return NULL;
}

static void block(struct __test_metadata *_metadata, struct blocked *b, int fd)
{
	b->fd = fd;
	b->result = -ENODATA;
	ASSERT_EQ(0, pthread_create(&b->thread, NULL, block_recv, b));
	usleep(50000);
}

static int unblocked(struct blocked *b)
{
	pthread_join(b->thread, NULL);
	return b->result;
}

TEST_F(err, shutdown_against_recv)
{
	struct blocked b;

	block(_metadata, &b, self->b);
	ASSERT_EQ(0, shutdown(self->b, SHUT_RD));
	EXPECT_EQ(0, unblocked(&b));
}

/* The call holds the socket, and gets what still comes. */
TEST_F(err, close_against_recv)
{
	struct blocked b;

	block(_metadata, &b, self->b);
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	ASSERT_EQ(0, udptest_send(self->a, 1, 10));
	EXPECT_EQ(10, unblocked(&b));
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(err, signal_against_recv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	char byte;
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct timeval none = {};

		/* With a time limit set, the kernel would call again. */
		setsockopt(self->b, SOL_SOCKET, SO_RCVTIMEO, &none,
			   sizeof(none));
		sigaction(SIGUSR1, &sa, NULL);
		_exit(recv(self->b, &byte, 1, 0) < 0 ? errno : 0);
	}
	usleep(100000);
	kill(pid, SIGUSR1);
	EXPECT_EQ(-EINTR, tcptest_reap(pid));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

/* --- close under traffic --------------------------------------------------- */

struct storm {
	pthread_t thread;
	int fd;
	struct udptest_name to;
	atomic_bool stop;
};

static void *storm_run(void *arg)
{
	struct storm *s = arg;
	uint8_t buf[200] = {};

	/* ECONNREFUSED and the like are part of it. */
	while (!atomic_load(&s->stop))
		sendto(s->fd, buf, sizeof(buf), 0, udptest_sa(&s->to),
		       s->to.len);
	return NULL;
}

TEST_F(err, close_under_traffic)
{
	struct storm s = { .fd = self->a };
	int i, fd;

	ASSERT_EQ(0, udptest_name(self->b, &s.to));
	ASSERT_EQ(0, udptest_disconnect(self->a));
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, storm_run, &s));
	for (i = 0; i < 40; i++) {
		close(self->b);
		self->b = -1;
		fd = udptest_new(&variant->conf);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, bind(fd, udptest_sa(&s.to), s.to.len));
		self->b = fd;
		if (i % 2)
			EXPECT_EQ(0, udptest_arrived(fd));
	}
	atomic_store(&s.stop, true);
	pthread_join(s.thread, NULL);
}

TEST_HARNESS_MAIN
