// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams from one network namespace to another (wire.c). One process has
 * both sockets: it sends BURST datagrams, then reads all of them, and so on, so
 * the queues never overflow and what is measured is the work of both ends.
 * WireGuard's workers run when the process waits for a datagram.
 *
 * A datagram that does not come within TIMEOUT ends the program with an error:
 * what is lost is not counted as carried.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif

#define PORT		7000
#define BURST		32		/* datagrams */
#define SEGMENTS_MAX	64		/* the kernel's own limit */
#define LARGEST		65507		/* of one send */
#define OVERHEAD	48		/* of NST, so that all send as many at once */
#define WARMUP		(8 * BURST)	/* datagrams */
#define QUEUE_BYTES	(8 << 20)
#define TIMEOUT		5		/* seconds */
/* Until what an earlier measurement left behind is gone. */
#define SETTLE_USEC	200000

static char out[1 << 16], in[1 << 16];

struct flow {
	int tx, rx;
	size_t size;		/* of a datagram */
	size_t send_size;	/* of a send */
	size_t burst;		/* of a burst: bytes */
	bool merged;		/* datagrams may come in one piece (UDP_GRO) */
};

static void check_datagram(const struct flow *f, ssize_t n)
{
	if (n < 0)
		die("a datagram was lost");
	if (f->merged ? n % f->size || !n : (size_t)n != f->size) {
		errno = EBADMSG;
		die("a datagram has another size");
	}
}

/* The first one, which may cost a handshake or the derivation of keys. */
static void run_first(const struct flow *f)
{
	if (send(f->tx, out, f->size, 0) != (ssize_t)f->size)
		die("send");
	check_datagram(f, recv(f->rx, in, sizeof(in), 0));
}

static void run_burst(const struct flow *f, bool look)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < f->burst; done += f->send_size)
		if (send(f->tx, out, f->send_size, 0) != (ssize_t)f->send_size)
			die("send");
	for (done = 0; done < f->burst; done += n) {
		if (look)
			memset(in, 0, sizeof(in));
		n = recv(f->rx, in, sizeof(in), 0);
		check_datagram(f, n);
		if (look && memcmp(in, out, n)) {
			errno = EBADMSG;
			die("a datagram came garbled");
		}
	}
}

static size_t run(const struct flow *f, size_t bytes, bool batch)
{
	size_t done;

	bytes = (bytes + f->burst - 1) / f->burst * f->burst;
	if (batch)
		batch_bursts(f->tx, f->rx, f->send_size, f->burst, bytes);
	else
		for (done = 0; done < bytes; done += f->burst)
			run_burst(f, false);
	return bytes / f->size;
}

static void set_int(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		die(what);
}

static void open_flow(struct flow *f, enum mode how, enum load what)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT };
	int fd[2], i;

	wire_open(how == WG, PORT, fd);
	for (i = 0; i < 2; i++) {
		set_int(fd[i], SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES,
			"SO_RCVBUFFORCE");
		if (setsockopt(fd[i], SOL_SOCKET, SO_RCVTIMEO, &timeout,
			       sizeof(timeout)) < 0)
			die("SO_RCVTIMEO");
		key_datagrams(fd[i], how);
	}
	f->tx = fd[0];
	f->rx = fd[1];
	f->send_size = f->size;
	f->burst = BURST * f->size;
	if (what == DGRAM)
		return;
	set_int(f->tx, SOL_UDP, UDP_SEGMENT, f->size, "UDP_SEGMENT");
	f->send_size = LARGEST / (f->size + OVERHEAD) * f->size;
	if (f->send_size > SEGMENTS_MAX * f->size)
		f->send_size = SEGMENTS_MAX * f->size;
	f->burst = f->send_size;
	f->merged = what == GRO;
	if (f->merged)
		set_int(f->rx, SOL_UDP, UDP_GRO, 1, "UDP_GRO");
}

void dgram_measure(enum mode how, enum load what, size_t size, size_t count)
{
	const bool batch = batch_present();
	struct flow f = { .size = size };
	struct meter m;
	size_t bytes, i;

	for (i = 0; i < sizeof(out); i++)
		out[i] = i % size * 7;
	open_flow(&f, how, what);
	run_first(&f);
	usleep(SETTLE_USEC);
	run(&f, WARMUP * size, batch);
	run_burst(&f, true);
	bytes = count * size;
	meter_start(&m);
	count = run(&f, bytes, batch);
	meter_stop(&m);
	meter_print(&m, how, what, size, count, count * size);
}

/* A sane header of a session that does not exist, but for what differs in each. */
static void invent(uint8_t *wire, size_t size)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = htobe64(ts.tv_sec * 1000000000ull + ts.tv_nsec);
	memset(wire, 0, OVERHEAD);
	memcpy(wire, "NSTP\1\1", 6);
	wire[6] = size >> 8;
	wire[7] = size;
	memcpy(wire + 8, &now, sizeof(now));
	wire[40] = 1;
	wire[43] = 1;
}

static void send_invented(int fd, size_t size, size_t count)
{
	uint8_t dice[12];

	invent((uint8_t *)out, size);
	while (count--) {
		if (getrandom(dice, sizeof(dice), 0) != sizeof(dice))
			die("getrandom");
		memcpy(out + 16, dice, 8);
		memcpy(out + 44, dice + 8, 2);
		if (send(fd, out, OVERHEAD + size, 0) < 0)
			die("send");
	}
}

void refuse_measure(enum mode how, size_t size, size_t count)
{
	struct meter m;
	int fd[2];

	wire_open(false, PORT, fd);
	/* So small that it is full behind the first ones. */
	set_int(fd[1], SOL_SOCKET, SO_RCVBUF, 1, "SO_RCVBUF");
	key_datagrams(fd[1], how);
	usleep(SETTLE_USEC);
	send_invented(fd[0], size, WARMUP);
	meter_start(&m);
	send_invented(fd[0], size, count);
	meter_stop(&m);
	meter_print(&m, how, REFUSE, size, count, count * size);
}
