/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of the guard share: rules and their counters, addresses of
 * loopback, and datagrams that are records.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef GUARDTEST_H
#define GUARDTEST_H

#include "nltalk.h"
#include "tcptest.h"

#define GUARD_PORT	5201
#define GUARD_KID_RETIRED	NSTTEST_KID_OTHER

/* What a rule has seen: by NST_DIRECTION_* and NST_A_PACKETS_*. */
struct guard_counts {
	uint64_t n[2][NST_A_PACKETS_MAX + 1];
};

/* A rule for GUARD_PORT and another port. */
int guard_add(struct talk *t, int protocol, bool dry_run);
int guard_add_port(struct talk *t, int protocol, uint16_t port, bool dry_run);
int guard_del(struct talk *t, int protocol, uint16_t port);

int guard_counts(struct talk *t, int protocol, struct guard_counts *c);

/* One of the counters of the rule for GUARD_PORT; -1 if there is no rule. */
long guard_in(struct talk *t, int protocol, int which);
long guard_out(struct talk *t, int protocol, int which);

/* Waits until that has come to @value. */
int guard_wait(struct talk *t, int protocol, int direction, int which,
	       long value);

/* The namespace's box: NSTTEST_KID active, GUARD_KID_RETIRED retired. */
int guard_box(struct talk *t);

/* @host: 1 for loopback, 2 for 127.0.0.2 or fd00::2. */
socklen_t guard_address(struct sockaddr_storage *ss, int family, int host,
			uint16_t port);

/* A socket of @type, with timeouts, bound to @port unless that is 0. */
int guard_socket(int family, int type, int host, uint16_t port);

/* A record for a datagram, as a correct sender makes it; returns its size. */
size_t guard_record(uint8_t *out, size_t len);

/* The same out of a header that the caller may spoil first. */
void guard_header(struct peer_hdr *h, size_t len);
size_t guard_seal(struct peer_hdr *h, size_t len, uint8_t *out);

#endif /* GUARDTEST_H */
