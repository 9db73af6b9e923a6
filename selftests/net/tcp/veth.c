// SPDX-License-Identifier: GPL-2.0
/*
 * Between two hosts: over veth, whose offloads decide in which buffers TCP
 * hands over what it has received. Over loopback these are page fragments
 * always; here they are linear, lists of linear ones, or pages of a file that
 * others may write to. nst_shape.ko proves that each was met.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "kselftest_harness.h"
#include "vethtest.h"

#define BYTES		(1 << 20)
#define SEND_CHUNK	65536
#define RECV_CHUNK	50000	/* cuts records */

#define LOSSY "delay 1ms loss 1% duplicate 2% reorder 20% 50%"

/* --- transfer ------------------------------------------------------------- */

FIXTURE(transfer)
{
	struct veth v;
	int a;
	int b;
};

FIXTURE_VARIANT(transfer)
{
	struct tcptest_conf tcp;
	struct veth_conf veth;
	uint32_t record_max;	/* 0: the default */
	int rcvbuf;
	int sndbuf;
	size_t bytes;
};

#define V(name, id, off, size, em)					\
FIXTURE_VARIANT_ADD(transfer, name) {					\
	.tcp = { .cipher_id = id, .family = AF_INET },			\
	.veth = { .offload = off, .mtu = size, .netem = em },		\
	.bytes = (em) ? BYTES / 2 : BYTES,				\
}

/* Each offload and MTU; the suites take turns, so all four meet all. */
#define V_OFFLOAD(name, off, s1, s2, s3, s4)				\
	V(name##_576, s1, off, 576, NULL);				\
	V(name##_1500, s2, off, 1500, NULL);				\
	V(name##_9000, s3, off, 9000, NULL);				\
	V(name##_65535, s4, off, 65535, NULL);				\
	V(name##_576_lossy, s2, off, 576, LOSSY);			\
	V(name##_1500_lossy, s3, off, 1500, LOSSY);			\
	V(name##_9000_lossy, s4, off, 9000, LOSSY);			\
	V(name##_65535_lossy, s1, off, 65535, LOSSY)

#define GCM	NST_CIPHER_AES_GCM
#define CBC	NST_CIPHER_AES_CBC
#define SM4	NST_CIPHER_SM4_GCM
#define CHACHA	NST_CIPHER_CHACHA20_POLY1305

V_OFFLOAD(all, VETH_ALL, GCM, CBC, SM4, CHACHA);
V_OFFLOAD(no_sg, VETH_NO_SG, CBC, SM4, CHACHA, GCM);
V_OFFLOAD(gro, VETH_GRO, SM4, CHACHA, GCM, CBC);
V_OFFLOAD(gro_no_sg, VETH_GRO_NO_SG, CHACHA, GCM, CBC, SM4);

/* Records that TCP's window has no room for are gathered. */
#define V_SMALL(name, id, off, size)					\
FIXTURE_VARIANT_ADD(transfer, name) {					\
	.tcp = { .cipher_id = id, .family = AF_INET6 },			\
	.veth = { .offload = off, .mtu = size },			\
	.record_max = NST_RECORD_MAX_MAX, .rcvbuf = 4096,		\
	.bytes = BYTES / 4,						\
}

V_SMALL(all_small_rcvbuf, GCM, VETH_ALL, 1500);
V_SMALL(no_sg_small_rcvbuf, CBC, VETH_NO_SG, 1500);
V_SMALL(gro_small_rcvbuf, CHACHA, VETH_GRO, 9000);
V_SMALL(gro_no_sg_small_rcvbuf, SM4, VETH_GRO_NO_SG, 1500);

FIXTURE_VARIANT_ADD(transfer, gro_no_sg_record_64) {
	.tcp = { .cipher_id = CBC, .family = AF_INET6, .strict = true },
	.veth = { .offload = VETH_GRO_NO_SG, .mtu = 1500 },
	.record_max = 64,
	.bytes = BYTES / 32,
};

FIXTURE_VARIANT_ADD(transfer, no_sg_small_sndbuf_strict) {
	.tcp = { .cipher_id = GCM, .family = AF_INET6, .strict = true },
	.veth = { .offload = VETH_NO_SG, .mtu = 1500 },
	.record_max = NST_RECORD_MAX_MAX, .sndbuf = 4096,
	.bytes = BYTES / 2,
};

FIXTURE_VARIANT_ADD(transfer, all_small_sndbuf) {
	.tcp = { .cipher_id = CHACHA, .family = AF_INET6 },
	.veth = { .offload = VETH_ALL, .mtu = 9000 },
	.sndbuf = 4096,
	.bytes = BYTES / 2,
};

FIXTURE_SETUP(transfer)
{
	ASSERT_EQ(0, veth_open(&self->v, &variant->veth));
	ASSERT_EQ(0, veth_connect(&self->v, variant->tcp.family,
				  variant->rcvbuf, variant->sndbuf, &self->a,
				  &self->b));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->tcp, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(self->b, &variant->tcp, NST_F_RESPONDER));
	if (variant->record_max) {
		ASSERT_EQ(0, tcptest_record_max(self->a, variant->record_max));
		ASSERT_EQ(0, tcptest_record_max(self->b, variant->record_max));
	}
	ASSERT_EQ(0, tcptest_settle(self->a));
	ASSERT_EQ(0, tcptest_settle(self->b));
	ASSERT_EQ(0, shape_reset());
}

FIXTURE_TEARDOWN(transfer)
{
	close(self->a);
	close(self->b);
	veth_close(&self->v);
}

/* What is received in whole segments must have come in these buffers. */
static void expect_shapes(struct __test_metadata *_metadata,
			  const FIXTURE_VARIANT(transfer) *variant)
{
	EXPECT_EQ(0, shape_get("missed"));
	EXPECT_LT(0, shape_get("calls"));
	EXPECT_EQ(0, shape_get("shared"));
	/* What is gathered record by record tells nothing of segments. */
	if (variant->rcvbuf)
		return;
	switch (variant->veth.offload) {
	case VETH_NO_SG:
		EXPECT_LT(0, shape_get("linear"));
		EXPECT_EQ(0, shape_get("list"));
		break;
	case VETH_GRO_NO_SG:
		EXPECT_LT(0, shape_get("linear"));
		/* Segments of that size, or too few in a row, are not merged. */
		if (variant->veth.mtu < 65535 && !variant->record_max)
			EXPECT_LT(0, shape_get("list"));
		break;
	case VETH_GRO:
		/* Lists too, once a buffer has all the fragments it may have. */
		EXPECT_LT(0, shape_get("paged"));
		break;
	default:
		EXPECT_LT(0, shape_get("paged"));
		EXPECT_EQ(0, shape_get("list"));
	}
}

/* Both ways at once, to the end of both streams. */
TEST_F_TIMEOUT(transfer, both_ways, 60)
{
	struct nsttest_counters before[2];
	size_t n = variant->bytes;
	pid_t pid[4];
	char byte;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, veth_enter(&self->v, i));
		ASSERT_EQ(0, nsttest_counters(&before[i]));
	}
	pid[0] = tcptest_sender(self->a, 0, n, SEND_CHUNK);
	pid[1] = tcptest_receiver(self->b, 0, n, RECV_CHUNK);
	pid[2] = tcptest_sender(self->b, 7, n, SEND_CHUNK);
	pid[3] = tcptest_receiver(self->a, 7, n, RECV_CHUNK);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	EXPECT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
	EXPECT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, recv(self->a, &byte, 1, 0));
	expect_shapes(_metadata, variant);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, veth_enter(&self->v, i));
		EXPECT_STREQ("", nsttest_grown(&before[i]));
		EXPECT_LE((long)n, nsttest_stat("NstRxBytes"));
		if (variant->rcvbuf)
			EXPECT_LT(0, nsttest_stat("NstRxCopied"));
	}
}

/* --- pages of a file ------------------------------------------------------ */

/*
 * What a relay has captured arrives by sendfile() in the pages of its file,
 * which it may write to at any time.
 */
FIXTURE(relay)
{
	struct veth v;
	int a;		/* the sender, and the relay's end of that */
	int a_raw;
	int b_raw;	/* the relay's other connection, and the receiver */
	int b;
	int file;
	int ring;
	uint8_t *map;
	size_t len;
};

FIXTURE_VARIANT(relay)
{
	struct tcptest_conf tcp;
	struct veth_conf veth;
	bool shared;
	bool unmarked;	/* see nst_shape.ko */
	bool ring;	/* the pages are a packet socket's, and mapped */
};

#define V_RELAY(name, id, off, size, is_shared)				\
FIXTURE_VARIANT_ADD(relay, name) {					\
	.tcp = { .cipher_id = id, .family = AF_INET },			\
	.veth = { .offload = off, .mtu = size },			\
	.shared = is_shared,						\
}

V_RELAY(all_gcm, GCM, VETH_ALL, 1500, true);
V_RELAY(all_cbc, CBC, VETH_ALL, 9000, true);
V_RELAY(gro_chacha, CHACHA, VETH_GRO, 1500, true);
V_RELAY(gro_sm4, SM4, VETH_GRO, 9000, true);
/* What the page itself says, where the buffer says nothing. */
FIXTURE_VARIANT_ADD(relay, file_unmarked_cbc) {
	.tcp = { .cipher_id = CBC, .family = AF_INET },
	.veth = { .offload = VETH_ALL, .mtu = 1500 },
	.shared = true, .unmarked = true,
};

FIXTURE_VARIANT_ADD(relay, ring_unmarked_gcm) {
	.tcp = { .cipher_id = GCM, .family = AF_INET },
	.veth = { .offload = VETH_GRO, .mtu = 9000 },
	.shared = true, .unmarked = true, .ring = true,
};

FIXTURE_VARIANT_ADD(relay, ring_chacha) {
	.tcp = { .cipher_id = CHACHA, .family = AF_INET },
	.veth = { .offload = VETH_ALL, .mtu = 1500 },
	.shared = true, .ring = true,
};

/* Without scatter-gather the sender copies. */
V_RELAY(no_sg_gcm, GCM, VETH_NO_SG, 1500, false);

#define RELAYED		(256 << 10)
#define RING		(320 << 10)
#define RECORD		20000	/* 1250 blocks: as long in every suite */
#define RECORD_WIRE	(RECORD + 48)

/* What the sender's records are, up to its close record, in a file. */
static int capture(FIXTURE_DATA(relay) *self)
{
	pid_t pid = tcptest_sender(self->a, 0, RELAYED, RECORD);
	uint8_t buf[16384];
	ssize_t n;
	int ret = 0;

	/* The child has a copy of the descriptor: its end is not ours. */
	while (self->len < RELAYED + RELAYED / RECORD * 48) {
		n = recv(self->a_raw, buf, sizeof(buf), 0);
		if (n <= 0 || write(self->file, buf, n) != n)
			return -EIO;
		self->len += n;
	}
	ret = tcptest_reap(pid);
	if (!ret && shutdown(self->a, SHUT_WR))
		ret = -errno;
	while (!ret && (n = recv(self->a_raw, buf, sizeof(buf), 0))) {
		if (n < 0 || write(self->file, buf, n) != n)
			return -EIO;
		self->len += n;
	}
	return ret;
}

/* The file, in memory that a packet socket has in common with this program. */
static int map_ring(FIXTURE_DATA(relay) *self)
{
	struct tpacket_req req = {
		.tp_block_size = 65536, .tp_frame_size = 65536,
		.tp_block_nr = RING / 65536, .tp_frame_nr = RING / 65536,
	};

	self->ring = socket(AF_PACKET, SOCK_RAW, 0);
	if (self->ring < 0 || self->len > RING ||
	    setsockopt(self->ring, SOL_PACKET, PACKET_TX_RING, &req,
		       sizeof(req)))
		return -errno;
	self->map = mmap(NULL, RING, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->ring, 0);
	if (self->map == MAP_FAILED)
		return -errno;
	return pread(self->file, self->map, self->len, 0) ==
	       (ssize_t)self->len ? 0 : -EIO;
}

FIXTURE_SETUP(relay)
{
	self->len = 0;
	self->ring = -1;
	ASSERT_EQ(0, veth_open(&self->v, &variant->veth));
	ASSERT_EQ(0, veth_connect(&self->v, AF_INET, 0, 0, &self->b_raw,
				  &self->b));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->a_raw, &self->a));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->tcp, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(self->b, &variant->tcp, NST_F_RESPONDER));
	self->file = memfd_create("captured", 0);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, capture(self));
	if (variant->ring) {
		ASSERT_EQ(0, map_ring(self));
	} else {
		self->map = mmap(NULL, self->len, PROT_READ | PROT_WRITE,
				 MAP_SHARED, self->file, 0);
		ASSERT_NE(MAP_FAILED, self->map);
	}
	ASSERT_EQ(0, variant->unmarked ? shape_unmark() : shape_reset());
	ASSERT_EQ(0, veth_enter(&self->v, 1));
}

FIXTURE_TEARDOWN(relay)
{
	EXPECT_EQ(0, shape_reset());
	munmap(self->map, self->ring < 0 ? self->len : RING);
	close(self->ring);
	close(self->file);
	close(self->a);
	close(self->a_raw);
	close(self->b_raw);
	close(self->b);
	veth_close(&self->v);
}

/* Memory to a socket, as it is. Bytes or -errno */
static ssize_t splice_memory(int fd, int *pipes, uint8_t *at, size_t len)
{
	struct iovec iov = { at, len };
	ssize_t n = vmsplice(pipes[1], &iov, 1, 0), sent = 0, got;

	while (n > 0 && sent < n) {
		got = splice(pipes[0], NULL, fd, NULL, n - sent, SPLICE_F_MORE);
		if (got <= 0)
			return got ? -errno : -EIO;
		sent += got;
	}
	return n < 0 ? -errno : sent;
}

static void relay_ring(FIXTURE_DATA(relay) *self, off_t from, off_t to)
{
	int pipes[2];
	ssize_t n;

	if (pipe(pipes))
		_exit(errno);
	for (; from < to; from += n) {
		n = splice_memory(self->b_raw, pipes, self->map + from,
				  to - from);
		if (n <= 0)
			_exit(n ? -n : EIO);
	}
}

/* The file from @from to @to, as a child. */
static pid_t relay(FIXTURE_DATA(relay) *self, off_t from, off_t to)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (self->ring >= 0) {
		relay_ring(self, from, to);
		from = to;
	}
	while (from < to) {
		ssize_t n = sendfile(self->b_raw, self->file, &from, to - from);

		if (n <= 0)
			_exit(n ? errno : EIO);
	}
	_exit(shutdown(self->b_raw, SHUT_WR) ? errno : 0);
}

static void expect_shared(struct __test_metadata *_metadata, bool shared)
{
	EXPECT_EQ(0, shape_get("missed"));
	if (shared) {
		/* Whoever wants to know again has no mark there any more. */
		EXPECT_LT(0, shape_get("shared"));
		EXPECT_LE(shape_get("shared"), shape_get("unclean"));
		EXPECT_LT(0, nsttest_stat("NstRxCopied"));
	} else {
		EXPECT_EQ(0, shape_get("shared"));
		EXPECT_EQ(0, shape_get("unclean"));
		EXPECT_LT(0, shape_get("linear"));
	}
}

TEST_F(relay, untouched)
{
	pid_t pid = relay(self, 0, self->len);
	char byte;

	EXPECT_EQ(0, tcptest_recv(self->b, 0, RELAYED, RECV_CHUNK));
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
	EXPECT_EQ(0, tcptest_reap(pid));
	expect_shared(_metadata, variant->shared);
}

/* The header goes by send(), so TCP may join it to pages that are not alike. */
TEST_F(relay, header_apart)
{
	pid_t pid;

	ASSERT_EQ(48, send(self->b_raw, self->map, 48, 0));
	usleep(20000);
	pid = relay(self, 48, self->len);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, RELAYED, RECV_CHUNK));
	EXPECT_EQ(0, tcptest_reap(pid));
	expect_shared(_metadata, variant->shared);
}

/* All that was written to @fd has been acknowledged. */
static int wait_acked(int fd)
{
	int i, left;

	for (i = 0; i < TCPTEST_SOON_MS; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			return -errno;
		if (!left)
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/*
 * Queued, and overwritten before anybody reads: never other plaintext. The
 * second record is complete when it is changed, and nobody has copied it.
 */
TEST_F(relay, overwritten)
{
	pid_t pid = relay(self, 0, 2 * RECORD_WIRE + 100);

	EXPECT_EQ(0, tcptest_reap(pid));
	ASSERT_EQ(0, wait_acked(self->b_raw));
	memset(self->map + RECORD_WIRE + 1000, 0x55, 15000);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, RECORD, RECV_CHUNK));
	if (variant->shared) {
		EXPECT_EQ(-EBADMSG, tcptest_recv(self->b, RECORD, RECORD,
						 RECV_CHUNK));
		EXPECT_LT(0, shape_get("unclean"));
	} else {
		EXPECT_EQ(0, tcptest_recv(self->b, RECORD, RECORD,
					  RECV_CHUNK));
		EXPECT_EQ(-ECONNABORTED, tcptest_recv(self->b, 0, 1, 1));
	}
}

struct scribbler {
	uint8_t *at;
	size_t len;
	bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	volatile uint8_t *p;
	size_t i = 0;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		p = s->at + i++ * 4099 % s->len;
		*p ^= 0x80;
		*p ^= 0x80;
	}
	return NULL;
}

/*
 * Each byte is wrong for a moment, again and again. What the tag was checked
 * on is what must be read.
 */
TEST_F(relay, scribbled)
{
	struct scribbler s = { .at = self->map, .len = self->len };
	pthread_t thread;
	pid_t pid;
	int ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	pid = relay(self, 0, self->len);
	ret = tcptest_recv(self->b, 0, RELAYED, RECV_CHUNK);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	/* Its connection is reset if a bad byte was met. */
	close(self->b);
	self->b = -1;
	tcptest_reap(pid);
	EXPECT_NE(-EILSEQ, ret);
	EXPECT_TRUE(!ret || ret == -EBADMSG || ret == -EPROTO ||
		    ret == -EKEYREJECTED || ret == -ENOKEY || ret == -ESTALE);
	TH_LOG("ended with %d", ret);
	if (variant->shared)
		EXPECT_LE(shape_get("shared"), shape_get("unclean"));
}

int main(int argc, char **argv)
{
	int ret;

	if (system("modprobe nst_shape")) {
		printf("Bail out! nst_shape.ko is missing\n");
		return KSFT_FAIL;
	}
	ret = test_harness_run(argc, argv);
	if (system("rmmod nst_shape"))
		ret = KSFT_FAIL;
	return ret;
}
