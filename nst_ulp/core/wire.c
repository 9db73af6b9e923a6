// SPDX-License-Identifier: GPL-2.0
/* Encode and decode the record header; nothing here knows a socket or a key. */
#ifdef __KERNEL__
#include <linux/in.h>
#include <linux/string.h>
#include <linux/nst.h>
#else
#include <netinet/in.h>
#include <string.h>
#include <linux/nst.h>
#endif
#include "core/wire.h"

static void put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put_be32(u8 *p, u32 v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v);
}

static void put_be64(u8 *p, u64 v)
{
	put_be32(p, v >> 32);
	put_be32(p + 4, v);
}

static u16 get_be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static u32 get_be32(const u8 *p)
{
	/* In one expression, which compilers know to be one load. */
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 get_be64(const u8 *p)
{
	return (u64)p[0] << 56 | (u64)p[1] << 48 | (u64)p[2] << 40 |
	       (u64)p[3] << 32 | (u64)p[4] << 24 | (u64)p[5] << 16 |
	       (u64)p[6] << 8 | p[7];
}

/**
 * nst_wire_probe() - judge the first bytes of a header on a stream
 * @bytes: what has arrived
 * @n: how much that is, any number
 *
 * Magic and version are judged as soon as they are there, so that a peer that
 * does not speak NST is told at once and not after 48 bytes.
 *
 * Return: NST_OK as long as it can still become a header.
 */
enum nst_drop nst_wire_probe(const u8 *bytes, unsigned int n)
{
	u8 magic[4];

	put_be32(magic, NST_WIRE_MAGIC);
	if (memcmp(bytes, magic, n < 4 ? n : 4))
		return NST_DROP_HDR_MAGIC;
	if (n > 4 && bytes[4] != NST_WIRE_VERSION)
		return NST_DROP_HDR_VERSION;
	return NST_OK;
}

static enum nst_drop judge_flags(const struct nst_hdr *hdr, u32 flags, u8 proto)
{
	if (flags & NST_WIRE_RESERVED)
		return NST_DROP_HDR_RESERVED;
	if ((flags & NST_WIRE_ROLES) == NST_WIRE_ROLES)
		return NST_DROP_HDR_ROLES;
	if (hdr->kpos > NST_WIRE_KPOS_MAX)
		return NST_DROP_HDR_KPOS;
	if (!hdr->kpos && hdr->kval)
		return NST_DROP_HDR_KVAL;
	if (!hdr->kid)
		return NST_DROP_HDR_KID;
	if (hdr->type > NST_TYPE_START && hdr->type < NST_TYPE_APP_MIN)
		return NST_DROP_HDR_TYPE;
	if (hdr->type == NST_TYPE_CLOSE || hdr->type == NST_TYPE_START) {
		if (hdr->len)
			return NST_DROP_HDR_BODY;
		if (proto == IPPROTO_UDP)
			return NST_DROP_HDR_DGRAM;
		if (hdr->type == NST_TYPE_START && !hdr->start)
			return NST_DROP_HDR_START;
	}
	if (proto == IPPROTO_UDP && (hdr->start || hdr->bound))
		return NST_DROP_HDR_DGRAM;
	return NST_OK;
}

/**
 * nst_wire_decode() - read and judge a header by itself
 * @hdr: receives the fields, all of them also when a cause is returned
 * @wire: NST_WIRE_HDR_LEN bytes
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 *
 * Return: NST_OK, or the first NST_DROP_HDR_* that applies.
 */
enum nst_drop nst_wire_decode(struct nst_hdr *hdr, const u8 *wire, u8 proto)
{
	u32 flags = get_be32(wire + 44);

	hdr->suite = wire[5];
	hdr->len = get_be16(wire + 6);
	hdr->timestamp = get_be64(wire + 8);
	hdr->nonce = get_be64(wire + 16);
	hdr->kpos = wire[40];
	hdr->kval = wire[41];
	hdr->kid = get_be16(wire + 42);
	hdr->epoch = flags >> 16;
	hdr->type = flags & NST_WIRE_TYPE;
	hdr->start = flags & NST_WIRE_START;
	hdr->bound = flags & NST_WIRE_BOUND;
	hdr->role = flags & NST_WIRE_ROLES;

	if (get_be32(wire) != NST_WIRE_MAGIC)
		return NST_DROP_HDR_MAGIC;
	if (wire[4] != NST_WIRE_VERSION)
		return NST_DROP_HDR_VERSION;
	if (!hdr->suite || hdr->suite > NST_WIRE_SUITE_MAX)
		return NST_DROP_HDR_SUITE;
	return judge_flags(hdr, flags, proto);
}

/**
 * nst_wire_encode() - write a header, with a token of zeros
 * @wire: NST_WIRE_HDR_LEN bytes to fill
 * @hdr: the fields; the caller vouches that they are sane
 */
void nst_wire_encode(u8 *wire, const struct nst_hdr *hdr)
{
	u32 flags = (u32)hdr->epoch << 16 | hdr->role | hdr->type;

	if (hdr->start)
		flags |= NST_WIRE_START;
	if (hdr->bound)
		flags |= NST_WIRE_BOUND;
	put_be32(wire, NST_WIRE_MAGIC);
	wire[4] = NST_WIRE_VERSION;
	wire[5] = hdr->suite;
	put_be16(wire + 6, hdr->len);
	put_be64(wire + 8, hdr->timestamp);
	put_be64(wire + 16, hdr->nonce);
	memset(wire + NST_WIRE_OFF_TOKEN, 0, NST_WIRE_TOKEN_LEN);
	wire[40] = hdr->kpos;
	wire[41] = hdr->kval;
	put_be16(wire + 42, hdr->kid);
	put_be32(wire + 44, flags);
}

/**
 * nst_wire_aad() - what of a header is authenticated as it stands
 * @aad: NST_WIRE_AAD_LEN bytes to fill: the header without its token
 * @wire: the header
 */
void nst_wire_aad(u8 *aad, const u8 *wire)
{
	memcpy(aad, wire, NST_WIRE_OFF_TOKEN);
	memcpy(aad + NST_WIRE_OFF_TOKEN, wire + NST_WIRE_OFF_TAIL,
	       NST_WIRE_HDR_LEN - NST_WIRE_OFF_TAIL);
}

/**
 * nst_wire_ts_nonce() - timestamp and nonce as on the wire, side by side
 * @out: NST_WIRE_START_LEN bytes to fill
 * @timestamp: of the record
 * @nonce: of the record
 *
 * In a START these 16 bytes name the stream; in the CBC suites their
 * encryption is the IV.
 */
void nst_wire_ts_nonce(u8 *out, u64 timestamp, u64 nonce)
{
	put_be64(out, timestamp);
	put_be64(out + 8, nonce);
}

/**
 * nst_wire_iv12() - the IV of a record in the GCM and ChaCha20 suites
 * @iv: 12 bytes to fill
 * @base: 12 bytes of the epoch's keys
 * @timestamp: of the record
 * @nonce: of the record
 */
void nst_wire_iv12(u8 *iv, const u8 *base, u64 timestamp, u64 nonce)
{
	put_be32(iv, get_be32(base) ^ (u32)timestamp);
	put_be64(iv + 4, get_be64(base + 4) ^ nonce);
}
