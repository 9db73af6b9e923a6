// SPDX-License-Identifier: GPL-2.0
/*
 * dlopen() with RTLD_DEEPBIND: what is loaded so finds libc's functions before
 * those of a preloaded library, and passes it by. The flag is taken away.
 *
 * dlmopen(): a namespace of its own has a libc of its own, and no preloaded
 * library. What is loaded there would be out of reach.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include "journal.h"
#include "preload.h"
#include "real.h"

/*
 * Goes on by a jump, not a call (-foptimize-sibling-calls): the dynamic linker
 * looks at who called for where to search (DT_RUNPATH, $ORIGIN).
 */
INTERPOSED void *dlopen(const char *file, int mode)
{
	if (real_lacks(&real.dlopen))
		return NULL;
	return real.dlopen(file, mode & ~RTLD_DEEPBIND);
}

static const char refused[] =
	"a namespace of its own for a library is refused: it would have no NST (nst-run --let-go)";

INTERPOSED void *dlmopen(Lmid_t space, const char *file, int mode)
{
	if (real_lacks(&real.dlmopen))
		return NULL;
	if (space == LM_ID_BASE)
		return real.dlmopen(space, file, mode & ~RTLD_DEEPBIND);
	if (preload_policy()->let) {
		journal_line("what is loaded into a namespace of its own has no NST");
		return real.dlmopen(space, file, mode);
	}
	journal_line(refused);
	/* For dlerror(). */
	return real.dlmopen(space, "/nonexistent/refused by nst-run",
			    RTLD_NOW);
}
