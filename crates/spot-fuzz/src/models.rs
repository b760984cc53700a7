//! Fuzz target for all models.

use crate::generated::MODELS;

/// The first line of the input is the name of a type, and the rest is JSON. If the name is unknown,
/// the length of the name selects a type, so that a mutated name still tests a type.
pub(crate) fn models(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (name, json) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let named = MODELS.iter().find(|(known, _)| known.as_bytes() == name);
    if let Some((_, check)) = named.or_else(|| MODELS.get(name.len() % MODELS.len())) {
        check(json);
    }
}
