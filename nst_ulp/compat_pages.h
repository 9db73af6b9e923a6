/* SPDX-License-Identifier: GPL-2.0 */
/* How a program's pages are pinned; part of compat.h, for rxrec.c alone. */
#ifndef _NST_COMPAT_PAGES_H
#define _NST_COMPAT_PAGES_H

#include <linux/mm.h>
#include <linux/uio.h>

/**
 * nst_compat_pin_pages() - pin memory of a program, to write to it
 * @iter: the memory; advanced by what is pinned
 * @pages: receives the pages, for unpin_user_pages_dirty_lock()
 * @size: bytes wanted, not 0 and not more than @iter has
 * @max: pages that there is room for
 * @offset: receives where they begin in the first page
 *
 * Return: bytes pinned, perhaps fewer than @size; an errno if none.
 */
#ifdef NST_HAVE_EXTRACT_PAGES
static inline ssize_t nst_compat_pin_pages(struct iov_iter *iter,
					   struct page **pages, size_t size,
					   unsigned int max, size_t *offset)
{
	return iov_iter_extract_pages(iter, &pages, size, max, 0, offset);
}
#else
static inline ssize_t nst_compat_pin_pages(struct iov_iter *iter,
					   struct page **pages, size_t size,
					   unsigned int max, size_t *offset)
{
	unsigned long addr;
	struct iovec iov;
	int nr;

	if (iter_is_ubuf(iter)) {
		iov.iov_base = iter->ubuf + iter->iov_offset;
		iov.iov_len = iov_iter_count(iter);
	} else {
		/* Go behind pieces that are empty. */
		iov_iter_advance(iter, 0);
		iov = iov_iter_iovec(iter);
	}
	addr = (unsigned long)iov.iov_base;
	*offset = offset_in_page(addr);
	size = min(size, iov.iov_len);
	nr = min_t(size_t, DIV_ROUND_UP(*offset + size, PAGE_SIZE), max);
	nr = pin_user_pages_fast(addr - *offset, nr, FOLL_WRITE, pages);
	if (nr <= 0)
		return nr ?: -EFAULT;
	size = min_t(size_t, size, nr * PAGE_SIZE - *offset);
	iov_iter_advance(iter, size);
	return size;
}
#endif

#endif /* _NST_COMPAT_PAGES_H */
