/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NST_EXCHANGE_KEY_H
#define _NST_EXCHANGE_KEY_H

#include <stdbool.h>

#include <nst/nst.h>

/* The body of a message, and what a refusal may list at most. */
#define NST_MESSAGE_MAX	(3 + 1216)

struct nst_message {
	size_t len;
	uint8_t body[NST_MESSAGE_MAX];
};

/* What a stream has that its next keys have to have, too. */
struct nst_stream_conf {
	struct nst_crypto_info tx;
	struct nst_crypto_info rx;
};

int nst_conf_read(int fd, struct nst_stream_conf *conf);
int nst_conf_set(int fd, int optname, const struct nst_crypto_info *conf,
		 const uint8_t key[NST_KEY_SIZE]);
int nst_key_make(uint8_t key[NST_KEY_SIZE], const struct nst_message *first,
		 const struct nst_message *second, const uint8_t *z, size_t len,
		 const struct nst_crypto_info *conf);

#endif /* _NST_EXCHANGE_KEY_H */
