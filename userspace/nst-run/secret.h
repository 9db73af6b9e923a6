/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --forward-secret: the exchange of ephemeral keys, by libnst-exchange, which is
 * loaded (and libcrypto with it) only if it was asked for, and into nst-run alone.
 */
#ifndef NST_RUN_SECRET_H
#define NST_RUN_SECRET_H

#include <stddef.h>
#include <stdint.h>

/* An exchange that has not ended by then has failed. */
#define SECRET_MS	10000

struct nst_exchange;

int secret_load(uint16_t group, char *why, size_t size);
int secret_try(int fd);
int secret_whole(int fd);
int secret_new(struct nst_exchange **ex, int fd);
int secret_step(struct nst_exchange *ex);
void secret_free(struct nst_exchange *ex);
long long secret_now(void);
const char *secret_hint(int err);

#endif /* NST_RUN_SECRET_H */
