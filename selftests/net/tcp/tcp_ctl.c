// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the application's own types: sent and told by control message,
 * never mixed with data, and not lost on a reader who cannot be told.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "tcptest.h"

TCPTEST_PAIRS(ctl, TCPTEST_VARIANTS_SUITES);

/* The next receive returns @text as type @type. */
static void expect_record(struct __test_metadata *_metadata, int fd, int type,
			  const char *text, int flags)
{
	char buf[64] = "";
	int seen;

	ASSERT_EQ(strlen(text), tcptest_recv_type(fd, &seen, buf, sizeof(buf),
						  flags));
	EXPECT_EQ(type, seen);
	EXPECT_STREQ(text, buf);
}

static void send_record(struct __test_metadata *_metadata, int fd, int type,
			const char *text)
{
	ASSERT_EQ(strlen(text), tcptest_send_type(fd, type, text, strlen(text),
						  0));
}

static void expect_eio(struct __test_metadata *_metadata, int fd, int flags)
{
	char buf[64];

	EXPECT_EQ(-EIO, tcptest_recv_flags(fd, buf, sizeof(buf), flags, NULL));
}

static void expect_empty(struct __test_metadata *_metadata, int fd)
{
	int type;
	char byte;

	EXPECT_EQ(-EAGAIN, tcptest_recv_type(fd, &type, &byte, 1,
					     MSG_DONTWAIT));
	EXPECT_EQ(-1, type);
}

TEST_F(ctl, without_buffer_stays)
{
	send_record(_metadata, self->a, 100, "test_read");
	expect_eio(_metadata, self->b, 0);
	expect_eio(_metadata, self->b, MSG_PEEK);
	expect_eio(_metadata, self->b, MSG_WAITALL);
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0) & POLLIN);
	expect_record(_metadata, self->b, 100, "test_read", MSG_PEEK);
	expect_eio(_metadata, self->b, 0);
	expect_record(_metadata, self->b, 100, "test_read", 0);
	expect_empty(_metadata, self->b);
	send_record(_metadata, self->b, 0, "and back");
	expect_record(_metadata, self->a, 0, "and back", 0);
}

/* A control buffer without room for the type is none. */
TEST_F(ctl, short_buffer_stays)
{
	struct cmsghdr ctl = {};
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};

	send_record(_metadata, self->a, 100, "test_read");
	EXPECT_EQ(-1, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(EIO, errno);
	expect_record(_metadata, self->b, 100, "test_read", 0);
}

TEST_F(ctl, every_type)
{
	char buf[2];
	int type, seen;

	for (type = NST_TYPE_APP_MIN; type <= 255; type++) {
		buf[0] = type;
		ASSERT_EQ(1, tcptest_send_type(self->a, type, buf, 1, 0));
		buf[0] = 0;
		ASSERT_EQ(1, tcptest_recv_type(self->b, &seen, buf, 2, 0));
		ASSERT_EQ(type, seen);
		ASSERT_EQ((char)type, buf[0]);
	}
}

TEST_F(ctl, reserved_types)
{
	int type;

	for (type = 1; type < NST_TYPE_APP_MIN; type++)
		EXPECT_EQ(-EINVAL, tcptest_send_type(self->a, type, "x", 1, 0));
	expect_empty(_metadata, self->b);
	send_record(_metadata, self->a, 16, "fine");
	expect_record(_metadata, self->b, 16, "fine", 0);
}

/* Type 0 is data, by control message too, and merges with data. */
TEST_F(ctl, type_data)
{
	send_record(_metadata, self->a, NST_TYPE_DATA, "one");
	ASSERT_EQ(3, send(self->a, "two", 3, 0));
	ASSERT_EQ(0, tcptest_arrived(self->b, 6));
	expect_record(_metadata, self->b, NST_TYPE_DATA, "onetwo", 0);
}

TEST_F(ctl, do_not_merge)
{
	send_record(_metadata, self->a, 16, "rec1");
	send_record(_metadata, self->a, 16, "rec2");
	expect_record(_metadata, self->b, 16, "rec1", MSG_PEEK);
	expect_record(_metadata, self->b, 16, "rec1", MSG_PEEK);
	expect_record(_metadata, self->b, 16, "rec1", MSG_WAITALL);
	expect_record(_metadata, self->b, 16, "rec2", MSG_WAITALL);
	expect_empty(_metadata, self->b);
}

TEST_F(ctl, between_data)
{
	send_record(_metadata, self->a, 0, "data1");
	send_record(_metadata, self->a, 100, "ctrl");
	send_record(_metadata, self->a, 0, "data2");
	expect_record(_metadata, self->b, 0, "data1", MSG_PEEK | MSG_WAITALL);
	expect_record(_metadata, self->b, 0, "data1", MSG_PEEK | MSG_WAITALL);
	expect_record(_metadata, self->b, 0, "data1", MSG_WAITALL);
	expect_record(_metadata, self->b, 100, "ctrl", MSG_PEEK | MSG_WAITALL);
	expect_record(_metadata, self->b, 100, "ctrl", MSG_WAITALL);
	expect_record(_metadata, self->b, 0, "data2", 0);
	expect_empty(_metadata, self->b);
}

/* A reader without control buffer gets all data up to the record. */
TEST_F(ctl, data_before_is_not_lost)
{
	char buf[64] = "";

	ASSERT_EQ(5, send(self->a, "data1", 5, 0));
	ASSERT_EQ(5, send(self->a, "data2", 5, 0));
	send_record(_metadata, self->a, 255, "ctrl");
	ASSERT_EQ(10, recv(self->b, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_STREQ("data1data2", buf);
	expect_eio(_metadata, self->b, 0);
	expect_record(_metadata, self->b, 255, "ctrl", 0);
}

TEST_F(ctl, in_parts)
{
	char buf[64] = "";
	int type;

	send_record(_metadata, self->a, 77, "part and rest");
	send_record(_metadata, self->a, 78, "next");
	ASSERT_EQ(4, tcptest_recv_type(self->b, &type, buf, 4, 0));
	EXPECT_EQ(77, type);
	EXPECT_STREQ("part", buf);
	expect_eio(_metadata, self->b, 0);
	expect_record(_metadata, self->b, 77, " and rest", MSG_PEEK);
	expect_record(_metadata, self->b, 77, " and rest", MSG_WAITALL);
	expect_record(_metadata, self->b, 78, "next", 0);
}

TEST_F(ctl, trunc_discards_it)
{
	char buf[64];
	int type;

	send_record(_metadata, self->a, 77, "nobody wants this");
	send_record(_metadata, self->a, 78, "next");
	ASSERT_EQ(17, tcptest_recv_type(self->b, &type, buf, sizeof(buf),
					MSG_TRUNC));
	EXPECT_EQ(77, type);
	expect_record(_metadata, self->b, 78, "next", 0);
}

TEST_F(ctl, more_is_refused)
{
	EXPECT_EQ(-EINVAL, tcptest_send_type(self->a, 100, "x", 1, MSG_MORE));
	expect_empty(_metadata, self->b);
	send_record(_metadata, self->a, 100, "fine");
	expect_record(_metadata, self->b, 100, "fine", 0);
}

TEST_F(ctl, flushes_open_data)
{
	ASSERT_EQ(4, send(self->a, "open", 4, MSG_MORE));
	send_record(_metadata, self->a, 100, "ctrl");
	expect_record(_metadata, self->b, 0, "open", MSG_WAITALL);
	expect_record(_metadata, self->b, 100, "ctrl", MSG_WAITALL);
	expect_empty(_metadata, self->b);
}

TEST_F(ctl, largest)
{
	uint8_t *buf = malloc(NST_RECORD_MAX_MAX + 1);
	int type;

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, tcptest_record_max(self->a, NST_RECORD_MAX_MAX));
	tcptest_fill(buf, NST_RECORD_MAX_MAX + 1, 0);
	EXPECT_EQ(-EMSGSIZE, tcptest_send_type(self->a, 200, buf,
					       NST_RECORD_MAX_MAX + 1, 0));
	ASSERT_EQ(NST_RECORD_MAX_MAX,
		  tcptest_send_type(self->a, 200, buf, NST_RECORD_MAX_MAX, 0));
	memset(buf, 0, NST_RECORD_MAX_MAX);
	ASSERT_EQ(NST_RECORD_MAX_MAX,
		  tcptest_recv_type(self->b, &type, buf,
				    NST_RECORD_MAX_MAX + 1, 0));
	EXPECT_EQ(200, type);
	EXPECT_TRUE(tcptest_same(buf, NST_RECORD_MAX_MAX, 0));
	free(buf);
}

/* --- one record or an error ----------------------------------------------- */

/* @iov of a control record. Bytes or -errno. */
static ssize_t send_iov(int fd, uint8_t type, struct iovec *iov, size_t nr,
			int flags)
{
	union {
		char buf[CMSG_SPACE(1)];
		struct cmsghdr align;
	} ctl = {};
	struct msghdr msg = {
		.msg_iov = iov, .msg_iovlen = nr,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	ssize_t n;

	ctl.align.cmsg_level = SOL_NST;
	ctl.align.cmsg_type = NST_SET_RECORD_TYPE;
	ctl.align.cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(&ctl.align) = type;
	n = sendmsg(fd, &msg, flags);
	return n < 0 ? -errno : n;
}

/* Long and short pieces in turn: more of them than a record borrows. */
TEST_F(ctl, many_pieces)
{
	enum { NR = 28, STEP = 8192 };
	uint8_t *mem = aligned_alloc(4096, NR / 2 * STEP);
	struct iovec iov[NR];
	uint8_t buf[65536];
	size_t total = 0;
	int i, type;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, tcptest_record_max(self->a, NST_RECORD_MAX_MAX));
	for (i = 0; i < NR; i++) {
		iov[i].iov_base = mem + i / 2 * STEP + (i % 2 ? 5000 : 100);
		iov[i].iov_len = i % 2 ? 10 : 4096;
		tcptest_fill(iov[i].iov_base, iov[i].iov_len, total);
		total += iov[i].iov_len;
	}
	ASSERT_EQ(total, send_iov(self->a, 77, iov, NR, 0));
	EXPECT_EQ(total, tcptest_recv_type(self->b, &type, buf, sizeof(buf),
					   0));
	EXPECT_EQ(77, type);
	EXPECT_TRUE(tcptest_same(buf, total, 0));
	expect_empty(_metadata, self->b);
	free(mem);
}

TEST_F(ctl, beyond_record_max)
{
	char buf[65] = "";
	int type;

	ASSERT_EQ(0, tcptest_record_max(self->a, 64));
	EXPECT_EQ(-EMSGSIZE, tcptest_send_type(self->a, 77, buf, 65, 0));
	EXPECT_EQ(64, tcptest_send_type(self->a, 78, buf, 64, 0));
	EXPECT_EQ(64, tcptest_recv_type(self->b, &type, buf, 65, 0));
	EXPECT_EQ(78, type);
	expect_empty(_metadata, self->b);
}

TEST_F(ctl, fault_sends_nothing)
{
	uint8_t *buf = calloc(1, 8192);
	struct iovec iov[2] = { { buf, 8192 }, { (void *)8, 1 } };

	ASSERT_NE(NULL, buf);
	EXPECT_EQ(-EFAULT, send_iov(self->a, 77, iov, 2, 0));
	iov[0].iov_len = 1;
	EXPECT_EQ(-EFAULT, send_iov(self->a, 77, iov, 2, 0));
	ASSERT_EQ(4, send(self->a, "open", 4, MSG_MORE));
	EXPECT_EQ(-EFAULT, send_iov(self->a, 77, iov, 2, 0));
	send_record(_metadata, self->a, 78, "next");
	expect_record(_metadata, self->b, 0, "open", MSG_WAITALL);
	expect_record(_metadata, self->b, 78, "next", 0);
	expect_empty(_metadata, self->b);
	free(buf);
}

TEST_F(ctl, empty)
{
	char byte;

	ASSERT_EQ(0, tcptest_send_type(self->a, 77, NULL, 0, 0));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-EIO, tcptest_recv_flags(self->b, &byte, 1, 0, NULL));
	/* Decrypted it is as much there as before. */
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0));
	expect_record(_metadata, self->b, 77, "", 0);
	expect_empty(_metadata, self->b);
	ASSERT_EQ(4, send(self->a, "open", 4, MSG_MORE));
	ASSERT_EQ(0, tcptest_send_type(self->a, 78, NULL, 0, 0));
	ASSERT_EQ(0, tcptest_send_type(self->a, 79, NULL, 0, 0));
	expect_record(_metadata, self->b, 0, "open", MSG_WAITALL);
	expect_record(_metadata, self->b, 78, "", 0);
	expect_record(_metadata, self->b, 79, "", 0);
	expect_empty(_metadata, self->b);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A peer that must answer first does not: not now, and not before the signal. */
TEST(not_now_sends_nothing)
{
	static const struct tcptest_conf conf = { NST_CIPHER_AES_GCM, AF_INET,
						  true };
	static const struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct sigaction sa = { .sa_handler = nothing };
	struct nst_info before, after;
	char start[PEER_HDR_SIZE], buf[1000] = "";
	int a, raw;
	pid_t pid;

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &a, &raw));
	ASSERT_EQ(0, tcptest_key(a, &conf, 0));
	ASSERT_EQ(sizeof(start), recv(raw, start, sizeof(start), MSG_WAITALL));
	ASSERT_EQ(0, tcptest_info(a, &before));
	EXPECT_EQ(-EAGAIN, tcptest_send_type(a, 77, buf, 1000, MSG_DONTWAIT));
	pid = fork();
	if (!pid) {
		setitimer(ITIMER_REAL, &soon, NULL);
		_exit(-tcptest_send_type(a, 78, buf, 1000, 0));
	}
	EXPECT_EQ(-EINTR, tcptest_reap(pid));
	ASSERT_EQ(0, tcptest_info(a, &after));
	EXPECT_EQ(before.tx.records, after.tx.records);
	EXPECT_EQ(-1, recv(raw, buf, 1, MSG_DONTWAIT));
	close(a);
	close(raw);
}

/* --- record borders ------------------------------------------------------- */

TEST_F(ctl, eor_marks_a_border)
{
	char buf[16];
	int flags;

	ASSERT_EQ(9, send(self->a, "some data", 9, 0));
	ASSERT_EQ(4, tcptest_recv_flags(self->b, buf, 4, 0, &flags));
	EXPECT_EQ(0, flags & MSG_EOR);
	ASSERT_EQ(5, tcptest_recv_flags(self->b, buf, 16, MSG_PEEK, &flags));
	EXPECT_EQ(MSG_EOR, flags & MSG_EOR);
	ASSERT_EQ(5, tcptest_recv_flags(self->b, buf, 16, 0, &flags));
	EXPECT_EQ(MSG_EOR, flags & MSG_EOR);
}

/* --- splice knows no types ------------------------------------------------ */

static void run_splice(struct __test_metadata *_metadata, int a, int b,
		       bool decrypt_first)
{
	char buf[16] = "";
	int p[2];

	ASSERT_EQ(0, pipe(p));
	send_record(_metadata, a, 100, "ctrl");
	ASSERT_EQ(4, send(a, "data", 4, 0));
	if (decrypt_first) {
		expect_eio(_metadata, b, 0);
		expect_record(_metadata, b, 100, "ctrl", MSG_PEEK);
	}
	EXPECT_EQ(-1, splice(b, NULL, p[1], NULL, 64, 0));
	EXPECT_EQ(EIO, errno);
	expect_eio(_metadata, b, 0);
	expect_record(_metadata, b, 100, "ctrl", 0);
	ASSERT_EQ(4, splice(b, NULL, p[1], NULL, 64, 0));
	ASSERT_EQ(4, read(p[0], buf, sizeof(buf)));
	EXPECT_STREQ("data", buf);
	close(p[0]);
	close(p[1]);
}

TEST_F(ctl, splice)
{
	run_splice(_metadata, self->a, self->b, false);
}

TEST_F(ctl, splice_decrypted)
{
	run_splice(_metadata, self->a, self->b, true);
}

/* A splice ends before the record, and takes no byte of it. */
TEST_F(ctl, splice_stops_at_it)
{
	char buf[16] = "";
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	send_record(_metadata, self->a, 100, "ctrl");
	ASSERT_EQ(0, tcptest_arrived(self->b, 4));
	ASSERT_EQ(4, splice(self->b, NULL, p[1], NULL, 64, 0));
	ASSERT_EQ(4, read(p[0], buf, sizeof(buf)));
	EXPECT_STREQ("data", buf);
	expect_record(_metadata, self->b, 100, "ctrl", 0);
	close(p[0]);
	close(p[1]);
}

/* --- control messages that are wrong -------------------------------------- */

struct wrong {
	int level;
	int type;
	size_t len;		/* of the data */
};

static ssize_t send_wrong(int fd, const struct wrong *w)
{
	union {
		char buf[CMSG_SPACE(8)];
		struct cmsghdr align;
	} ctl = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = CMSG_SPACE(w->len),
	};

	ctl.align.cmsg_level = w->level;
	ctl.align.cmsg_type = w->type;
	ctl.align.cmsg_len = CMSG_LEN(w->len);
	*CMSG_DATA(&ctl.align) = TCPTEST_CTL;
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

TEST_F(ctl, wrong_messages)
{
	static const struct wrong wrong[] = {
		{ SOL_NST, NST_SET_RECORD_TYPE, 0 },
		{ SOL_NST, NST_SET_RECORD_TYPE, 2 },
		{ SOL_NST, NST_SET_RECORD_TYPE, 4 },
		{ SOL_NST, NST_GET_RECORD_TYPE, 1 },
		{ SOL_NST, 0, 1 },
		{ SOL_SOCKET, SO_TIMESTAMPING, 1 },
		{ SOL_SOCKET, SO_RCVBUF, 4 },
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		EXPECT_EQ(-EINVAL, send_wrong(self->a, &wrong[i])) {
			TH_LOG("message %zu", i);
		}
	}
	expect_empty(_metadata, self->b);
	send_record(_metadata, self->a, 100, "fine");
	expect_record(_metadata, self->b, 100, "fine", 0);
}

/* What a plain socket says to it, too: libraries send them unasked. */
TEST_F(ctl, messages_of_others)
{
	static const struct wrong other[] = {
		{ SOL_SOCKET, SO_TIMESTAMPING, 4 },
		{ SOL_SOCKET, SO_TIMESTAMPING, 1 },
		{ SOL_SOCKET, SO_MARK, 4 },
		{ SOL_SOCKET, SO_MARK, 2 },
		{ SOL_SOCKET, SCM_RIGHTS, 4 },
		{ SOL_SOCKET, SO_RCVBUF, 4 },
		{ SOL_TCP, NST_SET_RECORD_TYPE, 1 },
		{ SOL_IP, IP_TOS, 4 },
		{ SOL_IP, IP_TTL, 0 },
		{ 282, NST_SET_RECORD_TYPE, 1 },
	};
	int plain, peer;
	char in[2];
	size_t i;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &plain, &peer));
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		ssize_t want = send_wrong(plain, &other[i]);

		EXPECT_EQ(want, send_wrong(self->a, &other[i])) {
			TH_LOG("message %zu", i);
		}
		/* It is data in any case. */
		if (!want) {
			EXPECT_EQ(1, recv(self->b, in, sizeof(in), 0));
		}
	}
	expect_empty(_metadata, self->b);
	close(plain);
	close(peer);
}

/* --- empty records, which only a foreign sender makes --------------------- */

FIXTURE(empty)
{
	struct peer p;
	int kern;
	int raw;
	uint8_t *out;
	size_t len;
};

FIXTURE_VARIANT(empty)
{
	const char *records;	/* d, c: data, control; D, C: empty */
};

FIXTURE_VARIANT_ADD(empty, C) { "C" };
FIXTURE_VARIANT_ADD(empty, CC) { "CC" };
FIXTURE_VARIANT_ADD(empty, DC) { "DC" };
FIXTURE_VARIANT_ADD(empty, CD) { "CD" };
FIXTURE_VARIANT_ADD(empty, dC) { "dC" };
FIXTURE_VARIANT_ADD(empty, CdD) { "CdD" };
FIXTURE_VARIANT_ADD(empty, dDd) { "dDd" };
FIXTURE_VARIANT_ADD(empty, DDDcDDD) { "DDDcDDD" };
FIXTURE_VARIANT_ADD(empty, dDCDcDd) { "dDCDcDd" };

FIXTURE_SETUP(empty)
{
	struct tcptest_conf conf = { NST_CIPHER_AES_CBC, AF_INET, false };
	const char *s;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern, &self->raw));
	ASSERT_EQ(0, tcptest_key(self->kern, &conf, NST_F_RESPONDER));
	peer_init(&self->p, self->raw, conf.cipher_id, nsttest_box,
		  NSTTEST_KEYS);
	self->p.role = PEER_F_INITIATOR;
	self->out = malloc(16 * 256);
	ASSERT_NE(NULL, self->out);
	for (s = variant->records; *s; s++)
		self->len += peer_append(&self->p,
					 strchr("cC", *s) ? TCPTEST_CTL : 0,
					 s, strchr("cd", *s) ? 1 : 0,
					 self->out + self->len);
	ASSERT_EQ(0, peer_write(self->raw, self->out, self->len));
}

FIXTURE_TEARDOWN(empty)
{
	free(self->out);
	close(self->kern);
	close(self->raw);
}

/* What a reader must see: runs of data as one, each control record alone. */
static void expect_records(struct __test_metadata *_metadata, int fd,
			   const char *records)
{
	char want[16], buf[16];
	size_t len;
	int type;

	while (*records) {
		len = 0;
		memset(want, 0, sizeof(want));
		memset(buf, 0, sizeof(buf));
		if (strchr("cC", *records)) {
			want[0] = *records == 'c' ? *records : 0;
			len = *records++ == 'c';
			ASSERT_EQ(len, tcptest_recv_type(fd, &type, buf, 16,
							 MSG_WAITALL));
			EXPECT_EQ(TCPTEST_CTL, type);
		} else {
			for (; *records && strchr("dD", *records); records++)
				if (*records == 'd')
					want[len++] = 'd';
			if (!len)
				continue;
			ASSERT_EQ(len, tcptest_recv_type(fd, &type, buf, len,
							 MSG_WAITALL));
			EXPECT_EQ(NST_TYPE_DATA, type);
		}
		EXPECT_STREQ(want, buf);
	}
}

TEST_F(empty, received)
{
	expect_records(_metadata, self->kern, variant->records);
	expect_empty(_metadata, self->kern);
	ASSERT_EQ(0, peer_send(&self->p, PEER_CLOSE, NULL, 0));
	EXPECT_EQ(0, tcptest_recv(self->kern, 0, 0, 1));
}

/* Peeking at it first changes nothing. */
TEST_F(empty, peeked)
{
	char buf[16];
	int type, i;

	for (i = 0; i < 3; i++)
		tcptest_recv_type(self->kern, &type, buf, sizeof(buf),
				  MSG_PEEK | MSG_DONTWAIT);
	expect_records(_metadata, self->kern, variant->records);
	expect_empty(_metadata, self->kern);
}

/* --- both kinds, both ways, all at once ----------------------------------- */

#define MIX_ROUNDS	150

/* Record @i of the mix. */
static size_t mix_len(int i)
{
	return 1 + (size_t)i * 397 % 5000;
}

static int mix_type(int i)
{
	return i % 3 ? TCPTEST_CTL + i % 200 : NST_TYPE_DATA;
}

static int mix_send(int fd)
{
	uint8_t buf[5000];
	size_t at = 0;
	ssize_t n;
	int i;

	for (i = 0; i < MIX_ROUNDS; i++) {
		tcptest_fill(buf, mix_len(i), at);
		n = tcptest_send_type(fd, mix_type(i), buf, mix_len(i), 0);
		if (n < 0)
			return n;
		if (n != (ssize_t)mix_len(i))
			return -EMSGSIZE;
		at += n;
	}
	return 0;
}

static int mix_recv(int fd)
{
	uint8_t buf[5000];
	size_t at = 0;
	int i, type;
	ssize_t n;

	for (i = 0; i < MIX_ROUNDS; i++) {
		n = tcptest_recv_type(fd, &type, buf, mix_len(i), MSG_WAITALL);
		if (n < 0)
			return n;
		if (n != (ssize_t)mix_len(i) || type != mix_type(i))
			return -EPROTO;
		if (!tcptest_same(buf, n, at))
			return -EILSEQ;
		at += n;
	}
	return 0;
}

static pid_t mix_child(int (*fn)(int fd), int fd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-fn(fd));
	return pid;
}

TEST_F(ctl, mixed_both_ways)
{
	pid_t pid[3] = {
		mix_child(mix_send, self->a),
		mix_child(mix_send, self->b),
		mix_child(mix_recv, self->a),
	};
	int i;

	EXPECT_EQ(0, mix_recv(self->b));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
}

TEST_HARNESS_MAIN
