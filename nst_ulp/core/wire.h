/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of a record header. Pure C: the same file is compiled into the
 * module, the unit tests and the fuzzers.
 */
#ifndef _NST_WIRE_H
#define _NST_WIRE_H

#include <linux/types.h>
#include "drop.h"

/*
 *  0               4       5       6               8
 * +---------------+-------+-------+---------------+
 * | "NSTP"        |version|suite  | transport_len |
 * +---------------+-------+-------+---------------+
 * | 8   timestamp, ns of CLOCK_REALTIME           |
 * +-----------------------------------------------+
 * | 16  nonce                                     |
 * +-----------------------------------------------+
 * | 24  token, the authentication tag             |
 * |                                               |
 * +-------+-------+---------------+---------------+
 * |40 kpos|41 kval| 42 kid        | 44 flags      |
 * +-------+-------+---------------+---------------+
 */
#define NST_WIRE_HDR_LEN	48
#define NST_WIRE_MAGIC		0x4E535450U
#define NST_WIRE_VERSION	1
#define NST_WIRE_OFF_TOKEN	24
#define NST_WIRE_TOKEN_LEN	16
#define NST_WIRE_OFF_TAIL	40	/* header bytes behind the token */
#define NST_WIRE_AAD_LEN	32
#define NST_WIRE_KPOS_MAX	32
#define NST_WIRE_SUITE_MAX	7
#define NST_WIRE_BLOCK		16	/* padding unit of the CBC suites */
#define NST_WIRE_BODY_MAX	65536	/* 65535, rounded up in CBC suites */
#define NST_WIRE_START_LEN	16	/* timestamp and nonce of a START */

/* flags */
#define NST_WIRE_EPOCH		0xffff0000U
#define NST_WIRE_RESERVED	0x0000f000U
#define NST_WIRE_RESPONDER	0x00000800U
#define NST_WIRE_INITIATOR	0x00000400U
#define NST_WIRE_BOUND		0x00000200U
#define NST_WIRE_START		0x00000100U
#define NST_WIRE_TYPE		0x000000ffU
#define NST_WIRE_ROLES		(NST_WIRE_INITIATOR | NST_WIRE_RESPONDER)

/**
 * struct nst_hdr - a decoded header, host byte order
 * @timestamp: CLOCK_REALTIME in ns when the record was sealed
 * @nonce: record counter
 * @len: plaintext bytes, 0..65535
 * @kid: box key, 1..65535
 * @epoch: random number of the epoch
 * @suite: 1..NST_WIRE_SUITE_MAX
 * @type: record type
 * @kpos: key perturbation position, 0..32
 * @kval: key perturbation value
 * @start: START, the first record of its stream
 * @bound: BOUND, the epoch's keys hold both ends' STARTs
 * @role: 0, NST_WIRE_INITIATOR or NST_WIRE_RESPONDER
 *
 * The token is not part of it: it is used where it stands.
 */
struct nst_hdr {
	u64 timestamp;
	u64 nonce;
	u16 len;
	u16 kid;
	u16 epoch;
	u8 suite;
	u8 type;
	u8 kpos;
	u8 kval;
	bool start;
	bool bound;
	u32 role;
};

/**
 * struct nst_epoch_id - what tells one epoch of a stream from another
 * @suite: 1..NST_WIRE_SUITE_MAX; 0: no epoch
 * @kpos: key perturbation position
 * @kval: key perturbation value
 * @bound: BOUND
 * @kid: box key
 * @epoch: random number
 */
struct nst_epoch_id {
	u8 suite;
	u8 kpos;
	u8 kval;
	bool bound;
	u16 kid;
	u16 epoch;
};

static inline struct nst_epoch_id nst_wire_epoch(const struct nst_hdr *hdr)
{
	return (struct nst_epoch_id){
		.suite = hdr->suite, .kpos = hdr->kpos, .kval = hdr->kval,
		.bound = hdr->bound, .kid = hdr->kid, .epoch = hdr->epoch,
	};
}

/* The other way round: the next record is of this epoch. */
static inline void nst_wire_set_epoch(struct nst_hdr *hdr,
				      const struct nst_epoch_id *id)
{
	hdr->suite = id->suite;
	hdr->kpos = id->kpos;
	hdr->kval = id->kval;
	hdr->bound = id->bound;
	hdr->kid = id->kid;
	hdr->epoch = id->epoch;
}

/* Is the body padded to whole blocks? True in the CBC suites. */
static inline bool nst_wire_padded(u8 suite)
{
	return suite == 2 || suite == 4 || suite == 6;
}

/* Bytes of the body of a record of @len plaintext bytes. */
static inline unsigned int nst_wire_body_len(u8 suite, unsigned int len)
{
	if (!nst_wire_padded(suite))
		return len;
	return (len + NST_WIRE_BLOCK - 1) & ~(NST_WIRE_BLOCK - 1U);
}

enum nst_drop nst_wire_probe(const u8 *bytes, unsigned int n);
enum nst_drop nst_wire_decode(struct nst_hdr *hdr, const u8 *wire, u8 proto);
void nst_wire_encode(u8 *wire, const struct nst_hdr *hdr);
void nst_wire_aad(u8 *aad, const u8 *wire);
void nst_wire_iv12(u8 *iv, const u8 *base, u64 timestamp, u64 nonce);
void nst_wire_ts_nonce(u8 *out, u64 timestamp, u64 nonce);

#endif /* _NST_WIRE_H */
