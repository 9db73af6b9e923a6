// SPDX-License-Identifier: GPL-2.0
/*
 * The record that MSG_MORE holds open, in every order with what else a sender
 * does or is made to do: nothing is lost, moved or told twice.
 */
#include "kselftest_harness.h"
#include "tcptest.h"

#define PIECE	40	/* bytes of a send; two exceed the smallest record_max */

static int set_tx(int fd, const struct tcptest_conf *conf)
{
	struct nsttest_info ti;

	nsttest_fill(&ti, conf->cipher_id);
	ti.info.flags = NST_F_INITIATOR;
	return setsockopt(fd, SOL_NST, NST_TX, &ti, sizeof(ti)) ? -errno : 0;
}

static int rekey(int fd, uint16_t kid)
{
	struct nst_rekey r = { .kid = kid };

	return setsockopt(fd, SOL_NST, NST_REKEY, &r, sizeof(r)) ? -errno : 0;
}

/* Waits until @fd has the peer's START and has sent its own. */
static int wait_started(int fd)
{
	struct nst_info info;
	int i, err;

	for (i = 0; i < TCPTEST_SOON_MS; i++) {
		err = tcptest_info(fd, &info);
		if (err)
			return err;
		if (info.rx.started && info.tx.started)
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

FIXTURE(more)
{
	struct tcptest_conf conf;
	struct tcptest_conf strict;
	int a;
	int b;
};

FIXTURE_VARIANT(more)
{
	uint8_t cipher_id;
};

FIXTURE_VARIANT_ADD(more, gcm) { NST_CIPHER_AES_GCM };
FIXTURE_VARIANT_ADD(more, cbc) { NST_CIPHER_AES_CBC };

/* The sender @a has keys; its peer @b has none yet. */
FIXTURE_SETUP(more)
{
	self->conf = (struct tcptest_conf){ variant->cipher_id, AF_INET, false };
	self->strict = self->conf;
	self->strict.strict = true;
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->b, &self->a));
	ASSERT_EQ(0, tcptest_key(self->a, &self->conf, NST_F_INITIATOR));
}

FIXTURE_TEARDOWN(more)
{
	close(self->a);
	close(self->b);
}

static void expect_end(struct __test_metadata *_metadata, int fd,
		       const char *text)
{
	char buf[64] = "";

	EXPECT_EQ((ssize_t)strlen(text), recv(fd, buf, sizeof(buf) - 1,
					      MSG_WAITALL));
	EXPECT_STREQ(text, buf);
	EXPECT_EQ(0, recv(fd, buf, 1, 0));
}

/* A start record comes and is answered in the middle of an open record. */
TEST_F(more, start_then_send)
{
	ASSERT_EQ(6, send(self->a, "HEADER", 6, MSG_MORE));
	ASSERT_EQ(0, tcptest_key(self->b, &self->strict, NST_F_RESPONDER));
	ASSERT_EQ(0, wait_started(self->a));
	ASSERT_EQ(4, send(self->a, "BODY", 4, 0));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	expect_end(_metadata, self->b, "HEADERBODY");
}

TEST_F(more, start_then_close)
{
	ASSERT_EQ(6, send(self->a, "HEADER", 6, MSG_MORE));
	ASSERT_EQ(0, tcptest_key(self->b, &self->strict, NST_F_RESPONDER));
	ASSERT_EQ(0, wait_started(self->a));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	expect_end(_metadata, self->b, "HEADER");
}

/* The answer is due at once: the peer may not send before it has come. */
TEST_F(more, start_is_not_withheld)
{
	ASSERT_EQ(6, send(self->a, "HEADER", 6, MSG_MORE));
	ASSERT_EQ(0, tcptest_key(self->b, &self->strict, NST_F_RESPONDER));
	EXPECT_EQ(POLLOUT, tcptest_poll(self->b, POLLOUT, TCPTEST_SOON_MS));
}

/* One that is longer than a record may be by now goes as it is. */
TEST_F(more, record_max_falls)
{
	ASSERT_EQ(200, tcptest_sendv(self->a, 0, 1, 200, MSG_MORE));
	ASSERT_EQ(0, tcptest_record_max(self->a, 64));
	ASSERT_EQ(100, tcptest_sendv(self->a, 200, 1, 100, MSG_MORE));
	ASSERT_EQ(0, tcptest_key(self->b, &self->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 300, 300));
}

/* A fault takes back what its own call has gathered, and no more. */
TEST_F(more, fault_leaves_what_was_open)
{
	struct iovec iov[2] = { { "lost", 4 }, { (void *)8, 10 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int flags;

	for (flags = 0; flags <= MSG_MORE; flags += MSG_MORE) {
		ASSERT_EQ(3, send(self->a, "one", 3, MSG_MORE));
		EXPECT_EQ(-1, sendmsg(self->a, &msg, flags));
		EXPECT_EQ(EFAULT, errno);
	}
	ASSERT_EQ(0, tcptest_key(self->b, &self->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	expect_end(_metadata, self->b, "oneone");
}

/* It goes under the key that is in force when it goes. */
TEST_F(more, rekey_behind_it)
{
	ASSERT_EQ(3, send(self->a, "one", 3, MSG_MORE));
	ASSERT_EQ(0, rekey(self->a, NSTTEST_KID_OTHER));
	EXPECT_EQ(-ENOKEY, rekey(self->a, NSTTEST_KID_UNKNOWN));
	ASSERT_EQ(3, send(self->a, "two", 3, 0));
	ASSERT_EQ(0, tcptest_key(self->b, &self->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	expect_end(_metadata, self->b, "onetwo");
}

/* --- every order ---------------------------------------------------------- */

enum step {
	MORE,		/* PIECE bytes under MSG_MORE */
	SEND,		/* PIECE bytes */
	EMPTY,		/* none, without MSG_MORE */
	CONTROL,	/* a record of another type */
	NOTHING,	/* an empty record of another type */
	START,		/* the peer's START comes */
	REKEY,		/* NST_REKEY */
	SET_KEY,	/* NST_TX again */
	NR_STEPS
};

#define DEPTH	3	/* most steps of a sequence, before its end */

/* What one sequence must bring: types of records, and bytes of data. */
struct story {
	int a;
	int b;
	size_t sent;		/* bytes of data so far */
	size_t open;		/* of those, under MSG_MORE */
	bool started;		/* @a has begun its stream */
	bool has_peer;		/* @b has keys */
	int nr;
	struct {
		int type;
		size_t at;	/* bytes of data before it */
	} control[DEPTH];
};

static int do_control(struct story *s, size_t len)
{
	uint8_t type = TCPTEST_CTL + s->nr;
	ssize_t n = tcptest_send_type(s->a, type, "c", len, 0);

	s->control[s->nr].type = type;
	s->control[s->nr++].at = s->sent;
	s->started = true;
	s->open = 0;
	return n == (ssize_t)len ? 0 : -EIO;
}

static int do_send(struct story *s, int flags)
{
	if (tcptest_sendv(s->a, s->sent, 1, PIECE, flags) != PIECE)
		return -EIO;
	s->sent += PIECE;
	s->open = flags & MSG_MORE ? s->open + PIECE : 0;
	s->started |= !s->open;
	return 0;
}

/* Strict, if what @a has sent may still be refused: then it must be nothing. */
static int do_start(struct story *s, struct tcptest_conf conf)
{
	bool strict = !s->started;
	char byte;
	int err;

	if (s->has_peer)
		return 0;
	s->has_peer = true;
	conf.strict = strict;
	s->started = true;
	err = tcptest_key(s->b, &conf, NST_F_RESPONDER);
	if (err || strict)
		return err ?: wait_started(s->a);
	return send(s->b, "!", 1, 0) == 1 &&
	       recv(s->a, &byte, 1, 0) == 1 ? 0 : -EIO;
}

static int do_step(struct story *s, enum step what,
		   const struct tcptest_conf *conf)
{
	switch (what) {
	case MORE:
		return do_send(s, MSG_MORE);
	case SEND:
		return do_send(s, 0);
	case EMPTY:
		s->started |= s->open;
		s->open = 0;
		return send(s->a, "", 0, 0);
	case CONTROL:
		return do_control(s, 1);
	case NOTHING:
		return do_control(s, 0);
	case START:
		return do_start(s, *conf);
	case REKEY:
		return rekey(s->a, s->sent % (2 * PIECE) ? NSTTEST_KID_OTHER :
							   NSTTEST_KID);
	default:
		return set_tx(s->a, conf);
	}
}

/* Reads all that the sequence has sent, to its clean end. */
static int check_story(struct story *s)
{
	size_t at = 0;
	char byte;
	int i, err, type;

	for (i = 0; i < s->nr; i++) {
		err = tcptest_recv(s->b, at, s->control[i].at - at, PIECE);
		if (err)
			return err;
		at = s->control[i].at;
		if (tcptest_recv_type(s->b, &type, &byte, 1, 0) < 0 ||
		    type != s->control[i].type)
			return -EBADMSG;
	}
	err = tcptest_recv(s->b, at, s->sent - at, PIECE);
	if (err)
		return err;
	return tcptest_recv_type(s->b, &type, &byte, 1, 0);
}

static int run_story(const enum step *steps, int depth, bool end_by_close,
		     const struct tcptest_conf *conf)
{
	struct story s = {};
	int i, err = nsttest_pair(AF_INET, 0, &s.b, &s.a);

	if (!err)
		err = tcptest_key(s.a, conf, NST_F_INITIATOR);
	for (i = 0; i < depth && !err; i++)
		err = do_step(&s, steps[i], conf);
	if (!err && !s.has_peer)
		err = tcptest_key(s.b, conf, NST_F_RESPONDER);
	if (!err)
		err = end_by_close ? close(s.a) : shutdown(s.a, SHUT_WR);
	if (!err)
		err = check_story(&s);
	if (!end_by_close)
		close(s.a);
	close(s.b);
	return err;
}

FIXTURE(orders)
{
	struct tcptest_conf conf;
};

FIXTURE_VARIANT(orders)
{
	uint8_t cipher_id;
	const char *limit;	/* records of an epoch */
	int depth;
	bool close;
};

FIXTURE_VARIANT_ADD(orders, close) { NST_CIPHER_AES_GCM, "1048576", DEPTH, true };
FIXTURE_VARIANT_ADD(orders, limit) { NST_CIPHER_AES_CBC, "1", 2, false };

FIXTURE_SETUP(orders)
{
	self->conf = (struct tcptest_conf){ variant->cipher_id, AF_INET, false };
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/rekey_records",
					variant->limit));
}

FIXTURE_TEARDOWN(orders)
{
	EXPECT_EQ(0, nsttest_write_file("/proc/sys/net/nst/rekey_records",
					"1048576"));
}

TEST_F_TIMEOUT(orders, all, 90)
{
	enum step steps[DEPTH] = {};
	int i, n, rest, total = 1;

	for (i = 0; i < variant->depth; i++)
		total *= NR_STEPS;
	for (n = 0; n < total; n++) {
		for (i = 0, rest = n; i < variant->depth; i++, rest /= NR_STEPS)
			steps[i] = rest % NR_STEPS;
		EXPECT_EQ(0, run_story(steps, variant->depth, variant->close,
				       &self->conf)) {
			TH_LOG("steps %d, %d, %d", steps[0], steps[1],
			       steps[2]);
		}
	}
}

TEST_HARNESS_MAIN
