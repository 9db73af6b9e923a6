// SPDX-License-Identifier: GPL-2.0
/*
 * The protocol family AF_NST, and net.nst.enabled, as a program sees them: the
 * sockets are those of inet in all that can be looked at, but NST from birth.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define ENABLED		"/proc/sys/net/nst/enabled"
#define NOBODY		65534
/* In the last four bytes of a record's header. */
#define WIRE_INITIATOR	0x04
#define WIRE_RESPONDER	0x08

/* What is given to socket(), and what comes of it. */
struct kind {
	int type;
	int protocol;
	int family;
};

static int make(const struct kind *kind, int flags)
{
	return socket(AF_NST, kind->type | flags, kind->protocol);
}

static int plain(const struct kind *kind)
{
	return socket(kind->family, kind->type, 0);
}

/* Binds to any port of the loopback, which @ss tells then. */
static int bind_any(int fd, int family, struct sockaddr_storage *ss)
{
	socklen_t len = nsttest_loopback(ss, family, 0);

	if (bind(fd, (void *)ss, len) || getsockname(fd, (void *)ss, &len))
		return -errno;
	return 0;
}

static int port_of(const struct sockaddr_storage *ss)
{
	return ntohs(((const struct sockaddr_in *)ss)->sin_port);
}

static int link_to(int fd, const struct sockaddr_storage *ss)
{
	socklen_t len = ss->ss_family == AF_INET6 ?
		sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	return connect(fd, (const void *)ss, len) ? -errno : 0;
}

static int set_patience(int fd)
{
	return tcptest_timeout(fd, SO_RCVTIMEO, NSTTEST_TIMEOUT * 1000) ?:
	       tcptest_timeout(fd, SO_SNDTIMEO, NSTTEST_TIMEOUT * 1000);
}

static int set_keys(int fd)
{
	struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM,
		.nr_keys = NSTTEST_KEYS,
	};

	return nsttest_install(fd, &conf);
}

/*
 * Connects @a, which has NST and keys, with what becomes @b: of @lis a child,
 * or @lis itself.
 */
static int join(const struct kind *kind, int a, int lis, int *b)
{
	struct sockaddr_storage at_a, at_b;
	int ret;

	ret = bind_any(lis, kind->family, &at_b);
	if (!ret && kind->type == SOCK_STREAM && listen(lis, 1))
		ret = -errno;
	if (!ret && kind->type == SOCK_DGRAM)
		ret = bind_any(a, kind->family, &at_a);
	if (!ret)
		ret = link_to(a, &at_b);
	if (ret)
		return ret;
	if (kind->type == SOCK_DGRAM)
		ret = link_to(*b = dup(lis), &at_a);
	else
		*b = accept(lis, NULL, NULL);
	if (ret || *b < 0)
		return ret ?: -errno;
	return set_patience(a) ?: set_patience(*b);
}

/* Two sockets of the family that have keys and are connected. */
static int pair(const struct kind *kind, int *a, int *b)
{
	int lis = make(kind, 0);
	int ret;

	*b = -1;
	*a = make(kind, 0);
	if (*a < 0 || lis < 0)
		return -errno;
	ret = set_keys(*a);
	if (!ret)
		ret = set_keys(lis);
	if (!ret)
		ret = join(kind, *a, lis, b);
	close(lis);
	return ret;
}

static int say(int from, int to, const char *text)
{
	size_t len = strlen(text);
	char buf[64] = "";

	if (send(from, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return errno ? -errno : -EIO;
	if (recv(to, buf, sizeof(buf) - 1, 0) != (ssize_t)len)
		return errno ? -errno : -EIO;
	return strcmp(buf, text) ? -EILSEQ : 0;
}

static int talk(int a, int b)
{
	return say(a, b, "there") ?: say(b, a, "and back");
}

static int option(int fd, int opt)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, opt, &value, &len) ? -errno : value;
}

static bool has_nst(int fd)
{
	struct nst_info info;

	return !tcptest_info(fd, &info);
}

static int attach(int fd, const struct kind *kind)
{
	int level = kind->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;

	return kind->type == SOCK_STREAM ? nsttest_attach(fd) :
	       tcptest_set_int(fd, level, NST_ATTACH, 1);
}

FIXTURE(af) {
};

FIXTURE_VARIANT(af) {
	struct kind kind;
};

#define KIND(name, t, p, f)						\
FIXTURE_VARIANT_ADD(af, name) {						\
	.kind = { .type = t, .protocol = p, .family = f }		\
}

KIND(stream, NST_SOCK_STREAM, 0, AF_INET);
KIND(stream_ipv4, NST_SOCK_STREAM, AF_INET, AF_INET);
KIND(stream_ipv6, NST_SOCK_STREAM, AF_INET6, AF_INET6);
KIND(dgram, NST_SOCK_DGRAM, 0, AF_INET);
KIND(dgram_ipv4, NST_SOCK_DGRAM, AF_INET, AF_INET);
KIND(dgram_ipv6, NST_SOCK_DGRAM, AF_INET6, AF_INET6);

FIXTURE_SETUP(af)
{
	ASSERT_EQ(0, nsttest_netns());
}

FIXTURE_TEARDOWN(af)
{
}

TEST_F(af, is_an_inet_socket)
{
	const struct kind *kind = &variant->kind;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = make(kind, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(kind->family, option(fd, SO_DOMAIN));
	EXPECT_EQ(kind->type, option(fd, SO_TYPE));
	EXPECT_EQ(kind->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
		  option(fd, SO_PROTOCOL));
	ASSERT_EQ(0, getsockname(fd, (void *)&ss, &len));
	EXPECT_EQ(kind->family, ss.ss_family);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

TEST_F(af, is_nst)
{
	const struct kind *kind = &variant->kind;
	int fd = make(kind, 0), other = plain(kind);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(has_nst(fd));
	EXPECT_FALSE(has_nst(other));
	EXPECT_EQ(-EEXIST, attach(fd, kind));
	EXPECT_EQ(0, set_keys(fd));
	close(fd);
	close(other);
}

TEST_F(af, flags)
{
	int fd = make(&variant->kind, SOCK_NONBLOCK | SOCK_CLOEXEC);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(0, set_keys(fd));
	EXPECT_EQ(-1, recv(fd, &byte, 1, 0));
	EXPECT_EQ(variant->kind.type == SOCK_DGRAM ? EAGAIN : ENOTCONN, errno);
	close(fd);
}

TEST_F(af, talks_to_its_like)
{
	int a, b;

	ASSERT_EQ(0, pair(&variant->kind, &a, &b));
	EXPECT_TRUE(has_nst(b));
	EXPECT_EQ(variant->kind.family, option(b, SO_DOMAIN));
	EXPECT_EQ(variant->kind.type, option(b, SO_TYPE));
	EXPECT_EQ(0, talk(a, b));
	close(a);
	close(b);
}

TEST_F(af, talks_to_an_attached_socket)
{
	const struct kind *kind = &variant->kind;
	int a = make(kind, 0), lis = plain(kind), b = -1;

	ASSERT_EQ(0, attach(lis, kind));
	ASSERT_EQ(0, set_keys(lis));
	ASSERT_EQ(0, set_keys(a));
	ASSERT_EQ(0, join(kind, a, lis, &b));
	EXPECT_EQ(0, talk(a, b));
	close(a);
	close(b);
	close(lis);
	/* And the other way round. */
	a = plain(kind);
	lis = make(kind, 0);
	ASSERT_EQ(0, attach(a, kind));
	ASSERT_EQ(0, set_keys(lis));
	ASSERT_EQ(0, set_keys(a));
	ASSERT_EQ(0, join(kind, a, lis, &b));
	EXPECT_EQ(0, talk(a, b));
	close(a);
	close(b);
	close(lis);
}

/* Nothing that was sent comes out at @raw; what it gets is an end or nothing. */
static void expect_silence(struct __test_metadata *_metadata, int raw)
{
	char buf[256];

	EXPECT_GE(0, recv(raw, buf, sizeof(buf), MSG_DONTWAIT));
}

TEST_F(af, without_keys_nothing_passes)
{
	const struct kind *kind = &variant->kind;
	struct sockaddr_storage ss;
	struct msghdr msg = { 0 };
	struct iovec iov = { .iov_base = "plaintext", .iov_len = 9 };
	int a = make(kind, 0), lis = plain(kind), raw = lis, pipes[2];

	ASSERT_EQ(0, bind_any(lis, kind->family, &ss));
	if (kind->type == SOCK_STREAM) {
		ASSERT_EQ(0, listen(lis, 1));
	}
	ASSERT_EQ(0, link_to(a, &ss));
	if (kind->type == SOCK_STREAM)
		raw = accept(lis, NULL, NULL);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	EXPECT_EQ(-1, send(a, "plaintext", 9, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, sendmsg(a, &msg, MSG_DONTWAIT));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, write(a, "plaintext", 9));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(9, write(pipes[1], "plaintext", 9));
	EXPECT_EQ(-1, splice(pipes[0], NULL, a, NULL, 9, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, recv(a, pipes, 1, MSG_DONTWAIT));
	EXPECT_EQ(ENOKEY, errno);
	expect_silence(_metadata, raw);
	close(a);
	expect_silence(_metadata, raw);
	close(pipes[0]);
	close(pipes[1]);
	if (raw != lis)
		close(raw);
	close(lis);
}

static int role_on_the_wire(int fd, int raw)
{
	uint8_t rec[48 + 4];

	if (send(fd, "role", 4, 0) != 4 ||
	    recv(raw, rec, sizeof(rec), MSG_WAITALL) != sizeof(rec))
		return -errno;
	return rec[46] & (WIRE_INITIATOR | WIRE_RESPONDER);
}

TEST_F(af, roles)
{
	const struct kind *kind = &variant->kind;
	int a = make(kind, 0), lis = plain(kind), b;
	struct sockaddr_storage ss;

	if (kind->type == SOCK_DGRAM) {
		/* Datagrams have none, unless the program says so. */
		ASSERT_EQ(0, set_keys(a));
		ASSERT_EQ(0, join(kind, a, lis, &b));
		EXPECT_EQ(0, role_on_the_wire(a, b));
		close(a);
		close(b);
		close(lis);
		return;
	}
	ASSERT_EQ(0, set_keys(a));
	ASSERT_EQ(0, join(kind, a, lis, &b));
	EXPECT_EQ(WIRE_INITIATOR, role_on_the_wire(a, b));
	close(a);
	close(b);
	close(lis);
	a = plain(kind);
	lis = make(kind, 0);
	ASSERT_EQ(0, set_keys(lis));
	ASSERT_EQ(0, bind_any(lis, kind->family, &ss));
	ASSERT_EQ(0, listen(lis, 1));
	ASSERT_EQ(0, link_to(a, &ss));
	b = accept4(lis, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, b);
	EXPECT_NE(0, fcntl(b, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(b, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(WIRE_RESPONDER, role_on_the_wire(b, a));
	close(a);
	close(b);
	close(lis);
}

/* --- descriptors that go around ------------------------------------------- */

TEST_F(af, dup_and_fork)
{
	int a, b, copy, status;
	char buf[12];
	pid_t pid;

	ASSERT_EQ(0, pair(&variant->kind, &a, &b));
	copy = dup(a);
	close(a);
	EXPECT_EQ(0, talk(copy, b));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(b);
		_exit(send(copy, "from a child", 12, 0) != 12);
	}
	close(copy);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(12, recv(b, buf, 12, 0));
	EXPECT_EQ(0, memcmp(buf, "from a child", 12));
	close(b);
}

static int pass(int over, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(over, &msg, 0) == 1 ? 0 : -errno;
}

static int fetch(int over)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fd;

	if (recvmsg(over, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

TEST_F(af, scm_rights)
{
	int a, b, over[2], got;

	ASSERT_EQ(0, pair(&variant->kind, &a, &b));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, over));
	ASSERT_EQ(0, pass(over[0], a));
	close(a);
	got = fetch(over[1]);
	ASSERT_LE(0, got);
	EXPECT_EQ(0, talk(got, b));
	/* One that dies in flight, with the last descriptor of it. */
	ASSERT_EQ(0, pass(over[0], got));
	close(got);
	close(over[0]);
	close(over[1]);
	close(b);
}

/* --- what it looks like from outside -------------------------------------- */

/* Is @port of the loopback in this table of /proc/thread-self/net? */
static bool listed(const char *table, int port)
{
	char path[64], line[512], want[8];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", table);
	snprintf(want, sizeof(want), ":%04X ", port);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, want);
	if (f)
		fclose(f);
	return found;
}

/* "TCP" of "TCP: inuse 3 orphan ..." in sockstat or sockstat6: 3 */
static int inuse(const char *file, const char *name)
{
	char path[64], line[256], word[16];
	int value = -1, n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%15[A-Z0-9a-z]: %*s %d", word, &n) == 2 &&
		    !strcmp(word, name))
			value = n;
	if (f)
		fclose(f);
	return value;
}

TEST_F(af, views)
{
	const struct kind *kind = &variant->kind;
	bool v6 = kind->family == AF_INET6, tcp = kind->type == SOCK_STREAM;
	const char *table = tcp ? v6 ? "tcp6" : "tcp" : v6 ? "udp6" : "udp";
	const char *file = v6 ? "sockstat6" : "sockstat";
	const char *name = tcp ? v6 ? "TCP6" : "TCP" : v6 ? "UDP6" : "UDP";
	struct sockaddr_storage ss;
	int fd, port, used, before;

	before = inuse(file, name);
	used = inuse("sockstat", "sockets");
	ASSERT_LE(0, before);
	ASSERT_LE(0, used);
	fd = make(kind, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(used + 1, inuse("sockstat", "sockets"));
	ASSERT_EQ(0, bind_any(fd, kind->family, &ss));
	if (tcp) {
		ASSERT_EQ(0, listen(fd, 1));
	}
	port = port_of(&ss);
	EXPECT_TRUE(listed(table, port));
	EXPECT_EQ(before + 1, inuse(file, name));
	close(fd);
	EXPECT_FALSE(listed(table, port));
	EXPECT_EQ(before, inuse(file, name));
	EXPECT_EQ(used, inuse("sockstat", "sockets"));
}

/* --- net.nst.enabled ------------------------------------------------------ */

TEST_F(af, enabled)
{
	const struct kind *kind = &variant->kind;
	int a, b, fd, other = plain(kind), used;

	ASSERT_EQ(0, pair(kind, &a, &b));
	used = inuse("sockstat", "sockets");
	ASSERT_EQ(0, nsttest_write_file(ENABLED, "0"));
	EXPECT_EQ(-1, make(kind, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, attach(other, kind));
	EXPECT_FALSE(has_nst(other));
	EXPECT_EQ(used, inuse("sockstat", "sockets"));
	/* What has NST keeps it. */
	EXPECT_EQ(0, talk(a, b));
	ASSERT_EQ(0, nsttest_write_file(ENABLED, "1"));
	fd = make(kind, 0);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, attach(other, kind));
	close(fd);
	close(other);
	close(a);
	close(b);
}

/* Each namespace has a switch of its own, also one that anybody may make. */
TEST_F(af, enabled_here_only)
{
	const struct kind *kind = &variant->kind;
	int status, fd;
	pid_t pid;

	ASSERT_EQ(0, nsttest_write_file(ENABLED, "0"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (nsttest_netns())
			_exit(1);
		fd = make(kind, 0);
		_exit(fd < 0 ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-1, make(kind, 0));
	EXPECT_EQ(EPERM, errno);
}

/* --- without rights ------------------------------------------------------- */

static int be_nobody(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ?
	       -errno : 0;
}

static int expect_talk(const struct kind *kind)
{
	int a, b, ret;

	ret = pair(kind, &a, &b);
	return ret ?: talk(a, b);
}

TEST_F(af, as_nobody)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-(be_nobody() ?: expect_talk(&variant->kind)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static int in_own_namespaces(const struct kind *kind)
{
	int ret = be_nobody();

	if (!ret && unshare(CLONE_NEWUSER))
		ret = -errno;
	/* With a loopback that is up, which the child of it may say. */
	if (!ret)
		ret = nsttest_netns();
	if (!ret)
		ret = expect_talk(kind);
	/* The switch of it is for who made it. */
	if (!ret)
		ret = nsttest_write_file(ENABLED, "0");
	if (!ret && (make(kind, 0) >= 0 || errno != EPERM))
		ret = -EBADE;
	return ret;
}

TEST_F(af, as_nobody_in_own_namespaces)
{
	int status, fd;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-in_own_namespaces(&variant->kind));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	fd = make(&variant->kind, 0);
	EXPECT_LE(0, fd);
	close(fd);
}

/* --- refusals ------------------------------------------------------------- */

TEST_F(af, no_descriptor_left)
{
	int used = inuse("sockstat", "sockets"), low;
	struct rlimit old, none;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	low = dup(0);
	ASSERT_LE(0, low);
	close(low);
	none = old;
	none.rlim_cur = low;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-1, make(&variant->kind, 0));
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(used, inuse("sockstat", "sockets"));
}

TEST_F(af, no_socketpair)
{
	int used = inuse("sockstat", "sockets"), fds[2];

	EXPECT_EQ(-1, socketpair(AF_NST, variant->kind.type,
				 variant->kind.protocol, fds));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(used, inuse("sockstat", "sockets"));
}

TEST(other_types)
{
	static const int types[] = { 0, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET,
				     SOCK_DCCP, 7, 8, 9, SOCK_PACKET };
	static const int protocols[] = { 0, AF_INET, AF_INET6, 99 };
	size_t i, j;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (j = 0; j < 4; j++) {
			EXPECT_EQ(-1, socket(AF_NST, types[i], protocols[j]));
			EXPECT_EQ(ESOCKTNOSUPPORT, errno) {
				TH_LOG("type %d", types[i]);
			}
		}
	}
	EXPECT_EQ(-1, socket(AF_NST, 11, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST(other_protocols)
{
	static const int protocols[] = { -1, 1, 3, IPPROTO_TCP, IPPROTO_UDP,
					 AF_NST, 136, 255, 256, 262 };
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		EXPECT_EQ(-1, socket(AF_NST, SOCK_STREAM, protocols[i]));
		EXPECT_EQ(EPROTONOSUPPORT, errno) {
			TH_LOG("protocol %d", protocols[i]);
		}
		EXPECT_EQ(-1, socket(AF_NST, SOCK_DGRAM, protocols[i]));
		EXPECT_EQ(EPROTONOSUPPORT, errno) {
			TH_LOG("protocol %d", protocols[i]);
		}
	}
}

TEST_HARNESS_MAIN
