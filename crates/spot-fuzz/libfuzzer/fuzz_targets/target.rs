//! One program for all targets, so that all targets share a build. The environment variable
//! `SPOT_FUZZ_TARGET` contains the name of the target to run.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("SPOT_FUZZ_TARGET").unwrap_or_default());

fuzz_target!(|data: &[u8]| spot_fuzz::run(&TARGET, data));
