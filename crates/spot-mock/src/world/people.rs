//! Users, and the categories of the browse pages.

use std::borrow::Cow;

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    /// Free text: a new account has a random one, an old one its login name.
    pub(crate) id: String,
    /// Null for accounts that never set one.
    pub(crate) display_name: Option<String>,
    pub(crate) followers: u32,
    pub(crate) account_id: String,
    pub(crate) email: String,
    /// Whether the user has Premium.
    pub(crate) premium: bool,
}

/// A category of the browse pages.
#[derive(Debug)]
pub(crate) struct Category {
    /// An old short word or a new 22-character id.
    pub(crate) id: String,
    pub(crate) name: Cow<'static, str>,
    pub(crate) icon: String,
}
