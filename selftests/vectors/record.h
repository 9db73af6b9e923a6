/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One record through wire and cipher, with its buffers cut into any pieces.
 * Compiled into the unit tests and into nst_vectors.ko.
 */
#ifndef _VECTORS_RECORD_H
#define _VECTORS_RECORD_H

#include "core/cipher.h"
#include "core/wire.h"

struct nst_stream;

/**
 * struct rec_cut - how the scatterlists of a record are cut
 * @pieces: into how many at most; 0 or 1: not at all
 * @alias: a bit for each piece, from bit 0: the plaintext of this piece stands
 *	where its ciphertext does
 * @seed: of the places where they are cut
 */
struct rec_cut {
	unsigned int pieces;
	u64 alias;
	u32 seed;
};

#define REC_MAX		(NST_WIRE_HDR_LEN + NST_WIRE_BODY_MAX)

/* Bytes of a whole record. */
static inline unsigned int rec_len(const struct nst_hdr *hdr)
{
	return NST_WIRE_HDR_LEN + nst_wire_body_len(hdr->suite, hdr->len);
}

/*
 * @record receives rec_len() bytes. @pad is what a CBC body is filled up with:
 * the protocol says 0.
 */
int rec_seal(struct nst_cipher *cipher, const struct nst_hdr *hdr,
	     const u8 *plaintext, u8 pad, u8 *record,
	     const struct rec_cut *cut);
/* @plaintext receives the body, with its padding; @record may be changed. */
int rec_open(struct nst_cipher *cipher, const struct nst_hdr *hdr, u8 *record,
	     u8 *plaintext, const struct rec_cut *cut);

/* The whole way of a record through a stream, as a socket would go it. */
int rec_stream_seal(struct nst_stream *st, u8 type, const u8 *plaintext,
		    unsigned int len, u8 *record);
enum nst_drop rec_stream_open(struct nst_stream *st, u8 *record,
			      struct nst_hdr *hdr, u8 *plaintext);

#endif /* _VECTORS_RECORD_H */
