/* SPDX-License-Identifier: GPL-2.0 */
/* Two ends of a connection, each on a host of its own with the same keys. */
#ifndef _UNIT_ENDS_H
#define _UNIT_ENDS_H

#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "limits.h"
#include "record.h"
#include "core/stream.h"

#define SEC	((u64)NSEC_PER_SEC)

struct end {
	struct nst_net nn;
	struct nst_stream st;
};

/* a opened the connection and has no role unless a case gives it one. */
extern struct end a, b;
/* The last record sealed, and the last plaintext opened. */
extern u8 record[REC_MAX], plaintext[REC_MAX];
extern struct nst_hdr opened;

/*
 * Box of each host: 7 active, 9 accept, 5 retired. NST_F_* as NST_TX_RX would
 * set them.
 */
void ends_begin(u32 flags_a, u32 flags_b);
void ends_done(void);

struct nst_box_entry ends_key(u16 kid, enum nst_key_state state);
/* Another configuration, as setsockopt() would set it; NULL: none. */
struct nst_conf *conf_new(struct end *end, struct nst_keyring *ring);

/* Seal into @record; the errno, or 0. */
int say(struct end *end, u8 type, const char *text);
/* Open @record. */
enum nst_drop hear(struct end *end);
/* Both, and compare. */
void pass(struct end *from, struct end *to, u8 type, const char *text);

/* Both directions were idle for long. */
void park(struct end *end);

u64 counter(const struct end *end, unsigned int index);

#endif /* _UNIT_ENDS_H */
