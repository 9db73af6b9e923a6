// SPDX-License-Identifier: GPL-2.0
/*
 * How many connections without a program there may be: net.ipv4.tcp_max_orphans.
 * No kernel gives modules that number, and programs set it in /proc/sys alone. So
 * it is read there, through a mount of our own, as the kernel itself does to set
 * the sysctls of its command line.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mount.h>
#include <linux/workqueue.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include "tcp/orphans.h"

static struct vfsmount *proc;
static struct file *limit_file;

/* What TCP has by itself. */
static unsigned int default_max(void)
{
	return (init_net.ipv4.tcp_death_row.hashinfo->ehash_mask + 1) / 2;
}

/**
 * nst_orphans_max() - TCP's limit of orphans
 *
 * Context: a kernel thread: what guards /proc/sys looks at who reads.
 * Return: the limit; TCP's default if this kernel has no /proc/sys.
 */
unsigned int nst_orphans_max(void)
{
	loff_t pos = 0;
	char text[16];
	ssize_t n = 0;
	int max;

	if (limit_file)
		n = kernel_read(limit_file, text, sizeof(text) - 1, &pos);
	if (n <= 0)
		return default_max();
	text[n] = '\0';
	if (kstrtoint(strim(text), 10, &max))
		return default_max();
	return max(max, 0);
}

static void open_limit(struct work_struct *work)
{
	struct file_system_type *type = get_fs_type("proc");
	struct file *file;

	/* It is no module's, so nothing holds it. */
	if (!type)
		return;
	proc = kern_mount(type);
	if (IS_ERR(proc)) {
		proc = NULL;
		return;
	}
	file = file_open_root_mnt(proc, "sys/net/ipv4/tcp_max_orphans",
				  O_RDONLY, 0);
	if (!IS_ERR(file))
		limit_file = file;
}

/**
 * nst_orphans_init() - find TCP's limit
 *
 * In a kernel thread, as it is seen from the first network namespace only.
 *
 * Context: process.
 */
void nst_orphans_init(void)
{
	struct work_struct work;

	INIT_WORK_ONSTACK(&work, open_limit);
	schedule_work(&work);
	flush_work(&work);
	destroy_work_on_stack(&work);
}

/**
 * nst_orphans_exit() - undo nst_orphans_init()
 */
void nst_orphans_exit(void)
{
	if (limit_file)
		fput(limit_file);
	if (proc)
		kern_unmount(proc);
}
