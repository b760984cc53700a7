//! Reads JSON files: recorded responses of Spotify with their index, and the project's fixtures.

use std::{fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use spot::model::Operation;
use xtask::Error;

/// An entry of the `index.json` of recorded responses.
#[derive(Deserialize)]
pub(super) struct Recorded {
    pub(super) file: String,
    /// Spotify's id of the operation. The value is `type:NAME` for a single object, and `error` for
    /// an error response.
    pub(super) operation: String,
    pub(super) http_status: u16,
}

/// The index of the recorded responses in `dir`.
pub(super) fn index(dir: &Path) -> Result<Vec<Recorded>, Error> {
    read(&dir.join("index.json"))
}

/// The fixtures of an operation. Only files with a name that ends with `ending` are read.
pub(super) fn fixtures(
    root: &Path,
    operation: &Operation,
    ending: &str,
) -> Result<Vec<Value>, Error> {
    let dir = root.join("fixtures").join(operation.name);
    let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).map(|path| read(&path)).collect()
}

/// The content of a JSON file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}
