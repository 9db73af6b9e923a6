/* SPDX-License-Identifier: GPL-2.0 */
/* The guard's rules as they are shown. */
#ifndef NSTKEYCTL_RULEVIEW_H
#define NSTKEYCTL_RULEVIEW_H

#include "guard.h"

void ruleview_text(const struct guard_rules *rules);
void ruleview_json(const struct guard_rules *rules);
void ruleview_prometheus(const struct guard_rules *rules);

#endif /* NSTKEYCTL_RULEVIEW_H */
