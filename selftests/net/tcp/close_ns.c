// SPDX-License-Identifier: GPL-2.0
/*
 * Closed connections, their host, their namespace and the module: how many there
 * may be, what they hold, and what ends them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "closetest.h"
#include "kselftest_harness.h"
#include "vethtest.h"

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* Close has left a socket's operations when it returns, or a moment later. */
static int wait_users(long want)
{
	long from = nsttest_now_ms();

	while (nsttest_number(NSTTEST_USERS) != want) {
		if (nsttest_now_ms() - from > TCPTEST_SOON_MS)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "nst_ulp", O_NONBLOCK) ? -errno : 0;
}

static int load(void)
{
	return system("modprobe nst_ulp") ? -EIO : 0;
}

/* --- many ----------------------------------------------------------------- */

static int many_files(void)
{
	struct rlimit lim = { 4096, 4096 };

	return setrlimit(RLIMIT_NOFILE, &lim) ? -errno : 0;
}

/*
 * Makes @nr connections and gives one end of each, @b, to the caller; a child
 * has the others, and goes. 0 or -errno.
 */
static int leave(int *b, int nr)
{
	pid_t pid;
	int *a = calloc(nr, sizeof(*a)), i, ret = a ? many_files() : -ENOMEM;

	for (i = 0; i < nr && !ret; i++)
		ret = tcptest_pair(&conf, &a[i], &b[i]);
	if (ret)
		return ret;
	pid = fork();
	if (!pid)
		pause();
	for (i = 0; i < nr; i++)
		close(a[i]);
	free(a);
	/* Its death closes them, one behind the other. */
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

TEST(exit_with_many)
{
	enum { NR = 1000 };
	static int b[NR];
	int i;

	ASSERT_EQ(0, leave(b, NR));
	EXPECT_EQ(NR, nsttest_stat("NstLingering"));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, close_one_recv(b[i]));
	EXPECT_EQ(NR, nsttest_stat("NstLingering"));
	for (i = 0; i < NR; i++)
		close(b[i]);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, nsttest_stat("NstSockets"));
}

/*
 * The sysctl is seen from the first namespace alone, which is that of the
 * process whose view of /proc lies below this test's.
 */
static int enter_first(void)
{
	int fd;

	if (unshare(CLONE_NEWNS) || umount2("/proc", MNT_DETACH))
		return -errno;
	fd = open("/proc/1/ns/net", O_RDONLY);
	return fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* Writes @max, and leaves what was there in @old. 0 or errno. */
static int set_max(const char *max, char *old, size_t size)
{
	const char *path = "/proc/sys/net/ipv4/tcp_max_orphans";
	int status, pipe_fd[2];
	ssize_t n;
	pid_t pid;

	if (pipe(pipe_fd))
		return errno;
	pid = fork();
	if (!pid) {
		int err = -enter_first(), fd;

		fd = err ? -1 : open(path, O_RDONLY);
		n = fd < 0 ? 0 : read(fd, old, size - 1);
		if (n <= 0 || write(pipe_fd[1], old, n) != n)
			_exit(err ?: EIO);
		_exit(-nsttest_write_file(path, max));
	}
	close(pipe_fd[1]);
	n = read(pipe_fd[0], old, size - 1);
	old[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int count_reset(const int *b, int nr)
{
	int i, n = 0;

	for (i = 0; i < nr; i++)
		n += !!(tcptest_poll(b[i], POLLERR, 0) & POLLERR);
	return n;
}

/* A connection is not counted any more some time before its reset is sent. */
static int wait_reset(const int *b, int nr, int want)
{
	long from = nsttest_now_ms();
	int n;

	while ((n = count_reset(b, nr)) < want) {
		if (nsttest_now_ms() - from > TCPTEST_SOON_MS)
			break;
		usleep(2000);
	}
	return n;
}

/*
 * Of those that wait for their peer's FIN alone the oldest go when there are too
 * many. No peer is told by a reset: nothing was under way.
 */
TEST(max_half_closed)
{
	enum { NR = 8, MAX = 4 };
	int b[NR], a, i;
	char old[32], now[32];
	unsigned int port;

	/* In a namespace of its own no other has had its ports. */
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, set_max("4", old, sizeof(old)));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, tcptest_pair(&conf, &a, &b[i]));
		port = close_port(a);
		close(a);
		EXPECT_EQ(0, close_wait_state(port, CLOSE_FIN_WAIT2));
		EXPECT_LE(0, close_wait_lingering(i < MAX ? i + 1 : MAX));
	}
	/* What TCP has of the others it has for a while, too. */
	EXPECT_EQ(CLOSE_FIN_WAIT2, close_state(port));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, close_one_recv(b[i]));
	EXPECT_EQ(0, count_reset(b, NR));
	for (i = 0; i < NR; i++)
		close(b[i]);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, set_max(old, now, sizeof(now)));
	EXPECT_STREQ("4\n", now);
}

/* Closes the sender of more than its peer has room for. The bytes, or -errno. */
static int leave_full(int *b)
{
	static char data[300000];
	int a, n, ret = tcptest_pair(&conf, &a, b);

	if (!ret)
		ret = tcptest_set_int(a, SOL_SOCKET, SO_SNDBUF, 1 << 20);
	/* Set, it does not grow with what comes. */
	if (!ret)
		ret = tcptest_set_int(*b, SOL_SOCKET, SO_RCVBUF, 32768);
	if (ret)
		return ret;
	n = send(a, data, sizeof(data), MSG_DONTWAIT);
	return close(a) || n < 0 ? -errno : n;
}

static int read_full(int b)
{
	static char data[65536];
	int sum = 0, n;

	while ((n = recv(b, data, sizeof(data), 0)) > 0)
		sum += n;
	return n ? -errno : sum;
}

/* What has data under way and is too many is reset, at once. */
TEST(max_orphans)
{
	enum { NR = 8, MAX = 4 };
	int b[NR], n[NR], i;
	char old[32], now[32];

	ASSERT_EQ(0, set_max("4", old, sizeof(old)));
	for (i = 0; i < NR; i++) {
		n[i] = leave_full(&b[i]);
		EXPECT_LT(100000, n[i]);
		EXPECT_LE(0, close_wait_lingering(i < MAX ? i + 1 : MAX));
		EXPECT_EQ(i < MAX ? 0 : i + 1 - MAX,
			  wait_reset(b, i + 1, i < MAX ? 0 : i + 1 - MAX));
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(i < MAX ? n[i] : -ECONNRESET, read_full(b[i]));
		close(b[i]);
	}
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, set_max(old, now, sizeof(now)));
}

/*
 * Strangers who know no key, and never say that they have gone, do not take the
 * place of who has data under way.
 */
TEST(max_orphans_silent)
{
	enum { NR = 8 };
	int raw[NR], b, n, s, i;
	char old[32], now[32];
	unsigned int port;

	/* In a namespace of its own no other has had its ports. */
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, set_max("4", old, sizeof(old)));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &s, &raw[i]));
		EXPECT_EQ(0, tcptest_key(s, &conf, NST_F_RESPONDER));
		port = close_port(s);
		close(s);
		EXPECT_EQ(0, close_wait_state(port, CLOSE_FIN_WAIT2));
		EXPECT_LE(0, close_wait_lingering(i < 4 ? i + 1 : 4));
	}
	n = leave_full(&b);
	EXPECT_LT(100000, n);
	EXPECT_EQ(n, read_full(b));
	close(b);
	for (i = 0; i < NR; i++)
		close(raw[i]);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, set_max(old, now, sizeof(now)));
}

/* --- ss -K ---------------------------------------------------------------- */

static int kill_port(unsigned int port)
{
	char command[64];

	snprintf(command, sizeof(command), "ss -K sport = :%u >/dev/null", port);
	return system(command) ? -EIO : 0;
}

TEST(killed)
{
	unsigned int port;
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	port = close_port(a);
	ASSERT_EQ(0, close(a));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	ASSERT_EQ(0, kill_port(port));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_NE(0, tcptest_poll(b, POLLERR, TCPTEST_SOON_MS) & POLLERR);
	close(b);
}

/* At any moment of a connection's life, its end above all. */
TEST(killed_any_time)
{
	pid_t pid;

	/* Of what it runs none may be left to kill the next test's. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = fork();
	if (!pid)
		while (!setpgid(0, 0) &&
		       system("ss -K state all >/dev/null 2>&1") >= 0)
			;
	close_rounds(&conf, 300);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, nsttest_stat("NstSockets"));
}

/* --- a peer that is gone -------------------------------------------------- */

FIXTURE(path)
{
	struct veth v;
	int a;
	int b;
	long users;
};

/* Four timeouts: 0.2 + 0.4 + 0.8 + 1.6 s, and a quarter of that. */
#define PATIENCE	"3"
#define PATIENCE_MS	3000

FIXTURE_SETUP(path)
{
	const struct veth_conf veth = { .offload = VETH_ALL, .mtu = 1500 };
	int end;

	self->users = nsttest_number(NSTTEST_USERS);
	ASSERT_EQ(0, veth_open(&self->v, &veth));
	for (end = 0; end < 2; end++) {
		ASSERT_EQ(0, veth_enter(&self->v, end));
		ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_orphan_retries",
						PATIENCE));
	}
	ASSERT_EQ(0, veth_connect(&self->v, AF_INET, 0, 0, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_key(self->a, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(self->b, &conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
}

/* Nothing is left for the tests that come, which count TCP's orphans. */
FIXTURE_TEARDOWN(path)
{
	int end;

	if (self->a >= 0)
		close(self->a);
	if (self->b >= 0)
		close(self->b);
	for (end = 0; end < 2; end++) {
		EXPECT_EQ(0, veth_enter(&self->v, end));
		EXPECT_LE(0, close_wait_lingering(0));
	}
	veth_close(&self->v);
}

static void close_a(struct __test_metadata *_metadata, FIXTURE_DATA(path) *self)
{
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
}

/* The peer's host hears nothing any more. */
static int cut(FIXTURE_DATA(path) *self)
{
	int ret = veth_enter(&self->v, 1);

	if (!ret && system("ip link set v down"))
		ret = -EIO;
	return ret ?: veth_enter(&self->v, 0);
}

TEST_F(path, peer_is_gone)
{
	unsigned int port = close_port(self->a);
	long from;

	ASSERT_EQ(0, cut(self));
	from = nsttest_now_ms();
	close_a(_metadata, self);
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_EQ(CLOSE_FIN_WAIT1, close_state(port));
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_LT(PATIENCE_MS - 100, nsttest_now_ms() - from);
	EXPECT_EQ(0, close_wait_state(port, 0));
}

/* Nor does one hold the module that nobody will answer. */
TEST_F(path, peer_is_gone_module)
{
	ASSERT_EQ(0, cut(self));
	close_a(_metadata, self);
	/* The other end still has its program. */
	EXPECT_EQ(0, wait_users(self->users + 2));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
}

/*
 * A peer that has no room, and says so whenever it is asked, is not gone: TCP waits
 * until it asks once in two minutes.
 */
TEST_F(path, peer_is_full)
{
	static char data[300000];
	int n;

	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1 << 20));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUF, 32768));
	n = send(self->a, data, sizeof(data), MSG_DONTWAIT);
	ASSERT_LT(100000, n);
	close_a(_metadata, self);
	usleep(3 * PATIENCE_MS * 1000);
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	EXPECT_EQ(n, read_full(self->b));
	close(self->b);
	self->b = -1;
}

/* TCP drops what has not the signature that it asks for, also an answer. */
TEST_F(path, md5)
{
	struct tcp_md5sig sig = { .tcpm_keylen = 3, .tcpm_key = "key" };
	struct sockaddr_in *to = (void *)&sig.tcpm_addr;

	to->sin_family = AF_INET;
	inet_pton(AF_INET, "10.9.0.2", &to->sin_addr);
	if (setsockopt(self->a, SOL_TCP, TCP_MD5SIG, &sig, sizeof(sig)))
		SKIP(return, "this kernel has no TCP-MD5");
	close_a(_metadata, self);
	EXPECT_EQ(0, wait_users(self->users + 2));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
}

/* --- a namespace that goes ------------------------------------------------ */

/*
 * The namespace has no process any more, and its device goes with it: the closed
 * connection holds it as long as it waits, and no longer.
 */
TEST_F(path, namespace_goes)
{
	int gone = self->v.ns[0];
	long from;

	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_LINGER2, 2));
	close_a(_metadata, self);
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	self->v.ns[0] = open("/proc/thread-self/ns/net", O_RDONLY);
	from = nsttest_now_ms();
	close(gone);
	while (!system("ip link show v >/dev/null 2>&1")) {
		if (nsttest_now_ms() - from > 2000 + TCPTEST_SOON_MS)
			break;
		usleep(50000);
	}
	EXPECT_LT(1000, nsttest_now_ms() - from);
	EXPECT_GT(2000 + TCPTEST_SOON_MS, nsttest_now_ms() - from);
	close(self->b);
	self->b = -1;
	EXPECT_EQ(0, wait_users(self->users));
}

/* --- the module ----------------------------------------------------------- */

/* It goes at once; the connections are TCP's then, and end. */
TEST(module_goes)
{
	enum { NR = 50 };
	int raw[NR], i, k;
	struct nsttest_conf keys = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	unsigned int port;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &k, &raw[i]));
		ASSERT_EQ(0, nsttest_attach(k));
		ASSERT_EQ(0, nsttest_install(k, &keys));
		port = close_port(k);
		ASSERT_EQ(0, close(k));
	}
	EXPECT_EQ(NR, nsttest_stat("NstLingering"));
	EXPECT_EQ(0, wait_users(0));
	EXPECT_EQ(0, unload());
	EXPECT_EQ(0, close_wait_state(port, CLOSE_FIN_WAIT2));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, nsttest_drain(raw[i]));
	EXPECT_EQ(0, load());
	for (i = 0; i < NR; i++)
		close(raw[i]);
}

TEST_HARNESS_MAIN
