//! Files that only their owner can read and write.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

/// Maximum size of a file, in bytes.
const MAX_LEN: u64 = 1024 * 1024;

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// Reading or writing failed.
    Io(io::Error),
    /// The file or its directory is not safe. The text completes a sentence that starts with "the
    /// token file X".
    Unsafe(String),
    /// The file is too large.
    TooLarge,
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a file. Returns `None` if the file does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Unusable> {
    check_directory(path)?;
    // Checks the file type before opening the file. Opening a FIFO waits for a writer, and a link
    // may point to a device with endless data, such as `/dev/zero`.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => check_regular(&found?)?,
    }
    let file = match File::open(path) {
        // Another process has removed the file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    check_mode(&metadata)?;
    if metadata.len() > MAX_LEN {
        return Err(Unusable::TooLarge);
    }
    let mut text = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Opens a file for locking, and creates it if it does not exist.
pub(super) fn open_lock(path: &Path) -> Result<File, Unusable> {
    if let Some(directory) = path.parent() {
        create_directory(directory)?;
    }
    check_directory(path)?;
    // Another process may create or remove the file between the two calls.
    let mut attempt = 0;
    loop {
        attempt += 1;
        let opened = match fs::symlink_metadata(path) {
            Ok(metadata) => {
                check_regular(&metadata)?;
                OpenOptions::new().write(true).open(path)
            }
            // `create_new` does not follow a link, unlike `create`.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                private().write(true).create_new(true).open(path)
            }
            Err(error) => Err(error),
        };
        match opened {
            Err(error)
                if attempt < 10
                    && matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                    ) => {}
            opened => return Ok(opened?),
        }
    }
}

/// Replaces a file: after a crash, either the old or the new file exists. `next` is the path of the
/// new file until the file is complete.
pub(super) fn replace(path: &Path, next: &Path, text: &[u8]) -> io::Result<()> {
    let written = (|| {
        let mut file = private().write(true).create_new(true).open(next)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(next, path)
    })();
    if written.is_err() {
        // The incomplete file may contain a part of the tokens.
        let _ = fs::remove_file(next);
    }
    written?;
    sync_directory(path)
}

/// Overwrites a file in place. This works on a full disk, because it reuses the blocks of the file.
///
/// If the program crashes during the write, the file is lost. Without the write, new tokens would
/// be lost when the program ends.
#[cfg(unix)]
pub(super) fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let mut file = OpenOptions::new().write(true).open(path)?;
    let metadata = file.metadata()?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    // Blocks are counted in units of 512 bytes on every platform.
    if !metadata.is_file() || metadata.blocks().saturating_mul(512) < length {
        return Err(io::ErrorKind::StorageFull.into());
    }
    file.write_all(text)?;
    file.set_len(length)?;
    file.sync_all()
}

#[cfg(not(unix))]
pub(super) fn overwrite(_: &Path, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::StorageFull.into())
}

/// Whether a write failed because no space is left.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Removes a file. Succeeds if the file does not exist.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a rename or a removal durable by writing the directory to the disk. This step is not
/// needed on Windows.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Options for creating a file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn check_regular(metadata: &Metadata) -> Result<(), Unusable> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Unusable::Unsafe("is not a regular file: remove it".to_owned()))
}

/// Checks that other users cannot replace files in the directory.
#[cfg(unix)]
fn check_directory(path: &Path) -> Result<(), Unusable> {
    use std::os::unix::fs::MetadataExt;

    let Some(directory) = path.parent() else { return Ok(()) };
    let mode = match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.mode(),
    };
    // The sticky bit keeps other users from renaming or removing these files.
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        let directory = directory.display();
        return Err(Unusable::Unsafe(format!(
            "is in a directory that every user of this machine can write to: \
             run `chmod o-w {directory}`"
        )));
    }
    Ok(())
}

#[cfg(unix)]
fn check_mode(metadata: &Metadata) -> Result<(), Unusable> {
    use std::os::unix::fs::MetadataExt;

    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Unusable::Unsafe(format!(
        "is open to other users (mode {mode:03o}): run `chmod 600` on it, and sign in again if you do \
         not trust those users"
    )))
}

#[cfg(not(unix))]
fn check_directory(_: &Path) -> Result<(), Unusable> {
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Metadata) -> Result<(), Unusable> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn overwrite_fails_if_the_content_exceeds_the_allocated_blocks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "the old content, which is longer than the new one").unwrap();
        overwrite(&path, b"the new content").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the new content");
        let error = overwrite(&path, &vec![b'x'; 1 << 20]).unwrap_err();
        assert!(is_full(&error));
        assert_eq!(fs::read(&path).unwrap(), b"the new content", "nothing was written");
        assert!(overwrite(&directory.path().join("none"), b"x").is_err());
    }

    #[test]
    fn a_failed_replacement_removes_the_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, next) = (directory.path().join("file"), directory.path().join("next"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        replace(&path, &next, b"CANARY").unwrap_err();
        assert!(!next.exists());
    }
}
