// SPDX-License-Identifier: GPL-2.0
/* Names of causes, from the module's own list. */
#include <stddef.h>

#include <nst/nst.h>

#include "nst_ulp/drop.h"

static const char *const names[NST_DROP_MAX] = {
#define X(sym, name, err) [NST_DROP_##sym] = name,
	NST_DROP_LIST(X)
#undef X
};

const char *nst_cause_name(unsigned int cause)
{
	return cause < NST_DROP_MAX ? names[cause] : NULL;
}
