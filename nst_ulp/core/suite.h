/* SPDX-License-Identifier: GPL-2.0 */
/* The suites, and what is known of whether this kernel has them. */
#ifndef _NST_SUITE_H
#define _NST_SUITE_H

#include <linux/types.h>

/**
 * struct nst_suite - one line of the protocol's table of suites
 * @name: as in the protocol, and on nstkeyctl's command line
 * @aead: template of the crypto API that does the whole record
 * @ivgen: template that encrypts the IV in the CBC suites, else NULL
 * @hmac: HMAC under H; what a CBC suite's tag is made with, and is told as H's driver
 * @hash: H, for the key schedule
 * @key_len: bytes of the cipher's key
 * @okm_len: bytes of key material an epoch takes
 * @untested: the crypto API has no test of @aead, only of its parts
 */
struct nst_suite {
	const char *name;
	const char *aead;
	const char *ivgen;
	const char *hmac;
	const char *hash;
	u8 key_len;
	u8 okm_len;
	bool untested;
};

/* What a suite is wanted for. */
enum nst_suite_use {
	NST_SUITE_STREAMS,
	NST_SUITE_DATAGRAMS,	/* of streams, too */
	NST_SUITE_USES
};

int nst_suite_init(void);
void nst_suite_exit(void);
const struct nst_suite *nst_suite(u8 id);

void nst_suite_forget(enum nst_suite_use use, u8 id);
int nst_suite_missing(int err);
bool nst_suite_known_missing(u8 id);
int nst_suite_remember(u8 id, int err);
unsigned int nst_suite_changes(void);
bool nst_suite_known(enum nst_suite_use use, u8 id);
bool nst_suite_note(enum nst_suite_use use, u8 id, unsigned int seen);

#endif /* _NST_SUITE_H */
