// SPDX-License-Identifier: GPL-2.0
/* NST's keys. */
#include <errno.h>
#include <nst/nst.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include "keys.h"
#include "trouble.h"

#define CONTEXT	"nstperf"

static struct nst_key own;

static void wipe(void)
{
	explicit_bzero(&own, sizeof(own));
}

int keys_private(void)
{
	if (mlock(&own, sizeof(own)) && errno != ENOMEM && errno != EPERM)
		return trouble("mlock: %s", strerror(errno));
	if (getrandom(own.key, sizeof(own.key), 0) != sizeof(own.key))
		return trouble("getrandom: %s", strerror(errno));
	own.kid = 1;
	atexit(wipe);
	return 0;
}

int keys_attach(int fd, int cipher, bool udp)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .cipher = cipher,
		.context = CONTEXT, .context_len = strlen(CONTEXT),
		.keys = own.kid ? &own : NULL, .nr_keys = own.kid ? 1 : 0,
	};
	int e = udp ? nst_udp(fd, &opts) : nst_tcp(fd, &opts);

	return e ? trouble("NST: %s", nst_strerror(e)) : 0;
}
