// SPDX-License-Identifier: GPL-2.0
/* wire.c: every field, every malformed header by name. */
#include <netinet/in.h>
#include <linux/nst.h>
#include <shim/test.h>
#include "core/wire.h"

/* A sane data record with every field different. */
static const u8 sane[NST_WIRE_HDR_LEN] = {
	'N', 'S', 'T', 'P', 1, 1, 0x12, 0x34,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
	0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
	0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
	0x20, 0x99, 0xab, 0xcd, 0xbe, 0xef, 0x00, 0x00,
};

static const struct nst_hdr sane_hdr = {
	.timestamp = 0x0102030405060708ULL, .nonce = 0x1112131415161718ULL,
	.len = 0x1234, .kid = 0xabcd, .epoch = 0xbeef, .suite = 1,
	.kpos = 0x20, .kval = 0x99,
};

static void check_same(const struct nst_hdr *got, const struct nst_hdr *want)
{
	CHECK_EQ(got->timestamp, want->timestamp);
	CHECK_EQ(got->nonce, want->nonce);
	CHECK_EQ(got->len, want->len);
	CHECK_EQ(got->kid, want->kid);
	CHECK_EQ(got->epoch, want->epoch);
	CHECK_EQ(got->suite, want->suite);
	CHECK_EQ(got->type, want->type);
	CHECK_EQ(got->kpos, want->kpos);
	CHECK_EQ(got->kval, want->kval);
	CHECK_EQ(got->start, want->start);
	CHECK_EQ(got->bound, want->bound);
	CHECK_EQ(got->role, want->role);
}

/* The sane header with a byte changed, judged. */
static enum nst_drop with_byte(unsigned int at, u8 value, u8 proto)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;

	memcpy(wire, sane, sizeof(wire));
	wire[at] = value;
	return nst_wire_decode(&hdr, wire, proto);
}

/* The same with other flags and length. */
static enum nst_drop with_flags(u32 flags, u16 len, u8 proto)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;

	memcpy(wire, sane, sizeof(wire));
	wire[6] = len >> 8;
	wire[7] = len;
	wire[44] = flags >> 24;
	wire[45] = flags >> 16;
	wire[46] = flags >> 8;
	wire[47] = flags;
	return nst_wire_decode(&hdr, wire, proto);
}

TEST(nst_wire_probe__every_length_of_a_good_header)
{
	unsigned int n;

	for (n = 0; n <= sizeof(sane); n++)
		CHECK_EQ(nst_wire_probe(sane, n), NST_OK);
}

TEST(nst_wire_probe__wrong_magic_byte_is_seen_when_it_comes)
{
	unsigned int at, n;
	u8 wire[8];

	for (at = 0; at < 4; at++) {
		memcpy(wire, sane, sizeof(wire));
		wire[at] ^= 1;
		for (n = 0; n <= sizeof(wire); n++)
			CHECK_EQ(nst_wire_probe(wire, n),
				 n > at ? NST_DROP_HDR_MAGIC : NST_OK);
	}
}

TEST(nst_wire_probe__wrong_version_is_seen_when_it_comes)
{
	unsigned int version, n;
	u8 wire[8];

	memcpy(wire, sane, sizeof(wire));
	for (version = 0; version < 256; version++) {
		wire[4] = version;
		for (n = 0; n <= sizeof(wire); n++)
			CHECK_EQ(nst_wire_probe(wire, n),
				 n > 4 && version != 1 ?
				 NST_DROP_HDR_VERSION : NST_OK);
	}
}

TEST(nst_wire_probe__magic_goes_before_version)
{
	static const u8 bytes[5] = { 'N', 'S', 'T', 'p', 2 };

	CHECK_EQ(nst_wire_probe(bytes, 5), NST_DROP_HDR_MAGIC);
}

/* Reads no byte that has not arrived: the buffer is as short as it may be. */
TEST(nst_wire_probe__reads_no_further_than_told)
{
	unsigned int n;

	for (n = 1; n <= 8; n++) {
		u8 *exact = malloc(n);

		memcpy(exact, sane, n);
		CHECK_EQ(nst_wire_probe(exact, n), NST_OK);
		free(exact);
	}
}

TEST(nst_wire_decode__all_fields)
{
	struct nst_hdr hdr;

	memset(&hdr, 0xff, sizeof(hdr));
	CHECK_EQ(nst_wire_decode(&hdr, sane, IPPROTO_TCP), NST_OK);
	check_same(&hdr, &sane_hdr);
	CHECK_EQ(nst_wire_decode(&hdr, sane, IPPROTO_UDP), NST_OK);
	check_same(&hdr, &sane_hdr);
}

TEST(nst_wire_decode__each_flag_alone)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;

	memcpy(wire, sane, sizeof(wire));
	wire[46] = 1;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK(hdr.start && !hdr.bound && !hdr.role);
	wire[46] = 2;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK(!hdr.start && hdr.bound && !hdr.role);
	wire[46] = 4;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK(!hdr.start && !hdr.bound && hdr.role == NST_WIRE_INITIATOR);
	wire[46] = 8;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK(!hdr.start && !hdr.bound && hdr.role == NST_WIRE_RESPONDER);
	wire[46] = 7;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK(hdr.start && hdr.bound && hdr.role == NST_WIRE_INITIATOR);
}

TEST(nst_wire_decode__fields_are_there_with_a_cause_too)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;

	memcpy(wire, sane, sizeof(wire));
	wire[0] = 'n';
	memset(&hdr, 0xff, sizeof(hdr));
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_DROP_HDR_MAGIC);
	check_same(&hdr, &sane_hdr);
}

TEST(nst_wire_decode__magic)
{
	unsigned int at, bit;

	for (at = 0; at < 4; at++)
		for (bit = 0; bit < 8; bit++)
			CHECK_EQ(with_byte(at, sane[at] ^ 1 << bit,
					   IPPROTO_TCP), NST_DROP_HDR_MAGIC);
}

TEST(nst_wire_decode__version)
{
	unsigned int v;

	for (v = 0; v < 256; v++)
		CHECK_EQ(with_byte(4, v, IPPROTO_TCP),
			 v == 1 ? NST_OK : NST_DROP_HDR_VERSION);
}

TEST(nst_wire_decode__suite)
{
	unsigned int v;

	for (v = 0; v < 256; v++)
		CHECK_EQ(with_byte(5, v, IPPROTO_TCP),
			 v >= 1 && v <= 7 ? NST_OK : NST_DROP_HDR_SUITE);
}

TEST(nst_wire_decode__reserved_bits)
{
	unsigned int bit;

	for (bit = 12; bit < 16; bit++) {
		CHECK_EQ(with_flags(1U << bit, 5, IPPROTO_TCP),
			 NST_DROP_HDR_RESERVED);
		CHECK_EQ(with_flags(1U << bit, 5, IPPROTO_UDP),
			 NST_DROP_HDR_RESERVED);
	}
}

TEST(nst_wire_decode__both_roles)
{
	CHECK_EQ(with_flags(0xc00, 5, IPPROTO_TCP), NST_DROP_HDR_ROLES);
	CHECK_EQ(with_flags(0xc00, 5, IPPROTO_UDP), NST_DROP_HDR_ROLES);
	CHECK_EQ(with_flags(0x400, 5, IPPROTO_UDP), NST_OK);
	CHECK_EQ(with_flags(0x800, 5, IPPROTO_UDP), NST_OK);
}

TEST(nst_wire_decode__kpos)
{
	unsigned int v;

	for (v = 1; v < 256; v++)
		CHECK_EQ(with_byte(40, v, IPPROTO_TCP),
			 v <= 32 ? NST_OK : NST_DROP_HDR_KPOS);
}

TEST(nst_wire_decode__kval_without_kpos)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;
	unsigned int v;

	memcpy(wire, sane, sizeof(wire));
	wire[40] = 0;
	for (v = 0; v < 256; v++) {
		wire[41] = v;
		CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP),
			 v ? NST_DROP_HDR_KVAL : NST_OK);
	}
}

TEST(nst_wire_decode__kval_may_be_zero_with_kpos)
{
	CHECK_EQ(with_byte(41, 0, IPPROTO_TCP), NST_OK);
}

TEST(nst_wire_decode__kid)
{
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;

	memcpy(wire, sane, sizeof(wire));
	wire[42] = 0;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK_EQ(hdr.kid, 0xcd);
	wire[43] = 0;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_DROP_HDR_KID);
	wire[42] = 1;
	CHECK_EQ(nst_wire_decode(&hdr, wire, IPPROTO_TCP), NST_OK);
	CHECK_EQ(hdr.kid, 0x100);
}

TEST(nst_wire_decode__reserved_types)
{
	unsigned int type;

	for (type = 0; type < 256; type++) {
		enum nst_drop want = type >= 3 && type <= 15 ?
				     NST_DROP_HDR_TYPE : NST_OK;

		CHECK_EQ(with_flags(0x100 | type, 0, IPPROTO_TCP), want);
	}
}

TEST(nst_wire_decode__application_types_have_bodies)
{
	unsigned int type;

	for (type = 16; type < 256; type++) {
		CHECK_EQ(with_flags(type, 65535, IPPROTO_TCP), NST_OK);
		CHECK_EQ(with_flags(type, 65535, IPPROTO_UDP), NST_OK);
	}
}

TEST(nst_wire_decode__close_with_a_body)
{
	CHECK_EQ(with_flags(1, 0, IPPROTO_TCP), NST_OK);
	CHECK_EQ(with_flags(1, 1, IPPROTO_TCP), NST_DROP_HDR_BODY);
	CHECK_EQ(with_flags(1, 256, IPPROTO_TCP), NST_DROP_HDR_BODY);
	CHECK_EQ(with_flags(0x101, 0, IPPROTO_TCP), NST_OK);
}

TEST(nst_wire_decode__start_record_with_a_body)
{
	CHECK_EQ(with_flags(0x102, 0, IPPROTO_TCP), NST_OK);
	CHECK_EQ(with_flags(0x302, 0, IPPROTO_TCP), NST_OK);
	CHECK_EQ(with_flags(0x102, 1, IPPROTO_TCP), NST_DROP_HDR_BODY);
	CHECK_EQ(with_flags(0x102, 0x100, IPPROTO_TCP), NST_DROP_HDR_BODY);
}

TEST(nst_wire_decode__start_record_without_start)
{
	CHECK_EQ(with_flags(2, 0, IPPROTO_TCP), NST_DROP_HDR_START);
	CHECK_EQ(with_flags(0x202, 0, IPPROTO_TCP), NST_DROP_HDR_START);
}

TEST(nst_wire_decode__datagram_with_start)
{
	CHECK_EQ(with_flags(0x100, 5, IPPROTO_UDP), NST_DROP_HDR_DGRAM);
}

TEST(nst_wire_decode__datagram_with_bound)
{
	CHECK_EQ(with_flags(0x200, 5, IPPROTO_UDP), NST_DROP_HDR_DGRAM);
}

TEST(nst_wire_decode__datagram_of_type_close)
{
	CHECK_EQ(with_flags(1, 0, IPPROTO_UDP), NST_DROP_HDR_DGRAM);
}

TEST(nst_wire_decode__datagram_of_type_start)
{
	CHECK_EQ(with_flags(2, 0, IPPROTO_UDP), NST_DROP_HDR_DGRAM);
	CHECK_EQ(with_flags(0x102, 0, IPPROTO_UDP), NST_DROP_HDR_DGRAM);
}

TEST(nst_wire_decode__empty_and_full_bodies)
{
	CHECK_EQ(with_flags(0, 0, IPPROTO_TCP), NST_OK);
	CHECK_EQ(with_flags(0, 65535, IPPROTO_TCP), NST_OK);
	CHECK_EQ(with_flags(0, 0, IPPROTO_UDP), NST_OK);
}

/* What is not judged must not matter. */
TEST(nst_wire_decode__free_fields_take_any_value)
{
	static const unsigned int at[] = { 8, 15, 16, 23, 24, 39, 44, 45 };
	unsigned int i, v;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (v = 0; v < 256; v += 17)
			CHECK_EQ(with_byte(at[i], v, IPPROTO_TCP), NST_OK);
}

/* Each header is either refused or gives the same bytes again. */
TEST(nst_wire_decode__random_headers_are_refused_or_kept)
{
	u8 wire[NST_WIRE_HDR_LEN], again[NST_WIRE_HDR_LEN];
	unsigned int i, kept = 0;
	struct nst_hdr hdr;

	for (i = 0; i < 200000; i++) {
		test_random_bytes(wire, sizeof(wire));
		memcpy(wire, sane, 5);
		wire[5] %= 9;
		wire[40] %= 40;
		wire[46] &= test_random(4) ? 0x0f : 0xff;
		if (nst_wire_decode(&hdr, wire, IPPROTO_TCP))
			continue;
		kept++;
		nst_wire_encode(again, &hdr);
		memset(wire + NST_WIRE_OFF_TOKEN, 0, NST_WIRE_TOKEN_LEN);
		if (!CHECK_MEM(again, wire, sizeof(wire)))
			return;
	}
	CHECK(kept > 10000);
}

TEST(nst_wire_encode__all_fields)
{
	struct nst_hdr hdr = sane_hdr;
	u8 wire[NST_WIRE_HDR_LEN], want[NST_WIRE_HDR_LEN];

	memset(wire, 0xee, sizeof(wire));
	nst_wire_encode(wire, &hdr);
	memcpy(want, sane, sizeof(want));
	memset(want + 24, 0, 16);
	CHECK_MEM(wire, want, sizeof(want));
	hdr.start = true;
	hdr.bound = true;
	hdr.role = NST_WIRE_RESPONDER;
	hdr.type = 0xa7;
	nst_wire_encode(wire, &hdr);
	want[46] = 0x0b;
	want[47] = 0xa7;
	CHECK_MEM(wire, want, sizeof(want));
}

TEST(nst_wire_aad__header_without_its_token)
{
	u8 aad[NST_WIRE_AAD_LEN];

	nst_wire_aad(aad, sane);
	CHECK_MEM(aad, sane, 24);
	CHECK_MEM(aad + 24, sane + 40, 8);
}

TEST(nst_wire_ts_nonce__as_on_the_wire)
{
	u8 out[NST_WIRE_START_LEN];

	nst_wire_ts_nonce(out, sane_hdr.timestamp, sane_hdr.nonce);
	CHECK_MEM(out, sane + 8, 16);
}

TEST(nst_wire_iv12__low_half_of_timestamp_and_nonce)
{
	static const u8 want[12] = {
		0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13, 0x14,
		0x15, 0x16, 0x17, 0x18,
	};
	u8 base[12] = {}, iv[12];
	unsigned int i;

	nst_wire_iv12(iv, base, sane_hdr.timestamp, sane_hdr.nonce);
	CHECK_MEM(iv, want, 12);
	for (i = 0; i < 12; i++)
		base[i] = 0x10 + i;
	nst_wire_iv12(iv, base, sane_hdr.timestamp, sane_hdr.nonce);
	for (i = 0; i < 12; i++)
		CHECK_EQ(iv[i], want[i] ^ base[i]);
}

TEST(nst_wire_body_len__whole_blocks_in_cbc_suites)
{
	static const struct {
		unsigned int len, padded;
	} want[] = {
		{ 0, 0 }, { 1, 16 }, { 15, 16 }, { 16, 16 }, { 17, 32 },
		{ 65519, 65520 }, { 65520, 65520 }, { 65521, 65536 },
		{ 65535, 65536 },
	};
	unsigned int i, suite;

	for (suite = 1; suite <= 7; suite++) {
		bool cbc = suite == NST_CIPHER_AES_CBC ||
			   suite == NST_CIPHER_SM4_CBC ||
			   suite == NST_CIPHER_AES_256_CBC;

		for (i = 0; i < ARRAY_SIZE(want); i++)
			CHECK_EQ(nst_wire_body_len(suite, want[i].len),
				 cbc ? want[i].padded : want[i].len);
	}
}
