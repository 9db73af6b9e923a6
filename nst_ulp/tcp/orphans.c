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

struct search {
	struct work_struct work;
	int err;
};

/* A kernel without /proc/sys has no such file, and that is no failure. */
static int open_limit(void)
{
	struct file_system_type *type = get_fs_type("proc");
	struct vfsmount *mnt;
	struct file *file;

	/* It is no module's, so nothing holds it. */
	if (!type)
		return 0;
	mnt = kern_mount(type);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	proc = mnt;
	file = file_open_root_mnt(proc, "sys/net/ipv4/tcp_max_orphans",
				  O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOENT ? 0 : PTR_ERR(file);
	limit_file = file;
	return 0;
}

static void search_work(struct work_struct *work)
{
	struct search *search = container_of(work, struct search, work);

	search->err = open_limit();
}

/**
 * nst_orphans_init() - find TCP's limit
 *
 * In a kernel thread, as it is seen from the first network namespace only.
 *
 * Context: process.
 * Return: 0, also if this kernel has no /proc/sys; an errno if it has one that
 * cannot be opened now: what the administrator says there would not count as long
 * as the module is loaded.
 */
int nst_orphans_init(void)
{
	struct search search = {};

	INIT_WORK_ONSTACK(&search.work, search_work);
	schedule_work(&search.work);
	flush_work(&search.work);
	destroy_work_on_stack(&search.work);
	if (search.err)
		nst_orphans_exit();
	return search.err;
}

/**
 * nst_orphans_exit() - undo nst_orphans_init()
 */
void nst_orphans_exit(void)
{
	if (limit_file)
		fput(limit_file);
	limit_file = NULL;
	if (proc)
		kern_unmount(proc);
	proc = NULL;
}
