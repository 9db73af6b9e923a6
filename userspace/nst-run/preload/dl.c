// SPDX-License-Identifier: GPL-2.0
/*
 * dlmopen(): a namespace of its own has a libc of its own, and no preloaded
 * library. What is loaded there would be out of reach.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include "journal.h"
#include "preload.h"
#include "real.h"

INTERPOSED void *dlmopen(Lmid_t space, const char *file, int mode)
{
	preload_ready();
	if (!real.dlmopen)
		return NULL;
	if (space == LM_ID_BASE)
		return real.dlmopen(space, file, mode);
	if (preload_policy()->let) {
		journal_line("dlmopen(): what is loaded by it has no NST");
		return real.dlmopen(space, file, mode);
	}
	journal_line("dlmopen() refused: what is loaded by it would have no NST (nst-run --let-go lets it)");
	/* For dlerror(). */
	return real.dlmopen(space, "/nonexistent/refused by nst-run",
			    RTLD_NOW);
}
