// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of length zero. A socket with NST says to each what a plain one says: the
 * same list is run on both, in every state of a connection, and compared.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define WAIT_MS	100	/* how long a call waits that would for ever */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* --- what is called --------------------------------------------------------- */

enum kind { SEND, SENDMSG, SENDV, RECV, RECVMSG, RECVV };

struct call {
	const char *name;
	enum kind kind;
	int flags;
};

static const struct call calls[] = {
	{ "send", SEND, 0 },
	{ "send DONTWAIT", SEND, MSG_DONTWAIT },
	{ "send MORE", SEND, MSG_MORE },
	{ "send NOSIGNAL", SEND, MSG_NOSIGNAL },
	{ "send EOR", SEND, MSG_EOR },
	{ "sendmsg, no iov", SENDMSG, 0 },
	{ "sendmsg, empty iovs", SENDV, 0 },
	{ "recv", RECV, 0 },
	{ "recv DONTWAIT", RECV, MSG_DONTWAIT },
	{ "recv PEEK", RECV, MSG_PEEK },
	{ "recv PEEK DONTWAIT", RECV, MSG_PEEK | MSG_DONTWAIT },
	{ "recv WAITALL", RECV, MSG_WAITALL },
	{ "recv WAITALL DONTWAIT", RECV, MSG_WAITALL | MSG_DONTWAIT },
	{ "recv TRUNC DONTWAIT", RECV, MSG_TRUNC | MSG_DONTWAIT },
	{ "recvmsg, no iov", RECVMSG, MSG_DONTWAIT },
	{ "recvmsg, empty iovs", RECVV, MSG_DONTWAIT },
};

#define CALLS	(sizeof(calls) / sizeof(calls[0]))

static volatile sig_atomic_t pipes;

static void count_pipe(int sig)
{
	(void)sig;
	pipes++;
}

/* What a call has said: its errno in the place of -1, and if SIGPIPE came. */
struct answer {
	int ret;
	int signals;
};

static struct answer ask(int fd, const struct call *call)
{
	struct iovec iov[2] = { { "", 0 }, { "", 0 } };
	struct msghdr msg = { .msg_iov = iov };
	struct answer answer;
	ssize_t ret;
	char none = 0;

	if (call->kind == SENDV || call->kind == RECVV)
		msg.msg_iovlen = 2;
	pipes = 0;
	switch (call->kind) {
	case SEND:
		ret = send(fd, &none, 0, call->flags);
		break;
	case RECV:
		ret = recv(fd, &none, 0, call->flags);
		break;
	case SENDMSG:
	case SENDV:
		ret = sendmsg(fd, &msg, call->flags);
		break;
	default:
		ret = recvmsg(fd, &msg, call->flags);
	}
	answer.ret = ret < 0 ? -errno : ret;
	answer.signals = pipes;
	return answer;
}

/* --- in which state ---------------------------------------------------------- */

struct ends {
	int fd;		/* is called */
	int peer;
	int more[3];	/* others that are needed */
};

enum state {
	STATE_FRESH, STATE_LISTENS, STATE_CONNECTS,
	/* from here on connected, from the next on bytes have passed */
	STATE_CONNECTED, STATE_IDLE, STATE_DATA, STATE_SHUT_RD, STATE_SHUT_WR,
	STATE_SHUT_RDWR, STATE_PEER_SHUT, STATE_DATA_AND_SHUT, STATE_PEER_GONE,
	STATE_RESET, STATE_NEW_RESET, STATES,
};

static const char *const names[STATES] = {
	"fresh", "listens", "connects", "connected", "idle", "data", "shut RD",
	"shut WR", "shut RDWR", "peer shut", "data and peer shut", "peer gone",
	"reset", "reset before a byte",
};

static int stranger(bool nst)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (nst && tcptest_key(fd, &conf, 0))
		return -1;
	return fd;
}

/* A connection that is not answered, as the listener's queue is full. */
static int connecting(struct ends *e)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int i;

	e->more[0] = stranger(false);
	if (bind(e->more[0], (void *)&addr, len) || listen(e->more[0], 0) ||
	    getsockname(e->more[0], (void *)&addr, &len))
		return -errno;
	for (i = 1; i < 3; i++) {
		e->more[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(e->more[i], (void *)&addr, len);
		usleep(20000);
	}
	if (fcntl(e->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	if (!connect(e->fd, (void *)&addr, len) || errno != EINPROGRESS)
		return -EISCONN;
	return fcntl(e->fd, F_SETFL, 0) ? -errno : 0;
}

static int unconnected(enum state state, bool nst, struct ends *e)
{
	e->fd = stranger(nst);
	if (state == STATE_LISTENS)
		return listen(e->fd, 1) ? -errno : 0;
	return state == STATE_CONNECTS ? connecting(e) : 0;
}

static int reset(struct ends *e)
{
	struct linger now = { 1, 0 };

	if (setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) ||
	    close(e->peer))
		return -errno;
	e->peer = -1;
	return tcptest_poll(e->fd, POLLHUP, TCPTEST_SOON_MS) ? 0 : -ETIME;
}

/* It has closed, and answers the next bytes with a reset. */
static int peer_gone(struct ends *e)
{
	char none = 0;
	int ret;

	close(e->peer);
	e->peer = -1;
	if (tcptest_poll(e->fd, POLLRDHUP, TCPTEST_SOON_MS) != POLLRDHUP ||
	    recv(e->fd, &none, 1, 0) || send(e->fd, "x", 1, 0) != 1)
		return -EPIPE;
	ret = tcptest_poll(e->fd, POLLHUP, TCPTEST_SOON_MS);
	/* What the reset has left is told once: to this. */
	send(e->fd, "x", 1, MSG_NOSIGNAL);
	return ret ? 0 : -ETIME;
}

static int peer_says(struct ends *e, enum state state)
{
	short event = state == STATE_DATA ? POLLIN : POLLRDHUP;

	if (state != STATE_PEER_SHUT && send(e->peer, "data", 4, 0) != 4)
		return -errno;
	if (state != STATE_DATA && shutdown(e->peer, SHUT_WR))
		return -errno;
	return tcptest_poll(e->fd, event, TCPTEST_SOON_MS) ? 0 : -ETIME;
}

static int bring_to(enum state state, bool nst, struct ends *e)
{
	int ret;

	*e = (struct ends){ -1, -1, { -1, -1, -1 } };
	if (state < STATE_CONNECTED)
		return unconnected(state, nst, e);
	ret = nst ? tcptest_pair(&conf, &e->fd, &e->peer) :
		    nsttest_pair(AF_INET, 0, &e->peer, &e->fd);
	if (!ret && state > STATE_CONNECTED && state != STATE_NEW_RESET)
		ret = tcptest_bind(e->fd, e->peer);
	if (ret)
		return ret;
	switch (state) {
	case STATE_SHUT_RD:
		return shutdown(e->fd, SHUT_RD) ? -errno : 0;
	case STATE_SHUT_WR:
		return shutdown(e->fd, SHUT_WR) ? -errno : 0;
	case STATE_SHUT_RDWR:
		return shutdown(e->fd, SHUT_RDWR) ? -errno : 0;
	case STATE_DATA:
	case STATE_PEER_SHUT:
	case STATE_DATA_AND_SHUT:
		return peer_says(e, state);
	case STATE_PEER_GONE:
		return peer_gone(e);
	case STATE_RESET:
	case STATE_NEW_RESET:
		return reset(e);
	default:
		return 0;
	}
}

static void leave(struct ends *e)
{
	int i;

	close(e->fd);
	close(e->peer);
	for (i = 0; i < 3; i++)
		close(e->more[i]);
}

/* --- and compared ------------------------------------------------------------ */

FIXTURE(zero) {
	int unused;
};

FIXTURE_SETUP(zero)
{
	(void)self;
	signal(SIGPIPE, count_pipe);
}

FIXTURE_TEARDOWN(zero)
{
	(void)self;
}

static struct answer answer_of(struct __test_metadata *_metadata,
			       enum state state, const struct call *call,
			       bool nst)
{
	struct answer answer;
	struct ends e;

	EXPECT_EQ(0, bring_to(state, nst, &e)) {
		TH_LOG("%s, %s", names[state], nst ? "NST" : "plain");
	}
	tcptest_timeout(e.fd, SO_RCVTIMEO, WAIT_MS);
	tcptest_timeout(e.fd, SO_SNDTIMEO, WAIT_MS);
	answer = ask(e.fd, call);
	leave(&e);
	return answer;
}

TEST_F_TIMEOUT(zero, as_plain, 120)
{
	struct answer plain, nst;
	enum state state;
	size_t i;

	for (state = 0; state < STATES; state++) {
		for (i = 0; i < CALLS; i++) {
			plain = answer_of(_metadata, state, &calls[i], false);
			nst = answer_of(_metadata, state, &calls[i], true);
			EXPECT_EQ(plain.ret, nst.ret) {
				TH_LOG("%s: %s", names[state], calls[i].name);
			}
			EXPECT_EQ(plain.signals, nst.signals) {
				TH_LOG("%s: %s", names[state], calls[i].name);
			}
		}
	}
}

/* Nothing is taken away, and nothing made of it on the wire. */
TEST_F(zero, changes_nothing)
{
	struct nst_info before, now;
	struct ends e;
	char in[5];
	size_t i;

	ASSERT_EQ(0, bring_to(STATE_DATA, true, &e));
	ASSERT_EQ(0, tcptest_info(e.fd, &before));
	for (i = 0; i < CALLS; i++) {
		EXPECT_EQ(0, ask(e.fd, &calls[i]).ret) {
			TH_LOG("%s", calls[i].name);
		}
	}
	ASSERT_EQ(0, tcptest_info(e.fd, &now));
	EXPECT_EQ(before.tx.records, now.tx.records);
	EXPECT_EQ(4, recv(e.fd, in, sizeof(in), 0));
	EXPECT_EQ(0, memcmp(in, "data", 4));
	leave(&e);
}

/* Without a key not even nothing passes. */
TEST_F(zero, without_a_key)
{
	int fd, peer;
	size_t i;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &fd, &peer));
	ASSERT_EQ(0, nsttest_attach(fd));
	for (i = 0; i < CALLS; i++) {
		EXPECT_EQ(-ENOKEY, ask(fd, &calls[i]).ret) {
			TH_LOG("%s", calls[i].name);
		}
	}
	close(fd);
	close(peer);
}

TEST_HARNESS_MAIN
