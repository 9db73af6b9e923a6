// SPDX-License-Identifier: GPL-2.0
#include "nst_ulp/core/keyroom.c"
