#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rust.sh: Debian's Rust compiler, for the example in Rust. Installed if it is not
# there.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR/../vm source=lib.sh
. "$here/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm source=apt.sh
. "$here/../vm/apt.sh"

installed rustc || install_packages rustc
