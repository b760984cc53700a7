/// Why Spotify does not allow a call.
///
/// Spotify responds with 403 for many reasons.
/// [`Error::forbidden_cause`](crate::Error::forbidden_cause) derives the cause from the message,
/// the operation and the access mode of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForbiddenCause {
    /// The operation is not available to applications in Development Mode.
    /// [`Error::kind`](crate::Error::kind) returns [`Restricted`](crate::ErrorKind::Restricted),
    /// and the error message contains the operation to use instead, if there is one.
    DevelopmentMode,
    /// Spotify removed the operation on 2024-11-27. Only applications that had Extended Quota Mode
    /// on 2024-11-27, or had already applied for an extension, can still call the operation.
    /// [`Error::kind`](crate::Error::kind) returns [`Restricted`](crate::ErrorKind::Restricted).
    ClosedIn2024,
    /// The token lacks a scope. [`Error::kind`](crate::Error::kind) returns
    /// [`MissingScope`](crate::ErrorKind::MissingScope).
    MissingScope,
    /// Development Mode requires that the owner of the application has Spotify Premium, but the
    /// owner does not have it. Every call fails until the owner subscribes to Spotify Premium.
    OwnerNeedsPremium,
    /// Development Mode requires that the user is on the allow-list of the application, but the
    /// user is not on this list.
    UserNotRegistered,
    /// The player requires Spotify Premium, but the user does not have it.
    UserNeedsPremium,
    /// The player does not allow the command now. [`Error::kind`](crate::Error::kind) returns
    /// [`Player`](crate::ErrorKind::Player).
    PlayerRestriction,
    /// The user is neither the owner nor a collaborator of the playlist.
    PlaylistOfOthers,
    /// The cause is unknown, because Spotify's message does not contain it.
    Other,
}

impl ForbiddenCause {
    /// Returns one sentence of advice for the user or the developer.
    pub fn advice(self) -> &'static str {
        match self {
            Self::DevelopmentMode => {
                "use the replacement of the operation, or apply for Extended Quota Mode"
            }
            Self::ClosedIn2024 => "do not use the operation: Spotify offers no replacement",
            Self::MissingScope => "ask the user to sign in with the missing scope",
            Self::OwnerNeedsPremium => {
                "the owner of the application must subscribe to Spotify Premium; it can take hours \
                 until the subscription takes effect"
            }
            Self::UserNotRegistered => {
                "add the user to the allow-list of the application in the dashboard; Development \
                 Mode allows five users"
            }
            Self::UserNeedsPremium => {
                "the player accepts commands only from users with Spotify Premium"
            }
            Self::PlayerRestriction => "play another item or use another device, then try again",
            Self::PlaylistOfOthers => {
                "only the owner and the collaborators of a playlist may read and change its items: \
                 ask the owner to add the user as a collaborator"
            }
            Self::Other => {
                "check in the dashboard that the user is registered, and that the owner has Spotify \
                 Premium"
            }
        }
    }
}
