// SPDX-License-Identifier: GPL-2.0
/*
 * What can a user without rights take from others, who does nothing but what NST
 * lets him do, as fast as he can? A tool, which measures and judges nothing: a line
 * for each thing that he does, with what another one's operations take meanwhile, in
 * the same namespace and on the same processors, what memory goes, and what of NST's
 * entries he holds. What the processor time alone costs, the lines of a busy loop
 * and of a flood without NST show.
 *
 *   stranger [SECONDS]	for each
 */
#define _GNU_SOURCE
#include <grp.h>
#include <sched.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "udpend.h"
#include "tcptest.h"

#define USER	65534

static int seconds = 3;

/* --- what he does --------------------------------------------------------- */

static const struct tcptest_conf tcp = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

static void spin(void)
{
	for (;;)
		getppid();
}

static int target(struct sockaddr_storage *at, bool nst)
{
	int fd;

	if (nst)
		return udpend_own_socket(at);
	fd = udpend_plain(AF_INET);
	udpend_name(fd, at);
	return fd;
}

static void flood(bool nst)
{
	int from = udpend_plain(AF_INET), to, i;
	struct sockaddr_storage at;
	struct udppeer u;
	uint8_t dgram[PEER_HDR_SIZE + 64];

	to = target(&at, nst);
	udppeer_init(&u, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	for (;;) {
		udppeer_invent(&u, dgram, 64);
		udpend_send(from, &at, dgram, sizeof(dgram));
		for (i = 0; i < 4; i++)
			recv(to, dgram, sizeof(dgram), MSG_DONTWAIT);
	}
}

static void flood_plain(void)
{
	flood(false);
}

static void flood_nst(void)
{
	flood(true);
}

/* True ones, each of a session of its own. */
static void sessions(void)
{
	int from = udpend_plain(AF_INET), to;
	struct sockaddr_storage at;
	uint8_t dgram[PEER_HDR_SIZE + 64];
	struct udppeer u;
	size_t n;

	to = target(&at, true);
	udppeer_init(&u, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	for (;;) {
		udppeer_epoch(&u);
		n = udppeer_next(&u, PEER_DATA, "x", 1, dgram);
		udpend_send(from, &at, dgram, n);
		recv(to, dgram, sizeof(dgram), MSG_DONTWAIT);
	}
}

static void connections(void)
{
	int a, b;

	for (;;) {
		if (!tcptest_pair(&tcp, &a, &b))
			tcptest_bind(a, b);
		close(a);
		close(b);
	}
}

static void rekeys(void)
{
	struct nst_rekey rekey = {};
	int a, b;

	if (tcptest_pair(&tcp, &a, &b))
		return;
	for (;;) {
		setsockopt(a, SOL_NST, NST_REKEY, &rekey, sizeof(rekey));
		tcptest_bind(a, b);
	}
}

/* As many connections as he may have descriptors, each with an open record. */
static void holds(void)
{
	char buf[16384] = "";
	int a, b;

	while (!tcptest_pair(&tcp, &a, &b))
		send(a, buf, sizeof(buf), MSG_MORE | MSG_DONTWAIT);
	for (;;)
		pause();
}

static void namespaces(void)
{
	int a, b;

	for (;;) {
		if (!fork()) {
			if (!unshare(CLONE_NEWUSER) && !nsttest_netns() &&
			    !tcptest_pair(&tcp, &a, &b))
				tcptest_bind(a, b);
			_exit(0);
		}
		wait(NULL);
	}
}

static const struct deed {
	const char *name;
	void (*run)(void);
} deeds[] = {
	{ "nothing", NULL },
	{ "a busy loop", spin },
	{ "plain datagrams", flood_plain },
	{ "invented datagrams", flood_nst },
	{ "new sessions", sessions },
	{ "new connections", connections },
	{ "new epochs", rekeys },
	{ "open records", holds },
	{ "new namespaces", namespaces },
};

/* --- what another one notices --------------------------------------------- */

static long now_us(void)
{
	return peer_now() / 1000;
}

struct victim {
	struct udpend *e;
	int a;
	int b;
};

static bool echo(struct victim *v)
{
	return !tcptest_bind(v->a, v->b);
}

static bool connects(struct victim *v)
{
	int a, b;
	bool ok = !tcptest_pair(&tcp, &a, &b) && !tcptest_bind(a, b);

	(void)v;
	close(a);
	close(b);
	return ok;
}

static bool datagram(struct victim *v)
{
	uint8_t dgram[PEER_HDR_SIZE + 64];
	size_t n = udppeer_next(&v->e->p, PEER_DATA, "x", 1, dgram);

	udpend_send(v->e->raw, &v->e->to, dgram, n);
	return recv(v->e->k, dgram, sizeof(dgram), 0) == 1;
}

static bool session(struct victim *v)
{
	udppeer_epoch(&v->e->p);
	return datagram(v);
}

static bool (*const looks[])(struct victim *v) = {
	echo, connects, datagram, session,
};

#define LOOKS	((int)(sizeof(looks) / sizeof(*looks)))
#define TIMES	1000

/* The median, us; -1: one has failed. */
static int look(struct victim *v, bool (*op)(struct victim *v), long end)
{
	int values[TIMES], nr = 0;
	long begin;

	do {
		begin = now_us();
		if (!op(v))
			return -1;
		values[nr++] = now_us() - begin;
	} while (nr < TIMES && now_us() < end);
	return nsttest_median(values, nr);
}

static pid_t begin_deed(const struct deed *deed)
{
	pid_t pid;

	if (!deed->run)
		return 0;
	pid = fork();
	if (pid)
		return pid;
	if (setgroups(0, NULL) || setgid(USER) || setuid(USER))
		_exit(1);
	deed->run();
	_exit(1);
}

static void measure(struct __test_metadata *_metadata, struct victim *v,
		    const struct deed *deed)
{
	long free = nsttest_find("/proc/meminfo", "MemAvailable"), mem;
	long sessions, streams = nsttest_stat("NstRxStreams");
	int us[LOOKS], i;
	pid_t pid = begin_deed(deed);

	sleep(1);
	for (i = 0; i < LOOKS; i++)
		us[i] = look(v, looks[i],
			     now_us() + seconds * 1000000l / LOOKS);
	mem = free - nsttest_find("/proc/meminfo", "MemAvailable");
	sessions = nsttest_stat("NstUdpSessions");
	streams = nsttest_stat("NstRxStreams") - streams;
	if (pid) {
		kill(pid, SIGKILL);
		tcptest_reap(pid);
	}
	TH_LOG("%-20s %7d %7d %7d %7d us, %7ld KiB, %5ld sessions, %5ld STARTs",
	       deed->name, us[0], us[1], us[2], us[3], mem, sessions, streams);
}

FIXTURE(stranger) {
};

FIXTURE_SETUP(stranger)
{
}

FIXTURE_TEARDOWN(stranger)
{
}

TEST_F_TIMEOUT(stranger, takes, 3600)
{
	const struct udpend_conf conf = {
		.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM,
	};
	struct udpend *e = calloc(1, sizeof(*e));
	struct victim v = { .e = e };
	unsigned int i;

	ASSERT_NE(NULL, e);
	ASSERT_EQ(0, udpend_open(e, &conf));
	ASSERT_EQ(0, tcptest_pair(&tcp, &v.a, &v.b));
	TH_LOG("%-20s %7s %7s %7s %7s", "he does", "echo", "connect", "dgram",
	       "session");
	for (i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		measure(_metadata, &v, &deeds[i]);
	udpend_close(e);
	free(e);
}

static void __attribute__((constructor)) set_seconds(int argc, char **argv)
{
	if (argc > 1)
		seconds = atoi(argv[1]);
}

TEST_HARNESS_MAIN
