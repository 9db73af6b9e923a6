/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: scatterlists, with end marks and chains as in the kernel. */
#ifndef _SHIM_LINUX_SCATTERLIST_H
#define _SHIM_LINUX_SCATTERLIST_H

#include <linux/mm.h>
#include <linux/string.h>

#define SG_CHAIN	1UL
#define SG_END		2UL

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	unsigned int dma_length;	/* as large as an entry of the kernel */
	u64 dma_address;
};

#define sg_is_chain(sg)	((sg)->page_link & SG_CHAIN)
#define sg_is_last(sg)	((sg)->page_link & SG_END)

static inline struct page *sg_page(const struct scatterlist *sg)
{
	WARN_ON(sg_is_chain(sg));
	return (struct page *)(sg->page_link & ~3UL);
}

static inline void *sg_virt(const struct scatterlist *sg)
{
	return (char *)page_address(sg_page(sg)) + sg->offset;
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link = (sg->page_link & ~SG_CHAIN) | SG_END;
}

static inline void sg_unmark_end(struct scatterlist *sg)
{
	sg->page_link &= ~SG_END;
}

static inline void sg_init_table(struct scatterlist *sg, unsigned int nents)
{
	memset(sg, 0, nents * sizeof(*sg));
	sg_mark_end(&sg[nents - 1]);
}

static inline void sg_assign_page(struct scatterlist *sg, struct page *page)
{
	WARN_ON(sg_is_chain(sg) || (unsigned long)page & 3);
	sg->page_link = (sg->page_link & 3UL) | (unsigned long)page;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg_assign_page(sg, page);
	sg->offset = offset;
	sg->length = len;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buf,
			      unsigned int len)
{
	sg_set_page(sg, virt_to_page(buf), len, offset_in_page(buf));
}

static inline void sg_init_one(struct scatterlist *sg, const void *buf,
			       unsigned int len)
{
	sg_init_table(sg, 1);
	sg_set_buf(sg, buf, len);
}

static inline void sg_chain(struct scatterlist *prv, unsigned int nents,
			    struct scatterlist *sgl)
{
	struct scatterlist *at = &prv[nents - 1];

	at->offset = 0;
	at->length = 0;
	at->page_link = ((unsigned long)sgl | SG_CHAIN) & ~SG_END;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	if (sg_is_chain(sg))
		sg = (struct scatterlist *)(sg->page_link & ~3UL);
	return sg;
}

int sg_nents(struct scatterlist *sg);
size_t sg_copy_from_buffer(struct scatterlist *sg, unsigned int nents,
			   const void *buf, size_t len);
size_t sg_copy_to_buffer(struct scatterlist *sg, unsigned int nents, void *buf,
			 size_t len);

#define for_each_sg(sgl, sg, n, i)					\
	for (i = 0, sg = (sgl); i < (n); i++, sg = sg_next(sg))

#endif /* _SHIM_LINUX_SCATTERLIST_H */
