// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged. Whatever ids a user has in user namespaces of his own, and of theirs,
 * all that acts there is one owner: he. Had each id a share, 65,536 would have as many.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define USER		1000
#define OTHER		1001
#define SUBORDINATE	100000	/* the first of 65,536 */

/* Of those; the last one acts in a namespace below his. */
static const unsigned int ids[] = { 0, 1, 2, 1000, 30000, 65535, 7 };

#define IDS	((int)(sizeof(ids) / sizeof(ids[0])))

static void give_up(const char *what)
{
	fprintf(stderr, "# %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* A session of the caller's own secret, at a socket of his, which stays. */
static void hold_session(int told)
{
	struct sockaddr_storage at;
	int raw = udpend_plain(AF_INET), k = udpend_own_socket(&at);
	struct udppeer p;
	struct dgram d;
	char buf[64];

	/* Not before: another's credentials take it away. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	udppeer_init(&p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	make(&p, &d);
	if (raw < 0 || k < 0 || udpend_send(raw, &at, d.b, d.len) ||
	    recv(k, buf, sizeof(buf), 0) != (ssize_t)d.plain_len ||
	    write(told, "s", 1) != 1)
		give_up("a session");
	pause();
	give_up("pause");
}

static void act_as(unsigned int id, bool below, int told)
{
	if (setresuid(id, id, id) || (below && unshare(CLONE_NEWUSER)))
		give_up("another id");
	hold_session(told);
}

/* A user who has made a namespace, and in it is whom he likes. */
static void be_many(int told, int go)
{
	char c;
	int i;

	if (setresuid(USER, USER, USER) || unshare(CLONE_NEWUSER) ||
	    write(told, "u", 1) != 1 || read(go, &c, 1) != 1 ||
	    setresgid(0, 0, 0) || setresuid(0, 0, 0))
		give_up("a namespace");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < IDS; i++)
		if (!fork())
			act_as(ids[i], i == IDS - 1, told);
	pause();
	give_up("pause");
}

static int map_ids(pid_t pid, const char *map)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, map);
	snprintf(text, sizeof(text), "0 %d 65536", SUBORDINATE);
	return nsttest_write_file(path, text);
}

/* How many users are owners, and the sessions of @uid. */
static int count_owners(unsigned int uid, unsigned int *sessions)
{
	unsigned int who, nr;
	char line[256];
	int users = 0;
	FILE *f = popen("nstkeyctl owners", "r");

	*sessions = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "uid %u %*u of %*u bytes, %u sessions", &who,
			   &nr) != 2)
			continue;
		users++;
		if (who == uid)
			*sessions = nr;
	}
	return !f || pclose(f) ? -1 : users;
}

static void wait_for(struct __test_metadata *_metadata, int fd, int nr)
{
	char c;

	while (nr--) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		ASSERT_EQ(1, poll(&pfd, 1, NSTTEST_TIMEOUT * 1000));
		ASSERT_EQ(1, read(fd, &c, 1));
	}
}

TEST(subordinate_ids_are_one_owner)
{
	unsigned int sessions;
	int told[2], go[2];
	pid_t many, other;

	ASSERT_EQ(0, pipe(told));
	ASSERT_EQ(0, pipe(go));
	many = fork();
	if (!many) {
		close(told[0]);
		be_many(told[1], go[0]);
	}
	wait_for(_metadata, told[0], 1);
	ASSERT_EQ(0, map_ids(many, "uid_map"));
	ASSERT_EQ(0, map_ids(many, "gid_map"));
	ASSERT_EQ(1, write(go[1], "m", 1));
	wait_for(_metadata, told[0], IDS);
	other = fork();
	if (!other)
		act_as(OTHER, false, told[1]);
	wait_for(_metadata, told[0], 1);
	EXPECT_EQ(2, count_owners(USER, &sessions));
	EXPECT_EQ((unsigned int)IDS, sessions);
	count_owners(OTHER, &sessions);
	EXPECT_EQ(1u, sessions);
	kill(many, SIGKILL);
	kill(other, SIGKILL);
	waitpid(many, NULL, 0);
	waitpid(other, NULL, 0);
}

TEST_HARNESS_MAIN
