// SPDX-License-Identifier: GPL-2.0
/*
 * load MODE LOAD SIZE COUNT: one measurement, over TCP on the loopback, or of
 * datagrams between two namespaces.
 *
 *   MODE   plain, ktls (TLS 1.3, AES-128-GCM), ktls-nopad (the same with
 *          TLS_RX_EXPECT_NO_PAD), nst (aes-gcm), nst-chacha
 *          (chacha20-poly1305), wg (WireGuard)
 *   LOAD   send      COUNT sends of SIZE bytes with TCP_NODELAY, read with
 *                    64 KiB buffers
 *          nagle     the same without TCP_NODELAY
 *          batch     the same, all calls in one system call (UML, umlkmod)
 *          sendfile  COUNT sendfile calls of SIZE bytes of a cached file
 *          ping      COUNT round trips of SIZE bytes
 *          setup     COUNT connections made, keyed, used for SIZE bytes each way
 *                    and closed, one after the other (load_setup.c)
 *          wake      a round trip of SIZE bytes on each of COUNT connections that
 *                    were idle for 12 seconds
 *          idle      memory of COUNT connections that were used once
 *          dgram     COUNT datagrams of SIZE bytes (dgram.c)
 *          refuse    the same from a plain socket to one that refuses them: it is
 *                    full, or with NST they are of sessions that do not exist
 *          gso       the same, sent as many at a time as UDP_SEGMENT takes
 *          gro       the same, and read as many at a time as UDP_GRO gives
 *
 * On TCP, sender and receiver are two processes. Before the measured part the
 * connection is keyed in both directions, went through a round trip (so NST is
 * BOUND) and WARMUP bytes of the same load, so that windows and caches are
 * where they stay. The measured part lies between two markers that count.c
 * finds; it ends when the receiver has read all and said so.
 *
 * One line of output; cpu is what User Mode Linux had of the host's; tsc is a
 * count of instructions under -icount shift=0.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>
#include <linux/nst.h>
#include <linux/tls.h>

#include "load.h"
#include "marker.h"
#include "umlkmod/batch.h"

#ifndef SOL_TLS
#define SOL_TLS			282
#endif
#ifndef TLS_RX_EXPECT_NO_PAD
#define TLS_RX_EXPECT_NO_PAD	4
#endif

#define READ_SIZE	(64 << 10)
#define BUFFER_SIZE	(1 << 20)
#define FILE_SIZE	(4 << 20)
#define DGRAM_MAX	1400	/* fits the wire under all modes */
#define WARMUP_BYTES	(1 << 20)
#define WARMUP_ROUNDS	16

static const char *const mode_names[] = {
	"plain", "ktls", "ktls-nopad", "nst", "nst-chacha", "wg"
};

static const char *const load_names[] = {
	"send", "nagle", "batch", "sendfile", "ping", "setup", "wake", "idle",
	"dgram", "gso", "gro", "refuse"
};

static enum mode mode;
static enum load load;
static size_t size, count;
static char buffer[BUFFER_SIZE];
static int file = -1;

void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set(int fd, int level, int name, const void *val, socklen_t len)
{
	if (setsockopt(fd, level, name, val, len) < 0)
		die("setsockopt");
}

static void key_ktls(int fd, enum mode mode)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};
	const int one = 1;

	memset(info.key, 0x11, sizeof(info.key));
	set(fd, SOL_TCP, TCP_ULP, "tls", sizeof("tls"));
	set(fd, SOL_TLS, TLS_TX, &info, sizeof(info));
	set(fd, SOL_TLS, TLS_RX, &info, sizeof(info));
	if (mode == KTLS_NOPAD)
		set(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one));
}

static void key_nst(int fd, int cipher)
{
	struct {
		struct nst_crypto_info info;
		struct nst_key key;
	} box = {
		.info.version = NST_VERSION,
		.info.cipher_id = cipher,
		.info.nr_keys = 1,
		.key.kid = 1,
	};

	memset(box.key.key, 0x42, sizeof(box.key.key));
	set(fd, SOL_NST, NST_TX_RX, &box, sizeof(box));
}

static int cipher_of(enum mode mode)
{
	return mode == NST ? NST_CIPHER_AES_GCM : NST_CIPHER_CHACHA20_POLY1305;
}

void key_socket(int fd, enum mode mode)
{
	switch (mode) {
	case NST:
	case NST_CHACHA:
		set(fd, SOL_TCP, TCP_ULP, "nst", sizeof("nst") - 1);
		key_nst(fd, cipher_of(mode));
		break;
	case KTLS:
	case KTLS_NOPAD:
		key_ktls(fd, mode);
		break;
	default:
		break;
	}
}

void key_datagrams(int fd, enum mode mode)
{
	const int one = 1;

	if (mode != NST && mode != NST_CHACHA)
		return;
	set(fd, IPPROTO_IP, NST_ATTACH, &one, sizeof(one));
	key_nst(fd, cipher_of(mode));
}

void send_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = send(fd, p, len, 0);
		if (n <= 0)
			die("send");
	}
}

void recv_all(int fd, char *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = recv(fd, p, len, 0);
		if (n <= 0)
			die("recv");
	}
}

void round_trip(int a, int b)
{
	char c = 1;

	send_all(a, &c, 1);
	recv_all(b, &c, 1);
	send_all(b, &c, 1);
	recv_all(a, &c, 1);
}

int listen_socket(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		die("listen");
	return fd;
}

void connect_pair(int listener, struct sockaddr_in *addr, int *a, int *b)
{
	*a = socket(AF_INET, SOCK_STREAM, 0);
	if (*a < 0 || connect(*a, (struct sockaddr *)addr, sizeof(*addr)) < 0)
		die("connect");
	*b = accept(listener, NULL, NULL);
	if (*b < 0)
		die("accept");
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void write_batch(struct nst_batch *arg)
{
	int f = open(NST_BATCH_PATH, O_WRONLY);

	arg->buffer = (uintptr_t)buffer;
	if (f < 0 || write(f, arg, sizeof(*arg)) != sizeof(*arg))
		die(NST_BATCH_PATH);
	close(f);
}

static void batch(int fd, int op, size_t each, size_t total)
{
	struct nst_batch arg = {
		.fd = fd, .op = op, .size = each, .total = total,
	};

	write_batch(&arg);
}

bool batch_present(void)
{
	return !access(NST_BATCH_PATH, F_OK);
}

void batch_bursts(int tx, int rx, size_t send_size, size_t burst, size_t bytes)
{
	struct nst_batch arg = {
		.fd = tx, .peer = rx, .op = NST_BATCH_BURSTS, .size = send_size,
		.burst = burst, .read_size = READ_SIZE, .total = bytes,
	};

	write_batch(&arg);
}

static void send_file(int fd, size_t calls)
{
	off_t off = 0;
	size_t left;
	ssize_t n;

	while (calls--) {
		if (off + size > FILE_SIZE)
			off = 0;
		for (left = size; left; left -= n) {
			n = sendfile(fd, file, &off, left);
			if (n <= 0)
				die("sendfile");
		}
	}
}

/* One measured part, or the warming up, on the sending side. */
static void push(int fd, size_t calls)
{
	size_t i;
	char c;

	switch (load) {
	case SEND:
	case NAGLE:
		for (i = 0; i < calls; i++)
			send_all(fd, buffer, size);
		break;
	case BATCH:
		batch(fd, NST_BATCH_SEND, size, size * calls);
		break;
	case SENDFILE:
		send_file(fd, calls);
		break;
	default:
		for (i = 0; i < calls; i++) {
			send_all(fd, buffer, size);
			recv_all(fd, buffer, size);
		}
		return;
	}
	recv_all(fd, &c, 1);
}

static void pull(int fd, size_t calls)
{
	size_t left = size * calls;
	ssize_t n;

	if (load == PING) {
		while (calls--) {
			recv_all(fd, buffer, size);
			send_all(fd, buffer, size);
		}
		return;
	}
	if (load == BATCH) {
		batch(fd, NST_BATCH_RECV, READ_SIZE, left);
		left = 0;
	}
	for (; left; left -= n) {
		n = recv(fd, buffer, left < READ_SIZE ? left : READ_SIZE, 0);
		if (n <= 0)
			die("recv");
	}
	send_all(fd, "k", 1);
}

static size_t warmup_calls(void)
{
	if (load == PING)
		return WARMUP_ROUNDS;
	return size < WARMUP_BYTES ? WARMUP_BYTES / size : 1;
}

static void make_file(void)
{
	char name[] = "/tmp/load.XXXXXX";
	size_t done;

	file = mkstemp(name);
	if (file < 0)
		die(name);
	unlink(name);
	for (done = 0; done < FILE_SIZE; done += BUFFER_SIZE)
		if (write(file, buffer, BUFFER_SIZE) != BUFFER_SIZE)
			die("file");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Of the host, in User Mode Linux with umlkmod; else 0. */
static double cpu_seconds(void)
{
	char text[40] = "";
	int f = open(NST_BATCH_PATH, O_RDONLY);

	if (f < 0)
		return 0;
	if (read(f, text, sizeof(text) - 1) <= 0)
		die(NST_BATCH_PATH);
	close(f);
	return strtod(text, NULL);
}

void meter_start(struct meter *m)
{
	m->cpu = cpu_seconds();
	m->seconds = seconds();
	NST_MARK(NST_MARK_BEGIN);
	m->tsc = __rdtsc();
}

void meter_stop(struct meter *m)
{
	m->tsc = __rdtsc() - m->tsc;
	NST_MARK(NST_MARK_END);
	m->seconds = seconds() - m->seconds;
	m->cpu = cpu_seconds() - m->cpu;
}

void meter_print(const struct meter *m, enum mode how, enum load what,
		 size_t size, size_t calls, size_t bytes)
{
	printf("load %s %s %zu calls=%zu bytes=%zu seconds=%.6f cpu=%.6f tsc=%llu\n",
	       mode_names[how], load_names[what], size, calls, bytes,
	       m->seconds, m->cpu, (unsigned long long)m->tsc);
}

static void measure(void)
{
	const int nodelay = load != NAGLE;
	struct sockaddr_in addr;
	int listener = listen_socket(&addr), a, b, status;
	struct meter m;
	pid_t pid;

	connect_pair(listener, &addr, &a, &b);
	set(a, SOL_TCP, TCP_NODELAY, &nodelay, sizeof(nodelay));
	set(b, SOL_TCP, TCP_NODELAY, &nodelay, sizeof(nodelay));
	key_socket(a, mode);
	key_socket(b, mode);
	round_trip(a, b);
	if (load == SENDFILE)
		make_file();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(a);
		pin(1);
		pull(b, warmup_calls());
		pull(b, count);
		_exit(0);
	}
	close(b);
	pin(0);
	push(a, warmup_calls());
	meter_start(&m);
	push(a, count);
	meter_stop(&m);
	if (waitpid(pid, &status, 0) != pid || status)
		die("receiver");
	meter_print(&m, mode, load, size, count,
		    size * count * (load == PING ? 2 : 1));
}

/* Whether there is such a thing. */
static bool mode_has_load(void)
{
	if (load == REFUSE)
		return mode == PLAIN || mode == NST;
	if (mode == WG)
		return load >= DGRAM;
	return load < DGRAM || (mode != KTLS && mode != KTLS_NOPAD);
}

static size_t size_max(void)
{
	if (load >= DGRAM)
		return DGRAM_MAX;
	return load == SETUP || load == WAKE ? SETUP_MAX : BUFFER_SIZE;
}

static int find(const char *const *names, int nr, const char *name)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	fprintf(stderr, "load: what is '%s'?\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: load MODE LOAD SIZE COUNT\n");
		return 2;
	}
	mode = find(mode_names, NR_MODES, argv[1]);
	load = find(load_names, NR_LOADS, argv[2]);
	size = strtoul(argv[3], NULL, 0);
	count = strtoul(argv[4], NULL, 0);
	if (size > size_max() || !count ||
	    (load != IDLE && !size)) {
		fprintf(stderr, "load: SIZE or COUNT out of range\n");
		return 2;
	}
	if (!mode_has_load()) {
		fprintf(stderr, "load: no %s for %s\n", argv[2], argv[1]);
		return 2;
	}
	memset(buffer, 0x5a, sizeof(buffer));
	if (load == IDLE)
		idle_measure(mode, mode_names[mode], count);
	else if (load == SETUP)
		setup_measure(mode, size, count);
	else if (load == WAKE)
		wake_measure(mode, size, count);
	else if (load == REFUSE)
		refuse_measure(mode, size, count);
	else if (load >= DGRAM)
		dgram_measure(mode, load, size, count);
	else
		measure();
	return 0;
}
