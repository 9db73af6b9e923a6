// SPDX-License-Identifier: GPL-2.0
#include "vectors/vectest.c"
