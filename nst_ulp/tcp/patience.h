/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a close() waits to send its end. */
#ifndef _NST_TCP_PATIENCE_H
#define _NST_TCP_PATIENCE_H

#include "core/netns.h"

bool nst_tcp_may_wait(const struct nst_net *nn, enum nst_close_wait what);
void nst_tcp_waited_in_vain(struct nst_net *nn, enum nst_close_wait what);

#endif /* _NST_TCP_PATIENCE_H */
