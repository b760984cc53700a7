//! One program for all targets: `SPOT_FUZZ_TARGET` names the one to run, so that they share a build.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("SPOT_FUZZ_TARGET").unwrap_or_default());

fuzz_target!(|data: &[u8]| spot_fuzz::run(&TARGET, data));
