/* SPDX-License-Identifier: GPL-2.0 */
/* A datagram as its session judges it: was it taken before, and by whom? */
#ifndef _NST_DGRAM_H
#define _NST_DGRAM_H

#include "core/member.h"
#include "core/sessions.h"
#include "core/wire.h"
#include "drop.h"

/**
 * struct nst_dgram - what is judged of a datagram
 * @hdr: its header, sane
 * @members: what the socket that it came to has taken of groups'
 * @group: it came to a multicast or broadcast address
 * @at: CLOCK_MONOTONIC in ns when it was judged
 */
struct nst_dgram {
	struct nst_hdr hdr;
	struct nst_members *members;
	bool group;
	u64 at;
};

enum nst_drop nst_dgram_check(struct nst_session *ses,
			      const struct nst_dgram *dgram);
enum nst_drop nst_dgram_take(struct nst_session *ses,
			     const struct nst_dgram *dgram);

#endif /* _NST_DGRAM_H */
