// SPDX-License-Identifier: GPL-2.0
/* Memory: counted, able to fail, watched for keys. */
#include <malloc.h>
#include <linux/slab.h>
#include <linux/string.h>

void *shim_alloc(size_t size, gfp_t gfp, const char *file, int line)
{
	void *p;

	if (gfpflags_allow_blocking(gfp))
		shim_might_sleep(file, line);
	if (shim_should_fail() || size == SIZE_MAX)
		return NULL;
	p = malloc(size);
	if (!p)
		abort();
	memset(p, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	shim_live_allocs++;
	return p;
}

/* With AddressSanitizer this is what was asked for, not more. */
size_t ksize(const void *p)
{
	return malloc_usable_size((void *)p);
}

void kfree(const void *p)
{
	if (!p)
		return;
	shim_secret_check(p, ksize(p));
	shim_live_allocs--;
	free((void *)p);
}

void kfree_sensitive(const void *p)
{
	if (!p)
		return;
	memzero_explicit((void *)p, ksize(p));
	kfree(p);
}

struct kmem_cache *shim_cache_create(size_t size)
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (cache)
		cache->size = size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	kfree(cache);
}
