//! Users, and the categories of the browse pages.

use std::borrow::Cow;

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    /// Any text: a random id for new accounts, the login name for old ones.
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
    /// A short word for old categories, 22 characters for new ones.
    pub(crate) id: String,
    pub(crate) name: Cow<'static, str>,
    pub(crate) icon: String,
}
