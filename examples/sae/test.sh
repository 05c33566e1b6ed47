#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the autoencoder reaches its figures on MiniLM's hidden states. Skipped, with the reason, where the checkpoint cannot be had.
#
# usage: test.sh BUILD
here=$(cd "$(dirname "$0")" && pwd)
exec bash "$here/../tap.sh" "$here" "$1" "sae explains what it promises, with few dead latents"
