// SPDX-License-Identifier: GPL-2.0
/* Scatterlists: counting and copying. */
#include <linux/scatterlist.h>

int sg_nents(struct scatterlist *sg)
{
	int n;

	for (n = 0; sg; sg = sg_next(sg))
		n++;
	return n;
}

static size_t copy(struct scatterlist *sg, unsigned int nents, u8 *buf,
		   size_t len, bool to_buf)
{
	size_t done = 0;

	for (; nents && sg && done < len; nents--, sg = sg_next(sg)) {
		size_t n = min_t(size_t, sg->length, len - done);

		if (to_buf)
			memcpy(buf + done, sg_virt(sg), n);
		else
			memcpy(sg_virt(sg), buf + done, n);
		done += n;
	}
	return done;
}

size_t sg_copy_from_buffer(struct scatterlist *sg, unsigned int nents,
			   const void *buf, size_t len)
{
	return copy(sg, nents, (u8 *)buf, len, false);
}

size_t sg_copy_to_buffer(struct scatterlist *sg, unsigned int nents, void *buf,
			 size_t len)
{
	return copy(sg, nents, buf, len, true);
}
