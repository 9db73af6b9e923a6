// SPDX-License-Identifier: GPL-2.0
/*
 * nst_shape.ko: which shapes of TCP buffers nst_ulp has met. A test, never part
 * of an installation.
 *
 * It looks at each call of nst_rxrec_add() and at what that returned, so a test
 * of a path can prove that it was taken. /proc/nst_shape tells the counts;
 * writing to it sets them to zero. Behind "unmark" it also takes from each buffer the
 * mark that others may write to it, as kernels do that lose it when TCP joins two.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/uaccess.h>

/* X(symbol, name): one count of calls each. */
#define SHAPES(X)							\
	X(CALLS,	"calls")					\
	X(LINEAR,	"linear")	/* bytes of the head */		\
	X(PAGED,	"paged")	/* bytes of page fragments */	\
	X(LIST,		"list")		/* with a fragment list */	\
	X(SHARED,	"shared")	/* someone else may write */	\
	X(TAKEN,	"taken")	/* returned 0 */		\
	X(TOO_MANY,	"too_many")	/* returned -E2BIG */		\
	X(UNCLEAN,	"unclean")	/* returned -EUCLEAN */

enum {
#define X(sym, name) SHAPE_##sym,
	SHAPES(X)
#undef X
	SHAPE_MAX
};

static const char *const names[] = {
#define X(sym, name) name,
	SHAPES(X)
#undef X
};

static atomic_long_t counts[SHAPE_MAX];
static bool unmark;

/* int nst_rxrec_add(rec, skb, offset, n, gfp) */
static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct sk_buff *skb = (void *)regs_get_kernel_argument(regs, 1);
	unsigned int offset = regs_get_kernel_argument(regs, 2);
	unsigned int n = regs_get_kernel_argument(regs, 3);
	unsigned int headlen = skb_headlen(skb);

	atomic_long_inc(&counts[SHAPE_CALLS]);
	if (offset < headlen)
		atomic_long_inc(&counts[SHAPE_LINEAR]);
	if (offset + n > headlen && skb_shinfo(skb)->nr_frags)
		atomic_long_inc(&counts[SHAPE_PAGED]);
	if (skb_has_frag_list(skb))
		atomic_long_inc(&counts[SHAPE_LIST]);
	if (skb_has_shared_frag(skb))
		atomic_long_inc(&counts[SHAPE_SHARED]);
	if (READ_ONCE(unmark))
		skb_shinfo(skb)->flags &= ~SKBFL_SHARED_FRAG;
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	switch ((int)regs_return_value(regs)) {
	case 0:
		atomic_long_inc(&counts[SHAPE_TAKEN]);
		break;
	case -E2BIG:
		atomic_long_inc(&counts[SHAPE_TOO_MANY]);
		break;
	case -EUCLEAN:
		atomic_long_inc(&counts[SHAPE_UNCLEAN]);
		break;
	}
	return 0;
}

static struct kretprobe probe = {
	.kp.symbol_name	= "nst_rxrec_add",
	.entry_handler	= on_entry,
	.handler	= on_return,
	.maxactive	= 64,
};

static int show(struct seq_file *seq, void *v)
{
	int i;

	for (i = 0; i < SHAPE_MAX; i++)
		seq_printf(seq, "%s %ld\n", names[i],
			   atomic_long_read(&counts[i]));
	/* Calls that were not seen; a test must not trust the rest then. */
	seq_printf(seq, "missed %d\n", probe.nmissed);
	return 0;
}

static int shape_open(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}

static ssize_t reset(struct file *file, const char __user *buf, size_t len,
		     loff_t *pos)
{
	char first = 0;
	int i;

	if (len && copy_from_user(&first, buf, 1))
		return -EFAULT;
	WRITE_ONCE(unmark, first == 'u');
	for (i = 0; i < SHAPE_MAX; i++)
		atomic_long_set(&counts[i], 0);
	probe.nmissed = 0;
	return len;
}

static const struct proc_ops shape_ops = {
	.proc_open	= shape_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_write	= reset,
	.proc_release	= single_release,
};

static int __init nst_shape_init(void)
{
	int err = register_kretprobe(&probe);

	if (err)
		return err;
	if (proc_create("nst_shape", 0600, NULL, &shape_ops))
		return 0;
	unregister_kretprobe(&probe);
	return -ENOMEM;
}

static void __exit nst_shape_exit(void)
{
	remove_proc_entry("nst_shape", NULL);
	unregister_kretprobe(&probe);
}

module_init(nst_shape_init);
module_exit(nst_shape_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of NST: shapes of buffers that were received");
