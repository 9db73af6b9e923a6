/* SPDX-License-Identifier: GPL-2.0 */
/* What is told to the listeners of the netlink group "events". */
#ifndef _NST_EVENT_H
#define _NST_EVENT_H

#include <linux/nst_netlink.h>
#include <linux/types.h>
#include "drop.h"

struct genl_family;
struct net;

int nst_event_init(void);
void nst_event_exit(void);
void nst_event_listen(const struct genl_family *family);

void nst_event_box(struct net *net, enum nst_event type, u16 kid);
void nst_event_limit(struct net *net, u16 kid);
void nst_event_drop(struct net *net, enum nst_drop cause, u16 kid, u64 timestamp);
void nst_event_guard(struct net *net, bool out, u8 protocol, u16 port,
		     bool dry_run, unsigned int cause);

#endif /* _NST_EVENT_H */
