// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a connection that its program has closed: it goes on, without
 * a descriptor, until its peer is done, and no longer than TCP would let it. Both
 * ends have NST; hostile_close.c has a peer of our making.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>

#include "closetest.h"
#include "kselftest_harness.h"

FIXTURE(both)
{
	int a;
	int b;
	unsigned int port;
};

FIXTURE_VARIANT(both)
{
	struct tcptest_conf conf;
	bool swap;	/* the end that accepted closes first */
};

#define BOTH(name, id, fam, is_strict, swapped)				\
FIXTURE_VARIANT_ADD(both, name) {					\
	.conf = { .cipher_id = id, .family = fam, .strict = is_strict },\
	.swap = swapped,						\
}

BOTH(client, NST_CIPHER_AES_GCM, AF_INET, false, false);
BOTH(server, NST_CIPHER_AES_GCM, AF_INET, false, true);
BOTH(client_strict, NST_CIPHER_AES_CBC, AF_INET, true, false);
BOTH(server_strict_ipv6, NST_CIPHER_CHACHA20_POLY1305, AF_INET6, true, true);

FIXTURE_SETUP(both)
{
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&variant->conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	self->a = variant->swap ? b : a;
	self->b = variant->swap ? a : b;
	self->port = close_port(self->a);
	ASSERT_EQ(0, close_port(self->a) == close_port(self->b));
}

FIXTURE_TEARDOWN(both)
{
	if (self->a >= 0)
		close(self->a);
	if (self->b >= 0)
		close(self->b);
	close_wait_lingering(0);
}

static void close_a(struct __test_metadata *_metadata, FIXTURE_DATA(both) *self)
{
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
}

/* --- orderly ends --------------------------------------------------------- */

/* The end that closes first keeps TIME-WAIT, and neither sees a reset. */
TEST_F(both, time_wait)
{
	long resets = close_resets();

	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, close_wait_state(self->port, CLOSE_FIN_WAIT2));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, close_error(self->b));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(CLOSE_TIME_WAIT, close_state(self->port));
	EXPECT_EQ(0, close(self->b));
	self->b = -1;
	EXPECT_EQ(resets, close_resets());
}

/* The same with a program that says goodbye twice. */
TEST_F(both, shutdown_then_close)
{
	long resets = close_resets();

	ASSERT_EQ(0, shutdown(self->a, SHUT_RDWR));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, shutdown(self->b, SHUT_RDWR));
	EXPECT_EQ(0, close_error(self->b));
	EXPECT_EQ(0, close(self->b));
	self->b = -1;
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(CLOSE_TIME_WAIT, close_state(self->port));
	EXPECT_EQ(resets, close_resets());
}

/* What the peer says to that comes before close(). */
TEST_F(both, shut_both_ways)
{
	long resets = close_resets();

	ASSERT_EQ(0, shutdown(self->a, SHUT_RDWR));
	EXPECT_EQ(0, close_one_recv(self->a));
	EXPECT_EQ(POLLIN | POLLHUP | POLLRDHUP,
		  tcptest_poll(self->a, POLLIN | POLLRDHUP, 0));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, close_wait_state(self->port, CLOSE_TIME_WAIT));
	EXPECT_EQ(0, close_one_recv(self->a));
	EXPECT_EQ(0, close_error(self->a));
	EXPECT_EQ(0, close_error(self->b));
	EXPECT_EQ(resets, close_resets());
}

TEST_F(both, closed_at_once)
{
	long resets = close_resets();

	close_a(_metadata, self);
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(resets, close_resets());
}

TEST_F(both, half_close_behind_close)
{
	const size_t len = 2000000;
	pid_t pid = fork();

	if (!pid) {
		close(self->b);
		_exit(-tcptest_send(self->a, 0, len, 65536));
	}
	close_a(_metadata, self);
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 1000, 1000));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, tcptest_recv(self->b, 1000, len - 1000, 65536));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_LE(0, close_wait_lingering(0));
}

/* What carries nothing to read is taken, whatever its type and epoch. */
TEST_F(both, empty_records_behind_close)
{
	struct nst_rekey rekey = {};
	int i;

	/* However slow this kernel may be. */
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fin_timeout",
					"600"));
	close_a(_metadata, self);
	for (i = 0; i < 60; i++) {
		setsockopt(self->b, SOL_NST, NST_REKEY, &rekey, sizeof(rekey));
		ASSERT_EQ(0, tcptest_send_type(self->b, TCPTEST_CTL, "", 0, 0));
	}
	EXPECT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, close_error(self->b));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(CLOSE_TIME_WAIT, close_state(self->port));
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fin_timeout",
					"60"));
}

/* --- what is unread ------------------------------------------------------- */

TEST_F(both, empty_record_is_not_unread)
{
	long resets = close_resets();

	ASSERT_EQ(0, tcptest_send_type(self->b, TCPTEST_CTL, "", 0, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(self->a, POLLIN, TCPTEST_SOON_MS));
	/* Once on TCP's queue, once decrypted. */
	if (variant->swap)
		EXPECT_EQ(-EIO, close_one_recv(self->a));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(resets, close_resets());
}

TEST_F(both, plaintext_behind_close)
{
	struct nsttest_counters before;

	ASSERT_EQ(0, nsttest_counters(&before));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(1, send(self->b, "x", 1, MSG_NOSIGNAL));
	EXPECT_NE(0, tcptest_poll(self->b, POLLERR, TCPTEST_SOON_MS) & POLLERR);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_STREQ("NstRxUnread+1", nsttest_grown(&before));
	EXPECT_EQ(0, close_state(self->port));
}

/* The FIN behind it does not hide it. */
TEST_F(both, plaintext_and_close_behind_close)
{
	struct nsttest_counters before;
	long resets = close_resets();

	ASSERT_EQ(0, nsttest_counters(&before));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(1, send(self->b, "x", 1, MSG_NOSIGNAL));
	shutdown(self->b, SHUT_WR);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_STREQ("NstRxUnread+1", nsttest_grown(&before));
	EXPECT_LT(resets, close_resets());
	EXPECT_EQ(0, close_state(self->port));
}

/* A record that is read in part is as unread as one that is not. */
TEST_F(both, partly_read)
{
	char byte;

	ASSERT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	ASSERT_EQ(1, recv(self->a, &byte, 1, 0));
	close_a(_metadata, self);
	EXPECT_EQ(-ECONNRESET, close_one_recv(self->b));
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
}

/* --- for how long --------------------------------------------------------- */

TEST_F(both, linger_waits_for_no_program)
{
	struct linger soon = { .l_onoff = 1, .l_linger = 5 };
	long from = nsttest_now_ms();

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &soon,
				sizeof(soon)));
	close_a(_metadata, self);
	EXPECT_GT(3000, nsttest_now_ms() - from);
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_EQ(0, close_one_recv(self->b));
}

/* Sends until the peer's window and the own buffer are full. Bytes. */
static size_t fill_up(int fd)
{
	static uint8_t buf[16384];
	size_t sent = 0;
	ssize_t n;

	do {
		tcptest_fill(buf, sizeof(buf), sent);
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
	} while (n > 0);
	return sent;
}

/* It waits for what is not acknowledged: here the peer's window is full. */
TEST_F(both, linger_waits_for_acknowledgment)
{
	struct linger soon = { .l_onoff = 1, .l_linger = 1 };
	size_t len = fill_up(self->a);
	long from = nsttest_now_ms();

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &soon,
				sizeof(soon)));
	close_a(_metadata, self);
	EXPECT_LT(900, nsttest_now_ms() - from);
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, len, 65536));
	EXPECT_EQ(0, close_one_recv(self->b));
}

/* Nor does it wait for one that sends plaintext to nobody. */
TEST_F(both, linger_ends_with_plaintext)
{
	struct linger minutes = { .l_onoff = 1, .l_linger = 120 };
	int ready[2];
	pid_t pid;
	char c;

	fill_up(self->a);
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &minutes,
				sizeof(minutes)));
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* That in the parent is to be the last. */
		close(self->a);
		close(ready[1]);
		if (tcptest_asleep(getppid()))
			_exit(1);
		_exit(send(self->b, "plaintext", 9, MSG_NOSIGNAL) != 9);
	}
	close(ready[1]);
	ASSERT_EQ(0, read(ready[0], &c, 1));
	close(ready[0]);
	/* The time limit of a test comes before that of close(). */
	close_a(_metadata, self);
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(0, tcptest_state(self->b, TCP_CLOSE));
}

/*
 * The peer takes in nothing that comes from now on, and acknowledges nothing. What
 * it has sent itself is acknowledged by then, or it would wait for that.
 */
static int go_deaf(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &none };
	long from = nsttest_now_ms();
	struct tcp_info info;
	socklen_t len;

	do {
		usleep(2000);
		len = sizeof(info);
		if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
			return -errno;
		if (nsttest_now_ms() - from > TCPTEST_SOON_MS)
			return -ETIMEDOUT;
	} while (info.tcpi_unacked);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}

/*
 * It waits no longer in all if the peer's FIN comes meanwhile, and with it a state
 * in which TCP is to wait for the rest.
 */
TEST_F(both, linger_waits_once)
{
	struct linger soon = { .l_onoff = 1, .l_linger = 4 };
	int ready[2];
	pid_t pid;
	long from;
	char c;

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &soon,
				sizeof(soon)));
	ASSERT_EQ(0, go_deaf(self->b));
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		/* That in the parent is to be the last. */
		close(self->a);
		close(ready[1]);
		usleep(1500000);
		shutdown(self->b, SHUT_WR);
		_exit(0);
	}
	close(ready[1]);
	ASSERT_EQ(0, read(ready[0], &c, 1));
	close(ready[0]);
	from = nsttest_now_ms();
	close_a(_metadata, self);
	EXPECT_LT(3800, nsttest_now_ms() - from);
	EXPECT_GT(5000, nsttest_now_ms() - from);
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(CLOSE_CLOSING, close_state(self->port));
	/* Nothing is reset for the close record that came with the FIN. */
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, close_error(self->b));
}

/*
 * More of them at once than the worker takes in one go, the peer's FIN right behind,
 * while this end's own FIN is not acknowledged. It is no time to give the rest to
 * TCP, which would reset the connection.
 */
TEST_F(both, empty_records_cross_close)
{
	long resets = close_resets();
	int i;

	ASSERT_EQ(0, go_deaf(self->b));
	close_a(_metadata, self);
	/* Nothing acknowledges the first: the rest waits, and comes with the FIN. */
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, tcptest_send_type(self->b, TCPTEST_CTL, "", 0, 0));
	EXPECT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, close_wait_state(self->port, CLOSE_CLOSING));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(0, close_error(self->b));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(resets, close_resets());
}

TEST_F(both, linger2_negative)
{
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_LINGER2, -1));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, close_state(self->port));
}

TEST_F(both, linger2)
{
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_LINGER2, 2));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_LT(1000, close_wait_lingering(0));
}

TEST_F(both, fin_timeout)
{
	long from = nsttest_now_ms();

	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fin_timeout",
					"2"));
	close_a(_metadata, self);
	EXPECT_EQ(0, close_one_recv(self->b));
	/* Nothing that the peer does makes it longer. */
	while (nsttest_stat("NstLingering") == 1 && nsttest_now_ms() - from < 5000) {
		ASSERT_EQ(0, tcptest_send_type(self->b, TCPTEST_CTL, "", 0, 0));
		usleep(50000);
	}
	EXPECT_LT(1900, nsttest_now_ms() - from);
	EXPECT_GT(4000, nsttest_now_ms() - from);
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
}

TEST_HARNESS_MAIN
