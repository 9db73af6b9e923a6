// SPDX-License-Identifier: GPL-2.0
/* The scenarios and modes that there are, by name. */
#include <linux/nst.h>
#include <stdio.h>
#include <string.h>
#include "names.h"
#include "trouble.h"

static const struct scenario_info scenarios[NR_SCENARIOS] = {
	[SCN_SEND] = { "send", ANSWER_SINK, false, false, false,
		"send() of a buffer; the server receives" },
	[SCN_SENDFILE] = { "sendfile", ANSWER_SINK, false, false, true,
		"sendfile() of a file" },
	[SCN_MMAP] = { "mmap", ANSWER_SINK, false, false, true,
		"write() of a file that is mapped" },
	[SCN_READ_WRITE] = { "read-write", ANSWER_SINK, false, false, true,
		"read() of a file and write()" },
	[SCN_SPLICE] = { "splice", ANSWER_SINK, false, false, true,
		"splice() of a file into a pipe, and from there" },
	[SCN_SPLICE_ECHO] = { "splice-echo", ANSWER_SPLICE, false, false, false,
		"a buffer there and back; the server splices it" },
	[SCN_RAW] = { "raw", ANSWER_RAW, false, false, false,
		"there and back through a relay that has a raw socket behind" },
	[SCN_PING] = { "ping", ANSWER_ECHO, false, false, false,
		"a message there and back" },
	[SCN_CONNECT] = { "connect", ANSWER_ECHO, false, true, false,
		"a connection for each message there and back" },
	[SCN_KEEPALIVE] = { "connect-keepalive", ANSWER_ECHO, false, true, false,
		"a connection for --requests messages there and back" },
	[SCN_DGRAM] = { "dgram", ANSWER_SINK, true, false, false,
		"datagrams, a call each" },
	[SCN_DGRAM_MMSG] = { "dgram-mmsg", ANSWER_SINK, true, false, false,
		"datagrams with sendmmsg() and recvmmsg()" },
	[SCN_DGRAM_GSO] = { "dgram-gso", ANSWER_SINK, true, false, false,
		"datagrams with UDP_SEGMENT and recvmmsg()" },
};

static const struct mode_info modes[NR_MODES] = {
	{ "plain", KIND_PLAIN, 0 },
	{ "nst-aes-gcm", KIND_NST, NST_CIPHER_AES_GCM },
	{ "nst-aes-cbc", KIND_NST, NST_CIPHER_AES_CBC },
	{ "nst-sm4-gcm", KIND_NST, NST_CIPHER_SM4_GCM },
	{ "nst-sm4-cbc", KIND_NST, NST_CIPHER_SM4_CBC },
	{ "nst-aes-256-gcm", KIND_NST, NST_CIPHER_AES_256_GCM },
	{ "nst-aes-256-cbc", KIND_NST, NST_CIPHER_AES_256_CBC },
	{ "nst-chacha20-poly1305", KIND_NST, NST_CIPHER_CHACHA20_POLY1305 },
	{ "ktls-aes-128-gcm", KIND_KTLS, TLS_AES_128_GCM },
	{ "ktls-aes-256-gcm", KIND_KTLS, TLS_AES_256_GCM },
	{ "ktls-chacha20-poly1305", KIND_KTLS, TLS_CHACHA20_POLY1305 },
	{ "tls-aes-128-gcm", KIND_TLS, TLS_AES_128_GCM },
	{ "tls-aes-256-gcm", KIND_TLS, TLS_AES_256_GCM },
	{ "tls-chacha20-poly1305", KIND_TLS, TLS_CHACHA20_POLY1305 },
	{ "dtls-aes-128-gcm", KIND_DTLS, TLS_AES_128_GCM },
	{ "dtls-aes-256-gcm", KIND_DTLS, TLS_AES_256_GCM },
	{ "dtls-chacha20-poly1305", KIND_DTLS, TLS_CHACHA20_POLY1305 },
};

const struct scenario_info *scenario_info(enum scenario scenario)
{
	return &scenarios[scenario];
}

const struct mode_info *mode_info(unsigned int mode)
{
	return &modes[mode];
}

int scenario_find(const char *name)
{
	int i;

	for (i = 0; i < NR_SCENARIOS; i++)
		if (!strcmp(scenarios[i].name, name))
			return i;
	return -1;
}

int mode_find(const char *name)
{
	static const char * const shorts[][2] = {
		{ "nst", "nst-aes-gcm" },
		{ "ktls", "ktls-aes-128-gcm" },
		{ "tls", "tls-aes-128-gcm" },
		{ "dtls", "dtls-aes-128-gcm" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
		if (!strcmp(shorts[i][0], name))
			name = shorts[i][1];
	for (i = 0; i < NR_MODES; i++)
		if (!strcmp(modes[i].name, name))
			return i;
	return -1;
}

bool mode_can(unsigned int mode, enum scenario scenario)
{
	switch (modes[mode].kind) {
	case KIND_KTLS:
	case KIND_TLS:
		return !scenarios[scenario].datagrams;
	case KIND_DTLS:
		return scenarios[scenario].datagrams;
	default:
		return true;
	}
}

/* Every mode whose name begins so. */
static unsigned int modes_with(const char *prefix)
{
	unsigned int i, bits = 0;

	for (i = 0; i < NR_MODES; i++)
		if (!strncmp(modes[i].name, prefix, strlen(prefix)))
			bits |= 1U << i;
	return bits;
}

static unsigned int mode_bits(const char *name)
{
	int i = mode_find(name);

	if (i >= 0)
		return 1U << i;
	if (!strcmp(name, "all"))
		return (1U << NR_MODES) - 1;
	if (!strcmp(name, "nst-all"))
		return modes_with("nst-");
	if (!strcmp(name, "ktls-all"))
		return modes_with("ktls-");
	if (!strcmp(name, "tls-all"))
		return modes_with("tls-");
	return strcmp(name, "dtls-all") ? 0 : modes_with("dtls-");
}

static unsigned int scenario_bits(const char *name)
{
	int i = scenario_find(name);

	if (i >= 0)
		return 1U << i;
	return strcmp(name, "all") ? 0 : (1U << NR_SCENARIOS) - 1;
}

static unsigned int bits_of(const char *list, const char *what,
			    unsigned int (*of)(const char *name))
{
	unsigned int bits = 0, more;
	char name[32];
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		snprintf(name, sizeof(name), "%.*s", (int)(n < 31 ? n : 31),
			 list);
		more = of(name);
		if (!more) {
			trouble("no %s '%s' (nstperf help has them)", what,
				name);
			return 0;
		}
		bits |= more;
		if (!list[n])
			return bits;
	}
}

unsigned int scenario_list(const char *list)
{
	return bits_of(list, "scenario", scenario_bits);
}

unsigned int mode_list(const char *list)
{
	return bits_of(list, "mode", mode_bits);
}
