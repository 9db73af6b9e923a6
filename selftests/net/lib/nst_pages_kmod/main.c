// SPDX-License-Identifier: GPL-2.0
/*
 * nst_pages.ko: memory as drivers give it to programs, which nobody may pin. A
 * test, never part of an installation. It is mapped from /proc/nst_pages.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>

#define ORDER	5

static unsigned long pages;

static int map(struct file *file, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;

	if (vma->vm_pgoff || len > PAGE_SIZE << ORDER)
		return -EINVAL;
	/* Sets VM_IO and VM_PFNMAP. */
	return remap_pfn_range(vma, vma->vm_start,
			       virt_to_phys((void *)pages) >> PAGE_SHIFT, len,
			       vma->vm_page_prot);
}

static const struct proc_ops pages_ops = {
	.proc_mmap	= map,
};

static int __init pages_init(void)
{
	pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	if (!pages)
		return -ENOMEM;
	if (proc_create("nst_pages", 0600, NULL, &pages_ops))
		return 0;
	free_pages(pages, ORDER);
	return -ENOMEM;
}

static void __exit pages_exit(void)
{
	remove_proc_entry("nst_pages", NULL);
	free_pages(pages, ORDER);
}

module_init(pages_init);
module_exit(pages_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of NST: memory that cannot be pinned");
