// SPDX-License-Identifier: GPL-2.0
/*
 * The guard and TCP: on a guarded port plaintext neither arrives nor leaves,
 * whatever socket there is, or was; connections come about, end and break as
 * ever. Each test has a network namespace of its own.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "kselftest_harness.h"
#include "guardtest.h"

#define TEXT	"plaintext"
#define BULK	300000
#define TAIL	80000

FIXTURE(guard)
{
	struct talk t;
	int lis;
	int a;		/* connects */
	int b;		/* accepted, on the guarded port */
};

FIXTURE_VARIANT(guard)
{
	struct tcptest_conf conf;
};

TCPTEST_V(guard, ipv4, NST_CIPHER_AES_GCM, AF_INET, false);
TCPTEST_V(guard, ipv6, NST_CIPHER_AES_GCM, AF_INET6, false);

FIXTURE_SETUP(guard)
{
	self->lis = -1;
	self->a = -1;
	self->b = -1;
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, false));
	self->lis = guard_socket(variant->conf.family, SOCK_STREAM, 1,
				 GUARD_PORT);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, listen(self->lis, 4));
}

/* A reset, so that no connection lives on whose plaintext cannot leave. */
FIXTURE_TEARDOWN(guard)
{
	struct linger reset = { .l_onoff = 1 };

	nl_close(&self->t);
	setsockopt(self->a, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(self->a);
	close(self->b);
	close(self->lis);
}

static int dial(int family, int host, uint16_t own)
{
	int fd = guard_socket(family, SOCK_STREAM, 1, own);
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, family, host, GUARD_PORT);

	if (fd >= 0 && connect(fd, (void *)&ss, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A connection to the listener; the handshake passes in any case. */
#define CONNECT() do {							\
	self->a = dial(variant->conf.family, 1, 0);			\
	ASSERT_LE(0, self->a);						\
	self->b = accept(self->lis, NULL, NULL);			\
	ASSERT_LE(0, self->b);						\
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO,		\
			nsttest_patience(TCPTEST_SOON_MS)));		\
} while (0)

#define IN(what)	guard_in(&self->t, IPPROTO_TCP, NST_A_PACKETS_##what)
#define OUT(what)	guard_out(&self->t, IPPROTO_TCP, NST_A_PACKETS_##what)
#define WAIT(dir, what, value)						\
	guard_wait(&self->t, IPPROTO_TCP, NST_DIRECTION_##dir,		\
		   NST_A_PACKETS_##what, value)

/* Nothing has come, and nothing comes. */
#define EXPECT_SILENT(fd)						\
	EXPECT_EQ(0, tcptest_poll(fd, POLLIN | POLLRDHUP, TCPTEST_NEVER_MS))

TEST_F(guard, plain_in)
{
	char c;

	CONNECT();
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->a, TEXT, strlen(TEXT), 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->b);
	EXPECT_EQ(-1, recv(self->b, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, IN(PASSED));
	EXPECT_EQ(0, OUT(PLAIN));
	EXPECT_LE(IN(PLAIN), nsttest_stat("NstGuardInDropped"));
	EXPECT_LE(IN(PLAIN), nsttest_stat("NstGuardPlain"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardDryRun"));
}

TEST_F(guard, plain_out)
{
	CONNECT();
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->b, TEXT, strlen(TEXT), 0));
	EXPECT_EQ(0, WAIT(OUT, PLAIN, 2));
	EXPECT_SILENT(self->a);
	EXPECT_EQ(0, OUT(PASSED));
	EXPECT_EQ(0, IN(PLAIN));
	EXPECT_LE(OUT(PLAIN), nsttest_stat("NstGuardOutDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
}

/* A client whose own port is guarded. */
TEST_F(guard, plain_from_guarded_client)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, variant->conf.family, 1,
				      GUARD_PORT + 1);

	close(self->lis);
	self->lis = guard_socket(variant->conf.family, SOCK_STREAM, 1,
				 GUARD_PORT + 1);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, listen(self->lis, 1));
	self->a = guard_socket(variant->conf.family, SOCK_STREAM, 1,
			       GUARD_PORT);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, connect(self->a, (void *)&ss, len));
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	ASSERT_EQ(1, send(self->b, "x", 1, 0));
	EXPECT_EQ(0, WAIT(OUT, PLAIN, 2));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->a);
	EXPECT_SILENT(self->b);
}

TEST_F(guard, fin_and_reset_pass)
{
	struct linger reset = { .l_onoff = 1 };
	char c;

	CONNECT();
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, recv(self->b, &c, 1, 0));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, recv(self->a, &c, 1, 0));
	close(self->a);
	close(self->b);
	CONNECT();
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &reset,
				sizeof(reset)));
	close(self->a);
	EXPECT_EQ(-1, recv(self->b, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

/* No listener: the answer, a reset, leaves from the guarded port. */
TEST_F(guard, refusal_passes)
{
	close(self->lis);
	EXPECT_EQ(-1, dial(variant->conf.family, 1, 0));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

TEST_F(guard, nst_passes)
{
	pid_t pid;

	CONNECT();
	ASSERT_EQ(0, tcptest_key(self->b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	pid = tcptest_sender(self->a, 0, BULK, 10000);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, BULK, 10000));
	EXPECT_EQ(0, tcptest_reap(pid));
	pid = tcptest_sender(self->b, 0, BULK, 10000);
	EXPECT_EQ(0, tcptest_recv(self->a, 0, BULK, 10000));
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_LT(0, IN(PASSED));
	EXPECT_LT(0, OUT(PASSED));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

/* Children of a listener that has keys need nobody to set theirs. */
TEST_F(guard, nst_listener)
{
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	self->a = dial(variant->conf.family, 1, 0);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 1000));
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5000, 1000));
	EXPECT_EQ(0, IN(PLAIN));
}

/* The connection begins with its first byte of data: there is no child yet. */
TEST_F(guard, deferred_accept)
{
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	ASSERT_EQ(0, tcptest_set_int(self->lis, SOL_TCP, TCP_DEFER_ACCEPT,
				     30));
	self->a = dial(variant->conf.family, 1, 0);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 1000));
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5000, 1000));
	EXPECT_EQ(0, IN(PLAIN));
}

/* The same for a service with several workers, and one that lacks NST. */
TEST_F(guard, deferred_accept_reuseport)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, variant->conf.family, 1,
				      GUARD_PORT);
	int lis[3], i;

	close(self->lis);
	for (i = 0; i < 3; i++) {
		lis[i] = socket(variant->conf.family, SOCK_STREAM, 0);
		ASSERT_EQ(0, tcptest_set_int(lis[i], SOL_SOCKET, SO_REUSEPORT,
					     1));
		ASSERT_EQ(0, tcptest_set_int(lis[i], SOL_TCP, TCP_DEFER_ACCEPT,
					     30));
		ASSERT_EQ(0, bind(lis[i], (void *)&ss, len));
		if (i < 2) {
			ASSERT_EQ(0, tcptest_key(lis[i], &variant->conf, 0));
			ASSERT_EQ(0, listen(lis[i], 8));
		}
	}
	for (i = 0; i < 4; i++) {
		self->a = dial(variant->conf.family, 1, 0);
		ASSERT_LE(0, self->a);
		ASSERT_EQ(0, tcptest_key(self->a, &variant->conf,
					 NST_F_INITIATOR));
		ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 1000));
		close(self->a);
	}
	EXPECT_LT(0, IN(PASSED));
	EXPECT_EQ(0, IN(PLAIN));
	ASSERT_EQ(0, listen(lis[2], 8));
	self->a = dial(variant->conf.family, 1, 0);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 1));
	for (i = 0; i < 3; i++)
		close(lis[i]);
}

TEST_F(guard, deferred_accept_plain)
{
	ASSERT_EQ(0, tcptest_set_int(self->lis, SOL_TCP, TCP_DEFER_ACCEPT,
				     30));
	self->a = dial(variant->conf.family, 1, 0);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->lis);
}

/* With a SYN cookie there is not even a request. */
TEST_F(guard, syn_cookie_plain)
{
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_syncookies",
					"2"));
	CONNECT();
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->b);
}

/* A client that is quicker than the server's program. */
TEST_F(guard, early_data)
{
	CONNECT();
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 1000));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 1));
	EXPECT_SILENT(self->b);
	/* NST without a key is not enough. */
	ASSERT_EQ(0, nsttest_attach(self->b));
	EXPECT_EQ(0, WAIT(IN, PLAIN, IN(PLAIN) + 1));
	EXPECT_EQ(0, IN(PASSED));
	ASSERT_EQ(-EEXIST, tcptest_key(self->b, &variant->conf,
				       NST_F_RESPONDER));
	ASSERT_EQ(0, nsttest_install(self->b, &(struct nsttest_conf) {
			.cipher_id = variant->conf.cipher_id,
			.nr_keys = NSTTEST_KEYS,
			.flags = NST_F_RESPONDER }));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5000, 1000));
	EXPECT_LT(0, IN(PASSED));
}

/* TCP has it to send, and NST cannot take it back. */
TEST_F(guard, plaintext_before_attach)
{
	CONNECT();
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->b, TEXT, strlen(TEXT), 0));
	EXPECT_EQ(0, WAIT(OUT, PLAIN, 1));
	ASSERT_EQ(0, tcptest_key(self->b, &variant->conf, NST_F_RESPONDER));
	EXPECT_EQ(0, tcptest_send(self->b, 0, 1000, 1000));
	EXPECT_EQ(0, WAIT(OUT, PLAIN, OUT(PLAIN) + 2));
	EXPECT_SILENT(self->a);
	/* Nor when the program has died. */
	close(self->b);
	self->b = -1;
	EXPECT_EQ(0, WAIT(OUT, PLAIN, OUT(PLAIN) + 1));
	EXPECT_SILENT(self->a);
}

/* What was acknowledged before is no reason. */
TEST_F(guard, plaintext_delivered_before_attach)
{
	char text[sizeof(TEXT)] = "";

	ASSERT_EQ(0, guard_del(&self->t, IPPROTO_TCP, GUARD_PORT));
	CONNECT();
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->b, TEXT, strlen(TEXT), 0));
	ASSERT_EQ((ssize_t)strlen(TEXT), recv(self->a, text, strlen(TEXT),
					      MSG_WAITALL));
	ASSERT_EQ(0, tcptest_key(self->b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, false));
	EXPECT_EQ(0, tcptest_send(self->b, 0, 5000, 1000));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 5000, 1000));
	EXPECT_EQ(0, OUT(PLAIN));
}

/* A plain socket's program dies: TCP goes on to send what it has. */
TEST_F(guard, plain_program_died)
{
	pid_t pid;

	self->a = dial(variant->conf.family, 1, 0);
	ASSERT_LE(0, self->a);
	pid = fork();
	if (!pid) {
		self->b = accept(self->lis, NULL, NULL);
		send(self->b, TEXT, strlen(TEXT), 0);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(-EINTR, tcptest_reap(pid));
	EXPECT_EQ(0, WAIT(OUT, PLAIN, OUT(PLAIN) + 2));
	EXPECT_SILENT(self->a);
	EXPECT_EQ(0, OUT(PASSED));
}

/* An NST socket's program dies: what is sealed goes out, to the last byte. */
TEST_F(guard, nst_program_died)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, variant->conf.family, 1,
				      GUARD_PORT);
	long passed;
	pid_t pid;

	/* The peer's window is too small for all of it. */
	self->a = guard_socket(variant->conf.family, SOCK_STREAM, 1, 0);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_RCVBUF, 4096));
	ASSERT_EQ(0, connect(self->a, (void *)&ss, len));
	pid = fork();
	if (!pid) {
		self->b = accept(self->lis, NULL, NULL);
		tcptest_set_int(self->b, SOL_SOCKET, SO_SNDBUF, 400000);
		if (tcptest_key(self->b, &variant->conf, NST_F_RESPONDER) ||
		    tcptest_send(self->b, 0, TAIL, 10000))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(-EINTR, tcptest_reap(pid));
	passed = OUT(PASSED);
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, TAIL, 10000));
	EXPECT_EQ(-EPIPE, tcptest_recv(self->a, TAIL, 1, 1));
	EXPECT_LT(passed, OUT(PASSED));
	EXPECT_EQ(0, OUT(PLAIN));
	EXPECT_EQ(0, IN(PLAIN));
}

/* One service has NST, another on the same port and address has not. */
TEST_F(guard, second_socket)
{
	int i, plain, reached = 0;

	close(self->lis);
	self->lis = socket(variant->conf.family, SOCK_STREAM, 0);
	plain = socket(variant->conf.family, SOCK_STREAM, 0);
	for (i = 0; i < 2; i++) {
		int fd = i ? plain : self->lis;
		struct sockaddr_storage ss;
		socklen_t len = guard_address(&ss, variant->conf.family, 1,
					      GUARD_PORT);

		ASSERT_EQ(0, tcptest_set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1));
		ASSERT_EQ(0, bind(fd, (void *)&ss, len));
		ASSERT_EQ(0, listen(fd, 32));
	}
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	for (i = 0; i < 32 && !reached; i++) {
		close(self->a);
		self->a = dial(variant->conf.family, 1, 0);
		ASSERT_LE(0, self->a);
		ASSERT_EQ(1, send(self->a, "x", 1, 0));
		reached = tcptest_poll(plain, POLLIN, 20);
	}
	ASSERT_NE(0, reached);
	self->b = accept(plain, NULL, NULL);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, WAIT(IN, PLAIN, 1));
	EXPECT_SILENT(self->b);
	close(plain);
}

/* Another address of the same port. */
TEST_F(guard, second_address)
{
	ASSERT_EQ(0, system("ip addr add fd00::2/128 dev lo nodad"));
	close(self->lis);
	self->lis = guard_socket(variant->conf.family, SOCK_STREAM, 2,
				 GUARD_PORT);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, listen(self->lis, 1));
	self->a = dial(variant->conf.family, 2, 0);
	ASSERT_LE(0, self->a);
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->b);
}

static int fast_open(void)
{
	/* both ends, without a cookie */
	return nsttest_write_file("/proc/sys/net/ipv4/tcp_fastopen", "1543");
}

TEST_F(guard, fast_open_in)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, variant->conf.family, 1,
				      GUARD_PORT);

	ASSERT_EQ(0, fast_open());
	ASSERT_EQ(0, tcptest_set_int(self->lis, SOL_TCP, TCP_FASTOPEN, 4));
	self->a = guard_socket(variant->conf.family, SOCK_STREAM, 1, 0);
	ASSERT_EQ((ssize_t)strlen(TEXT),
		  sendto(self->a, TEXT, strlen(TEXT), MSG_FASTOPEN,
			 (void *)&ss, len));
	EXPECT_EQ(0, WAIT(IN, SYN_DATA, 1));
	/* TCP tries without data, and that connection has plaintext behind. */
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, WAIT(IN, PLAIN, 1));
	EXPECT_SILENT(self->b);
	EXPECT_EQ(0, IN(PASSED));
}

TEST_F(guard, fast_open_out)
{
	struct sockaddr_storage ss;
	socklen_t len = guard_address(&ss, variant->conf.family, 1,
				      GUARD_PORT + 1);

	ASSERT_EQ(0, fast_open());
	close(self->lis);
	self->lis = guard_socket(variant->conf.family, SOCK_STREAM, 1,
				 GUARD_PORT + 1);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, tcptest_set_int(self->lis, SOL_TCP, TCP_FASTOPEN, 4));
	ASSERT_EQ(0, listen(self->lis, 1));
	self->a = guard_socket(variant->conf.family, SOCK_STREAM, 1,
			       GUARD_PORT);
	ASSERT_LE(0, self->a);
	ASSERT_EQ((ssize_t)strlen(TEXT),
		  sendto(self->a, TEXT, strlen(TEXT), MSG_FASTOPEN,
			 (void *)&ss, len));
	EXPECT_EQ(0, WAIT(OUT, SYN_DATA, 1));
	self->b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, self->b);
	EXPECT_EQ(0, WAIT(OUT, PLAIN, 1));
	EXPECT_SILENT(self->b);
}

TEST_F(guard, dry_run)
{
	char text[sizeof(TEXT)] = "";

	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, true));
	CONNECT();
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->a, TEXT, strlen(TEXT), 0));
	EXPECT_EQ((ssize_t)strlen(TEXT), recv(self->b, text, sizeof(text), 0));
	EXPECT_STREQ(TEXT, text);
	EXPECT_EQ(1, IN(PLAIN));
	ASSERT_EQ((ssize_t)strlen(TEXT), send(self->b, TEXT, strlen(TEXT), 0));
	EXPECT_EQ((ssize_t)strlen(TEXT), recv(self->a, text, sizeof(text), 0));
	EXPECT_EQ(1, OUT(PLAIN));
	EXPECT_EQ(2, nsttest_stat("NstGuardDryRun"));
	EXPECT_EQ(2, nsttest_stat("NstGuardPlain"));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
	/* In earnest from now on, and the counters go on. */
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, false));
	EXPECT_EQ(1, IN(PLAIN));
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 2));
	EXPECT_SILENT(self->b);
}

/* What a rule has counted outlives changes of others, not its own end. */
TEST_F(guard, counters_live)
{
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, true));
	CONNECT();
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(0, WAIT(IN, PLAIN, 1));
	for (uint16_t port = 1; port <= 20; port++)
		ASSERT_EQ(0, guard_add_port(&self->t, port % 2 ? IPPROTO_TCP :
					    IPPROTO_UDP, port, false));
	for (uint16_t port = 1; port <= 20; port += 2)
		ASSERT_EQ(0, guard_del(&self->t, IPPROTO_TCP, port));
	EXPECT_EQ(1, IN(PLAIN));
	ASSERT_EQ(0, guard_del(&self->t, IPPROTO_TCP, GUARD_PORT));
	EXPECT_EQ(-1, IN(PLAIN));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, true));
	EXPECT_EQ(0, IN(PLAIN));
	EXPECT_EQ(1, nsttest_stat("NstGuardPlain"));
}

/* A rule guards its port, its protocol and its namespace. */
TEST_F(guard, others_pass)
{
	char c;

	ASSERT_EQ(0, guard_del(&self->t, IPPROTO_TCP, GUARD_PORT));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, false));
	ASSERT_EQ(0, guard_add_port(&self->t, IPPROTO_TCP, GUARD_PORT + 1,
				    false));
	CONNECT();
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(1, recv(self->b, &c, 1, 0));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, false));
	close(self->a);
	close(self->b);
	close(self->lis);
	ASSERT_EQ(0, nsttest_netns());
	self->lis = guard_socket(variant->conf.family, SOCK_STREAM, 1,
				 GUARD_PORT);
	ASSERT_LE(0, self->lis);
	ASSERT_EQ(0, listen(self->lis, 4));
	CONNECT();
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(1, recv(self->b, &c, 1, 0));
}

/* Who listens is told, with rule, direction and cause. */
TEST_F(guard, event)
{
	struct talk events;
	const struct nlmsghdr *nlh;

	ASSERT_EQ(0, nl_open(&events));
	ASSERT_EQ(0, nl_subscribe(&events));
	CONNECT();
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	nlh = nl_event(&events, nsttest_patience(TCPTEST_SOON_MS));
	ASSERT_NE(NULL, nlh);
	EXPECT_EQ(NST_EVENT_GUARD,
		  *(uint32_t *)nl_find(nlh, NST_A_EVENT_TYPE));
	EXPECT_EQ(NST_DIRECTION_IN,
		  *(uint32_t *)nl_find(nlh, NST_A_EVENT_DIRECTION));
	EXPECT_EQ(IPPROTO_TCP,
		  *(uint32_t *)nl_find(nlh, NST_A_EVENT_PROTOCOL));
	EXPECT_EQ(GUARD_PORT, *(uint16_t *)nl_find(nlh, NST_A_EVENT_PORT));
	EXPECT_STREQ("NstGuardPlain", nl_find(nlh, NST_A_EVENT_CAUSE));
	EXPECT_EQ(NULL, nl_find(nlh, NST_A_EVENT_DRY_RUN));
	nl_close(&events);
}

/* 256 rules and no more; what is refused changes nothing. */
TEST_F(guard, room)
{
	int i;

	for (i = 1; i < NST_GUARD_MAX; i++)
		ASSERT_EQ(0, guard_add_port(&self->t, IPPROTO_UDP, i, false));
	EXPECT_EQ(-ENOSPC, guard_add_port(&self->t, IPPROTO_TCP, 1, false));
	EXPECT_STREQ("The guard has room for 256 rules", self->t.message);
	EXPECT_EQ(0, guard_add_port(&self->t, IPPROTO_UDP, 1, true));
	EXPECT_EQ(-ENOENT, guard_del(&self->t, IPPROTO_TCP, 1));
	EXPECT_STREQ("There is no rule for this port", self->t.message);
	EXPECT_EQ(-EINVAL, guard_add_port(&self->t, IPPROTO_SCTP, 1, false));
	EXPECT_STREQ("The guard knows TCP and UDP", self->t.message);
	EXPECT_EQ(-ERANGE, guard_add_port(&self->t, IPPROTO_UDP, 0, false));
	EXPECT_EQ(0, guard_del(&self->t, IPPROTO_UDP, 7));
	EXPECT_EQ(0, guard_add_port(&self->t, IPPROTO_TCP, 1, false));
	EXPECT_EQ(0, IN(PASSED));
}

TEST_HARNESS_MAIN
