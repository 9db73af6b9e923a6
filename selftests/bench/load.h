/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of load share. All die with a message on errors. */
#ifndef _BENCH_LOAD_H
#define _BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode { PLAIN, KTLS, KTLS_NOPAD, NST, NST_CHACHA, WG, NR_MODES };
enum load {
	SEND, NAGLE, BATCH, SENDFILE, PING, SETUP, WAKE, IDLE, DGRAM, GSO, GRO,
	REFUSE, NR_LOADS
};

void die(const char *what) __attribute__((noreturn));

/* Attaches, and keys both directions; TCP, and UDP. */
void key_socket(int fd, enum mode mode);
void key_datagrams(int fd, enum mode mode);

/* The measured part, between two markers. */
struct meter {
	double seconds;
	double cpu;
	uint64_t tsc;
};

void meter_start(struct meter *m);
void meter_stop(struct meter *m);
void meter_print(const struct meter *m, enum mode how, enum load what,
		 size_t size, size_t calls, size_t bytes);

/* The module of User Mode Linux is there; and what it does for datagrams. */
bool batch_present(void);
void batch_bursts(int tx, int rx, size_t send_size, size_t burst, size_t bytes);

/* All of it, or it dies. */
void send_all(int fd, const char *p, size_t len);
void recv_all(int fd, char *p, size_t len);

/* A byte there and back. */
void round_trip(int a, int b);

/* On the loopback; addr receives where. */
int listen_socket(struct sockaddr_in *addr);
void connect_pair(int listener, struct sockaddr_in *addr, int *a, int *b);

/* wire.c: connected UDP sockets in two namespaces, through WireGuard or not. */
void wire_open(bool tunnel, uint16_t port, int fd[2]);

/* dgram.c: count datagrams of size bytes, printed. */
void dgram_measure(enum mode how, enum load what, size_t size, size_t count);

/* The same that nobody takes: no room for them, or of sessions that do not exist. */
void refuse_measure(enum mode how, size_t size, size_t count);

/* load_setup.c: size bytes each way on count connections, printed. */
#define SETUP_MAX	16384
void setup_measure(enum mode how, size_t bytes, size_t count);
void wake_measure(enum mode how, size_t bytes, size_t count);

/* load_idle.c: memory of count connections, printed. */
void idle_measure(enum mode mode, const char *mode_name, size_t count);

#endif
