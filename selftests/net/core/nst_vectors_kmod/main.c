// SPDX-License-Identifier: GPL-2.0
/*
 * nst_vectors.ko: the vectors over this kernel's crypto API. A test, never part
 * of an installation. Loading runs them, /proc/nst_vectors says TAP.
 *
 * The sources of the module's core/ are compiled into this one as they
 * are; only the clock and the random numbers are replaced.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/ktime.h>
#include <linux/vmalloc.h>
#include "env.h"
#include "core/netns.h"
#include "core/owner.h"
#include "vectest.h"

#define OUTPUT_MAX	(256 * 1024)
#define CHOSEN_MAX	64

/* All of it is used during module init only, but for the output. */
static char *output;
static size_t output_len;
static u64 clock;
static u8 chosen[CHOSEN_MAX];
static size_t chosen_at, chosen_len;

struct nst_owner *nst_net_owner(struct nst_net *nn)
{
	return nst_owner_get(nn->memories, 0);
}

void vec_env_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_len += vscnprintf(output + output_len, OUTPUT_MAX - output_len,
				 format, args);
	va_end(args);
}

void vec_env_clock(u64 real_ns)
{
	clock = real_ns;
}

u64 vec_real_ns(void)
{
	return clock;
}

void vec_env_random(const void *bytes, size_t len)
{
	if (chosen_at == chosen_len) {
		chosen_at = 0;
		chosen_len = 0;
	}
	if (WARN_ON(chosen_len + len > CHOSEN_MAX))
		return;
	memcpy(chosen + chosen_len, bytes, len);
	chosen_len += len;
}

static void random_bytes(void *buf, size_t len)
{
	if (chosen_at + len > chosen_len) {
		get_random_bytes(buf, len);
		return;
	}
	memcpy(buf, chosen + chosen_at, len);
	chosen_at += len;
}

u32 vec_random_u32(void)
{
	u32 v;

	random_bytes(&v, sizeof(v));
	return v;
}

u64 vec_random_u64(void)
{
	u64 v;

	random_bytes(&v, sizeof(v));
	return v;
}

static int show(struct seq_file *seq, void *v)
{
	seq_write(seq, output, output_len);
	return 0;
}

static int __init nst_vectors_init(void)
{
	output = vzalloc(OUTPUT_MAX);
	if (!output)
		return -ENOMEM;
	vec_run();
	if (!proc_create_single("nst_vectors", 0444, NULL, show)) {
		vfree(output);
		return -ENOMEM;
	}
	return 0;
}

static void __exit nst_vectors_exit(void)
{
	remove_proc_entry("nst_vectors", NULL);
	/* Boxes are freed by callbacks in this module's code. */
	rcu_barrier();
	vfree(output);
}

module_init(nst_vectors_init);
module_exit(nst_vectors_exit);

MODULE_DESCRIPTION("NST vectors (test only)");
MODULE_LICENSE("GPL");
