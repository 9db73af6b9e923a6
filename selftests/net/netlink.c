// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family against a program that is not nstkeyctl: malformed
 * requests, each refused without a change of the box, wiped requests, and
 * changes at the same time from many processes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nst.h>
#include <linux/nst_netlink.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kselftest_harness.h"

#define MESSAGE_MAX	131072
#define STRESS_SECONDS	5

/* A request in the making, and what came back. */
struct talk {
	int fd;
	uint16_t family;
	uint32_t seq;
	struct nlmsghdr *req;
	char *buf;
	int len;		/* of the last answer, in @buf */
	char message[256];	/* the kernel's words about it */
};

static void begin(struct talk *t, uint16_t type, uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr *genl;

	memset(t->req, 0, NLMSG_LENGTH(GENL_HDRLEN));
	t->req->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	t->req->nlmsg_type = type;
	t->req->nlmsg_flags = NLM_F_REQUEST | flags;
	t->req->nlmsg_seq = ++t->seq;
	genl = NLMSG_DATA(t->req);
	genl->cmd = cmd;
	genl->version = 1;
}

static struct nlattr *put(struct talk *t, uint16_t type, const void *data,
			  size_t len)
{
	struct nlattr *attr = (void *)((char *)t->req +
				       NLMSG_ALIGN(t->req->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memset((char *)attr + NLA_HDRLEN, 0, NLA_ALIGN(len));
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	t->req->nlmsg_len = NLMSG_ALIGN(t->req->nlmsg_len) +
			    NLA_ALIGN(attr->nla_len);
	return attr;
}

static void put_u16(struct talk *t, uint16_t type, uint16_t value)
{
	put(t, type, &value, sizeof(value));
}

static void put_u32(struct talk *t, uint16_t type, uint32_t value)
{
	put(t, type, &value, sizeof(value));
}

static void put_key(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill)
{
	uint8_t secret[NST_KEY_SIZE];

	memset(secret, fill, sizeof(secret));
	put_u16(t, NST_A_KEY_KID, kid);
	put_u32(t, NST_A_KEY_STATE, state);
	put(t, NST_A_KEY_SECRET, secret, sizeof(secret));
}

static void put_nest(struct talk *t, uint16_t kid, uint32_t state, uint8_t fill)
{
	struct nlattr *nest = put(t, NST_A_BOX_KEY | NLA_F_NESTED, NULL, 0);

	put_key(t, kid, state, fill);
	nest->nla_len = (char *)t->req + t->req->nlmsg_len - (char *)nest;
}

/* The words in an error or acknowledgment; @echoed: bytes of the request. */
static void take_words(struct talk *t, struct nlmsghdr *nlh, int echoed)
{
	int at = NLMSG_LENGTH(sizeof(struct nlmsgerr)) + NLMSG_ALIGN(echoed);

	t->message[0] = 0;
	while (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	       at + NLA_HDRLEN <= (int)nlh->nlmsg_len) {
		struct nlattr *attr = (void *)((char *)nlh + at);

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
			snprintf(t->message, sizeof(t->message), "%s",
				 (char *)attr + NLA_HDRLEN);
		at += NLA_ALIGN(attr->nla_len);
	}
}

/* Sends the request; the kernel's errno, or 0. Answers are left in @buf. */
static int talk(struct talk *t)
{
	struct nlmsghdr *nlh = (void *)t->buf;
	struct nlmsgerr *err;
	int more = 1, len, echoed, result = 0;

	if (send(t->fd, t->req, t->req->nlmsg_len, 0) < 0)
		return errno;
	for (t->len = 0; more; t->len += len) {
		nlh = (void *)(t->buf + t->len);
		len = recv(t->fd, nlh, MESSAGE_MAX - t->len, 0);
		if (len <= 0)
			return errno ? errno : EIO;
		for (int rest = len; NLMSG_OK(nlh, rest);
		     nlh = NLMSG_NEXT(nlh, rest)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				more = 0;
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			more = 0;
			err = NLMSG_DATA(nlh);
			result = -err->error;
			echoed = err->error ?
				err->msg.nlmsg_len - sizeof(err->msg) : 0;
			take_words(t, nlh, echoed);
		}
	}
	return result;
}

static int talk_open(struct talk *t)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct nlattr *attr;
	int one = 1, rest;

	t->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	t->req = calloc(1, MESSAGE_MAX);
	t->buf = calloc(1, MESSAGE_MAX);
	t->seq = 0;
	if (t->fd < 0 || !t->req || !t->buf ||
	    bind(t->fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(t->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)))
		return -1;
	begin(t, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	put(t, CTRL_ATTR_FAMILY_NAME, "nst", 4);
	if (talk(t))
		return -1;
	attr = (void *)(t->buf + NLMSG_LENGTH(GENL_HDRLEN));
	rest = ((struct nlmsghdr *)t->buf)->nlmsg_len -
	       NLMSG_LENGTH(GENL_HDRLEN);
	while (rest > 0 && attr->nla_type != CTRL_ATTR_FAMILY_ID) {
		rest -= NLA_ALIGN(attr->nla_len);
		attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len));
	}
	t->family = *(uint16_t *)((char *)attr + NLA_HDRLEN);
	return rest > 0 ? 0 : -1;
}

static void talk_close(struct talk *t)
{
	close(t->fd);
	free(t->req);
	free(t->buf);
}

static int simple(struct talk *t, uint8_t cmd, uint16_t flags)
{
	begin(t, t->family, cmd, flags);
	return talk(t);
}

static int load_two(struct talk *t)
{
	begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(t, 1, NST_STATE_ACTIVE, 0x11);
	put_nest(t, 2, NST_STATE_ACCEPT, 0x22);
	return talk(t);
}

FIXTURE(nl) {
	struct talk t;
	char before[1024];
	int before_len;
};

FIXTURE_SETUP(nl)
{
	ASSERT_EQ(0, talk_open(&self->t));
	ASSERT_EQ(0, load_two(&self->t));
	ASSERT_EQ(0, simple(&self->t, NST_CMD_KEY_GET, NLM_F_DUMP));
	ASSERT_LT(self->t.len, (int)sizeof(self->before));
	self->before_len = self->t.len;
	memcpy(self->before, self->t.buf, self->t.len);
}

FIXTURE_TEARDOWN(nl)
{
	EXPECT_EQ(0, simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	talk_close(&self->t);
}

/* The same keys, states and fingerprints as when the test began. */
static int unchanged(struct talk *t, const char *before, int before_len)
{
	struct nlmsghdr *a = (void *)before, *b = (void *)t->buf;
	int rest = before_len;

	if (simple(t, NST_CMD_KEY_GET, NLM_F_DUMP) || t->len != before_len)
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
		begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
		put_u16(&self->t, NST_A_KEY_KID, 9);
		put_u32(&self->t, NST_A_KEY_STATE, NST_STATE_ACCEPT);
		put(&self->t, NST_A_KEY_SECRET, secret, lengths[i]);
		EXPECT_EQ(ERANGE, talk(&self->t));
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, key_attribute_missing)
{
	uint8_t secret[NST_KEY_SIZE] = { 1 };

	for (int missing = 0; missing < 3; missing++) {
		for (int nest = 0; nest < 2; nest++) {
			struct nlattr *outer = NULL;

			begin(&self->t, self->t.family, nest ?
			      NST_CMD_BOX_LOAD : NST_CMD_KEY_ADD, NLM_F_ACK);
			if (nest)
				outer = put(&self->t, NST_A_BOX_KEY |
					    NLA_F_NESTED, NULL, 0);
			if (missing != 0)
				put_u16(&self->t, NST_A_KEY_KID, 9);
			if (missing != 1)
				put_u32(&self->t, NST_A_KEY_STATE,
					NST_STATE_ACTIVE);
			if (missing != 2)
				put(&self->t, NST_A_KEY_SECRET, secret,
				    sizeof(secret));
			if (nest)
				outer->nla_len = (char *)self->t.req +
					self->t.req->nlmsg_len - (char *)outer;
			EXPECT_EQ(EINVAL, talk(&self->t));
			EXPECT_WORDS("A key needs kid, state and secret");
		}
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, kid_and_state_range)
{
	begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	put_key(&self->t, 0, NST_STATE_ACCEPT, 9);
	EXPECT_EQ(ERANGE, talk(&self->t));
	begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	put_key(&self->t, 9, NST_STATE_RETIRED + 1, 9);
	EXPECT_EQ(ERANGE, talk(&self->t));
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(&self->t, 1, NST_STATE_ACTIVE, 9);
	put_nest(&self->t, 0, NST_STATE_ACCEPT, 9);
	EXPECT_EQ(ERANGE, talk(&self->t));
	EXPECT_UNCHANGED();
}

TEST_F(nl, kid_missing)
{
	uint8_t commands[] = { NST_CMD_KEY_GET, NST_CMD_KEY_ACTIVATE,
			       NST_CMD_KEY_RETIRE, NST_CMD_KEY_DEL };

	for (unsigned int i = 0; i < sizeof(commands); i++) {
		EXPECT_EQ(EINVAL, simple(&self->t, commands[i], NLM_F_ACK));
		EXPECT_WORDS("The kid is missing");
	}
	EXPECT_UNCHANGED();
}

/* What only the kernel may say, and what nobody knows. */
TEST_F(nl, attribute_unknown)
{
	uint16_t types[] = { NST_A_KEY_FINGERPRINT, NST_A_KEY_MAX + 1, 999 };

	for (unsigned int i = 0; i < 3; i++) {
		begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
		put_key(&self->t, 9, NST_STATE_ACCEPT, 9);
		put_u32(&self->t, types[i], 1);
		EXPECT_EQ(EINVAL, talk(&self->t));
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
			begin(&self->t, self->t.family, commands[i],
			      NLM_F_ACK);
			put_u16(&self->t, type, 1);
			EXPECT_EQ(EINVAL, talk(&self->t));
		}
	}
	EXPECT_UNCHANGED();
}

TEST_F(nl, command_unknown)
{
	EXPECT_EQ(EOPNOTSUPP, simple(&self->t, 0, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, simple(&self->t, NST_CMD_EVENT, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, simple(&self->t, NST_CMD_MAX + 1, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, simple(&self->t, NST_CMD_CAPS_GET, NLM_F_ACK));
	EXPECT_EQ(EOPNOTSUPP, simple(&self->t, NST_CMD_STATS_GET, NLM_F_DUMP));
}

TEST_F(nl, box_malformed)
{
	struct nlattr *nest;

	EXPECT_EQ(EINVAL, simple(&self->t, NST_CMD_BOX_LOAD, NLM_F_ACK));
	EXPECT_WORDS("The box has no keys: flush is for that");
	/* not marked as a nest */
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nest = put(&self->t, NST_A_BOX_KEY, NULL, 0);
	put_key(&self->t, 1, NST_STATE_ACTIVE, 9);
	nest->nla_len = (char *)self->t.req + self->t.req->nlmsg_len -
			(char *)nest;
	EXPECT_EQ(EINVAL, talk(&self->t));
	/* an attribute that reaches beyond its nest */
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(&self->t, 1, NST_STATE_ACTIVE, 9);
	nest = (void *)((char *)self->t.req + NLMSG_LENGTH(GENL_HDRLEN));
	((struct nlattr *)((char *)nest + NLA_HDRLEN))->nla_len = 200;
	EXPECT_EQ(EINVAL, talk(&self->t));
	EXPECT_UNCHANGED();
}

TEST_F(nl, box_contradictory)
{
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(&self->t, 1, NST_STATE_ACTIVE, 7);
	put_nest(&self->t, 2, NST_STATE_ACTIVE, 8);
	EXPECT_EQ(ENOTUNIQ, talk(&self->t));
	EXPECT_WORDS("More than one key is active");
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(&self->t, 3, NST_STATE_ACCEPT, 7);
	EXPECT_EQ(ENOKEY, talk(&self->t));
	EXPECT_WORDS("No key is active");
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	put_nest(&self->t, 5, NST_STATE_ACTIVE, 7);
	put_nest(&self->t, 4, NST_STATE_ACCEPT, 7);
	put_nest(&self->t, 5, NST_STATE_RETIRED, 7);
	EXPECT_EQ(EEXIST, talk(&self->t));
	EXPECT_WORDS("Two keys have the same kid");
	EXPECT_UNCHANGED();
}

TEST_F(nl, box_too_large)
{
	begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	for (int kid = 1; kid <= NST_BOX_MAX + 1; kid++)
		put_nest(&self->t, kid, kid == 1 ? NST_STATE_ACTIVE :
			 NST_STATE_ACCEPT, 7);
	EXPECT_EQ(E2BIG, talk(&self->t));
	EXPECT_WORDS("A box has room for 1024 keys");
	EXPECT_UNCHANGED();
}

/* An error quotes the request: by then its secrets are gone. */
TEST_F(nl, refused_request_is_wiped)
{
	for (int nest = 0; nest < 2; nest++) {
		begin(&self->t, self->t.family, nest ? NST_CMD_BOX_LOAD :
		      NST_CMD_KEY_ADD, NLM_F_ACK);
		if (nest)
			put_nest(&self->t, 1, NST_STATE_ACCEPT, 0x5a);
		else
			put_key(&self->t, 1, NST_STATE_ACCEPT, 0x5a);
		EXPECT_EQ(nest ? ENOKEY : EEXIST, talk(&self->t));
		EXPECT_LT((int)self->t.req->nlmsg_len, self->t.len);
		EXPECT_EQ(NULL, memmem(self->t.buf, self->t.len,
				       "\x5a\x5a\x5a\x5a", 4));
	}
}

/* A listing has no secret in it, whatever the box holds. */
TEST_F(nl, listing_without_secret)
{
	begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	put_key(&self->t, 0x5a5a, NST_STATE_ACTIVE, 0x5a);
	EXPECT_EQ(0, talk(&self->t));
	EXPECT_EQ(0, simple(&self->t, NST_CMD_KEY_GET, NLM_F_DUMP));
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
		begin(t, t->family, NST_CMD_KEY_ADD, NLM_F_ACK);
		put_key(t, kid, rand() % 3, kid);
		talk(t);
		break;
	case 2:
		if (rand() % 8 == 0)
			simple(t, NST_CMD_BOX_FLUSH, NLM_F_ACK);
		break;
	case 3:
		simple(t, NST_CMD_KEY_GET, NLM_F_DUMP);
		break;
	case 4:
		simple(t, NST_CMD_INFO_GET, NLM_F_ACK);
		break;
	default:
		begin(t, t->family, rand() % 2 ? NST_CMD_KEY_ACTIVATE :
		      rand() % 2 ? NST_CMD_KEY_RETIRE : NST_CMD_KEY_DEL,
		      NLM_F_ACK);
		put_u16(t, NST_A_KEY_KID, kid);
		talk(t);
	}
}

static int stress(int seed)
{
	time_t end = time(NULL) + STRESS_SECONDS;
	struct talk t;

	if (talk_open(&t))
		return 1;
	srand(seed);
	while (time(NULL) < end)
		stress_once(&t);
	talk_close(&t);
	return 0;
}

/* Every box that anybody sees has one active key, or no key. */
static int consistent(struct talk *t)
{
	struct nlmsghdr *nlh = (void *)t->buf;
	int rest, keys = 0, active = 0, torn = 0;

	if (simple(t, NST_CMD_KEY_GET, NLM_F_DUMP))
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

TEST_HARNESS_MAIN
