// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c with any bytes: what is taken gives the same bytes again, and probing
 * a part of a header never refuses what the whole does not.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "core/wire.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 again[NST_WIRE_HDR_LEN], wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;
	enum nst_drop drop;
	unsigned int n;
	u8 proto;

	if (size < 1 + NST_WIRE_HDR_LEN) {
		nst_wire_probe(data, size);
		return 0;
	}
	proto = data[0] & 1 ? IPPROTO_UDP : IPPROTO_TCP;
	memcpy(wire, data + 1, sizeof(wire));
	drop = nst_wire_decode(&hdr, wire, proto);
	for (n = 0; n <= NST_WIRE_HDR_LEN; n++) {
		enum nst_drop probe = nst_wire_probe(wire, n);

		must(!probe || probe == drop);
	}
	if (drop)
		return 0;
	must(hdr.kid && hdr.kpos <= 32 && hdr.suite >= 1 && hdr.suite <= 7);
	must(nst_wire_body_len(hdr.suite, hdr.len) <= NST_WIRE_BODY_MAX);
	nst_wire_encode(again, &hdr);
	memset(wire + NST_WIRE_OFF_TOKEN, 0, NST_WIRE_TOKEN_LEN);
	must(!memcmp(again, wire, sizeof(wire)));
	return 0;
}
