// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family against a program that is not nstkeyctl: malformed
 * requests, each refused without a change of the box, wiped requests, and
 * changes at the same time from many processes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nst.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "nltalk.h"

#define STRESS_SECONDS	5

#define SOCKETS_STAYING	400	/* more than one part of a list has room for */
#define SOCKETS_MOVING	50
#define SOCKET_SECONDS	2

static int load_two(struct talk *t)
{
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, 1, NST_STATE_ACTIVE, 0x11);
	nl_put_nest(t, 2, NST_STATE_ACCEPT, 0x22);
	return nl_talk(t);
}

FIXTURE(nl) {
	struct talk t;
	char before[1024];
	int before_len;
};

FIXTURE_SETUP(nl)
{
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, load_two(&self->t));
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_KEY_GET, NLM_F_DUMP));
	ASSERT_LT(self->t.len, (int)sizeof(self->before));
	self->before_len = self->t.len;
	memcpy(self->before, self->t.buf, self->t.len);
}

FIXTURE_TEARDOWN(nl)
{
	EXPECT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	nl_close(&self->t);
}

/* The same keys, states and fingerprints as when the test began. */
static int unchanged(struct talk *t, const char *before, int before_len)
{
	struct nlmsghdr *a = (void *)before, *b = (void *)t->buf;
	int rest = before_len;

	if (nl_simple(t, NST_CMD_KEY_GET, NLM_F_DUMP) || t->len != before_len)
		return 0;
	for (; NLMSG_OK(a, rest); a = NLMSG_NEXT(a, rest)) {
		if (a->nlmsg_len != b->nlmsg_len ||
		    memcmp(NLMSG_DATA(a), NLMSG_DATA(b),
			   a->nlmsg_len - NLMSG_HDRLEN))
			return 0;
		b = (void *)((char *)b + NLMSG_ALIGN(b->nlmsg_len));
	}
	return 1;
}

#define EXPECT_UNCHANGED()						\
	EXPECT_TRUE(unchanged(&self->t, self->before, self->before_len))
#define EXPECT_WORDS(words)						\
	EXPECT_STREQ(words, self->t.message)

TEST_F(nl, secret_length)
{
	uint8_t secret[64] = { 1 };
	int lengths[] = { 0, 1, 16, 31, 33, 64 };

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(int); i++) {
		nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
		nl_put_u16(&self->t, NST_A_KEY_KID, 9);
		nl_put_u32(&self->t, NST_A_KEY_STATE, NST_STATE_ACCEPT);
		nl_put(&self->t, NST_A_KEY_SECRET, secret, lengths[i]);
		EXPECT_EQ(ERANGE, nl_talk(&self->t));
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, key_attribute_missing)
{
	uint8_t secret[NST_KEY_SIZE] = { 1 };

	for (int missing = 0; missing < 3; missing++) {
		for (int nest = 0; nest < 2; nest++) {
			struct nlattr *outer = NULL;

			nl_begin(&self->t, self->t.family, nest ?
				 NST_CMD_BOX_LOAD : NST_CMD_KEY_ADD, NLM_F_ACK);
			if (nest)
				outer = nl_put(&self->t, NST_A_BOX_KEY |
					       NLA_F_NESTED, NULL, 0);
			if (missing != 0)
				nl_put_u16(&self->t, NST_A_KEY_KID, 9);
			if (missing != 1)
				nl_put_u32(&self->t, NST_A_KEY_STATE,
					   NST_STATE_ACTIVE);
			if (missing != 2)
				nl_put(&self->t, NST_A_KEY_SECRET, secret,
				       sizeof(secret));
			if (nest)
				outer->nla_len = (char *)self->t.req +
					self->t.req->nlmsg_len - (char *)outer;
			EXPECT_EQ(EINVAL, nl_talk(&self->t));
			EXPECT_WORDS("A key needs kid, state and secret");
		}
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, kid_and_state_range)
{
	nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&self->t, 0, NST_STATE_ACCEPT, 9);
	EXPECT_EQ(ERANGE, nl_talk(&self->t));
	nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&self->t, 9, NST_STATE_RETIRED + 1, 9);
	EXPECT_EQ(ERANGE, nl_talk(&self->t));
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 1, NST_STATE_ACTIVE, 9);
	nl_put_nest(&self->t, 0, NST_STATE_ACCEPT, 9);
	EXPECT_EQ(ERANGE, nl_talk(&self->t));
	EXPECT_UNCHANGED();
}

TEST_F(nl, kid_missing)
{
	uint8_t commands[] = { NST_CMD_KEY_GET, NST_CMD_KEY_ACTIVATE,
			       NST_CMD_KEY_RETIRE, NST_CMD_KEY_DEL };

	for (unsigned int i = 0; i < sizeof(commands); i++) {
		EXPECT_EQ(EINVAL, nl_simple(&self->t, commands[i], NLM_F_ACK));
		EXPECT_WORDS("The kid is missing");
	}
	EXPECT_UNCHANGED();
}

/* What only the kernel may say, and what nobody knows. */
TEST_F(nl, attribute_unknown)
{
	uint16_t types[] = { NST_A_KEY_FINGERPRINT, NST_A_KEY_MAX + 1, 999 };

	for (unsigned int i = 0; i < 3; i++) {
		nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
		nl_put_key(&self->t, 9, NST_STATE_ACCEPT, 9);
		nl_put_u32(&self->t, types[i], 1);
		EXPECT_EQ(EINVAL, nl_talk(&self->t));
	}
	EXPECT_UNCHANGED();
}

/* A command for all keys that names one is a mistake, not one for all keys. */
TEST_F(nl, attribute_not_taken)
{
	uint8_t commands[] = { NST_CMD_BOX_FLUSH, NST_CMD_STATS_GET,
			       NST_CMD_INFO_GET };

	for (unsigned int i = 0; i < sizeof(commands); i++) {
		for (uint16_t type = 1; type < 4; type++) {
			nl_begin(&self->t, self->t.family, commands[i],
				 NLM_F_ACK);
			nl_put_u16(&self->t, type, 1);
			EXPECT_EQ(EINVAL, nl_talk(&self->t));
		}
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, command_unknown)
{
	EXPECT_EQ(EOPNOTSUPP, nl_simple(&self->t, 0, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, nl_simple(&self->t, NST_CMD_EVENT, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, nl_simple(&self->t, NST_CMD_MAX + 1, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, nl_simple(&self->t, NST_CMD_CAPS_GET, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, nl_simple(&self->t, NST_CMD_STATS_GET, NLM_F_DUMP));
}

TEST_F(nl, box_malformed)
{
	struct nlattr *nest;

	EXPECT_EQ(EINVAL, nl_simple(&self->t, NST_CMD_BOX_LOAD, NLM_F_ACK));
	EXPECT_WORDS("The box has no keys: flush is for that");
	/* not marked as a nest */
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nest = nl_put(&self->t, NST_A_BOX_KEY, NULL, 0);
	nl_put_key(&self->t, 1, NST_STATE_ACTIVE, 9);
	nest->nla_len = (char *)self->t.req + self->t.req->nlmsg_len -
			(char *)nest;
	EXPECT_EQ(EINVAL, nl_talk(&self->t));
	/* an attribute that reaches beyond its nest */
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 1, NST_STATE_ACTIVE, 9);
	nest = (void *)((char *)self->t.req + NLMSG_LENGTH(GENL_HDRLEN));
	((struct nlattr *)((char *)nest + NLA_HDRLEN))->nla_len = 200;
	EXPECT_EQ(EINVAL, nl_talk(&self->t));
	EXPECT_UNCHANGED();
}

TEST_F(nl, box_contradictory)
{
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 1, NST_STATE_ACTIVE, 7);
	nl_put_nest(&self->t, 2, NST_STATE_ACTIVE, 8);
	EXPECT_EQ(ENOTUNIQ, nl_talk(&self->t));
	EXPECT_WORDS("More than one key is active");
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 3, NST_STATE_ACCEPT, 7);
	EXPECT_EQ(ENOKEY, nl_talk(&self->t));
	EXPECT_WORDS("No key is active");
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 5, NST_STATE_ACTIVE, 7);
	nl_put_nest(&self->t, 4, NST_STATE_ACCEPT, 7);
	nl_put_nest(&self->t, 5, NST_STATE_RETIRED, 7);
	EXPECT_EQ(EEXIST, nl_talk(&self->t));
	EXPECT_WORDS("Two keys have the same kid");
	EXPECT_UNCHANGED();
}

TEST_F(nl, box_too_large)
{
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	for (int kid = 1; kid <= NST_BOX_MAX + 1; kid++)
		nl_put_nest(&self->t, kid, kid == 1 ? NST_STATE_ACTIVE :
			    NST_STATE_ACCEPT, 7);
	EXPECT_EQ(E2BIG, nl_talk(&self->t));
	EXPECT_WORDS("A box has room for 1024 keys");
	EXPECT_UNCHANGED();
}

/* An error quotes the request: by then its secrets are gone. */
TEST_F(nl, refused_request_is_wiped)
{
	for (int nest = 0; nest < 2; nest++) {
		nl_begin(&self->t, self->t.family, nest ? NST_CMD_BOX_LOAD :
			 NST_CMD_KEY_ADD, NLM_F_ACK);
		if (nest)
			nl_put_nest(&self->t, 1, NST_STATE_ACCEPT, 0x5a);
		else
			nl_put_key(&self->t, 1, NST_STATE_ACCEPT, 0x5a);
		EXPECT_EQ(nest ? ENOKEY : EEXIST, nl_talk(&self->t));
		EXPECT_LT((int)self->t.req->nlmsg_len, self->t.len);
		EXPECT_EQ(NULL, memmem(self->t.buf, self->t.len,
				       "\x5a\x5a\x5a\x5a", 4));
	}
}

/* The same for values that are wrong by themselves. */
TEST_F(nl, request_out_of_range_is_wiped)
{
	static const struct {
		uint16_t kid;
		uint32_t state;
	} wrong[] = {
		{ 0, NST_STATE_ACCEPT }, { 9, NST_STATE_RETIRED + 1 },
	};

	for (int i = 0; i < 4; i++) {
		nl_begin(&self->t, self->t.family, i % 2 ? NST_CMD_BOX_LOAD :
			 NST_CMD_KEY_ADD, NLM_F_ACK);
		if (i % 2)
			nl_put_nest(&self->t, wrong[i / 2].kid,
				    wrong[i / 2].state, 0x5a);
		else
			nl_put_key(&self->t, wrong[i / 2].kid,
				   wrong[i / 2].state, 0x5a);
		EXPECT_EQ(ERANGE, nl_talk(&self->t));
		EXPECT_LT((int)self->t.req->nlmsg_len, self->t.len);
		EXPECT_EQ(NULL, memmem(self->t.buf, self->t.len,
				       "\x5a\x5a\x5a\x5a", 4));
	}
	EXPECT_UNCHANGED();
}

/* A key whose attribute @which has @len bytes; 3: one that nobody knows. */
static void put_odd_key(struct talk *t, int which, size_t len)
{
	uint8_t secret[NST_KEY_SIZE], value[8] = { 9 };

	memset(secret, 0x5a, sizeof(secret));
	nl_put(t, NST_A_KEY_KID, value, which == 0 ? len : 2);
	nl_put(t, NST_A_KEY_STATE, "\0\0\0\0\0\0\0", which == 1 ? len : 4);
	nl_put(t, NST_A_KEY_SECRET, secret, sizeof(secret));
	if (which == 2)
		nl_put(t, NST_A_KEY_SECRET, secret, len);
	if (which == 3)
		nl_put(t, NST_A_KEY_MAX + 1, value, len);
}

/* Nor does one that netlink itself would refuse, before it is NST's. */
TEST_F(nl, request_malformed_is_wiped)
{
	static const struct {
		int which;
		size_t len;
	} odd[] = {
		{ 0, 0 }, { 0, 1 }, { 0, 3 }, { 0, 4 }, { 1, 0 }, { 1, 2 },
		{ 1, 8 }, { 2, 31 }, { 3, 0 }, { 3, 4 },
	};

	for (unsigned int i = 0; i < 3 * sizeof(odd) / sizeof(odd[0]); i++) {
		struct nlattr *nest = NULL;
		int err;

		nl_begin(&self->t, self->t.family, i % 3 ? NST_CMD_BOX_LOAD :
			 NST_CMD_KEY_ADD, NLM_F_ACK);
		/* One in three is a nest that is not marked as one. */
		if (i % 3)
			nest = nl_put(&self->t, NST_A_BOX_KEY |
				      (i % 3 == 1 ? NLA_F_NESTED : 0), NULL, 0);
		put_odd_key(&self->t, odd[i / 3].which, odd[i / 3].len);
		if (nest)
			nest->nla_len = (char *)self->t.req +
				self->t.req->nlmsg_len - (char *)nest;
		err = nl_talk(&self->t);
		EXPECT_TRUE(err == EINVAL || err == ERANGE) {
			TH_LOG("%d at %u", err, i);
		}
		EXPECT_LT((int)self->t.req->nlmsg_len, self->t.len);
		EXPECT_EQ(NULL, memmem(self->t.buf, self->t.len,
				       "\x5a\x5a\x5a\x5a", 4)) {
			TH_LOG("a secret came back, at %u", i);
		}
	}
	EXPECT_UNCHANGED();
}

/* A listing has no secret in it, whatever the box holds. */
TEST_F(nl, listing_without_secret)
{
	nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&self->t, 0x5a5a, NST_STATE_ACTIVE, 0x5a);
	EXPECT_EQ(0, nl_talk(&self->t));
	EXPECT_EQ(0, nl_simple(&self->t, NST_CMD_KEY_GET, NLM_F_DUMP));
	EXPECT_NE(NULL, memmem(self->t.buf, self->t.len, "\x5a\x5a", 2));
	EXPECT_EQ(NULL, memmem(self->t.buf, self->t.len,
			       "\x5a\x5a\x5a\x5a", 4));
}

static void stress_once(struct talk *t)
{
	uint16_t kid = 1 + rand() % 8;

	switch (rand() % 8) {
	case 0:
		load_two(t);
		break;
	case 1:
		nl_begin(t, t->family, NST_CMD_KEY_ADD, NLM_F_ACK);
		nl_put_key(t, kid, rand() % 3, kid);
		nl_talk(t);
		break;
	case 2:
		if (rand() % 8 == 0)
			nl_simple(t, NST_CMD_BOX_FLUSH, NLM_F_ACK);
		break;
	case 3:
		nl_simple(t, NST_CMD_KEY_GET, NLM_F_DUMP);
		break;
	case 4:
		nl_simple(t, NST_CMD_INFO_GET, NLM_F_ACK);
		break;
	default:
		nl_begin(t, t->family, rand() % 2 ? NST_CMD_KEY_ACTIVATE :
			 rand() % 2 ? NST_CMD_KEY_RETIRE : NST_CMD_KEY_DEL,
		      NLM_F_ACK);
		nl_put_u16(t, NST_A_KEY_KID, kid);
		nl_talk(t);
	}
}

static int stress(int seed)
{
	time_t end = time(NULL) + STRESS_SECONDS;
	struct talk t;

	if (nl_open(&t))
		return 1;
	srand(seed);
	while (time(NULL) < end)
		stress_once(&t);
	nl_close(&t);
	return 0;
}

/* Every box that anybody sees has one active key, or no key. */
static int consistent(struct talk *t)
{
	struct nlmsghdr *nlh = (void *)t->buf;
	int rest, keys = 0, active = 0, torn = 0;

	if (nl_simple(t, NST_CMD_KEY_GET, NLM_F_DUMP))
		return 0;
	for (rest = t->len; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest)) {
		struct nlattr *attr = (void *)((char *)nlh +
					       NLMSG_LENGTH(GENL_HDRLEN));

		torn |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type != t->family)
			continue;
		keys++;
		while (attr->nla_type != NST_A_KEY_STATE)
			attr = (void *)((char *)attr +
					NLA_ALIGN(attr->nla_len));
		active += *(uint32_t *)((char *)attr + NLA_HDRLEN) ==
			  NST_STATE_ACTIVE;
	}
	return torn || active == !!keys;
}

TEST_F_TIMEOUT(nl, changes_at_the_same_time, 60)
{
	pid_t pid[4];
	int status, wrong = 0, alive = 4;

	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		ASSERT_GE(pid[i], 0);
		if (!pid[i])
			_exit(stress(i + 1));
	}
	while (alive) {
		wrong += !consistent(&self->t);
		while (alive && waitpid(-1, &status, WNOHANG) > 0) {
			alive--;
			EXPECT_EQ(0, status);
		}
	}
	EXPECT_EQ(0, wrong);
}

/* A UDP socket with NST, or -1. */
static int attached(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	if (fd >= 0 && setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one,
				  sizeof(one))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sockets come and go. */
static int come_and_go(void)
{
	time_t end = time(NULL) + SOCKET_SECONDS;
	int fd[SOCKETS_MOVING], i;

	for (i = 0; i < SOCKETS_MOVING; i++)
		fd[i] = attached();
	for (i = 0; time(NULL) < end; i = (i + 1) % SOCKETS_MOVING) {
		close(fd[i]);
		fd[i] = attached();
		if (fd[i] < 0)
			return 1;
	}
	return 0;
}

/* How often the last answer has each socket; 0 if one is not told once. */
static int told_once(struct talk *t, const uint64_t *cookies, int *others)
{
	int told[SOCKETS_STAYING] = {}, rest, i;
	struct nlmsghdr *nlh = (void *)t->buf;
	uint64_t cookie;

	*others = 0;
	for (rest = t->len; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest)) {
		if (nlh->nlmsg_type != t->family)
			continue;
		memcpy(&cookie, nl_find(nlh, NST_A_SOCKET_COOKIE),
		       sizeof(cookie));
		for (i = 0; i < SOCKETS_STAYING && cookies[i] != cookie; i++)
			;
		if (i < SOCKETS_STAYING)
			told[i]++;
		else
			++*others;
	}
	for (i = 0; i < SOCKETS_STAYING; i++)
		if (told[i] != 1)
			return 0;
	return 1;
}

/* The list comes in parts, between which others come and go. */
TEST_F_TIMEOUT(nl, sockets_that_stay_are_told_once, 60)
{
	int fd[SOCKETS_STAYING], wrong = 0, seen = 0, others, status;
	uint64_t cookies[SOCKETS_STAYING];
	socklen_t len = sizeof(uint64_t);
	pid_t pid = -1;

	for (int i = 0; i < SOCKETS_STAYING; i++) {
		fd[i] = attached();
		ASSERT_GE(fd[i], 0);
		ASSERT_EQ(0, getsockopt(fd[i], SOL_SOCKET, SO_COOKIE,
					&cookies[i], &len));
		if (i == SOCKETS_STAYING / 2) {
			pid = fork();
			ASSERT_GE(pid, 0);
			if (!pid)
				_exit(come_and_go());
		}
	}
	do {
		EXPECT_EQ(0, nl_simple(&self->t, NST_CMD_SOCKET_GET,
				       NLM_F_DUMP));
		wrong += !told_once(&self->t, cookies, &others);
		seen += others;
	} while (!waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, wrong);
	EXPECT_GT(seen, 0);
	for (int i = 0; i < SOCKETS_STAYING; i++)
		close(fd[i]);
	EXPECT_EQ(0, nl_simple(&self->t, NST_CMD_SOCKET_GET, NLM_F_DUMP));
	EXPECT_EQ(0, told_once(&self->t, cookies, &others));
	EXPECT_EQ(0, others);
}

#define STRANGER	1000	/* a user */

/* It has a box of its own, and so an owner. */
static int keyed(void)
{
	struct {
		struct nst_crypto_info info;
		struct nst_key key;
	} set = {
		.info = {
			.version = NST_VERSION, .nr_keys = 1,
			.cipher_id = NST_CIPHER_AES_GCM,
		},
		.key = { .kid = 1, .key = { 0x77 } },
	};
	int fd = attached();

	if (fd >= 0 && setsockopt(fd, SOL_NST, NST_TX_RX, &set, sizeof(set))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* How many the answer has, and how many of those with @type, of value @uid. */
static int told(struct talk *t, uint16_t type, uint32_t uid, int *all)
{
	struct nlmsghdr *nlh = (void *)t->buf;
	int rest, nr = 0;

	*all = 0;
	for (rest = t->len; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest)) {
		const uint32_t *at;

		if (nlh->nlmsg_type != t->family)
			continue;
		++*all;
		at = nl_find(nlh, type);
		nr += at && *at == uid;
	}
	return nr;
}

/* As a program whose owner is another user than the one who started it. */
static int asks_in_effect(void)
{
	struct talk t;
	int all, fd;

	if (setresuid(0, STRANGER, 0) || nl_open(&t))
		return 1;
	fd = keyed();
	if (fd < 0)
		return 2;
	if (nl_simple(&t, NST_CMD_OWNER_GET, NLM_F_DUMP) ||
	    told(&t, NST_A_OWNER_UID, STRANGER, &all) != 1 || all != 1)
		return 3;
	/* Only of one's own one is told more than that it is there. */
	if (nl_simple(&t, NST_CMD_SOCKET_GET, NLM_F_DUMP) ||
	    told(&t, NST_A_SOCKET_UID, STRANGER, &all) != 1 || all != 1)
		return 4;
	return nl_find((void *)t.buf, NST_A_SOCKET_TX) ? 0 : 5;
}

TEST_F(nl, who_asks_is_who_he_is_in_effect)
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(asks_in_effect());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
