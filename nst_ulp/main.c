// SPDX-License-Identifier: GPL-2.0
/* Load and unload, in order. */
#include <linux/module.h>
#include "admin/netlink.h"
#include "admin/proc.h"
#include "admin/sysctl.h"
#include "af_nst.h"
#include "core/aead.h"
#include "core/epoch.h"
#include "core/kdf.h"
#include "core/lookup.h"
#include "core/netns.h"
#include "core/sessions.h"
#include "core/suite.h"
#include "event.h"
#include "guard/hook.h"
#include "guard/rules.h"
#include "tcp/ulp.h"
#include "udp/attach.h"

static int init_guard(void)
{
	static const struct nst_guard_watch watch = {
		.first	= nst_guard_hook_register,
		.last	= nst_guard_hook_unregister,
	};

	return nst_guard_init(&watch);
}

static void exit_suites(void)
{
	nst_suite_ask_exit();
	nst_suite_exit();
}

static const struct {
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{ nst_suite_init,	exit_suites },
	{ nst_af_nst_init,	nst_af_nst_exit },
	{ nst_kdf_init,		nst_kdf_exit },
	{ nst_epoch_init,	nst_epoch_exit },
	{ nst_sessions_module_init, nst_sessions_module_exit },
	{ nst_netns_init,	nst_netns_exit },
	{ nst_sysctl_init,	nst_sysctl_exit },
	{ nst_proc_init,	nst_proc_exit },
	{ nst_event_init,	nst_event_exit },
	{ init_guard,		nst_guard_exit },
	{ nst_netlink_init,	nst_netlink_exit },
	{ nst_udp_init,		nst_udp_exit },
	/* The last that can fail: from here on programs attach. */
	{ nst_tcp_init,		nst_tcp_exit },
};

static void undo(int nr)
{
	while (nr--)
		parts[nr].exit();
	rcu_barrier();
	nst_op_exit();
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
/*
 * SHA-256 in assembly, where a kernel has it as a module; it is kept from load on.
 * And the parts of an AES-GCM that softirqs can use: what TCP loads may be another.
 */
MODULE_SOFTDEP("pre: nst_sm crypto-sha256 crypto-gcm crypto-ctr crypto-ghash");
