/* SPDX-License-Identifier: GPL-2.0 */
/* How the kernel may be hardened, as far as NST feels it. */
#ifndef NSTKEYCTL_MODE_H
#define NSTKEYCTL_MODE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct mode - what restrains this kernel
 * @fips: FIPS mode, "fips=1"
 * @no_fips: "fips=1" was asked for, and this kernel is built without that mode
 * @lockdown: locked down, so modules have to be signed
 * @signed_only: module.sig_enforce, the same without the rest
 * @no_modules: kernel.modules_disabled, nothing is loaded before the next boot
 */
struct mode {
	int fips;
	int no_fips;
	int lockdown;
	int signed_only;
	int no_modules;
};

int read_line(const char *path, char *text, size_t size);
void mode_get(struct mode *mode);
int mode_forbids(const struct mode *mode, uint32_t suite);
int module_loaded(void);
void module_absence(const struct mode *mode, char *text, size_t size);

#endif /* NSTKEYCTL_MODE_H */
