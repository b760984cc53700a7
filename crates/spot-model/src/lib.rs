//! What the Spotify Web API says: ids, objects, pages, enums, and the table of operations.

mod operation;

pub use operation::{Access, Method, Operation, Paging};

// Replaced by the generated enum and table.
/// A permission.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `user-library-read`
    UserLibraryRead,
}
impl Scope {
    /// The scope's name.
    pub fn as_str(&self) -> &str { "user-library-read" }
}
impl Operation {
    /// All operations.
    pub const ALL: &'static [&'static Self] = &[];
}
