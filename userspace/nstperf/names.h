/* SPDX-License-Identifier: GPL-2.0 */
/* The scenarios and modes that there are, by name. */
#ifndef NSTPERF_NAMES_H
#define NSTPERF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum scenario {
	SCN_SEND, SCN_SENDFILE, SCN_MMAP, SCN_READ_WRITE, SCN_SPLICE,
	SCN_SPLICE_ECHO, SCN_RAW, SCN_PING, SCN_CONNECT, SCN_KEEPALIVE,
	SCN_DGRAM, SCN_DGRAM_MMSG, SCN_DGRAM_GSO, NR_SCENARIOS
};

/* What the server does with what comes. */
enum answer { ANSWER_SINK, ANSWER_ECHO, ANSWER_SPLICE, ANSWER_RAW };

/**
 * struct scenario_info - a scenario
 * @name: in options and documents
 * @answer: what the server does
 * @datagrams: UDP, not TCP
 * @connects: a stream makes connections as it goes
 * @file: what is sent is a file
 * @text: what it is
 */
struct scenario_info {
	const char *name;
	enum answer answer;
	bool datagrams;
	bool connects;
	bool file;
	const char *text;
};

enum kind { KIND_PLAIN, KIND_NST, KIND_KTLS, KIND_TLS, KIND_DTLS };

/* Ciphers of TLS. NST's are NST_CIPHER_*. */
enum tls_cipher { TLS_AES_128_GCM, TLS_AES_256_GCM, TLS_CHACHA20_POLY1305 };

/**
 * struct mode_info - a mode
 * @name: in options and documents
 * @kind: who encrypts
 * @cipher: with what
 */
struct mode_info {
	const char *name;
	enum kind kind;
	int cipher;
};

#define NR_MODES	17

const struct scenario_info *scenario_info(enum scenario scenario);
const struct mode_info *mode_info(unsigned int mode);

/* The number of a name, or -1. A mode may have a short name. */
int scenario_find(const char *name);
int mode_find(const char *name);

/* Is there such a row? DTLS has no streams, kTLS and TLS no datagrams. */
bool mode_can(unsigned int mode, enum scenario scenario);

/* Bits of what a list with commas names, 0 after trouble(). */
unsigned int scenario_list(const char *list);
unsigned int mode_list(const char *list);

#endif /* NSTPERF_NAMES_H */
