// SPDX-License-Identifier: GPL-2.0
/*
 * A part of the kernel that is given a socket with NST by its descriptor, and
 * sends and receives through its operations: a block device whose requests go
 * to a server at the other end. All that it moves passes NST, in both
 * directions, also when memory has to be written back through it.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define DEVICE	"/tmp/nst_nbd"
#define NBD	43		/* its major number */
#define BLOCK	4096
#define BLOCKS	64
#define BYTES	(BLOCK * BLOCKS)

static uint8_t disk[BYTES];

static int move(ssize_t (*call)(int fd, void *buf, size_t len, int flags),
		int fd, void *buf, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += n) {
		n = call(fd, (char *)buf + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static ssize_t put(int fd, void *buf, size_t len, int flags)
{
	return send(fd, buf, len, flags);
}

static int serve_one(int fd, const struct nbd_request *req)
{
	struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC) };
	uint32_t type = be32toh(req->type) & 0xffff, len = be32toh(req->len);
	uint64_t from = be64toh(req->from);

	if (be32toh(req->magic) != NBD_REQUEST_MAGIC || from + len > BYTES)
		return -1;
	memcpy(&reply.handle, &req->handle, sizeof(reply.handle));
	if (type == NBD_CMD_WRITE && move(recv, fd, disk + from, len))
		return -1;
	if (move(put, fd, &reply, sizeof(reply)))
		return -1;
	return type == NBD_CMD_READ ? move(put, fd, disk + from, len) : 0;
}

/* The end of a child. 0: the device went away as it should. */
static int serve(int fd)
{
	struct nbd_request req;

	while (!move(recv, fd, &req, sizeof(req))) {
		if ((be32toh(req.type) & 0xffff) == NBD_CMD_DISC)
			return 0;
		if (serve_one(fd, &req))
			return 1;
	}
	return 2;
}

FIXTURE(nbd)
{
	int a;
	int b;
	int dev;
	pid_t server;
	pid_t worker;
};

FIXTURE_VARIANT(nbd)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(nbd);

FIXTURE_SETUP(nbd)
{
	self->dev = -1;
	if (system("modprobe -q nbd"))
		NSTTEST_SKIP_FIXTURE("this kernel has no nbd");
	unlink(DEVICE);
	ASSERT_EQ(0, mknod(DEVICE, S_IFBLK | 0600, makedev(NBD, 0)));
	self->dev = open(DEVICE, O_RDWR);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	self->server = fork();
	ASSERT_LE(0, self->server);
	if (!self->server)
		_exit(serve(self->b));
	ASSERT_EQ(0, ioctl(self->dev, NBD_SET_BLKSIZE, BLOCK));
	ASSERT_EQ(0, ioctl(self->dev, NBD_SET_SIZE_BLOCKS, BLOCKS));
	ASSERT_EQ(0, ioctl(self->dev, NBD_SET_SOCK, self->a));
	self->worker = fork();
	ASSERT_LE(0, self->worker);
	if (!self->worker)
		_exit(ioctl(self->dev, NBD_DO_IT) != 0);
	/* It has the size once somebody serves it. */
	for (uint64_t size = 0, i = 0; size != BYTES && i < 1000; i++) {
		ioctl(self->dev, BLKGETSIZE64, &size);
		usleep(10000);
	}
}

FIXTURE_TEARDOWN(nbd)
{
	int status;

	if (self->dev < 0)
		return;
	EXPECT_EQ(0, ioctl(self->dev, NBD_DISCONNECT));
	EXPECT_EQ(self->server, waitpid(self->server, &status, 0));
	EXPECT_EQ(0, status);
	close(self->b);
	EXPECT_EQ(self->worker, waitpid(self->worker, &status, 0));
	ioctl(self->dev, NBD_CLEAR_SOCK);
	close(self->dev);
	close(self->a);
	unlink(DEVICE);
}

/* Written back by the kernel's own threads, and read again from the server. */
TEST_F(nbd, write_and_read_back)
{
	uint8_t *want = malloc(BYTES), *got = malloc(BYTES);
	struct nst_info info;
	socklen_t len = sizeof(info);

	ASSERT_TRUE(want && got);
	tcptest_fill(want, BYTES, 0);
	ASSERT_EQ(BYTES, pwrite(self->dev, want, BYTES, 0));
	ASSERT_EQ(0, fsync(self->dev));
	ASSERT_EQ(0, ioctl(self->dev, BLKFLSBUF, 0));
	ASSERT_EQ(BYTES, pread(self->dev, got, BYTES, 0));
	EXPECT_EQ(0, memcmp(want, got, BYTES));
	ASSERT_EQ(0, getsockopt(self->a, SOL_NST, NST_INFO, &info, &len));
	EXPECT_LE(BYTES, info.tx.bytes);
	EXPECT_LE(BYTES, info.rx.bytes);
	free(want);
	free(got);
}

TEST_HARNESS_MAIN
