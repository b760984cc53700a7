//! Values that the program encrypts before they are stored.

use std::{
    error::Error as StdError,
    panic::{AssertUnwindSafe, catch_unwind},
    str,
};

use spot_http::Error;

/// The error of an encryption function of the application.
pub(super) type SealFailure = Box<dyn StdError + Send + Sync>;

/// The functions of the application that encrypt and decrypt values.
pub(super) struct Seal {
    seal: Function,
    open: Function,
}

type Function = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, SealFailure> + Send + Sync>;

impl Seal {
    pub(super) fn new(
        seal: impl Fn(&[u8]) -> Result<Vec<u8>, SealFailure> + Send + Sync + 'static,
        open: impl Fn(&[u8]) -> Result<Vec<u8>, SealFailure> + Send + Sync + 'static,
    ) -> Self {
        Self { seal: Box::new(seal), open: Box::new(open) }
    }

    /// Encrypts JSON together with its Redis key.
    pub(super) fn seal(&self, key: &str, text: &str) -> Result<Vec<u8>, Error> {
        call("seal", &self.seal, key, format!("{key}\n{text}").as_bytes())
    }

    /// Decrypts JSON. Fails if the decrypted data starts with another Redis key.
    pub(super) fn open(&self, key: &str, sealed: &[u8]) -> Result<String, Error> {
        let plain = call("open", &self.open, key, sealed)?;
        let wrong = |why: &str| Error::store(format!("cannot read {key} in Redis: {why}"));
        let plain =
            str::from_utf8(&plain).map_err(|_| wrong("the decrypted value is not valid UTF-8"))?;
        match plain.split_once('\n') {
            Some((owner, text)) if owner == key => Ok(text.to_owned()),
            Some(_) => Err(wrong("the value was encrypted for storage under another Redis key")),
            None => Err(wrong("the decrypted value does not contain the name of its Redis key")),
        }
    }
}

/// Calls an encryption function of the application. A panic becomes an error.
fn call(name: &str, function: &Function, key: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    match catch_unwind(AssertUnwindSafe(|| function(bytes))) {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            Err(Error::store(format!("the function `{name}` failed for {key}")).with_source(error))
        }
        Err(_) => Err(Error::configuration(format!("the function `{name}` panicked for {key}"))),
    }
}
