/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a page is the address of its first byte. */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/kernel.h>
#include <linux/slab.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)	ALIGN((unsigned long)(x), PAGE_SIZE)

struct page;

#define page_address(p)		((void *)(p))
#define virt_to_page(v)		((struct page *)((unsigned long)(v) & PAGE_MASK))
#define offset_in_page(v)	((unsigned long)(v) & ~PAGE_MASK)
#define kmap_local_page(p)	page_address(p)
#define kunmap_local(v)		((void)(v))

#endif /* _SHIM_LINUX_MM_H */
