/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of hostile input share: a TCP pair of which one end gets NST,
 * its keys, and the counters of refused records.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef NSTTEST_H
#define NSTTEST_H

#include <stdint.h>
#include <sys/socket.h>

#include <linux/nst.h>

#include "nst_ulp/drop.h"
#include "nstpeer.h"

#define NSTTEST_TIMEOUT		nsttest_patience(12)	/* seconds, of either end */
#define NSTTEST_KEYS		2
#define NSTTEST_KID		7	/* the active one */
#define NSTTEST_KID_OTHER	9
#define NSTTEST_KID_UNKNOWN	99

/* As many seconds, or more where the guest is slow by design. */
int nsttest_patience(int seconds);

extern const struct peer_secret nsttest_box[NSTTEST_KEYS];

/* The private box of nsttest_box, as one option value. */
struct nsttest_info {
	struct nst_crypto_info info;
	struct nst_key keys[NSTTEST_KEYS];
};

void nsttest_fill(struct nsttest_info *ti, uint8_t cipher_id);
int nsttest_attach(int fd);

/*
 * NST_TX with @cipher_id, then NST_RX with @rx_cipher and @rx_kid (0: any);
 * @flags for both. @nr_keys: NSTTEST_KEYS, or 0 for the namespace's box.
 */
struct nsttest_conf {
	uint8_t cipher_id;
	uint8_t rx_cipher;
	uint16_t rx_kid;
	uint16_t nr_keys;
	uint32_t flags;
	const char *context;
};

int nsttest_install(int fd, const struct nsttest_conf *conf);

/*
 * A connection over loopback, without NST. Both ends time out, so that a test
 * fails instead of hanging. @rcvbuf: SO_RCVBUF of the
 * accepted end @kern, 0 for the default.
 */
int nsttest_pair(int family, int rcvbuf, int *kern, int *raw);

/*
 * The same with segments of @mss bytes, 0 for the default. Loopback's own are
 * as large as its window, which hides what waits for a window update.
 */
int nsttest_pair_mss(int family, int rcvbuf, int mss, int *kern, int *raw);

/* The address of loopback and @port; returns its length. */
socklen_t nsttest_loopback(struct sockaddr_storage *ss, int family,
			   uint16_t port);

/* Leaves for a network namespace of its own, with lo up. */
int nsttest_netns(void);

int nsttest_write_file(const char *path, const char *text);

/*
 * Count the calls of a function of the kernel or a module, from now on, one at a time;
 * -ENOENT: this kernel has no kprobes. How many there were, or -1.
 */
int nsttest_count_calls(const char *function);
long nsttest_calls(void);
void nsttest_count_no_more(void);

/* The number that stands in a file of /proc or /sys, or -1. */
long nsttest_number(const char *path);

/* References on the module. */
#define NSTTEST_USERS	"/sys/module/nst_ulp/refcnt"

/* Counters of all causes in /proc/net/nst_stat, by enum nst_drop. */
struct nsttest_counters {
	uint64_t value[NST_DROP_MAX];
};

int nsttest_counters(struct nsttest_counters *c);

/* Any line of that file, or -1. */
long nsttest_stat(const char *name);

/* What stands behind @name in a file of such lines, or -1. */
long nsttest_find(const char *path, const char *name);

/* In /proc/net/snmp or netstat, of the lines of @group ("Tcp:"), or -1. */
long nsttest_mib(const char *path, const char *group, const char *name);

/* Milliseconds of CLOCK_MONOTONIC. */
long nsttest_now_ms(void);

/*
 * What grew since @before, as "Name+1", several separated by a space, "" for
 * nothing. Static storage.
 */
const char *nsttest_grown(const struct nsttest_counters *before);

/* Reads and drops what comes. 0: FIN, else what ended it. */
int nsttest_drain(int fd);

/* The one in the middle; sorts @values. */
int nsttest_median(int *values, int nr);

/*
 * In a FIXTURE_SETUP: this kernel lacks what the case wants. SKIP(return, ...) would
 * leave the setup alone and run the test with half of a fixture. Nothing is taken
 * down. For who includes kselftest_harness.h.
 */
#define NSTTEST_SKIP_FIXTURE(...) SKIP(longjmp(_metadata->env, 1), __VA_ARGS__)

#endif /* NSTTEST_H */
