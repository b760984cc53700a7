//! Tests that no input of the seed corpus breaks a rule of its target.
// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use spot_fuzz::{TARGETS, run};

#[test]
fn no_input_of_the_seed_corpus_fails_a_fuzz_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, _) in TARGETS {
        let inputs: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().map(Result::unwrap).collect();
        assert!(inputs.len() >= 3, "{name} has {} inputs", inputs.len());
        for input in inputs {
            run(name, &fs::read(input.path()).unwrap());
        }
    }
}
