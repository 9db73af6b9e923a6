// SPDX-License-Identifier: GPL-2.0
/* Load and unload, in order. */
#include <linux/module.h>
#include "af_nst.h"
#include "cipher.h"
#include "diag.h"
#include "epoch.h"
#include "event.h"
#include "guard.h"
#include "netlink.h"
#include "netns.h"
#include "proc.h"
#include "sessions.h"
#include "sockopt.h"
#include "sysctl.h"
#include "tcp_ulp.h"
#include "udp.h"
#include "udp_opt.h"

static int init_tcp(void)
{
	static const struct nst_tcp_hooks hooks = {
		.setsockopt	= nst_sockopt_set,
		.getsockopt	= nst_sockopt_get,
		.get_info	= nst_diag_info,
		.get_info_size	= nst_diag_info_size,
	};

	return nst_tcp_init(&hooks);
}

static int init_udp(void)
{
	static const struct nst_udp_hooks hooks = {
		.setsockopt	= nst_udp_opt_set,
		.getsockopt	= nst_udp_opt_get,
	};

	return nst_udp_init(&hooks);
}

static const struct {
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{ nst_af_nst_init,	nst_af_nst_exit },
	{ nst_epoch_init,	nst_epoch_exit },
	{ nst_sessions_module_init, nst_sessions_module_exit },
	{ nst_netns_init,	nst_netns_exit },
	{ nst_sysctl_init,	nst_sysctl_exit },
	{ nst_proc_init,	nst_proc_exit },
	{ nst_event_init,	nst_event_exit },
	{ nst_guard_init,	nst_guard_exit },
	{ nst_netlink_init,	nst_netlink_exit },
	{ init_udp,		nst_udp_exit },
	/* The last that can fail: from here on programs attach. */
	{ init_tcp,		nst_tcp_exit },
};

static void undo(int nr)
{
	while (nr--)
		parts[nr].exit();
	rcu_barrier();
	nst_cipher_exit();
}

static int __init nst_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		err = parts[i].init();
		if (err) {
			undo(i);
			return err;
		}
	}
	nst_udp_open();
	nst_af_nst_open();
	return 0;
}

static void __exit nst_exit(void)
{
	undo(ARRAY_SIZE(parts));
}

module_init(nst_init);
module_exit(nst_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("NST: authenticated encryption for sockets, from a static key box");
MODULE_VERSION("0.1.0");
MODULE_SOFTDEP("pre: nst_sm");
