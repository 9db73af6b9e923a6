// SPDX-License-Identifier: GPL-2.0
#include "vectors/record.c"
