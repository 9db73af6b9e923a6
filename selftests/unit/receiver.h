/* SPDX-License-Identifier: GPL-2.0 */
/* A receiver of datagrams: a box, what its secrets remember, and a sender. */
#ifndef _UNIT_RECEIVER_H
#define _UNIT_RECEIVER_H

#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <shim/test.h>
#include "limits.h"
#include "core/session.h"

#define SEC	((u64)NSEC_PER_SEC)
#define WINDOW	(NST_TIME_WINDOW * SEC)
#define AGE	(3600 * SEC)
#define NONCE	1000000ULL
#define RECEIVERS	512

extern struct nst_net nn;
extern struct nst_conf conf;
/* What is judged next. */
extern struct nst_dgram dgram;
/* Sockets' windows; a datagram comes to the one of its @members. */
extern struct nst_members members[RECEIVERS];

struct nst_box_entry key_of(u16 kid, enum nst_key_state state, u8 fill);

/*
 * A namespace that is @age old. Its box: 7 active, 9 accept, 5 retired, each with
 * its number in all bytes.
 */
void receiver_begin(u64 age);
void receiver_done(void);

/* Sessions that are known, and the floor of those of kid 7's secret. */
unsigned int known(void);
u64 floor_of_7(void);
void expire(void);

/* Fills @dgram: under kid 7, of another session for each @epoch. */
struct nst_hdr *datagram(u16 epoch, u64 nonce, u64 timestamp);

/* Receives @dgram as udp/rx.c does, but that each one is authentic. */
enum nst_drop attempt(void);
enum nst_drop try(u16 epoch, u64 nonce, u64 timestamp);

#endif /* _UNIT_RECEIVER_H */
