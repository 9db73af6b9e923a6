#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# golang.sh: Debian's Go compiler, for a program that no library can be preloaded
# into. Installed if it is not there.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. "$here/../vm/apt.sh"

installed golang-go || install_packages golang-go
