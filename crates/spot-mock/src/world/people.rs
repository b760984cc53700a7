//! Users, and the categories of the browse pages.

use std::borrow::Cow;

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    /// The id can be any string. New accounts have a random id, and old accounts have the login
    /// name as their id.
    pub(crate) id: String,
    /// Null for accounts that never set a display name.
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
    /// The id is a short word in old categories, and has 22 characters in new categories.
    pub(crate) id: String,
    pub(crate) name: Cow<'static, str>,
    pub(crate) icon: String,
}
