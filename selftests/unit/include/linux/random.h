/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: numbers that tests can choose. */
#ifndef _SHIM_LINUX_RANDOM_H
#define _SHIM_LINUX_RANDOM_H

#include <linux/kernel.h>
#include <linux/notifier.h>

void get_random_bytes(void *buf, size_t len);
int get_random_bytes_wait(void *buf, size_t len);
u64 get_random_u64(void);
u32 get_random_u32(void);
u16 get_random_u16(void);
u8 get_random_u8(void);
u32 get_random_u32_below(u32 ceil);

/* shim_vmfork() reports a fork of the virtual machine to who registered. */
int register_random_vmfork_notifier(struct notifier_block *nb);
int unregister_random_vmfork_notifier(struct notifier_block *nb);
void shim_vmfork(void);
/* One that the kernel tells of behind the next random bytes. */
void shim_vmfork_behind_random(void);

#define wait_for_random_bytes()		0
#define rng_is_initialized()		true

#endif /* _SHIM_LINUX_RANDOM_H */
