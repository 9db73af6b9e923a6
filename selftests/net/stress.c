// SPDX-License-Identifier: GPL-2.0
/*
 * TCP sockets with NST when the host is short of memory, when a listener goes
 * away under connections that are just coming to life, and when a socket goes
 * away under its users.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

#include "kselftest_harness.h"
#include "vethtest.h"

/* --- out of memory -------------------------------------------------------- */

/*
 * Each CPU may keep a MiB of TCP's memory to itself before it is counted, so
 * what is queued has to be a good deal more than that.
 */
#define PRESSED_CONNS	4
#define PRESSED_BYTES	(3 << 19)
#define PRESSED_SNDBUF	(4 << 20)
#define ENDLESS		((size_t)1 << 40)
#define TCP_MEM_LOW	"64 96 128"
#define INVALID_RATELIMIT "/proc/sys/net/ipv4/tcp_invalid_ratelimit"

/*
 * tcp_mem is only in the first network namespace. Below our view of /proc lies
 * the one that init has mounted.
 */
static int tcp_mem_child(const char *set, char *get, size_t size)
{
	ssize_t n;
	int fd;

	if (unshare(CLONE_NEWNS) || umount2("/proc", MNT_DETACH))
		return errno;
	fd = open("/proc/1/ns/net", O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return errno;
	close(fd);
	fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDWR);
	if (fd < 0)
		return errno;
	if (set)
		return write(fd, set, strlen(set)) > 0 ? 0 : errno;
	n = read(fd, get, size - 1);
	get[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : errno;
}

/* Sets tcp_mem or reads it. */
static int tcp_mem(const char *set, char *get, size_t size)
{
	int fds[2], ret;
	ssize_t n = 0;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (!pid) {
		char text[128] = "";

		ret = tcp_mem_child(set, text, sizeof(text));
		if (!ret && get && write(fds[1], text, strlen(text)) < 0)
			ret = errno;
		_exit(ret);
	}
	close(fds[1]);
	if (get) {
		n = read(fds[0], get, size - 1);
		get[n > 0 ? n : 0] = '\0';
	}
	close(fds[0]);
	return tcptest_reap(pid);
}

FIXTURE(pressure)
{
	char tcp_mem[128];
	int a[PRESSED_CONNS];
	int b[PRESSED_CONNS];
};

FIXTURE_VARIANT(pressure)
{
	struct tcptest_conf tcp;
	uint32_t record_max;
	size_t chunk;
};

FIXTURE_VARIANT_ADD(pressure, gcm) {
	.tcp = { .cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET },
	.record_max = 32768, .chunk = 65536,
};

FIXTURE_VARIANT_ADD(pressure, cbc_small_records) {
	.tcp = { .cipher_id = NST_CIPHER_AES_CBC, .family = AF_INET6 },
	.record_max = 4000, .chunk = 4000,
};

FIXTURE_VARIANT_ADD(pressure, gcm_large_records_strict) {
	.tcp = { .cipher_id = NST_CIPHER_AES_256_GCM, .family = AF_INET,
		 .strict = true },
	.record_max = NST_RECORD_MAX_MAX, .chunk = 65536,
};

/*
 * TCP sockets without a descriptor that still have something to send, or that
 * were lost. They keep the module for as long as TCP is patient with them.
 */
static long orphans(void)
{
	FILE *f = fopen("/proc/thread-self/net/sockstat", "r");
	long n = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %*d orphan %ld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* How often, with 10 ms in between, something is looked for that must come. */
#define LOOKS	(nsttest_patience(40) * 100)

/* Those of the host when a test began: earlier programs' may take a minute. */
static long orphans_before;

static int start(void)
{
	orphans_before = orphans();
	return nsttest_netns();
}

/* How many more there are, once that is none or has taken too long. */
static long wait_orphans(void)
{
	long more;
	int i;

	for (i = 0; i < LOOKS && orphans() > orphans_before; i++)
		usleep(10000);
	more = orphans() - orphans_before;
	if (more > 0 && system("ss -tanoie | sed 's/^/# /' >&2"))
		return -1;
	return more > 0 ? more : 0;
}

FIXTURE_SETUP(pressure)
{
	int i;

	ASSERT_EQ(0, start());
	/*
	 * A receiver who had to drop data for want of memory finds a reset too
	 * far ahead, and answers it with an ACK that is to bring the right one.
	 * TCP sends no second one of its kind within half a second, and whoever
	 * only reads then never hears of the reset.
	 */
	ASSERT_EQ(0, nsttest_write_file(INVALID_RATELIMIT, "0"));
	ASSERT_EQ(0, tcp_mem(NULL, self->tcp_mem, sizeof(self->tcp_mem)));
	for (i = 0; i < PRESSED_CONNS; i++) {
		ASSERT_EQ(0, tcptest_pair(&variant->tcp, &self->a[i],
					  &self->b[i]));
		ASSERT_EQ(0, tcptest_record_max(self->a[i],
						variant->record_max));
		ASSERT_EQ(0, tcptest_set_int(self->a[i], SOL_SOCKET,
					     SO_SNDBUFFORCE, PRESSED_SNDBUF));
		ASSERT_EQ(0, tcptest_timeout(self->a[i], SO_SNDTIMEO, 30000));
		ASSERT_EQ(0, tcptest_timeout(self->b[i], SO_RCVTIMEO, 30000));
		/* What follows is the stream's middle: all is derived. */
		ASSERT_EQ(0, tcptest_bind(self->a[i], self->b[i]));
	}
}

FIXTURE_TEARDOWN(pressure)
{
	int i;

	EXPECT_EQ(0, tcp_mem(self->tcp_mem, NULL, 0));
	for (i = 0; i < PRESSED_CONNS; i++) {
		close(self->a[i]);
		close(self->b[i]);
	}
	EXPECT_EQ(0, wait_orphans());
}

static int send_all(int fd, size_t chunk)
{
	int ret = tcptest_send(fd, 0, PRESSED_BYTES, chunk);

	return ret ?: shutdown(fd, SHUT_WR) ? -errno : 0;
}

static int recv_all(int fd)
{
	int ret = tcptest_recv(fd, 0, PRESSED_BYTES, 65536);
	char byte;

	return ret ?: recv(fd, &byte, 1, 0) ? -EILSEQ : 0;
}

/*
 * The senders fill their buffers while nobody reads, until TCP refuses a part
 * of a record, or a whole one before it is sealed: which of these is chance. All
 * of it arrives, and the end too.
 */
TEST_F_TIMEOUT(pressure, arrives_intact, 120)
{
	pid_t sender[PRESSED_CONNS], receiver[PRESSED_CONNS];
	struct nsttest_counters before;
	long deferred, first;
	int i;

	ASSERT_EQ(0, nsttest_counters(&before));
	first = nsttest_stat("NstTxDeferred");
	ASSERT_LE(0, first);
	ASSERT_EQ(0, tcp_mem(TCP_MEM_LOW, NULL, 0));
	for (i = 0; i < PRESSED_CONNS; i++) {
		sender[i] = fork();
		if (!sender[i])
			_exit(-send_all(self->a[i], variant->chunk));
	}
	for (i = 0; i < 300 && nsttest_stat("NstTxDeferred") == first; i++)
		usleep(10000);
	deferred = nsttest_stat("NstTxDeferred") - first;
	for (i = 0; i < PRESSED_CONNS; i++) {
		receiver[i] = fork();
		if (!receiver[i])
			_exit(-recv_all(self->b[i]));
	}
	/* Some of it arrives so, the rest need not take minutes. */
	usleep(500000);
	EXPECT_EQ(0, tcp_mem(self->tcp_mem, NULL, 0));
	for (i = 0; i < PRESSED_CONNS; i++) {
		EXPECT_EQ(0, tcptest_reap(sender[i]));
		EXPECT_EQ(0, tcptest_reap(receiver[i]));
	}
	TH_LOG("%ld records deferred, %ld at last", deferred,
	       nsttest_stat("NstTxDeferred"));
	EXPECT_STREQ("", nsttest_grown(&before));
}

/*
 * A record waits for memory, sealed or, as chance has it, not yet, and the socket is
 * closed. Until then its sender waits, however long.
 */
TEST_F_TIMEOUT(pressure, closed_meanwhile, 120)
{
	pid_t sender[PRESSED_CONNS];
	int i, ret;

	ASSERT_EQ(0, tcp_mem(TCP_MEM_LOW, NULL, 0));
	for (i = 0; i < PRESSED_CONNS; i++) {
		ASSERT_EQ(0, tcptest_timeout(self->a[i], SO_SNDTIMEO, 0));
		sender[i] = fork();
		if (!sender[i])
			_exit(-tcptest_send(self->a[i], 0, ENDLESS,
					    variant->chunk));
		/* The sender's is the last descriptor. */
		close(self->a[i]);
		self->a[i] = -1;
	}
	for (i = 0; i < 500 && !nsttest_stat("NstTxDeferred"); i++)
		usleep(10000);
	TH_LOG("%ld records deferred", nsttest_stat("NstTxDeferred"));
	for (i = 0; i < PRESSED_CONNS; i++) {
		EXPECT_EQ(0, kill(sender[i], SIGKILL));
		EXPECT_EQ(-EINTR, tcptest_reap(sender[i]));
	}
	EXPECT_EQ(0, tcp_mem(self->tcp_mem, NULL, 0));
	/* A prefix of the stream, and then the truth about its end. */
	for (i = 0; i < PRESSED_CONNS; i++) {
		ret = tcptest_recv(self->b[i], 0, ENDLESS, 65536);
		EXPECT_TRUE(ret == -ECONNRESET || ret == -ECONNABORTED ||
			    ret == -EPIPE);
		TH_LOG("ended with %d", ret);
	}
}

/* --- a listener that goes ------------------------------------------------- */

#define CLIENTS		4	/* processes */
#define CLIENT_CONNS	12
#define LISTEN_ROUNDS	16
#define LISTEN_MORE	16	/* rounds, ever longer, where they were too short */
#define LISTEN_PORT	7001

enum listen_end { END_CLOSE, END_SHUTDOWN };

FIXTURE(listener)
{
	int lis;
};

FIXTURE_VARIANT(listener)
{
	struct tcptest_conf tcp;
	const char *cookies;	/* net.ipv4.tcp_syncookies; 2: always */
	enum listen_end end;
};

#define V_LISTENER(name, fam, is_strict, syncookies, how)		\
FIXTURE_VARIANT_ADD(listener, name) {					\
	.tcp = { .cipher_id = NST_CIPHER_AES_GCM, .family = fam,	\
		 .strict = is_strict },					\
	.cookies = syncookies, .end = how,				\
}

V_LISTENER(close, AF_INET, false, "0", END_CLOSE);
V_LISTENER(close_ipv6_strict, AF_INET6, true, "0", END_CLOSE);
V_LISTENER(close_cookies, AF_INET, false, "2", END_CLOSE);
V_LISTENER(shutdown, AF_INET6, false, "0", END_SHUTDOWN);
V_LISTENER(shutdown_cookies_ipv6, AF_INET6, false, "2", END_SHUTDOWN);

FIXTURE_SETUP(listener)
{
	ASSERT_EQ(0, start());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_syncookies",
					variant->cookies));
	self->lis = -1;
}

FIXTURE_TEARDOWN(listener)
{
	if (self->lis >= 0)
		close(self->lis);
	EXPECT_EQ(0, wait_orphans());
}

static int start_listener(const struct tcptest_conf *conf)
{
	int fd = socket(conf->family, SOCK_STREAM, 0);
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, conf->family, LISTEN_PORT);

	if (fd < 0 || tcptest_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    bind(fd, (void *)&ss, len) || tcptest_key(fd, conf, 0) ||
	    listen(fd, CLIENTS * CLIENT_CONNS))
		return -EIO;
	return fd;
}

/*
 * All of them come to an end that is not a clean one. Which events tell of it is
 * TCP's affair: a reset sets the error first, the state and the shutdown after
 * it, and poll() looks at them without a lock and in the opposite order; so it
 * may return POLLERR alone. One refused at once is unconnected again, and has
 * POLLHUP alone.
 */
static int ended(int fd)
{
	char byte;

	if (!tcptest_poll(fd, POLLIN, 4 * TCPTEST_SOON_MS))
		return ETIMEDOUT;
	if (recv(fd, &byte, 1, 0) >= 0)
		return EILSEQ;
	return errno == EAGAIN ? EAGAIN : 0;
}

/*
 * Connects, and sends in pieces, so that data is under way at any time. What
 * the calls return depends on when the listener goes; that they return counts.
 */
static void client(const struct tcptest_conf *conf)
{
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, conf->family, LISTEN_PORT);
	int fd[CLIENT_CONNS], i, round;
	char buf[3000] = "";

	for (i = 0; i < CLIENT_CONNS; i++) {
		fd[i] = socket(conf->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		tcptest_key(fd[i], conf, 0);
		connect(fd[i], (void *)&ss, len);
		send(fd[i], buf, sizeof(buf), MSG_NOSIGNAL);
	}
	for (round = 0; round < 6; round++) {
		for (i = 0; i < CLIENT_CONNS; i++)
			send(fd[i], buf, sizeof(buf), MSG_NOSIGNAL);
		usleep(500);
	}
	for (i = 0; i < CLIENT_CONNS; i++) {
		int err = ended(fd[i]);

		if (err)
			_exit(err);
		close(fd[i]);
	}
	_exit(0);
}

/* A line of names, then one of values. */
/* Sockets die a grace period and a worker later than their descriptors. */
static long sockets_left(long expected)
{
	int i;

	for (i = 0; i < LOOKS && nsttest_stat("NstSockets") != expected; i++)
		usleep(10000);
	return nsttest_stat("NstSockets");
}

/* Have children come to life, and a worker had to do with them? */
static bool had_children(const char *cookies)
{
	return nsttest_stat("NstRxStreams") > 0 &&
	       (cookies[0] != '2' || nsttest_mib("/proc/thread-self/net/netstat",
			      "TcpExt:", "SyncookiesRecv") > 0);
}

TEST_F_TIMEOUT(listener, goes_under_its_children, 120)
{
	pid_t pid[CLIENTS];
	int i, round, ret, pause = 0;

	for (round = 0; round < LISTEN_ROUNDS ||
	     (round < LISTEN_ROUNDS + LISTEN_MORE &&
	      !had_children(variant->cookies)); round++) {
		self->lis = start_listener(&variant->tcp);
		ASSERT_LE(0, self->lis);
		for (i = 0; i < CLIENTS; i++) {
			pid[i] = fork();
			if (!pid[i]) {
				close(self->lis);
				client(&variant->tcp);
			}
		}
		/* From before they connect to after they have sent all. */
		usleep(pause);
		pause += round < LISTEN_ROUNDS ? 4000 : pause / 4;
		if (variant->end == END_SHUTDOWN)
			ret = shutdown(self->lis, SHUT_RDWR);
		else
			ret = close(self->lis);
		EXPECT_EQ(0, ret);
		for (i = 0; i < CLIENTS; i++)
			EXPECT_EQ(0, tcptest_reap(pid[i]));
		if (variant->end == END_SHUTDOWN)
			close(self->lis);
		self->lis = -1;
	}
	EXPECT_EQ(0, sockets_left(0));
	EXPECT_TRUE(had_children(variant->cookies));
	EXPECT_EQ(variant->cookies[0] == '2',
		  nsttest_mib("/proc/thread-self/net/netstat", "TcpExt:",
			      "SyncookiesRecv") > 0);
}

/* --- a socket that goes --------------------------------------------------- */

#define THREADS		16
#define GO_ROUNDS	12
#define PIECE		1500

struct user {
	pthread_t thread;
	int fd;
	bool sends;
	long bytes;
	int err;
};

/* Sends or receives until the socket does no more. */
static void *use(void *arg)
{
	struct user *u = arg;
	char buf[PIECE] = "";
	ssize_t n;

	do {
		n = u->sends ? send(u->fd, buf, sizeof(buf), MSG_NOSIGNAL) :
			       recv(u->fd, buf, sizeof(buf), 0);
		if (n > 0)
			u->bytes += n;
	} while (n > 0);
	u->err = n ? errno : 0;
	return NULL;
}

enum go { GO_SHUTDOWN, GO_CLOSE_PEER, GO_DUP2 };

FIXTURE(gone)
{
	int a;
	int b;
	struct user users[THREADS];
	long sent;		/* in all rounds */
};

FIXTURE_VARIANT(gone)
{
	struct tcptest_conf tcp;
	enum go how;
};

#define V_GONE(name, id, is_strict, way)				\
FIXTURE_VARIANT_ADD(gone, name) {					\
	.tcp = { .cipher_id = id, .family = AF_INET,			\
		 .strict = is_strict },					\
	.how = way,							\
}

V_GONE(shutdown, NST_CIPHER_AES_GCM, false, GO_SHUTDOWN);
V_GONE(shutdown_strict, NST_CIPHER_AES_CBC, true, GO_SHUTDOWN);
V_GONE(peer_closes, NST_CIPHER_CHACHA20_POLY1305, false, GO_CLOSE_PEER);
V_GONE(descriptor_replaced, NST_CIPHER_AES_GCM, false, GO_DUP2);

FIXTURE_SETUP(gone)
{
	ASSERT_EQ(0, start());
}

FIXTURE_TEARDOWN(gone)
{
	EXPECT_EQ(0, sockets_left(0));
	EXPECT_EQ(0, wait_orphans());
}

/*
 * 16 threads use both ends, four each way, and the connection goes under them.
 * None of them may hang, and none may read more than was sent.
 */
static void go_once(struct __test_metadata *_metadata,
		    FIXTURE_DATA(gone) *self,
		    const FIXTURE_VARIANT(gone) *variant, int round)
{
	long sent[2] = {}, got[2] = {};
	int i, null;

	ASSERT_EQ(0, tcptest_pair(&variant->tcp, &self->a, &self->b));
	memset(self->users, 0, sizeof(self->users));
	for (i = 0; i < THREADS; i++) {
		struct user *u = &self->users[i];

		u->fd = i % 2 ? self->a : self->b;
		u->sends = i / 2 % 2;
		ASSERT_EQ(0, pthread_create(&u->thread, NULL, use, u));
	}
	usleep(2000 + round * 3000);
	switch (variant->how) {
	case GO_SHUTDOWN:
		shutdown(self->a, SHUT_RDWR);
		shutdown(self->b, SHUT_RDWR);
		break;
	case GO_CLOSE_PEER:
		/* Its users keep the socket until their calls have ended. */
		close(self->b);
		self->b = -1;
		shutdown(self->a, SHUT_RDWR);
		break;
	case GO_DUP2:
		null = open("/dev/null", O_RDONLY);
		ASSERT_LE(0, null);
		EXPECT_EQ(self->b, dup2(null, self->b));
		close(null);
		shutdown(self->a, SHUT_RDWR);
		break;
	}
	for (i = 0; i < THREADS; i++) {
		struct user *u = &self->users[i];

		ASSERT_EQ(0, pthread_join(u->thread, NULL));
		if (u->sends)
			sent[i % 2] += u->bytes;
		else
			got[!(i % 2)] += u->bytes;
		/* Never its own time limit, which would be a hang. */
		EXPECT_NE(EAGAIN, u->err);
	}
	for (i = 0; i < 2; i++)
		EXPECT_LE(got[i], sent[i]);
	self->sent += sent[0] + sent[1];
	close(self->a);
	if (self->b >= 0)
		close(self->b);
}

TEST_F_TIMEOUT(gone, under_16_threads, 120)
{
	int round;

	for (round = 0; round < GO_ROUNDS; round++)
		go_once(_metadata, self, variant, round);
	EXPECT_LT(0, self->sent);
}

TEST_HARNESS_MAIN
